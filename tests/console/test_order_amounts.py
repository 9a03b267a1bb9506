"""Amounts that stand together on a page of the console add up, and say what remains."""

import re
from decimal import Decimal
from typing import Any

import pytest

from orders.models import Item, Order
from orders.services import cancellation
from tests.console.agent import LIST, Agent, act
from tests.factories import LocationFactory
from tests.orders.shop import Shop, item, items, order, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    LocationFactory(tenant=shop.tenant, code="S1", name="High Street", type="store")
    return shop


def captured(shop: Shop, *units: Any, **fields: Any) -> Order:
    return stored(shop.captured(order(*units, **fields)))


def rows(page: str, heading: str) -> list[list[tuple[str, str]]]:
    """The breakdowns of a section: name and amount of each line."""
    section = re.split(rf"<h3[^>]*>{heading}", page)[1].split("</section>", 1)[0]
    return [
        re.findall(r"<dt[^>]*>([^<]*)</dt><dd[^>]*>([^<]*)</dd>", part)
        for part in re.findall(r'<dl class="[^"]*amounts.*?</dl>', section, re.DOTALL)
    ]


def number(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.−]", "", text).replace("−", "-"))


def adds_up(lines: list[tuple[str, str]]) -> bool:
    """Whether the lines before the total add up to it."""
    names = [name for name, _ in lines]
    total = names.index("Total")
    return sum(number(text) for _, text in lines[:total]) == number(lines[total][1])


FIXED = {"type": "fixed", "value": 6}
EXCLUDED = {"base": 60, "net": 54, "tax": 10.8, "gross": 64.8, "discount": 6}
INCLUDED = {"base": 72, "net": 54, "tax": 10.8, "gross": 64.8, "discount": 7.2}


class TestAPrice:
    def test_without_tax_shows_base_discount_tax_and_total(self, shop):
        adjustment = {"price_adjustment": 6, "coupon_code": "SPRING10", "level": "item"} | FIXED
        stored_order = captured(
            shop,
            item(price=EXCLUDED, discounts=[adjustment]),
            price_method="tax_excluded",
        )

        page = Agent(shop).page(stored_order)

        [lines] = rows(page, "Items")
        assert lines == [
            ("Price, before tax", "60.00"),
            ("Discount SPRING10", "−6.00"),
            ("Tax", "10.80"),
            ("Total", "64.80 EUR"),
        ]
        assert "was 60" not in page

    def test_with_tax_shows_base_discount_and_total_and_the_tax_in_it(self, shop):
        stored_order = captured(shop, item(price=INCLUDED), price_method="tax_included")

        [lines] = rows(Agent(shop).page(stored_order), "Items")

        assert lines == [
            ("Price, with tax", "72.00"),
            ("Discount", "−7.20"),
            ("Total", "64.80 EUR"),
            ("Tax included", "10.80"),
        ]

    @pytest.mark.parametrize("method", ["tax_excluded", "tax_included"])
    def test_of_a_shipment_is_shown_alike(self, shop, method):
        price = {"price": 10, "tax": 1, "discount_info": []}
        stored_order = captured(shop, item(), price_method=method, shipments=[price])
        shipment = stored_order.shipments.get()
        type(shipment).objects.update(discount=2, base=12)

        [lines] = rows(Agent(shop).page(stored_order), "Shipments")

        assert adds_up(lines), lines
        assert ("Discount", "−2.00") in lines

    def test_that_contradicts_itself_still_adds_up(self, shop):
        stored_order = captured(shop, item(price=EXCLUDED), price_method="tax_excluded")
        Item.objects.update(base=70)

        [lines] = rows(Agent(shop).page(stored_order), "Items")

        assert ("Other adjustment", "−10.00") in lines
        assert adds_up(lines)

    def test_of_a_currency_without_decimals_has_none(self, shop):
        price = {"net": 1000, "tax": 100, "gross": 1100}
        stored_order = captured(shop, item(price=price), currency="JPY")

        [lines] = rows(Agent(shop).page(stored_order), "Items")

        assert lines[-1] == ("Total", "1,100 JPY")

    @pytest.mark.parametrize("method", ["tax_excluded", "tax_included"])
    def test_of_the_whole_order_adds_up(self, shop, method):
        price = EXCLUDED if method == "tax_excluded" else INCLUDED
        stored_order = captured(
            shop,
            item(price=price),
            item(price=price),
            price_method=method,
            shipments=[{"price": 5, "tax": 1}],
            gift_wrapping={"message": "x", "price": {"net": 2, "tax": 0.5, "gross": 2.5}},
        )

        [lines] = rows(Agent(shop).page(stored_order), "Totals")

        assert adds_up(lines), lines
        assert ("Discounts", "−12.00" if method == "tax_excluded" else "−14.40") in lines
        assert dict(lines)["Total"] == f"{stored_order.total:.2f} EUR"


class TestWhatRemains:
    @pytest.fixture
    def agent(self, shop) -> Agent:
        return Agent(shop)

    def cancelled(self, shop, the_order: Order) -> None:
        cancellation.cancel(
            tenant=shop.tenant,
            reference=str(the_order.uuid),
            id_type="internal",
            reason="x",
            note=None,
            actor="staff:x",
        )

    def text(self, page: str) -> str:
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))

    def test_of_a_cancelled_order_is_nothing(self, shop, agent):
        stored_order = captured(shop, item(), shipments=[{"price": 5, "tax": 1}])
        self.cancelled(shop, stored_order)

        page = agent.page(stored_order)
        head = self.text(page.split("order-head")[1])
        listed = self.text(agent.get(LIST).content.decode())

        assert "Closed Cancelled" in head[:400]
        assert "17.00 EUR Remaining 0.00 EUR" in head[:600]
        assert "Closed Cancelled" in listed
        assert "17.00 EUR Remaining 0.00 EUR" in listed
        [lines] = rows(page, "Totals")
        assert lines[-2:] == [("Cancelled", "−17.00"), ("Remaining", "0.00 EUR")]

    def test_of_a_returned_item_is_the_rest_with_its_shipping(self, shop, agent):
        stored_order = captured(shop, *items(2), shipments=[{"price": 5, "tax": 1}])
        done = list(stored_order.items.order_by("position"))
        Item.objects.filter(order=stored_order).update(status="complete")
        Order.objects.filter(pk=stored_order.pk).update(status="closed")
        Item.objects.filter(pk=done[0].pk).update(status="returned")

        page = agent.page(stored_order)

        assert "Partly returned" in page
        assert "Partly returned" in agent.get(LIST).content.decode()
        [lines] = rows(page, "Totals")
        assert lines[-2:] == [("Returned", "−11.00"), ("Remaining", "17.00 EUR")]

    def test_is_not_told_of_an_order_that_lost_nothing(self, shop, agent):
        stored_order = captured(shop)

        assert "Remaining" not in agent.page(stored_order)
        assert "Remaining" not in agent.get(LIST).content.decode()

    def test_is_what_cancelling_gives_back(self, shop, agent):
        stored_order = captured(
            shop, item(is_preorder=True), item(), shipments=[{"price": 5, "tax": 1}]
        )
        early = stored_order.items.get(is_preorder=True)

        page = self.text(agent.get(act(stored_order, "cancel-item", early)).content.decode())
        assert "Refund due: up to 11.00 EUR." in page
        agent.do(stored_order, "cancel-item", early)
        page = self.text(agent.get(act(stored_order, "cancel")).content.decode())
        assert "Refund due: up to 17.00 EUR." in page

    def test_with_the_last_item_is_the_shipping_too(self, shop, agent):
        stored_order = captured(shop, item(is_preorder=True), shipments=[{"price": 5, "tax": 1}])

        page = self.text(
            agent.get(act(stored_order, "cancel-item", stored_order.items.get())).content.decode()
        )

        assert "Refund due: up to 17.00 EUR." in page

    def test_is_what_many_orders_are_worth(self, shop, agent):
        former, stored_order = captured(shop, *items(2)), captured(shop)
        self.cancelled(shop, former)
        ticked = {
            "_selected_action": [former.pk, stored_order.pk],
            "action": "cancel_orders",
            "index": 0,
        }

        page = self.text(agent.post(LIST, **ticked).content.decode())

        assert "Total value: 33.00 EUR, of which 11.00 EUR remain." in page
        assert "Status: 1 open and 1 closed." in page


class TestTheDashboard:
    def test_says_what_became_of_closed_orders(self, shop):
        former, stored_order = captured(shop), captured(shop)
        Item.objects.filter(order=former).update(status="cancelled")
        Item.objects.filter(order=stored_order).update(status="complete")
        Order.objects.update(status="closed")
        agent = Agent(shop)

        page = agent.get("/console/").content.decode()

        results = re.findall(r'href="([^"]*outcome=[^"]*)"[^>]*>\s*([^<]*?)\s*<', page)
        assert {text for _, text in results} == {"1 cancelled", "1 completed"}
        for address, text in results:
            answer = agent.browser.get(address.replace("&amp;", "&"))
            numbers = [row.number for row in answer.context["rows"]]
            assert numbers == [former.number if "cancelled" in text else stored_order.number]

"""An order is found by whatever the caller has at hand, by look-ups in indexes only."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench import loading
from configuration.models import Tenant
from configuration.services import pseudonyms
from orders.admin import searching
from orders.models import Item, Order
from tests.console.people import signed_in
from tests.orders.shop import Shop, item, order, stored

pytestmark = pytest.mark.django_db
LIST = "/console/orders/order/"


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def browser(shop: Shop) -> Any:
    return signed_in("support", shop.tenant)


@pytest.fixture
def wanted(shop: Shop) -> Order:
    """One order among others."""
    body = order(
        item(product_id="SKU-RARE", external_identifier={"serial_number": "SN-1"}),
        external_id="WEB-77",
        customer={"id": "C-77", "name": "Grace", "email": "Grace.Hopper@Example.com"},
    )
    shop.captured(order(customer={"id": "C-1", "name": "Ada", "email": "ada@example.com"}))
    return stored(shop.captured(body))


def search(browser: Any, term: str, **query: str) -> Any:
    return browser.get(LIST, query_params={"q": term} | query)


def listed(answer: Any) -> list[int]:
    return [row.key for row in answer.context["rows"]]


def ways(order: Order, tenant: Tenant) -> dict[str, str]:
    """Everything a caller may have at hand."""
    key = pseudonyms.customer_key(tenant, order.customer_id)
    return {
        "number": order.number,
        "number in small letters": order.number.lower(),
        "external id": "WEB-77",
        "id": str(order.uuid),
        "id in capitals": str(order.uuid).upper(),
        "e-mail address": "Grace.Hopper@Example.com",
        "e-mail address as people write it": "  grace.hopper@EXAMPLE.com ",
        "customer id": "C-77",
        "token of the customer": pseudonyms.token(tenant, key, "email", "x"),
        "SKU": "SKU-RARE",
        "serial number": "SN-1",
        "an item's id": str(Item.objects.get(product_id="SKU-RARE").uuid),
    }


WAYS = (
    "number",
    "number in small letters",
    "external id",
    "id",
    "id in capitals",
    "e-mail address",
    "e-mail address as people write it",
    "customer id",
    "token of the customer",
    "SKU",
    "serial number",
    "an item's id",
)


@pytest.mark.parametrize("way", WAYS)
class TestByAnyName:
    def test_the_only_hit_is_opened(self, shop, browser, wanted, way):
        answer = search(browser, ways(wanted, shop.tenant)[way])

        assert answer.status_code == 302
        assert answer.headers["Location"] == f"{LIST}{wanted.pk}/change/"

    def test_nobody_else_finds_it(self, shop, browser, wanted, way):
        stranger = signed_in("admin", Shop().tenant)

        answer = search(stranger, ways(wanted, shop.tenant)[way])

        assert answer.status_code == 200
        assert listed(answer) == []


OF_OTHERS = {
    Order: {"customer_email": "n.customer || '@example.com'"},
    Item: {"product_id": "'SKU-' || n.number", "serial_number": "'SN-' || n.number"},
}


def test_each_way_is_a_look_up_in_an_index(shop, wanted):
    """Among 2,000 orders, which PostgreSQL reads as it would read many."""
    terms = ways(wanted, shop.tenant).values()
    loading.load(
        shop.tenant,
        wanted.uuid,
        first=1_000,
        count=2_000,
        customer=lambda number: f"C-{number}",
        differs=OF_OTHERS,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order, orders_item")
    for term in terms:
        with CaptureQueriesContext(connection) as question:
            assert searching.search(term.strip(), [shop.tenant]) == [wanted.pk]
        [query] = question.captured_queries
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())

        assert "Seq Scan" not in plan
        # Nothing is read to be thrown away; the one filter says that a partial index applies.
        assert set(re.findall("Filter: (.*)", plan)) <= {"((customer_email)::text <> ''::text)"}


class TestSeveralHits:
    def test_are_listed_newest_first(self, shop, browser):
        new_orders = [
            stored(shop.captured(order(placed_at=f"2024-05-0{day}T12:00:00Z"))) for day in (2, 3, 1)
        ]

        assert listed(search(browser, "SKU-1")) == [
            new_orders[1].pk,
            new_orders[0].pk,
            new_orders[2].pk,
        ]

    def test_are_not_more_than_the_newest_of_a_product_everybody_buys(
        self, shop, browser, monkeypatch
    ):
        monkeypatch.setattr(searching, "MOST", 2)
        new_orders = [stored(shop.captured(order())) for _ in range(4)]

        assert sorted(listed(search(browser, "SKU-1"))) == [new_orders[2].pk, new_orders[3].pk]

    def test_are_listed_once_however_many_ways_they_were_found(self, shop, browser):
        shop.captured(order(external_id="twice", customer={"id": "twice"}))
        shop.captured(order(item(product_id="twice"), item(product_id="twice")))

        assert len(listed(search(browser, "twice"))) == 2

    def test_can_be_filtered(self, shop, browser):
        waits = stored(shop.captured(order(grace_period=600)))
        shop.captured(order(grace_period=0))

        assert listed(search(browser, "SKU-1", status="on_hold")) == [waits.pk]


def test_an_only_hit_among_filtered_ones_stays_in_the_list(browser, wanted):
    assert listed(search(browser, "WEB-77", channel="web")) == [wanted.pk]


def test_an_operator_finds_orders_of_every_tenant(wanted):
    other = Shop()
    theirs = stored(other.captured(order(external_id="WEB-77")))
    operator = signed_in("operator")

    assert sorted(listed(search(operator, "WEB-77"))) == sorted([wanted.pk, theirs.pk])
    assert len(listed(search(operator, "SKU-1"))) == 2


@pytest.mark.parametrize(
    "term", ["WEB-7", "WEB-77%", "%", "_", "EB-77", "hopper@example.com", "' OR 1=1 --", "x" * 300]
)
def test_nothing_is_found_by_a_part_of_a_name_or_a_pattern(browser, wanted, term):
    assert listed(search(browser, term)) == []


@pytest.mark.parametrize(
    "term",
    [
        "cafe\u0301",
        "caf\u00e9",
        "JOSE\u0301@b\u00fccher.example",
        "jos\u00e9@xn--bcher-kva.example",
    ],
)
def test_an_order_is_found_however_its_name_is_spelled(shop: Shop, term: str) -> None:
    customer = {"id": "C-9", "email": "jos\u00e9@b\u00fccher.example"}
    new_order = stored(shop.captured(order(external_id="cafe\u0301", customer=customer)))

    assert searching.search(term, [shop.tenant]) == [new_order.pk]


def test_a_number_is_found_in_fullwidth_letters(shop: Shop) -> None:
    new_order = stored(shop.captured(order()))

    assert searching.search(
        "\uff2e\uff33\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff11", [shop.tenant]
    ) == [new_order.pk]

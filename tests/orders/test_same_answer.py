"""Equal answers of a capture, of the detail, and of the same capture again."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.models import Shipment
from orders.services import invariants
from tests.orders.shop import Shop, contents, item, items, order, problem, read, sample
from webhooks.models import Event

pytestmark = pytest.mark.django_db

CASES = ("capture_shipment_without_items", "capture_in_store_with_shipments", "capture_mixed_cart")


@pytest.fixture
def shop() -> Shop:
    return Shop(checks_payment_totals=False)


def same(shop: Shop, body: Any) -> Any:
    """The answer of a capture, which the detail and the same capture again also give."""
    answer = shop.captured(body)
    detail = shop.order(answer["origin_id"])
    assert detail == {k: v for k, v in answer.items() if k not in ("external_id", "number")}
    repeated = shop.capture(body)
    assert (repeated.status_code, read(repeated)) == (200, answer)
    return answer


def shipping(shop: Shop, answer: Any) -> list[str]:
    """The shipments that the price list names."""
    question = {"items": [{"type": "shipping"}]}
    prices = read(shop.ask("POST", f"/v0/orders/{answer['origin_id']}/prices", question))
    return [price["id"] for price in prices["items"]]


def published() -> list[Any]:
    """The published orders as a capture has them: named by the caller, with a zone and products."""
    detail, (web, store) = sample("published_detail"), sample("published_history")["orders"]
    detail["placed_at"] += "Z"
    for thing in detail["items"]:
        thing["product_id"] = thing["external_identifier"]["sku"]
    for body in (detail, web, store):
        body["external_id"] = body.pop("id")
    return [detail, web, store]


@pytest.mark.parametrize("name", CASES)
def test_every_shipment_is_read_back(shop: Shop, name: str) -> None:
    body = sample(name)

    answer = same(shop, body)

    named = [shipment["id"] for shipment in body["shipments"]]
    assert [shipment["id"] for shipment in answer["shipments"]] == named
    assert shipping(shop, answer) == named


@pytest.mark.parametrize("number", [0, 1, 2], ids=["detail", "web", "store"])
def test_published_orders_are_read_back(shop: Shop, number: int) -> None:
    body = published()[number]

    answer = same(shop, body)

    assert len(answer.get("shipments", ())) == len(body.get("shipments", ()))
    assert answer["totals"]["gross"] == body["totals"]["gross"]


def test_personal_data_is_the_same_tokens_in_every_answer() -> None:
    shop = Shop(uses_pii_tokens=True)

    answer = same(shop, published()[0])

    assert answer["customer"]["name"] != published()[0]["customer"]["name"]


def test_a_published_history_entry_is_one_again(shop: Shop) -> None:
    entries = sample("published_history")["orders"]
    for body, existing in zip(published()[1:], entries, strict=True):
        same(shop, body)
        [entry] = read(shop.history(body["customer"]["id"]))["orders"]
        for name in ("id", "channel", "shop", "tax_information", "is_historical"):
            assert entry[name] == existing[name]


class TestAnItemHandedOver:
    def test_keeps_the_shipment_it_names(self, shop: Shop) -> None:
        same(shop, sample("capture_mixed_cart"))

        assert list(Shipment.objects.order_by("position").values_list("items__product_id")) == [
            ("1000013",),
            ("1000014",),
        ]

    def test_names_none_where_there_are_several(self, shop: Shop) -> None:
        former = item(fulfillment_group_type="IN_STORE_HANDOVER")
        ids = [str(uuid4()), str(uuid4())]

        answer = same(shop, order(former, shipments=[{"id": name} for name in ids]))

        assert [shipment["id"] for shipment in answer["shipments"]] == ids
        assert answer["status"] == "closed"


class TestAShipmentWithoutItems:
    def body(self, **members: Any) -> dict[str, Any]:
        ids = [str(uuid4()), str(uuid4())]
        shipments = [{"id": ids[0], "price": 5}, {"id": ids[1], "price": 7}]
        return order(item(shipment_id=ids[1]), shipments=shipments, **members)

    def test_is_in_the_order_that_is_opened_later(self, shop: Shop) -> None:
        body = self.body(grace_period=60)
        answer = same(shop, body)
        [hold] = read(shop.ask("GET", f"/order-management/orders/{body['id']}/holds"))["holds"]
        path = f"/order-management/orders/{body['id']}/holds/{hold['id']}/release"
        assert shop.ask("POST", path, {"reason": "fine"}).status_code == 200

        created, opened = (
            Event.objects.get(name=f"order.{name}", subject=UUID(body["id"])).payload
            for name in ("created", "opened")
        )
        assert opened["shipping_total"] == created["shipping_total"] == 12
        assert shop.order(body["id"])["shipments"] == answer["shipments"]

    def test_keeps_its_place_when_items_and_shipments_are_added(self, shop: Shop) -> None:
        body = self.body(grace_period=60)
        same(shop, body)
        more = str(uuid4())
        added = body | {
            "items": [*body["items"], item(shipment_id=more)],
            "shipments": [*body["shipments"], {"id": more, "price": 1}],
        }

        answer = same(shop, added)

        assert [s["price"]["gross"] for s in answer["shipments"]] == [5, 7, 1]
        assert answer["totals"]["shipping"] == 13
        assert len(answer["items"]) == 2

    def test_that_comes_with_nothing_new_is_a_contradiction(self, shop: Shop) -> None:
        body = self.body()
        same(shop, body)

        refused = shop.capture(
            body | {"shipments": [*body["shipments"], {"id": str(uuid4()), "price": 1}]}
        )

        assert refused.status_code == 409
        assert read(refused)["differences"] == ["/shipments/2"]

    def test_is_on_every_page_of_a_history(self, shop: Shop) -> None:
        for _ in range(3):
            same(shop, self.body(customer={"id": "c-1"}))

        page = read(shop.history("c-1"))["orders"]
        assert [entry["totals"]["shipping"] for entry in page] == [12, 12, 12]

    def test_is_cancelled_with_its_order(self, shop: Shop) -> None:
        body = self.body(grace_period=60)
        answer = same(shop, body)

        path = f"/v0/orders/{body['id']}/cancel"
        assert shop.ask("POST", path, {"reason": "late"}, id_type="internal").status_code == 200

        assert shop.order(body["id"])["shipments"] == answer["shipments"]
        assert same_again(shop, body)["status"] == "closed"


def same_again(shop: Shop, body: Any) -> Any:
    before = contents()
    answer = shop.captured(body)
    assert contents() == before
    return answer


def test_more_shipments_than_items_and_more_items_than_shipments(shop: Shop) -> None:
    for things, parcels in ((1, 10), (10, 1), (3, 3), (2, 0)):
        ids = [str(uuid4()) for _ in range(parcels)]
        body = items(things, **({"shipment_id": ids[-1]} if ids else {}))
        answer = same(shop, order(*body, shipments=[{"id": name, "price": 1} for name in ids]))
        assert [s["id"] for s in answer.get("shipments", ())] == ids


def test_a_shipments_id_is_used_once(shop: Shop) -> None:
    name, before = str(uuid4()), contents()
    twice = [{"id": name, "price": 1}, {"id": name, "price": 2}]
    nested = [box | {"items": [item()]} for box in twice]
    bare = {k: v for k, v in order().items() if k != "items"}

    for body in (order(item(shipment_id=name), shipments=twice), bare | {"shipments": nested}):
        status, code, message = problem(shop.capture(body))
        assert (status, code) == (400, "bad_request")
        assert "shipments: an 'id' is used twice" in message
        assert contents() == before


def test_payments_that_share_a_reference_are_still_the_same(shop: Shop) -> None:
    paid = {
        "type": "captured",
        "method": "cash",
        "processor": "cash",
        "processed_at": "2024-05-01T12:00:00Z",
        "correlation_ref": "CASH",
    }
    body = order(payments=[paid | {"amount": 5}, paid | {"amount": 6}])

    same(shop, body)

    body["payments"][1]["amount"] = 7
    refused = shop.capture(body)
    assert read(refused)["differences"] == ["/payments/1/amount"]


def test_a_contradiction_inside_a_shipment_is_pointed_out_there(shop: Shop) -> None:
    body = {k: v for k, v in order().items() if k != "items"}
    body["shipments"] = [{"items": [item()]}, {"items": [item(), item()]}]
    same(shop, body)

    body["shipments"][1]["items"][1]["product_id"] = "SKU-2"

    differences = read(shop.capture(body))["differences"]
    assert differences == ["/shipments/1/items/1/product_id"]


class TestTheShipmentOfAnItem:
    @pytest.mark.parametrize("how", ["SHIPPING", "IN_STORE_HANDOVER"])
    def test_is_not_another_one_when_it_is_sent_again(self, shop: Shop, how: str) -> None:
        ids = [str(uuid4()), str(uuid4())]
        body = order(
            item(shipment_id=ids[0], fulfillment_group_type=how),
            shipments=[{"id": name} for name in ids],
        )
        same(shop, body)

        body["items"][0]["shipment_id"] = ids[1]

        assert read(shop.capture(body))["differences"] == ["/items/0/shipment_id"]

    def test_need_not_be_said_again(self, shop: Shop) -> None:
        ids = [str(uuid4()), str(uuid4())]
        thing = item(shipment_id=ids[1])
        body = order(thing, shipments=[{"id": name} for name in ids])
        answer = same(shop, body)
        del thing["shipment_id"]

        assert shop.captured(body | {"shipments": body["shipments"][:1]}) == answer
        assert shop.captured({"id": body["id"], "items": [thing]}) == answer


# Generated orders. Amounts are cents, so that they are exact.

CENTS = Decimal("0.01")
_amounts = st.integers(0, 20_000).map(lambda n: n * CENTS)
_names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=8)


@st.composite
def tax_lines(draw: Any, tax: Decimal) -> list[dict[str, Any]]:
    """Lines that add up to the tax, and some that say something else than an amount."""
    first = min(draw(_amounts), tax)
    body: list[dict[str, Any]] = [{"amount": first, "rate": Decimal("0.08"), "name": "State"}]
    body.append({"amount": tax - first, "country_code": "US"})
    if draw(st.booleans()):
        body.append({"name": "Free of tax"})
    return body


@st.composite
def discounts(draw: Any, taken: Decimal) -> list[dict[str, Any]]:
    first = min(draw(_amounts), taken)
    parts = [("item", first), ("order", taken - first)]
    return [
        {
            "level": level,
            "type": draw(st.sampled_from(["fixed", "percentage"])),
            "value": 10,
            "price_adjustment": amount,
            "coupon_code": draw(st.sampled_from(["", "SALE"])),
        }
        for level, amount in parts
    ]


@st.composite
def priced(draw: Any, method: str) -> dict[str, Any]:
    """A price in the read model's form, with or without the lines that explain it."""
    net, tax, accepted_count = draw(_amounts), draw(_amounts), draw(st.just(Decimal(0)) | _amounts)
    paid = net + tax if method == "tax_included" else net
    price = {"net": net, "tax": tax, "gross": net + tax}
    body: dict[str, Any] = {"price": price}
    if draw(st.booleans()):
        price["base"] = paid + accepted_count
    if draw(st.booleans()) or accepted_count:
        price["discount"] = accepted_count
    if draw(st.booleans()):
        body["tax_lines"] = draw(tax_lines(tax))
    if "discount" in price and draw(st.booleans()):
        body["discounts"] = draw(discounts(accepted_count))
    return body


@st.composite
def injected(draw: Any) -> dict[str, Any]:
    """A price in the injection's form; its tax never exceeds it."""
    tax, accepted_count, rest = draw(_amounts), draw(_amounts), draw(_amounts)
    price = {
        "item_price": tax + accepted_count + rest,
        "item_tax_lines": [{"amount": tax, "rate": Decimal("0.1"), "name": "Sales"}],
    }
    if accepted_count:
        off = {"discount_ref": "SALE", "type": "fixed", "original_value": accepted_count}
        price["item_discount_info"] = [off | {"price_adjustment": accepted_count}]
    return {"price": price}


@st.composite
def parcels(draw: Any, method: str) -> dict[str, Any]:
    form = draw(st.sampled_from(["object", "number", "option", "nothing"]))
    level = draw(st.sampled_from([{}, {"service_level_identifier": "fast"}]))
    if form == "object":
        return level | draw(priced(method))
    if form == "number":
        tax = draw(_amounts)
        lines = {"tax_lines": draw(tax_lines(tax))} if draw(st.booleans()) else {}
        return level | lines | {"price": tax + draw(_amounts), "tax": tax}
    if form == "option":
        tax, accepted_count = draw(_amounts), draw(_amounts)
        option = {"price": tax + accepted_count + draw(_amounts), "tax": tax}
        off = {
            "discount_ref": "S",
            "type": "fixed",
            "original_value": 1,
            "price_adjustment": accepted_count,
        }
        return level | {"shipping_option": option | {"discount_info": [off]}}
    return level


@st.composite
def wrapping(draw: Any) -> dict[str, Any]:
    net, tax = draw(_amounts), draw(_amounts)
    body = {"price": {"net": net, "tax": tax, "gross": net + tax}, "message": draw(_names)}
    if draw(st.booleans()):
        body["tax_lines"] = draw(tax_lines(tax))
    return body


@st.composite
def captures(draw: Any) -> dict[str, Any]:
    """Shipments × items × handover × discounts × gift wrapping × payments, in both forms."""
    method = draw(st.sampled_from(["tax_excluded", "tax_included"]))
    sent_body = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "store_id": st.sampled_from(["NY5AVE", ""]),
                "is_fulfilled": st.booleans(),
                "grace_period": st.sampled_from([0, 60]),
                "gift_wrapping": wrapping(),
                "customer": st.fixed_dictionaries({"id": st.just("c-1"), "name": _names}),
                "shipping_address": st.fixed_dictionaries(
                    {"country_code": st.just("US"), "city": _names}
                ),
                "extended_attributes": st.just([{"name": "colour", "value": "blue"}]),
            },
        )
    )
    payments = [
        {
            "type": draw(st.sampled_from(["authorized", "captured"])),
            "amount": draw(_amounts) + CENTS,
            "method": "card",
            "processor": "p",
            "processed_at": "2024-05-01T12:00:00.5+02:00",
            "correlation_ref": draw(st.sampled_from([f"P-{n}", "CASH"])),
            "metadata": {"rate": Decimal("1.50"), "Bin": "4111"},
        }
        for n in range(draw(st.integers(0, 2)))
    ]
    body = {"price_method": method, "channel_type": draw(st.sampled_from(["web", "store"]))}
    body |= {"payments": payments} if payments else {}
    if draw(st.integers(0, 3)) == 0:
        nested = [
            draw(parcels(method))
            | {"items": [draw(things(method)) for _ in range(draw(st.integers(1, 3)))]}
            for _ in range(draw(st.integers(1, 3)))
        ]
        whole = {k: v for k, v in order(**sent_body).items() if k != "items"}
        return whole | body | {"shipments": nested}
    boxes = [draw(parcels(method)) for _ in range(draw(st.integers(0, 4)))]
    named = [str(uuid4()) for _ in boxes]
    goods = [draw(things(method)) for _ in range(draw(st.integers(1, 4)))]
    for thing in goods:
        hands_over = thing.get("fulfillment_group_type") == "IN_STORE_HANDOVER"
        may_name_none = hands_over or len(boxes) < 2
        if boxes and not (may_name_none and draw(st.booleans())):
            thing["shipment_id"] = draw(st.sampled_from(named))
    boxes = [box | {"id": name} for box, name in zip(boxes, named, strict=True)]
    return order(*goods, **sent_body) | body | ({"shipments": boxes} if boxes else {})


@st.composite
def things(draw: Any, method: str) -> dict[str, Any]:
    body = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "fulfillment_group_type": st.sampled_from(["SHIPPING", "IN_STORE_HANDOVER"]),
                "external_item_id": st.sampled_from(["E", "F"]),
                "is_preorder": st.booleans(),
                "product_attributes": st.fixed_dictionaries({"name": _names}),
                "external_identifier": st.just({"sku": "1", "serial_number": "2"}),
                "extended_attributes": st.just([{"name": "colour", "value": "blue"}]),
            },
        )
    )
    return item(**body, **draw(injected() | priced(method)))


def read_back(shop: Shop, body: Any) -> None:
    """Everything a capture said is in every answer, in the order it was said."""
    answer = same(shop, body)
    shipments = answer.get("shipments", [])
    assert len(shipments) == len(body.get("shipments", ()))
    assert shipping(shop, answer) == [shipment["id"] for shipment in shipments]
    total = sum(Decimal(s["price"]["gross"]) for s in shipments)
    assert Decimal(answer["totals"]["shipping"]) == total


NORMAL = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@NORMAL
@given(body=captures())
def test_generated_orders(shop: Shop, body: Any) -> None:
    read_back(shop, body)


@pytest.mark.slow
@settings(NORMAL, max_examples=2_500)
@given(body=captures())
def test_many_generated_orders(shop: Shop, body: Any) -> None:
    read_back(shop, body)


def test_no_invariant_is_broken(shop: Shop) -> None:
    for name in CASES:
        same(shop, sample(name))

    assert [f.invariant.name for f in invariants.check() if f.number] == []

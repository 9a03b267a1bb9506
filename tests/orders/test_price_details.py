"""Details of a price add up to the amounts they explain; where they do not, capture says where."""

from decimal import Decimal
from typing import Any

import pytest

from orders.models import Order
from tests.orders.shop import Shop, contents, item, order, problem, read, sample, stored

pytestmark = pytest.mark.django_db

HANDED_OVER = {"fulfillment_group_type": "IN_STORE_HANDOVER"}


def tax(*amounts: Any) -> list[dict[str, Any]]:
    return [{"amount": amount, "name": "T"} for amount in amounts]


def off(*amounts: Any, level: str = "item") -> list[dict[str, Any]]:
    return [
        {"level": level, "type": "fixed", "value": amount, "price_adjustment": amount}
        for amount in amounts
    ]


def priced(net: Any, tax: Any, gross: Any, **members: Any) -> dict[str, Any]:
    return {"net": net, "tax": tax, "gross": gross} | members


def of_item(price: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return order(item(**({"price": price} if price else {}) | members))


def of_shipment(**members: Any) -> dict[str, Any]:
    return order(shipments=[members])


def nested(thing: dict[str, Any]) -> dict[str, Any]:
    """The injection's form: the thing is the second in the second shipment."""
    whole = {k: v for k, v in order().items() if k != "items"}
    return whole | {"shipments": [{"items": [item()]}, {"items": [item(), thing]}]}


CONTRADICTIONS = [
    (of_item(tax_lines=tax(50)), "/items/0/tax_lines"),
    (of_item(tax_lines=tax("0.99")), "/items/0/tax_lines"),
    (of_item(tax_lines=[{"name": "Without an amount"}]), "/items/0/tax_lines"),
    (of_item(priced(10, 1, 11, base=10, discount=3)), "/items/0/price/discount"),
    (of_item(priced(10, 0, 10, base=10, discount=0), discounts=off(3)), "/items/0/discounts"),
    (of_item(priced(10, 0, 10, base=10), discounts=off(3)), "/items/0/discounts"),
    (of_item(priced(10, 0, 10, discount=3), discounts=off(2, level="order")), "/items/0/discounts"),
    (
        of_item(priced(9, 1, 10, base=12, discount=3)) | {"price_method": "tax_included"},
        "/items/0/price/discount",
    ),
    (of_shipment(price=priced(10, 1, 11), tax_lines=tax(2)), "/shipments/0/tax_lines"),
    (of_shipment(price=11, tax=1, tax_lines=tax(2)), "/shipments/0/tax_lines"),
    (
        of_shipment(shipping_option={"price": 11, "tax": 1}, tax_lines=tax(2)),
        "/shipments/0/tax_lines",
    ),
    (
        of_shipment(price=priced(10, 1, 11, base=10, discount=1)),
        "/shipments/0/price/discount",
    ),
    (
        of_shipment(price=priced(10, 1, 11, discount=1), discounts=off(2)),
        "/shipments/0/discounts",
    ),
    (
        order(gift_wrapping={"price": priced(4, 1, 5), "tax_lines": tax("0.5")}),
        "/gift_wrapping/tax_lines",
    ),
    (nested(item(tax_lines=tax(2))), "/shipments/1/items/1/tax_lines"),
]


def amounts(body: Any) -> Any:
    """The body with the amounts that stand as texts above as numbers."""
    if isinstance(body, dict):
        return {
            k: Decimal(v)
            if k in ("amount", "price_adjustment") and isinstance(v, str)
            else amounts(v)
            for k, v in body.items()
        }
    return [amounts(v) for v in body] if isinstance(body, list) else body


def refused(shop: Shop, body: Any) -> list[str]:
    """The pointers of the refusal, after which nothing is stored."""
    before = contents()
    response = shop.capture(amounts(body))
    status, code, message = problem(response)
    assert (status, code) == (400, "bad_request")
    assert message.startswith("Validation of capture order failed with error: ")
    assert contents() == before
    errors = read(response)["errors"]
    assert errors[0]["message"] in message
    return [error["pointer"] for error in errors]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def lenient() -> Shop:
    return Shop(lenient_price_details=True)


@pytest.mark.parametrize(("body", "pointer"), CONTRADICTIONS, ids=[p for _, p in CONTRADICTIONS])
def test_a_contradiction_is_refused_and_pointed_out(shop: Shop, body: Any, pointer: str) -> None:
    assert refused(shop, body) == [pointer]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_contradictions_that_were_met(shop: Shop, number: int) -> None:
    pointers = ["/items/0/tax_lines", "/items/0/price/discount", "/items/0/discounts"]
    case = sample("capture_contradicting_details")[number]

    assert refused(shop, case["body"]) == [pointers[number]], case["why"]


def test_every_contradiction_is_named(shop: Shop) -> None:
    body = order(item(), item(tax_lines=tax(2)), item(tax_lines=tax(3)), shipments=[{"price": 5}])

    assert refused(shop, body) == ["/items/1/tax_lines", "/items/2/tax_lines"]


def test_a_contradiction_is_told_in_its_amounts(shop: Shop) -> None:
    _, _, message = problem(shop.capture(of_item(tax_lines=tax(50))))

    assert message == (
        "Validation of capture order failed with error: items.0.tax_lines: the tax lines add up "
        "to '50', the tax is '1'."
    )


AGREEING = {
    "no lines": of_item(tax_lines=[], discounts=[]),
    "lines of the tax": of_item(tax_lines=tax("0.4", "0.6")),
    "a line without an amount": of_item(tax_lines=[*tax(1), {"rate": 7}, {"name": "T"}]),
    "two lines off by half a cent each": of_item(tax_lines=tax("0.49", "0.5")),
    "discounts of both levels": of_item(
        priced(10, 1, 11, base=15, discount=5), discounts=off(2) + off(3, level="order")
    ),
    "discounts alone": of_item(discounts=off(3)),
    "a discount alone": of_item(priced(10, 1, 11, discount=3)),
    "a base alone": of_item(priced(10, 1, 11, base=12)),
    "a base with its tax": of_item(priced(9, 1, 10, base=13, discount=3))
    | {"price_method": "tax_included"},
    "shipping": of_shipment(
        price=priced(10, 1, 11, base=12, discount=2), tax_lines=tax(1), discounts=off(2)
    ),
    "shipping whose tax nobody said": of_shipment(price=11, tax_lines=tax(1)),
    "a shipping option": of_shipment(shipping_option={"price": 11, "tax": 1}, tax_lines=tax(1)),
    "gift wrapping": order(gift_wrapping={"price": priced(4, 1, 5), "tax_lines": tax(1)}),
}


@pytest.mark.parametrize("name", AGREEING)
def test_details_that_agree_are_stored(shop: Shop, name: str) -> None:
    answer = shop.captured(amounts(AGREEING[name]))

    assert "contradictions" not in stored(answer).details


@pytest.mark.parametrize(
    "name",
    [
        "capture_minimal",
        "injection_discounts",
        "injection_tax_included_store",
        "injection_web_tax_excluded",
    ],
)
def test_what_public_clients_send_agrees(shop: Shop, name: str) -> None:
    assert "contradictions" not in stored(shop.captured(sample(name))).details


@pytest.mark.parametrize(
    ("currency", "lines", "is_right"),
    [
        ("JPY", (50, 49), True),
        ("JPY", (50, 48), False),
        ("KWD", ("50.000", "49.999"), True),
        ("KWD", ("50.000", "49.998"), False),
    ],
)
def test_half_a_minor_unit_a_line_is_of_the_currency(
    shop: Shop, currency: str, lines: Any, is_right: bool
) -> None:
    body = of_item(priced(100, 100, 200), tax_lines=tax(*lines)) | {"currency": currency}

    assert shop.capture(amounts(body)).status_code == (200 if is_right else 400)


class TestALenientTenant:
    @pytest.mark.parametrize(
        "body", [b for b, _ in CONTRADICTIONS], ids=[p for _, p in CONTRADICTIONS]
    )
    def test_stores_and_marks_them(self, lenient: Shop, body: Any) -> None:
        sent_body = amounts(body)
        answer = lenient.captured(sent_body)

        [mark] = stored(answer).details["contradictions"]
        assert set(mark) == {"of", "kind", "sum", "amount"}
        assert lenient.captured(sent_body) == answer
        assert lenient.order(answer["origin_id"]).items() <= answer.items()

    def test_still_refuses_amounts_that_cannot_be(self, lenient: Shop) -> None:
        assert lenient.capture(of_item(priced(10, 1, 12))).status_code == 400

    def test_marks_no_order_whose_details_agree(self, lenient: Shop) -> None:
        assert "contradictions" not in stored(lenient.captured(order())).details


class TestMoreItems:
    def waiting(self, shop: Shop) -> dict[str, Any]:
        body = order(grace_period=60)
        shop.captured(body)
        return body

    def test_that_contradict_themselves_are_refused(self, shop: Shop) -> None:
        body = self.waiting(shop)
        body["items"].append(item(tax_lines=tax(2)))

        assert refused(shop, body) == ["/items/1/tax_lines"]

    def test_of_a_shipment_that_contradicts_itself_are_refused(self, shop: Shop) -> None:
        body = self.waiting(shop)
        body["items"].append(item())

        shipments = [{"price": 11, "tax": 1, "tax_lines": tax(2)}]
        assert refused(shop, body | {"shipments": shipments}) == ["/shipments/0/tax_lines"]

    def test_of_a_lenient_tenant_are_marked(self, lenient: Shop) -> None:
        body = self.waiting(lenient)
        body["items"].append(item(product_id="SKU-2", tax_lines=tax(2)))

        [mark] = stored(lenient.captured(body)).details["contradictions"]
        assert mark == {"of": "item SKU-2", "kind": "tax_lines", "sum": 2, "amount": 1}

    def test_do_not_bring_up_what_was_stored_before(self, lenient: Shop) -> None:
        body = order(item(tax_lines=tax(2)), grace_period=60)
        lenient.captured(body)
        lenient.tenant.lenient_price_details = False
        lenient.tenant.save()
        body["items"].append(item())

        answer = lenient.captured(body)

        assert len(answer["items"]) == 2
        assert len(stored(answer).details["contradictions"]) == 1


def test_an_order_stored_before_is_answered_as_ever(lenient: Shop) -> None:
    body = of_item(tax_lines=tax(2))
    answer = lenient.captured(body)
    lenient.tenant.lenient_price_details = False
    lenient.tenant.save()

    assert lenient.captured(body) == answer
    assert Order.objects.count() == 1

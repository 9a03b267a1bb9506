"""Members that have two names in a capture: a null one is absent."""

import copy
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pydantic import AliasChoices, Field

from ordermgmt.http.wire import AliasedWire, Wire
from orders.api.capture_items import ItemIn
from orders.api.capture_models import Address, CaptureRequest, OrderFields, parse
from tests.orders.shop import Shop, contents, item, order, problem

UUID = "5b0f1a52-3c3e-4d7e-9d53-6f1c1a2b8e01"
# First name of a member → a value of it.
VALUES = {
    "id": UUID,
    "external_id": "A-1",
    "channel_name": "shop",
    "external_customer_id": "c-1",
    "country_code": "DE",
}
# The model → where one of it stands in a capture.
PLACES: dict[type[Wire], list[str]] = {
    OrderFields: [""],
    Address: ["shipping_address", "billing_address"],
    ItemIn: ["items"],
}


def pairs() -> Iterator[tuple[str, str, str]]:
    """Every pair of names that a model declares, and where it is read."""
    for model in AliasedWire.__subclasses__():
        for field in model.model_fields.values():
            if isinstance(field.validation_alias, AliasChoices):
                first, second = map(str, field.validation_alias.choices)
                yield from ((place, first, second) for place in PLACES[model])


PAIRS = sorted(set(pairs()))


def with_members(place: str, **members: Any) -> dict[str, Any]:
    body = order(item(id=None), id=None, shipping_address={}, billing_address={})
    body = {name: part for name, part in body.items() if part is not None}
    for address in ("shipping_address", "billing_address"):
        body[address] = {} if place == address else {"country_code": "FR"}
    target: Any = body[place] if place else body
    (target[0] if place == "items" else target).update(members)
    return body


@pytest.mark.parametrize(("place", "first", "second"), PAIRS)
def test_a_null_name_beside_the_other_is_absent(place: str, first: str, second: str) -> None:
    value = VALUES[first]
    alone = parse(with_members(place, **{first: value})).draft()

    for members in (
        {second: value},
        {first: None, second: value},
        {second: None, first: value},
        {second: value, first: None},
    ):
        assert parse(with_members(place, **members)).draft() == alone


def test_a_model_with_pairs_says_so() -> None:
    with pytest.raises(TypeError, match="AliasedWire"):

        class Pair(Wire):
            one: str = Field(validation_alias=AliasChoices("one", "two"))


def test_every_pair_is_tried() -> None:
    assert {first for _, first, _ in PAIRS} == VALUES.keys()
    assert len(PAIRS) == 7


@pytest.mark.django_db
def test_two_nulls_are_nothing() -> None:
    shop = Shop()
    before = contents()
    body = with_members("shipping_address", country_code=None, country=None)

    status, code, message = problem(shop.capture(body))

    assert (status, code) == (400, "bad_request")
    assert "shipping_address.country_code: null is not of type 'string'" in message
    assert contents() == before


@pytest.mark.django_db
def test_an_order_with_null_names_is_the_same_order_again() -> None:
    shop = Shop()
    body = with_members("shipping_address", country_code=None, country="DE", city="Berlin")
    body |= {"external_id": None, "sales_order_external_id": "A-1"}
    first = shop.captured(body)
    body["shipping_address"] = {"country_code": "DE", "country": None, "city": "Berlin"}

    assert shop.captured(body | {"external_id": "A-1"}) == first
    assert first["shipping_address"]["country_code"] == "DE"


class TestFormsOfABody:
    """Items beside their shipments or inside them, prices in two forms: null chooses neither."""

    def test_null_items_leave_those_of_the_shipments(self) -> None:
        inside = {"currency": "EUR", "shipments": [{"items": [item(id=str(uuid4()))]}]}

        assert parse(inside | {"items": None}).draft() == parse(inside).draft()

    def test_null_items_of_a_shipment_leave_those_of_the_order(self) -> None:
        beside = order() | {"shipments": [{"price": 5}]}
        nulls = copy.deepcopy(beside)
        nulls["shipments"][0]["items"] = None

        assert isinstance(parse(nulls), CaptureRequest)
        assert parse(nulls).draft() == parse(beside).draft()

    def test_a_null_item_price_leaves_the_other_form(self) -> None:
        read = item()
        nulls = copy.deepcopy(read)
        nulls["price"]["item_price"] = None

        assert parse(order(nulls)).draft().items == parse(order(read)).draft().items

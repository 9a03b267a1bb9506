"""Tests of the schema of external answers: members accepted, dropped and refused."""

import json
from copy import deepcopy
from decimal import Decimal

import pytest

from configuration.models import Tenant
from orders.api import external_rendering
from webhooks.external_orders import in_words
from webhooks.external_schema import BrokenAnswer, ExternalOrderDetail, ExternalOrders, read

ORDER = {
    "id": "GD000001234",
    "placed_at": "2021-11-22T12:51:39.30Z",
    "channel_type": "web",
    "origin": "external",
    "origin_id": "GD000001234",
    "status": "in_fulfillment",
    "currency": "USD",
    "fulfillment_type": "traditional",
    "items": [
        {
            "id": "394329361530903",
            "origin_id": "394329361530903",
            "status": "in_fulfillment",
            "price": {"net": 72, "tax": 7.2, "gross": 79.2, "discount": 8},
            "product_attributes": {"name": "Kate Dress"},
        }
    ],
    "totals": {"net": 72, "tax": 7.2, "gross": 79.2, "total": 84.2, "shipping": 5, "discount": 8},
}
ITEM = "items/0"


def with_(pointer, value):
    """Return the order with this member set, or without it if the value is `...`."""
    order = deepcopy(ORDER)
    *path, name = [int(part) if part.isdecimal() else part for part in pointer.split("/")]
    place = order
    for part in path:
        place = place[part]
    if value is ...:
        del place[name]
    else:
        place[name] = value
    return order


def detail(order):
    return read(ExternalOrderDetail, json.dumps(order).encode())


def fault(order):
    with pytest.raises(BrokenAnswer) as broken:
        detail(order)
    return broken.value.faults[0]


def test_the_documented_order_is_taken_whole():
    assert json.loads(detail(ORDER).model_dump_json(exclude_unset=True)) == json.loads(
        json.dumps(ORDER), parse_int=str, parse_float=str
    )  # exact amounts, as text in this column


@pytest.mark.parametrize(
    ("base", "rendered"), [(100, 100), (-1, None), ("80", None), (None, None), (..., None)]
)
def test_a_base_price_is_taken_if_it_fits(base, rendered):
    price = detail(with_(f"{ITEM}/price/base", base) if base is not ... else ORDER).items[0].price

    assert price.base == rendered


@pytest.mark.parametrize(
    ("members", "base"),
    [
        ({}, 80),  # net and discount
        ({"tax_method": "vat_excluded"}, 80),
        ({"tax_method": "vat_included"}, Decimal("87.2")),
        ({"tax_method": "nonsense"}, 80),
    ],
)
def test_a_base_price_that_the_oms_does_not_say_is_added_up(members, base):
    external = detail(ORDER | members)

    rendered = external_rendering.detail(external, Tenant(), version2=True)["items"][0]["price"]

    assert rendered == {
        "net": 72,
        "tax": Decimal("7.2"),
        "gross": Decimal("79.2"),
        "discount": 8,
    } | {"base": base}


@pytest.mark.parametrize(
    ("pointer", "value", "rendered"),
    [
        ("shipping_address", {"city": "Berlin", "zip_code": "10115"}, {"city": "Berlin"}),
        ("customer", {"id": "C-1", "email": "a@b.cc"}, {"email": "a@b.cc"}),
        ("store_id", "NY5AVE", "NY5AVE"),
        ("shop_locale", "en-US", "en-US"),
        ("is_offline", True, True),
        ("tax_method", "vat_included", "vat_included"),
        ("catalog", "main", "main"),
    ],
)
def test_what_else_we_know_how_to_show_is_taken(pointer, value, rendered):
    member = detail(with_(pointer, value)).model_dump(exclude_none=True)[pointer]

    assert member == rendered or rendered.items() <= member.items()


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("shipping_address", {"city": 5}),
        ("billing_address", "Berlin"),
        ("store_id", ["NY"]),
        ("is_offline", "yes"),
        ("tax_method", "flat"),
        ("loyalty", {"points": 7}),
        (f"{ITEM}/product_id", {"id": 1}),
        (f"{ITEM}/product_attributes/weight", 3),
    ],
)
def test_what_the_contract_does_not_know_is_dropped_where_it_does_not_fit(pointer, value):
    external, plain = detail(with_(pointer, value)), detail(ORDER)

    assert external.model_dump(exclude_none=True) == plain.model_dump(exclude_none=True)


@pytest.mark.parametrize("nothing", ["", None])
@pytest.mark.parametrize("name", ["size", "color", "image_url", "additional_variant_1"])
def test_what_a_system_does_not_know_it_may_say_as_nothing(name, nothing):
    product = detail(with_(f"{ITEM}/product_attributes/{name}", nothing)).items[0]

    assert name not in product.product_attributes.model_dump(exclude_none=True)


@pytest.mark.parametrize(
    ("pointer", "value", "words"),
    [
        ("id", "", "the value is too short: at least 1 characters"),
        ("id", 5, "a number is not of type 'string'"),
        ("placed_at", "2021-11-22T12:51:39", "the value is not a 'date-time'"),
        ("placed_at", "0001-01-01T00:00:00+14:00", "the value is not a 'date-time'"),
        ("status", "open", "the value is not one of"),
        ("origin", "elsewhere", "the value is not one of"),
        ("fulfillment_type", "same_day_delivery", "the value is not one of"),
        ("currency", "XXX", "the value is not a currency code"),
        ("totals", ..., "'totals' is a required property"),
        ("totals/shipping", -1, "the value is less than the minimum of 0"),
        ("totals/net", "72", "a string is not of type 'number'"),
        ("totals/net", 72.00001, "the value has more than 4 decimals"),
        ("totals/net", 10**17, "the value is greater than the maximum of"),
        (f"{ITEM}/status", "on_hold", "the value is not one of"),
        (f"{ITEM}/price/gross", ..., "'gross' is a required property"),
        (f"{ITEM}/product_attributes/image_url", "javascript:alert(1)", "is not an address"),
        (f"{ITEM}/external_identifier", {"sku": 5}, "a number is not of type 'string'"),
        ("items", {}, "an object is not of type 'array'"),
        ("items", [ORDER["items"][0]] * 2, "two items have the same id"),
        ("payment_history", [{"method": "check"}], "'category' is a required property"),
    ],
)
def test_what_the_contract_forbids_is_pointed_at(pointer, value, words):
    fault_pointer, text = fault(with_(pointer, value))

    assert fault_pointer.startswith(f"/{pointer}")
    assert words in text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "syntax error at line 1, column 1"),
        (b"<html>", "syntax error at line 1, column 1"),
        (b'{"orders": [NaN]}', "NaN and Infinity are not JSON"),
        (b'{"orders": [], "orders": []}', "an object has the same key twice"),
        (b'{"orders": "\xc9"}', "it is not UTF-8"),
        (b"[" * 40 + b"]" * 40, "it is nested deeper than 32"),
        (b'{"orders": {}}', "/orders: an object is not of type 'array'"),
        (b"{}", '"orders" is a required attribute'),
        (b"null", "null is not of type 'object'"),
    ],
)
def test_what_is_no_list_of_orders_is_refused_in_words(body, words):
    with pytest.raises(BrokenAnswer) as broken:
        read(ExternalOrders, body)

    assert in_words(*broken.value.faults[0]) == words


def test_a_fault_deep_inside_is_said_with_its_place():
    assert in_words(*fault(with_(f"{ITEM}/price/gross", ...))) == (
        '/items/0/price: "gross" is a required attribute'
    )

"""Robustness table C: invalid and unusual orders."""

import json
from urllib.parse import quote

import pytest

from orders.models import Item, Order
from tests.corpus.target import (
    DELETED,
    Target,
    assert_problem,
    assert_refused,
    order,
    spoiled,
    state,
)
from tests.orders.shop import CAPTURE, item, numbers_drawn, read

pytestmark = pytest.mark.django_db

ITEM, PRICE = "/items/0", "/items/0/price"
ADDRESS, PAYMENT, SHIPMENT = "/shipping_address", "/payments/0", "/shipments/0"
DISCOUNT, TAX_LINE, WRAPPING = "/items/0/discounts/0", "/items/0/tax_lines/0", "/gift_wrapping"


def text(length: int) -> str:
    return json.dumps("x" * length)


def each(row: str, pointer: str, values: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the parameters of one row, with several inputs for the same member."""
    return {f"{row}-{name}": {pointer: raw} for name, raw in values.items()}


NOT_TEXT = {"number": "1", "boolean": "true", "array": "[]", "object": "{}"}
NOT_BOOLEAN = {"yes": '"yes"', "t": '"t"', "one": "1", "text": '"true"', "object": "{}"}
NOT_AN_OBJECT = {"text": '"x"', "number": "1", "array": "[]", "true": "true"}
NOT_A_LIST = {"text": '"x"', "number": "1", "object": '{"0": {}}', "true": "true"}
NOT_AN_ID = {
    "number": "5",
    "text": '"x"',
    "empty": '""',
    "braces": '"{aaaaaaaa-0000-4000-8000-00000000000a}"',
    "urn": '"urn:uuid:aaaaaaaa-0000-4000-8000-00000000000a"',
    "no-dashes": '"aaaaaaaa00004000800000000000000a"',
    "nil": '"00000000-0000-0000-0000-000000000000"',
    "36-other-letters": '"gggggggg-0000-4000-8000-00000000000a"',
    "space-around": '" aaaaaaaa-0000-4000-8000-00000000000a"',
    "fullwidth": '"ａaaaaaaa-0000-4000-8000-00000000000"',
    "nul": '"aaaaaaaa-0000-4000-8000-00000000000\\u0000"',
}
NOT_A_NAME = {
    "empty": '""',
    "spaces": '"   "',
    "space-before": '" a"',
    "space-behind": '"a "',
    "65-characters": text(65),
    "newline": '"a\\nb"',
    "tab": '"a\\tb"',
    "nul": '"a\\u0000b"',
    "override": '"a\\u202eb"',
    "isolate": '"a\\u2066b"',
    "zero-width": '"a\\u200bb"',
    "only-zero-width": '"\\u200b"',
    "byte-order-mark": '"\\ufeffa"',
    "delete": '"a\\u007f"',
    **NOT_TEXT,
}
NOT_AN_AMOUNT = {
    "negative": "-0.01",
    "text": '"10"',
    "text-with-exponent": '"1e2"',
    "fullwidth-text": '"１２"',
    "NaN-text": '"NaN"',
    "boolean": "true",
    "array": "[10]",
    "object": '{"amount": 10}',
    "huge-exponent": "1E+1000000",
    "exponent-19": "1E19",
    "13-digits": "1000000000000",
    "20-digits": "99999999999999999999",
    "half-a-cent": "10.005",
    "float-dust": "10.000000000000000004",
    "float-sum": "0.30000000000000004",
    "65-digits": "10." + "0" * 62 + "1",
}
REFUSED: dict[str, dict[str, str]] = {
    **each("C1", "/items", {"missing": DELETED, "empty": "[]", "null": "null", **NOT_A_LIST}),
    **each("C1-item", ITEM, {"null": "null", "empty": "{}", **NOT_AN_OBJECT}),
    "C1-item-of-no-product": {f"{ITEM}/product_id": DELETED},
    "C1-item-of-no-price": {PRICE: DELETED},
    "C1-price-without-net": {f"{PRICE}/net": DELETED},
    **each("C2", "/external_id", NOT_A_NAME),
    "C2-leading-slash": {"/external_id": '"/a"'},
    "C2-two-slashes": {"/external_id": '"a//b"'},
    **each("J21-product", f"{ITEM}/product_id", NOT_A_NAME),
    **each("J21-external-item", f"{ITEM}/external_item_id", NOT_A_NAME),
    **each("C3", f"{ITEM}/id", NOT_AN_ID),
    **each("C3-order", "/id", NOT_AN_ID),
    **each("C3-shipment", f"{SHIPMENT}/id", NOT_AN_ID),
    "C3-unknown-shipment": {f"{ITEM}/shipment_id": '"aaaaaaaa-0000-4000-8000-0000000000ff"'},
    **each(
        "C11",
        f"{ITEM}/quantity",
        {
            "zero": "0",
            "negative": "-1",
            "fraction": "1.5",
            "two": "2",
            "int32": "2147483648",
            "text": '"1"',
            "boolean": "true",
        },
    ),
    **each("C12", f"{PRICE}/net", NOT_AN_AMOUNT),
    **each("C12-payment", f"{PAYMENT}/amount", NOT_AN_AMOUNT | {"zero": "0"}),
    **each("C12-tax-line", f"{TAX_LINE}/amount", NOT_AN_AMOUNT),
    **each("C12-discount", f"{DISCOUNT}/price_adjustment", NOT_AN_AMOUNT),
    **each("C12-shipping", f"{SHIPMENT}/price/gross", NOT_AN_AMOUNT),
    **each("C12-wrapping", f"{WRAPPING}/price/tax", NOT_AN_AMOUNT),
    "C12-injected": {PRICE: '{"item_price": -1}'},
    "C12-injected-text": {PRICE: '{"item_price": "10"}'},
    "C12-injected-half-a-cent": {PRICE: '{"item_price": 10.005}'},
    "C13-gross-is-not-net-plus-tax": {f"{PRICE}/gross": "12"},
    "C13-off-by-a-cent": {f"{PRICE}/gross": "11.01"},
    "C13-tax-left-out": {f"{PRICE}/tax": "0"},
    "C13-discount-above-price": {f"{PRICE}/discount": "13"},
    "C13-rate-101": {f"{TAX_LINE}/rate": "101"},
    "C13-rate-negative": {f"{TAX_LINE}/rate": "-1"},
    "C13-shipping-does-not-add-up": {f"{SHIPMENT}/price/gross": "6"},
    "C13-wrapping-does-not-add-up": {f"{WRAPPING}/price/gross": "6"},
    "C13-payments-a-cent-short": {f"{PAYMENT}/amount": "20.99"},
    "C13-payments-a-cent-over": {f"{PAYMENT}/amount": "21.01"},
    **each(
        "C14",
        "/currency",
        {
            "missing": DELETED,
            "null": "null",
            "lower-case": '"usd"',
            "none": '"XXX"',
            "gold": '"XAU"',
            "two-letters": '"US"',
            "four-letters": '"USDX"',
            "empty": '""',
            "number": "840",
        },
    ),
    "C14-yen-with-sen": {
        "/currency": '"JPY"',
        f"{PRICE}/net": "9.5",
        f"{PRICE}/tax": "1.5",
    },
    **each(
        "C15",
        "/placed_at",
        {
            "no-zone": '"2024-05-01T12:00:00"',
            "date-only": '"2024-05-01"',
            "week": '"2024-W13-7"',
            "epoch": "1714564800",
            "epoch-text": '"1714564800"',
            "year-0": '"0000-05-01T12:00:00Z"',
            "year-9999-and-west": '"9999-12-31T23:59:59-14:00"',
            "year-1-and-east": '"0001-01-01T00:00:00+14:00"',
            "second-60": '"2016-12-31T23:59:60Z"',
            "offset-99": '"2024-05-01T12:00:00+99:99"',
            "february-30": '"2024-02-30T12:00:00Z"',
            "hour-25": '"2024-05-01T25:00:00Z"',
            "hour-24": '"2024-05-01T24:00:00Z"',
            "no-seconds": '"2024-05-01T12:00Z"',
            "zone-name": '"2024-03-31T02:30:00 Europe/Berlin"',
            "comma": '"2024-05-01T12:00:00,5Z"',
            "arabic-digits": '"٢٠٢٤-05-01T12:00:00Z"',
            "space-around": '" 2024-05-01T12:00:00Z"',
            "negative-year": '"-2024-05-01T12:00:00Z"',
            "empty": '""',
            "object": "{}",
        },
    ),
    "C16-in-ten-years": {"/placed_at": '"2099-05-01T12:00:00Z"'},
    **each(
        "C17-country",
        f"{ADDRESS}/country_code",
        {
            "unknown": '"XX"',
            "three-letters": '"usa"',
            "UK": '"UK"',
            "lower-case": '"de"',
            "null": "null",
            "missing": DELETED,
            "empty": '""',
            "number": "49",
        },
    ),
    **each(
        "C17-locale",
        "/shop_locale",
        {
            "underscore": '"en_us"',
            "300-characters": text(300),
            "empty": '""',
            "number": "1",
            "path": '"../en"',
        },
    ),
    **each(
        "C18",
        "/customer/email",
        {
            "no-dot": '"a@b"',
            "no-at": '"ada"',
            "two-ats": '"a@b@example.com"',
            "quoted": '"\\"a b\\"@example.com"',
            "320-characters": json.dumps("a" * 308 + "@example.com"),
            "header": '"a@example.com\\r\\nBcc: b@example.com"',
            "angle": '"Ada <a@example.com>"',
            "number": "1",
        },
    ),
    "C19-phone-200-characters": {f"{ADDRESS}/phone": text(200)},
    "C19-phone-fraction": {f"{ADDRESS}/phone": "1.5"},
    "C19-phone-boolean": {f"{ADDRESS}/phone": "true"},
    "C19-zip-33-characters": {f"{ADDRESS}/zip_code": text(33)},
    "C19-zip-array": {f"{ADDRESS}/zip_code": "[]"},
    **each(
        "C20",
        f"{ITEM}/product_attributes/image_url",
        {
            "javascript": '"javascript:alert(1)"',
            "data": '"data:text/html,x"',
            "file": '"file:///etc/passwd"',
            "ftp": '"ftp://example.com/x"',
            "relative": '"//example.com/x"',
            "credentials": '"https://u:p@example.com/"',
            "backslash": '"https://good\\\\@127.0.0.1/"',
            "newline": '"https://example.com/\\r\\nx"',
            "only-a-newline-behind": '"https://example.com/x\\n"',
            "space": '"https://example.com/ x"',
            "3000-characters": json.dumps("https://example.com/" + "x" * 3_000),
            "number": "1",
        },
    ),
    "C21-101-pairs": {
        "/extended_attributes": json.dumps([{"name": f"n{n}", "value": ""} for n in range(101)])
    },
    **each(
        "C21",
        "/extended_attributes",
        {
            "name-twice": '[{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]',
            "no-name": '[{"name": "", "value": "1"}]',
            "name-missing": '[{"value": "1"}]',
            "value-missing": '[{"name": "a"}]',
            "value-object": '[{"name": "a", "value": {}}]',
            "value-number": '[{"name": "a", "value": 1}]',
            "name-101-characters": f'[{{"name": {text(101)}, "value": ""}}]',
            "value-8193-characters": f'[{{"name": "a", "value": {text(8_193)}}}]',
            "object": '{"a": "1"}',
            "null-inside": "[null]",
        },
    ),
    "C21-item-name-twice": {
        f"{ITEM}/extended_attributes": '[{"name": "a", "value": "1"}, {"name": "a", "value": "1"}]'
    },
    "C21-101-identifiers": {
        f"{ITEM}/external_identifier": json.dumps({f"n{n}": "" for n in range(101)})
    },
    "C22-level": {f"{DISCOUNT}/level": '"cart"'},
    "C22-type": {f"{DISCOUNT}/type": '"free"'},
    "C22-level-in-capitals": {f"{DISCOUNT}/level": '"ITEM"'},
    "C22-150-percent": {f"{DISCOUNT}/type": '"percentage"', f"{DISCOUNT}/value": "150"},
    "C22-coupon-1000-characters": {f"{DISCOUNT}/coupon_code": text(1_000)},
    "C22-21-discounts": {
        f"{ITEM}/discounts": json.dumps(
            [{"level": "item", "type": "fixed", "value": 0, "price_adjustment": 0}] * 21
        )
    },
    "C22-two-injected": {
        PRICE: json.dumps(
            {
                "item_price": 10,
                "item_discount_info": [
                    {
                        "discount_ref": "d",
                        "type": "fixed",
                        "original_value": 1,
                        "price_adjustment": 1,
                    }
                ]
                * 2,
            }
        )
    },
    **each(
        "C24",
        "/ip_address",
        {
            "hostname": '"example.com"',
            "out-of-range": '"999.1.1.1"',
            "no-address": '"::::"',
            "200-characters": text(200),
            "number": "1",
        },
    ),
    "C25-channel-in-capitals": {"/channel_type": '"WEB"'},
    "C25-channel-unknown": {"/channel_type": '"phone"'},
    "C25-channel-number": {"/channel_type": "1"},
    "C25-method-unknown": {"/price_method": '"net"'},
    "C25-payment-type": {f"{PAYMENT}/type": '"refund"'},
    "C25-surrogate-in-choice": {"/channel_type": '"\\ud800"'},
    "C25-group": {f"{ITEM}/fulfillment_group_type": '"PIGEON"'},
    "C25-strategy": {f"{SHIPMENT}/routing_strategy/strategy": '"random"'},
    "C25-prerouted-nowhere": {f"{SHIPMENT}/routing_strategy": '{"strategy": "prerouted"}'},
    "C25-external-without-external-oms": {
        f"{SHIPMENT}/routing_strategy": '{"strategy": "external", "fulfillment_node_id": "X"}'
    },
    **each(
        "C27",
        "/grace_period",
        {
            "negative": "-1",
            "ten-years": "315360000",
            "text": '"60"',
            "fraction": "1.5",
            "boolean": "true",
            "int64": "9223372036854775807",
            "beyond": "9223372036854775808",
        },
    ),
    "C28-address-empty": {ADDRESS: "{}"},
    "C28-line-10-kB": {f"{ADDRESS}/address_line_1": text(10_000)},
    "C28-name-65-characters": {f"{ADDRESS}/last_name": text(65)},
    **each("C28-address", ADDRESS, NOT_AN_OBJECT),
    "C29-message-10-kB": {f"{WRAPPING}/message": text(10_000)},
    "C29-message-513-characters": {f"{WRAPPING}/message": text(513)},
    **each("J14-shipments", "/shipments", NOT_A_LIST),
    **each("J14-payments", "/payments", NOT_A_LIST),
    **each("J14-customer", "/customer", NOT_AN_OBJECT),
    **each("J14-price", PRICE, NOT_AN_OBJECT | {"number": "10", "null": "null"}),
    **each("J14-metadata", f"{PAYMENT}/metadata", NOT_AN_OBJECT),
    **each("J15-is-historical", "/is_historical", NOT_BOOLEAN),
    **each("J15-is-preorder", f"{ITEM}/is_preorder", NOT_BOOLEAN),
    **each("J17-shop", "/shop", NOT_TEXT),
    **each("J17-first-name", f"{ADDRESS}/first_name", NOT_TEXT),
    **each("J17-customer-id", "/customer/id", NOT_TEXT),
    "J14-11-shipments": {"/shipments": json.dumps([{}] * 11)},
    "J14-41-payments": {"/payments": json.dumps([{}] * 41)},
    "C4-payment-twice": {
        "/payments": "[{0}, {0}]".replace("{0}", json.dumps(order()["payments"][0]))
    },
    "C5-two-items-of-one-id": {
        "/items": "[{0}, {0}]".replace("{0}", json.dumps(order()["items"][0]))
    },
}


@pytest.mark.parametrize("row", REFUSED)
def test_is_refused_and_nothing_is_written(target: Target, row: str) -> None:
    before = state()

    response = target.send("POST", CAPTURE, spoiled(order(), REFUSED[row]))

    assert_refused(response, 400, "bad_request")
    assert state() == before


ACCEPTED: dict[str, dict[str, str]] = {
    "C1-as-it-is": {},
    "C1-no-external-id": {"/external_id": DELETED},
    "C1-no-id": {"/id": DELETED},
    "C2-64-characters": {"/external_id": text(64)},
    "C3-upper-case": {f"{ITEM}/id": '"AAAAAAAA-0000-4000-8000-00000000000A"'},
    "C11-one-point-zero": {f"{ITEM}/quantity": "1.0"},
    "C12-exponent": {f"{PRICE}/net": "1e1", f"{PRICE}/gross": "1.1E+1"},
    "C12-idle-zeros": {f"{PRICE}/net": "10.000", f"{PRICE}/gross": "11.0000000"},
    "C12-minus-zero": {
        f"{PRICE}/tax": "-0",
        f"{PRICE}/gross": "10",
        f"{PAYMENT}/amount": "20",
        f"{TAX_LINE}/amount": "-0.0",
    },
    "C12-12-digits": {
        f"{PRICE}/net": "999999999997",
        f"{PRICE}/gross": "999999999998",
        f"{PRICE}/base": "999999999999",
        "/payments": DELETED,
    },
    "C14-dinars": {
        "/currency": '"KWD"',
        f"{PRICE}/net": "10.001",
        f"{PRICE}/gross": "11.001",
        f"{PRICE}/base": "12.001",
        f"{PAYMENT}/amount": "21.001",
    },
    "C15-offset": {"/placed_at": '"2024-05-01T12:00:00.123456+05:45"'},
    "C15-nanoseconds": {"/placed_at": '"2024-05-01T12:00:00.123456789Z"'},
    "C16-1970": {"/placed_at": '"1970-01-01T00:00:00Z"'},
    "C18-unicode-domain": {"/customer/email": '"ada@bücher.example"'},
    "C18-empty": {"/customer/email": '""'},
    "C19-integers": {f"{ADDRESS}/phone": "49301", f"{ADDRESS}/zip_code": "2111"},
    "C20-no-picture": {f"{ITEM}/product_attributes/image_url": '""'},
    "C24-ipv6": {"/ip_address": '"2001:db8::1"'},
    "C26-unknown-customer": {"/customer/id": '"nobody"'},
    "C27-no-grace": {"/grace_period": "0"},
    "C28-no-address": {ADDRESS: DELETED, "/billing_address": "null"},
    "C28-emoji": {f"{ADDRESS}/address_line_1": '"\\ud83c\\udfe0"'},
    "C29-formula": {f"{WRAPPING}/message": '"=HYPERLINK(\\"x\\")"'},
}


@pytest.mark.parametrize("row", ACCEPTED)
def test_is_accepted_and_shown_again(target: Target, row: str) -> None:
    body = spoiled(order(), ACCEPTED[row])

    first = target.send("POST", CAPTURE, body)
    second = target.send("POST", CAPTURE, body)

    assert first.status_code == 200, first.content
    assert second.content == first.content
    assert Order.objects.count() == 1
    assert target.detail(read(first)["origin_id"]).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["_-=#", "a/b", "...", "a/..b", "%2f", "a%20b", "a b", "ä€😀", "a?b&c=d", "+", ".a", ";x"],
)
def test_C2_an_odd_external_id_is_found_to_the_letter(target: Target, name: str) -> None:
    assert target.capture(order() | {"external_id": name}).status_code == 200

    response = target.send("GET", f"/v0/orders/{quote(name, safe='')}?id_type=external")

    assert response.status_code == 200
    assert read(response)["id"] == name


def test_C3_an_id_in_capitals_is_the_same_id(target: Target) -> None:
    captured = read(target.send("POST", CAPTURE, spoiled(order(), ACCEPTED["C3-upper-case"])))

    assert captured["items"][0]["id"] == order()["items"][0]["id"]
    assert target.capture(order()).status_code == 200
    assert Item.objects.count() == 1


def test_C4_one_external_item_id_may_name_several_units(target: Target) -> None:
    units = [item(external_item_id="line-1") | {"id": None} for _ in range(3)]

    captured = read(target.capture({"external_id": "x", "currency": "EUR", "items": units}))

    assert len({i["id"] for i in captured["items"]}) == 3


@pytest.mark.django_db(transaction=True)  # the failing statement is its own transaction
def test_C5_an_item_of_another_order_is_a_conflict(target: Target) -> None:
    target.captured(order())
    rows = [model.objects.count() for model in (Order, Item)]

    response = target.capture(
        {"external_id": "other", "currency": "EUR", "items": order()["items"]}
    )

    body = assert_problem(response, 409, "conflict")
    assert body["differences"] == ["/items/0/id"]
    assert [model.objects.count() for model in (Order, Item)] == rows


def test_C6_an_item_of_another_tenant_says_nothing(target: Target) -> None:
    elsewhere = Target()
    elsewhere.captured(order())

    assert target.capture(order()).status_code == 200


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({f"{PRICE}/net": "9", f"{PRICE}/tax": "2"}, "/items/0/price"),
        ({f"{ADDRESS}/city": '"Hamburg"'}, "/shipping_address/city"),
        ({"/customer/id": '"c-2"'}, "/customer/id"),
        ({"/currency": '"USD"'}, "/currency"),
        ({f"{ITEM}/product_id": '"SKU-2"'}, "/items/0/product_id"),
        ({"/external_id": '"web-2"'}, "/external_id"),
    ],
)
def test_C8_other_content_is_a_conflict_that_names_it(
    target: Target, changes: dict[str, str], difference: str
) -> None:
    target.captured(order())
    before = state()

    response = target.send("POST", CAPTURE, spoiled(order(), changes))

    assert_refused(response, 409, "conflict")
    assert difference in json.loads(response.content)["differences"]
    assert state() == before


def test_C9_more_items_than_anybody_buys_are_refused(target: Target) -> None:
    one = json.dumps({"product_id": "p", "price": {"net": 1, "tax": 0, "gross": 1}})
    before = state()

    response = target.send(
        "POST", CAPTURE, spoiled(order(), {"/items": f"[{one}{f',{one}' * 20_000}]"})
    )

    assert_refused(response, 400)
    assert state() == before


def test_C34_without_a_sequence_the_documented_500_and_nothing_else(db: None) -> None:
    shop = Target(sequence={})
    before = state()

    response = shop.send("POST", CAPTURE, json.dumps(order()).encode())

    assert_refused(response, 500, "internal_server_error")
    assert json.loads(response.content)["message"] == "Sequence for tenant is not configured."
    assert state() == before


@pytest.mark.django_db(transaction=True)  # the failing statement is its own transaction
def test_C35_a_used_up_sequence_is_said_and_never_turns_over(db: None) -> None:
    shop = Target(sequence={"prefix": "N", "size": 1, "start": 9})
    assert shop.captured(order())["number"] == "N9"
    before = state()

    for _ in range(2):
        response = shop.capture({"external_id": "x", "currency": "EUR", "items": [item()]})

        assert_problem(response, 500, "sequence_exhausted")
        assert "Retry-After" not in response
    assert state() == before
    assert numbers_drawn(shop.tenant) == 9

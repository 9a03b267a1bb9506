"""Tests of the values that each key accepts and refuses."""

import pytest

from configuration import keys
from configuration.registry import MASK, UnknownKey, masked
from ordermgmt.http.wire import InvalidBody

WEBHOOK = {"url": "https://example.com/", "api_key": "API_KEY", "timeout": 20}
BIG = 10**18
REFUSED = [
    (
        "external_oms",
        [
            None,
            {},
            [],
            True,
            "x",
            {"enabled": "true"},
            {"enabled": 1},
            {"enabled": 0},
            {"enabled": None},
            {"enabled": True, "unknown": 1},
        ],
    ),
    (
        "sales_order_generator_sequence",
        [
            None,
            [],
            {},
            "NS",
            {"size": 2, "unknown": 1},
            {"unknown": 1},
            1,
            *({"size": size} for size in (0, -1, 1.5, "16", 10**9, 19, None, True)),
            *({"start": start} for start in (0, -1, 1.5, "1", None, True, BIG)),
            *({"step": step} for step in (0, -1, 1.5, "1", None, BIG)),
            {"size": 2, "start": 100},
            {"size": 2, "step": 100},
            *(
                {"prefix": prefix}
                for prefix in (
                    "X" * 17,
                    "X" * 300,
                    "A B",
                    " ",
                    "../",
                    "./",
                    "A/./",
                    "A/../B",
                    "/",
                    "/A",
                    "A//",
                    "A//B",
                    "%s{}",
                    "😀",
                    "=",
                    "A\n",
                    None,
                    1,
                )
            ),
        ],
    ),
    (
        "on_hold_timer_duration",
        [-1, 1.5, "20", True, False, 2**31, 10 * 365 * 86400, 30 * 86400 + 1, None, {}, []],
    ),
    (
        "cancellation_allowed_from",
        [
            [],
            ["STORE"],
            ["warehouse"],
            "store",
            [None],
            ["store"] * 10_000,
            None,
            {},
            [["store"]],
            ["store", "dc", "store", "moon"],
        ],
    ),
    (
        "big_sales_order",
        [
            None,
            {},
            [],
            300,
            *(
                {"soft_limit_for_big_orders": limit}
                for limit in (-1, 1.5, 2**31, "300", None, True)
            ),
            {"soft_limit_for_big_orders": 1, "hard_limit_for_big_orders": 2},
        ],
    ),
    (
        "external_order_webhook",
        [
            None,
            {},
            [],
            "https://example.com/",
            {"url": "https://example.com/"},
            {"api_key": "k"},
            *(
                WEBHOOK | {"api_key": key}
                for key in (
                    "",
                    " ",
                    "a b",
                    "a\nb",
                    "a\r\nX: y",
                    "é",
                    "x" * 10_000,
                    None,
                    1,
                    MASK + "é",
                    MASK + "12345",
                )
            ),
            *(WEBHOOK | {"timeout": timeout} for timeout in (0, -1, 26, 1.5, "20", None, True)),
            *(WEBHOOK | {"url": url} for url in ("", None, 1)),
            WEBHOOK | {"retries": 3},
        ],
    ),
]
ACCEPTED = [
    ("external_oms", {"enabled": False}, {"enabled": False}),
    ("external_oms", {"enabled": True}, {"enabled": True}),
    *(
        (
            "sales_order_generator_sequence",
            {member: value},
            {"prefix": "", "size": 9, "start": 1, "step": 1} | {member: value},
        )
        for member, value in (("prefix", ""), ("size", 9), ("start", 2), ("step", 3))
    ),
    *(
        (
            "sales_order_generator_sequence",
            {"prefix": prefix},
            {"prefix": prefix, "size": 9, "start": 1, "step": 1},
        )
        for prefix in ("A/", "EU/2026-", "a.b_c-/", ".", "..", "A/..", "A/.b/", "-", "_")
    ),
    (
        "sales_order_generator_sequence",
        {"prefix": "FAO-X"},
        {"prefix": "FAO-X", "size": 9, "start": 1, "step": 1},
    ),
    (
        "sales_order_generator_sequence",
        {"size": 2, "start": 99, "step": 99},
        {"prefix": "", "size": 2, "start": 99, "step": 99},
    ),
    (
        "sales_order_generator_sequence",
        {"size": 18, "start": BIG - 1},
        {"prefix": "", "size": 18, "start": BIG - 1, "step": 1},
    ),
    ("on_hold_timer_duration", 0, 0),
    ("on_hold_timer_duration", 30 * 86400, 30 * 86400),
    ("cancellation_allowed_from", ["dc"], ["dc"]),
    ("cancellation_allowed_from", ["store", "store"], ["store"]),
    ("cancellation_allowed_from", ["dc", "store", "dc", "store"], ["dc", "store"]),
    ("big_sales_order", {"soft_limit_for_big_orders": 0}, {"soft_limit_for_big_orders": 0}),
    ("big_sales_order", {"soft_limit_for_big_orders": 1}, {"soft_limit_for_big_orders": 1}),
    (
        "external_order_webhook",
        {"url": "https://example.com", "api_key": "k"},
        {"url": "https://example.com", "api_key": "k", "timeout": 15},
    ),
    ("external_order_webhook", WEBHOOK | {"timeout": 25}, WEBHOOK | {"timeout": 25}),
]


@pytest.mark.parametrize(("name", "value"), [(name, v) for name, values in REFUSED for v in values])
def test_a_bad_value_is_refused_without_being_repeated(name, value):
    with pytest.raises(InvalidBody) as refusal:
        keys.find(name).parse(value)

    assert refusal.value.facts["messages"]
    assert str(refusal.value).startswith(f"Validation of {name} configuration failed with error: ")


@pytest.mark.parametrize(
    ("name", "value", "member"),
    [
        ("external_oms", {"enabled": True, "since": 1}, "since"),
        ("sales_order_generator_sequence", {"size": 2, "Prefix": "NS"}, "Prefix"),
        ("sales_order_generator_sequence", {"deep": []}, "deep"),
        ("big_sales_order", {"soft_limit_for_big_orders": 1, "x": None}, "x"),
        ("external_order_webhook", WEBHOOK | {"apiKey": "secret"}, "apiKey"),
    ],
)
def test_an_unknown_member_is_refused_by_its_name(name, value, member):
    with pytest.raises(InvalidBody, match=f"{member}: the property is not allowed") as refusal:
        keys.find(name).parse(value)

    assert {
        "pointer": f"/{member}",
        "message": "the property is not allowed",
    } in refusal.value.facts["errors"]


def test_a_sequence_without_a_member_is_told_which_there_are():
    with pytest.raises(InvalidBody, match="name at least one of prefix, size, start, step"):
        keys.SALES_ORDER_GENERATOR_SEQUENCE.parse({})


@pytest.mark.parametrize(("name", "value", "stored"), ACCEPTED)
def test_a_good_value_is_kept_with_its_defaults(name, value, stored):
    key = keys.find(name)

    assert key.dump(key.parse(value)) == stored


@pytest.mark.parametrize("key", keys.KEYS.values(), ids=lambda key: key.name)
def test_every_declared_example_is_valid_and_every_default_can_be_shown(key):
    assert key.dump(key.parse(key.example)) == key.example
    assert key.name
    assert key.help.endswith(".")
    key.dump(key.default)


def test_the_defaults_are_the_documented_ones():
    assert {name: key.dump(key.default) for name, key in keys.KEYS.items()} == {
        "external_oms": {"enabled": False},
        "sales_order_generator_sequence": {},
        "on_hold_timer_duration": 0,
        "cancellation_allowed_from": ["store"],
        "big_sales_order": {"soft_limit_for_big_orders": 100},
        "external_order_webhook": None,
    }


def test_an_unknown_key_is_said_to_be_unknown():
    with pytest.raises(UnknownKey):
        keys.find("__all__")


@pytest.mark.parametrize(
    ("secret", "masked_secret"),
    [("API_KEY", "••••"), ("x" * 11 + "1234", "••••"), ("x" * 12 + "1234", "••••1234")],
)
def test_a_mask_leaves_most_of_a_secret_unseen(secret, masked_secret):
    assert masked(secret) == masked_secret


def test_a_webhook_never_prints_its_key():
    webhook = keys.EXTERNAL_ORDER_WEBHOOK.parse(WEBHOOK | {"api_key": "canary"})

    assert "canary" not in f"{webhook!r} {webhook}"


def test_a_number_is_the_prefix_and_the_padded_counter():
    sequence = keys.Sequence(prefix="NS", size=4)

    assert [sequence.number(n) for n in (1, sequence.largest)] == ["NS0001", "NS9999"]

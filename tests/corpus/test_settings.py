"""Robustness table K: invalid settings at the six configuration routes."""

import json
from typing import Any

import pytest

from configuration.keys import KEYS
from tests.corpus.target import Target, assert_refused, state

pytestmark = pytest.mark.django_db
ROOT = "/v0/config/sales_order"
SEQUENCE, WEBHOOK = "sales_order_generator_sequence", "external_order_webhook"
TIMER, CANCELLATION, BIG, OMS = (
    "on_hold_timer_duration",
    "cancellation_allowed_from",
    "big_sales_order",
    "external_oms",
)
API_KEY = "canary-key-1234"


def each(row: str, key: str, values: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return one row of the table: pairs of key and raw JSON value, by name."""
    return {f"{row}-{name}": (key, raw) for name, raw in values.items()}


def members(row: str, key: str, valid: dict[str, Any], values: dict[str, str]) -> Any:
    """Return one row of the table, with one bad member in each valid value."""
    spoiled = {}
    for name, raw in values.items():
        member = name.split(" ")[0]
        parts = {k: json.dumps(v) for k, v in valid.items()} | {member: raw}
        parts = {k: v for k, v in parts.items() if v}
        text = ", ".join(f'"{k}": {v}' for k, v in parts.items())
        spoiled[f"{row}-{name.replace(' ', '-')}"] = (key, f"{{{text}}}")
    return spoiled


def urls(row: str, values: list[str]) -> dict[str, tuple[str, str]]:
    """Return one row of webhooks with refused destinations."""
    return {
        f"{row}-{ascii(url)[:60]}": (WEBHOOK, json.dumps({"url": url, "api_key": API_KEY}))
        for url in values
    }


def hosts(row: str, values: str) -> dict[str, tuple[str, str]]:
    return urls(row, [f"https://{host}/" for host in values.split()])


REFUSED: dict[str, tuple[str, str]] = {
    **{f"K1-null-{key}": (key, "null") for key in KEYS},
    **{f"K1-array-{key}": (key, "[[]]") for key in KEYS},
    **{f"K1-text-{key}": (key, '"x"') for key in KEYS},
    **{f"K1-true-{key}": (key, "true") for key in KEYS},
    **members(
        "K2",
        OMS,
        {},
        {
            "enabled text": '"true"',
            "enabled one": "1",
            "enabled null": "null",
            "enabled missing": "",
            "enabled array": "[true]",
        },
    ),
    **each("K2", OMS, {"unknown": '{"enabled": true, "tenant": "x"}'}),
    **each("K4", SEQUENCE, {"nothing": "{}", "unknown": '{"prefix": "NS", "length": 8}'}),
    **each("K12", BIG, {"unknown": '{"soft_limit_for_big_orders": 1, "hard_limit": 2}'}),
    **members(
        "K4",
        SEQUENCE,
        {"prefix": "NS", "size": 8},
        {
            "size zero": "0",
            "size negative": "-1",
            "size fraction": "1.5",
            "size text": '"16"',
            "size huge": "1000000000",
            "size 19": "19",
            "size true": "true",
            "start zero": "0",
            "start negative": "-1",
            "start beyond-capacity": "100000000",
            "start int64": "9223372036854775808",
            "step zero": "0",
            "step negative": "-1",
            "step beyond-capacity": "1000000000000000000",
            "step text": '"2"',
            "prefix 300-characters": json.dumps("A" * 300),
            "prefix spaces": '"   "',
            "prefix path": '"../"',
            "prefix format": '"%s{}"',
            "prefix emoji": '"😀"',
            "prefix formula": '"="',
            "prefix newline": '"A\\n"',
            "prefix quote": '"A\'"',
            "prefix number": "1",
        },
    ),
    **each(
        "K9",
        TIMER,
        {
            "negative": "-1",
            "fraction": "1.5",
            "text": '"20"',
            "int32": "2147483648",
            "ten-years": "315360000",
            "object": "{}",
        },
    ),
    **each(
        "K11",
        CANCELLATION,
        {
            "empty": "[]",
            "capitals": '["STORE"]',
            "unknown": '["warehouse"]',
            "text": '"store"',
            "null": "[null]",
            "10000": json.dumps(["store"] * 10_000),
            "object": '{"0": "store"}',
        },
    ),
    **members(
        "K12",
        BIG,
        {},
        {
            f"soft_limit_for_big_orders {name}": raw
            for name, raw in {
                "negative": "-1",
                "fraction": "1.5",
                "int32": "2147483648",
                "text": '"300"',
                "missing": "",
                "true": "true",
            }.items()
        },
    ),
    **urls(
        "K17",
        [
            "",
            "example.com",
            "//example.com",
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:6379/_",
            "javascript:alert(1)",
            "http://example.com/",
            "https:///x",
            "https:example.com",
        ],
    ),
    **urls(
        "K18",
        [
            "https://u:p@example.com/",
            "https://u@example.com/",
            "https://example.com/#x",
            "https://example.com/?x=1",
            *(f"https://example.com:{port}/" for port in (0, 22, 25, 80, 6379, 99999, -1)),
            "https://example.com:/",
            "https://example.com:x/",
            "https://exam\tple.com/",
            "https://exam\nple.com/",
            "https://exam ple.com/",
            "https://good\\@127.0.0.1/",
            "https://example.com/" + "x" * 3_000,
        ],
    ),
    **hosts(
        "K19",
        "127.0.0.1 127.1 0 0x7f000001 2130706433 0177.0.0.1 ①②⑦.0.0.1 localhost LOCALHOST "
        "localhost. [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] 10.0.0.1 "
        "172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 [fd00:ec2::254] 100.64.0.1 0.0.0.0 "
        "192.0.0.1 192.0.2.1 198.18.0.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 "
        "[64:ff9b::7f00:1] [64:ff9b:1::1] [2002:7f00:1::] [2001:0:1::1] [fe80::1%25eth0] [fec0::1] "
        "[ff02::1] [100::1] [5f00::1] [2001:db8::1] [3fff::1] db.internal printer.local 0x7f.1 "
        "[example.com] 127.0.0.1.",
    ),
    **hosts("K22", f"{'x' * 64}.example.com under_score.example.com -x.example.com bücher.example"),
    **members(
        "K23",
        WEBHOOK,
        {"url": "https://example.com/", "api_key": API_KEY},
        {
            "api_key missing": "",
            "api_key null": "null",
            "api_key empty": '""',
            "api_key spaces": '"   "',
            "api_key header": '"a\\r\\nX: y"',
            "api_key inner-space": '"a b"',
            "api_key not-latin": '"ключ"',
            "api_key 10-kB": json.dumps("x" * 10_000),
            "api_key number": "1",
            "url missing": "",
            "url number": "1",
            "timeout zero": "0",
            "timeout negative": "-1",
            "timeout 26": "26",
            "timeout fraction": "1.5",
            "timeout text": '"20"',
            "timeout null": "null",
            "timeout true": "true",
        },
    ),
}


@pytest.mark.parametrize("row", REFUSED)
def test_is_refused_and_nothing_is_written(target: Target, row: str) -> None:
    key, raw = REFUSED[row]
    before = state()

    response = target.send("POST", f"{ROOT}/{key}", f'{{"value": {raw}}}'.encode())

    assert_refused(response, 400)
    assert API_KEY.encode() not in response.content
    assert state() == before


ACCEPTED: dict[str, tuple[str, str]] = {
    **each("K9", TIMER, {"zero": "0", "one-point-zero": "20.0", "thirty-days": "2592000"}),
    **each(
        "K11", CANCELLATION, {"one": '["dc"]', "both": '["dc", "store"]', "twice": '["dc", "dc"]'}
    ),
    **each(
        "K12",
        BIG,
        {
            "zero": '{"soft_limit_for_big_orders": 0}',
            "exponent": '{"soft_limit_for_big_orders": 1e2}',
        },
    ),
    **hosts(
        "K20",
        "100.63.255.254 100.128.0.1 172.15.255.255 172.32.0.1 8.8.8.8 [2606:4700:4700::1111] "
        "example.com EXAMPLE.com xn--bcher-kva.example example.com:8443",
    ),
    # Members beside the value are ignored, because clients may send back a whole answer.
    "K1-more": (OMS, '{"enabled": true}, "updated_at": "2001-01-01T00:00:00Z"'),
}


@pytest.mark.parametrize("row", ACCEPTED)
def test_its_neighbor_is_accepted(target: Target, row: str) -> None:
    key, raw = ACCEPTED[row]

    response = target.send("POST", f"{ROOT}/{key}", f'{{"value": {raw}}}'.encode())

    assert response.status_code == 200, response.content
    stored = json.loads(target.get(f"{ROOT}/{key}").content)
    assert stored["updated_at"] is not None
    assert not stored["updated_at"].startswith("2001")


@pytest.mark.parametrize("name", ["foo", "__all__", "external_oms/x", "External_oms", "", "../x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_K14_an_unknown_key_is_a_404(target: Target, method: str, name: str) -> None:
    before = state()

    response = target.send(method, f"{ROOT}/{name}", b'{"value": {"enabled": true}}')

    assert_refused(response, 404, "not_found")
    assert state() == before


@pytest.mark.parametrize("tag", ['"0"', '"2"', "garbage", 'W/"9"', '"1', '"9999999999"', ""])
def test_K16_an_old_version_is_not_replaced(target: Target, tag: str) -> None:
    target.send("POST", f"{ROOT}/{OMS}", b'{"value": {"enabled": true}}')
    before = state()

    response = target.send(
        "POST", f"{ROOT}/{OMS}", b'{"value": {"enabled": false}}', headers={"If-Match": tag}
    )

    assert_refused(response, 412)
    assert state() == before


def test_K7_another_sequence_is_a_conflict_that_says_why(target: Target) -> None:
    before = state()

    response = target.send("POST", f"{ROOT}/{SEQUENCE}", b'{"value": {"prefix": "XX"}}')

    assert_refused(response, 409, "setting_is_immutable")
    assert response["Request-Id"] == "corpus-1"
    assert state() == before

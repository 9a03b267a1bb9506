"""Strict JSON: accepted and refused texts."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordermgmt import strict_json
from ordermgmt.strict_json import InvalidJson, Unreadable, checked, dumps, loads, loads_tolerant

ACCEPTED: dict[bytes, Any] = {
    b"{}": {},
    b"[]": [],
    b"null": None,
    b"true": True,
    b"false": False,
    b'""': "",
    b' \t\r\n{"a" : [ 1 ,2 ] }\n': {"a": [1, 2]},
    b"0": 0,
    b"-0": 0,
    b"-0.0": 0,
    b"1.0": 1,
    b"1e2": 100,
    b"1E+2": 100,
    b"-1.50": Decimal("-1.5"),
    b"1.005": Decimal("1.005"),
    b"0.1": Decimal("0.1"),
    b"1e-18": Decimal("1e-18"),
    b"0.30000000000000004": Decimal("0.30000000000000004"),
    b"1.7763568394002505e-15": Decimal("1.7763568394002505e-15"),
    b"9223372036854775807": 2**63 - 1,
    b"-9223372036854775808": -(2**63),
    b"9223372036854775807.0": 2**63 - 1,
    b"1234567890123.45": Decimal("1234567890123.45"),
    b'"\\u0041"': "A",
    b'"\\"\\\\\\/\\n\\r\\t"': '"\\/\n\r\t',
    b'"\\\\u0000"': "\\u0000",
    b'"\\ud83d\\ude00"': "\N{GRINNING FACE}",
    "\N{GRINNING FACE} \u00e9 e\u0301".join(
        ['"', '"']
    ).encode(): "\N{GRINNING FACE} \u00e9 e\u0301",
    '"\u202e"'.encode(): "\u202e",  # only ids and keys must not turn around
    '"\u2028\ufffe\u200b"'.encode(): "\u2028\ufffe\u200b",
    b'{"a":{"b":1},"c":{"b":2}}': {"a": {"b": 1}, "c": {"b": 2}},
    b'{"__proto__":1,"constructor":2,"$ref":"#"}': {"__proto__": 1, "constructor": 2, "$ref": "#"},
    b"[" * 32 + b"]" * 32: json.loads("[" * 32 + "]" * 32),
    b'"%s"' % (b"x" * 16_384): "x" * 16_384,
}

REFUSED: dict[str, list[bytes]] = {
    "invalid_json": [
        b"",
        b" ",
        b"{",
        b"[1",
        b'{"a"',
        b'{"a":',
        b'{"a":1,}',
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b'{"a" 1}',
        b"{a:1}",
        b"{'a':1}",
        b"{1:1}",
        b"// note\n1",
        b"/* note */1",
        b"# note\n1",
        b"1 2",
        b"{}{}",
        b"{}x",
        b"nul",
        b"True",
        b"undefined",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"nan",
        b"+1",
        b"01",
        b"-01",
        b"1.",
        b".5",
        b"1e",
        b"1e+",
        b"0x10",
        b"1_000",
        b"--1",
        b"-",
        "\u0661".encode(),
        "\uff11".encode(),
        b'"',
        b'"abc',
        b'"\\x41"',
        b'"\\u12"',
        b'"\\u12G4"',
        b'"\\"',
        b'"\x00"',
        b'"\x1f"',
        b'"\n"',
        b'"\t"',
        b"\xef\xbb\xbf{}",
        b"\x00",
        b"1\x00",
        b"\x0b1",
        b"\xc2\xa01",
        b"\xe2\x80\x8b{}",
        b"]",
        b"}",
        b"[}",
        b":",
        b",",
    ],
    "invalid_encoding": [
        b'"\xff"',
        b'"\xc0\xaf"',
        b'"\xe2\x82"',
        b'"\xed\xa0\x80"',
        b'"\xf4\x90\x80\x80"',
        b'"\xe9"',
        '{"a":1}'.encode("utf-16"),
        '{"\u00e9":1}'.encode("utf-16-le"),
    ],
    "duplicate_key": [
        b'{"a":1,"a":1}',
        b'{"a":1,"b":2,"a":3}',
        b'{"a":1,"\\u0061":2}',
        b'[{"x":{"":1,"":2}}]',
    ],
    "number_out_of_range": [
        b"1e400",
        b"-1e400",
        b"1E400",
        b"0.1e-400",
        b"0e99",
        b"1e19",
        b"1e-19",
        b"1E+1000000",
        b"12e18",
        b"10000000000000000000",
        b"9223372036854775808",
        b"-9223372036854775809",
        b"9223372036854775808.0",
        b"9.3e18",
        b"-10000000000000000000",
        b"10000000000000000000.5",
        b"1" * 5_000,
        b"0." + b"1" * 5_000,
        b"1e" + b"9" * 5_000,
    ],
    "forbidden_character": [
        b'"\\u0000"',
        b'{"\\u0000":1}',
        b'[[[{"a":{"b":"x\\u0000"}}]]]',
        b'"\\u001b[31m"',
        b'"\\b"',
        b'"\\f"',
        b'{"\\u0007":1}',
        b'"\\ud800"',
        b'"\\uDC00\\uD800"',
        b'"\\ud800x"',
        b'{"\\udfff":1}',
        b'{"\\u202e":1}',
        '{"\u202e":1}'.encode(),
        '{"a":{"x\u2066":1}}'.encode(),
    ],
    "too_deep": [
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 500 + b"]" * 500,
        b"[" * 1_000 + b"]" * 1_000,
        b"[" * 10_000 + b"]" * 10_000,
        b"[" * 100_000,
        b'{"a":' * 5_000,
    ],
    "too_large": [
        json.dumps({str(n): n for n in range(2_001)}).encode(),
        json.dumps([0] * 20_001).encode(),
        json.dumps("x" * 16_385).encode(),
        json.dumps({"x" * 16_385: 1}).encode(),
        json.dumps({"a": ["x" * 1_000_000]}).encode(),
    ],
}


@pytest.mark.parametrize("raw", ACCEPTED, ids=lambda raw: repr(raw[:24]))
def test_json_is_understood(raw: bytes) -> None:
    value = loads(raw)

    assert value == ACCEPTED[raw]
    assert type(value) is type(ACCEPTED[raw])


@pytest.mark.parametrize(
    ("reason", "raw"),
    [(reason, raw) for reason, texts in REFUSED.items() for raw in texts],
    ids=lambda part: repr(part[:24]),
)
def test_what_is_not_json_is_refused_with_its_reason(reason: str, raw: bytes) -> None:
    with pytest.raises(InvalidJson) as refusal:
        loads(raw)

    assert refusal.value.facts == {"reason": reason}


def test_a_refusal_does_not_repeat_the_input() -> None:
    for raw in (b'{"hunter2":1,"hunter2":2}', b'["hunter2\\u0000"]', b"hunter2", b'{"hunter2" 1}'):
        with pytest.raises(InvalidJson) as refusal:
            loads(raw)
        assert "hunter2" not in str(refusal.value)


@given(st.binary(max_size=200))
def test_no_bytes_break_it(raw: bytes) -> None:
    with suppress(InvalidJson):
        loads(raw)


# Bytes that look like JSON reach further than bytes that do not.
FRAGMENTS = st.sampled_from(
    [*'{}[],:"0123456789-+.eE\\u \n', "\\u0000", "\\ud800", "null", "true", "NaN", '"a":', "\u202e"]
)


@given(st.lists(FRAGMENTS, max_size=40).map("".join))
def test_nothing_that_looks_like_json_breaks_it(text: str) -> None:
    try:
        value = loads(text.encode())
    except InvalidJson:
        return
    assert loads(dumps(value)) == value


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=4, allow_nan=False))
def test_amounts_survive_the_round_trip_exactly(amount: Decimal) -> None:
    raw = dumps({"amount": amount})

    assert loads(raw) == {"amount": amount}
    assert b"e" not in raw.removeprefix(b'{"amount"').lower()


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("72.0000", b"72"),
        ("79.2000", b"79.2"),
        ("0.0000", b"0"),
        ("-0.00", b"0"),
        ("1E+3", b"1000"),
        ("1E-7", b"0.0000001"),
        ("100", b"100"),
        ("1234567890123.4500", b"1234567890123.45"),
        ("12345678901234567890123456789.1", b"12345678901234567890123456789.1"),
    ],
)
def test_amounts_are_written_plainly(amount: str, text: bytes) -> None:
    assert dumps(Decimal(amount)) == text


def test_ids_are_written_as_text() -> None:
    assert dumps(UUID(int=1)) == b'"00000000-0000-0000-0000-000000000001"'


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object(), {1, 2}])
def test_what_json_cannot_hold_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError):
        dumps(value)


def test_every_limit_is_tried_at_its_edge() -> None:
    """A limit that moves must move its test: these are the numbers the cases above are made of."""
    limits = (
        strict_json.MAX_DEPTH,
        strict_json.MAX_KEYS,
        strict_json.MAX_ELEMENTS,
        strict_json.MAX_STRING,
        strict_json.MAX_DIGITS,
        strict_json.MAX_EXPONENT,
    )
    assert limits == (32, 2_000, 20_000, 16_384, 19, 18)
    assert len(loads(json.dumps({str(n): n for n in range(2_000)}).encode())) == 2_000
    assert len(loads(json.dumps([0] * 20_000).encode())) == 20_000


def test_readable_is_the_same_in_lines():
    text = strict_json.readable({"price": {"net": Decimal("72.0000"), "tax": Decimal("7.20")}})

    assert text == '{\n  "price": {\n    "net": 72,\n    "tax": 7.2\n  }\n}'


MARKED: Final = REFUSED["number_out_of_range"] + [
    b'"\\u001b[31m"',
    b'"\\b"',
    b'"\\f"',
    b'"\\u0001"',
]


class TestTolerant:
    """Values that `loads_tolerant` leaves to the reader of a member."""

    @pytest.mark.parametrize("raw", MARKED, ids=lambda raw: repr(raw[:24]))
    def test_it_is_marked_and_all_else_is_read(self, raw: bytes) -> None:
        value = loads_tolerant(b'{"a": {"b": [1.5, %s]}, "c": "x"}' % raw)

        assert (value["a"]["b"][0], value["c"]) == (Decimal("1.5"), "x")
        assert isinstance(value["a"]["b"][1], Unreadable)
        with pytest.raises(InvalidJson) as refusal:
            loads(raw)
        with pytest.raises(InvalidJson) as later:
            checked(value)
        assert later.value.facts == refusal.value.facts
        assert str(later.value) == str(refusal.value)

    @pytest.mark.parametrize("raw", [b'{"\\u0007": 1}', b'[{"a": {"\\b": {}}}]'])
    def test_a_key_is_marked_too(self, raw: bytes) -> None:
        with pytest.raises(InvalidJson, match="control character"):
            checked(loads_tolerant(raw))

    @pytest.mark.parametrize("raw", ACCEPTED, ids=lambda raw: repr(raw[:24]))
    def test_json_is_understood_as_ever(self, raw: bytes) -> None:
        assert checked(loads_tolerant(raw)) == ACCEPTED[raw]

    @pytest.mark.parametrize(
        ("reason", "raw"),
        [
            (reason, raw)
            for reason, texts in REFUSED.items()
            for raw in texts
            if reason != "number_out_of_range" and raw not in (*MARKED, b'{"\\u0007":1}')
        ],
        ids=lambda part: repr(part[:24]),
    )
    @pytest.mark.parametrize("beside", [b"", b"1e400", b'"\\u0007"'])
    def test_all_else_is_refused_as_ever(self, reason: str, raw: bytes, beside: bytes) -> None:
        with pytest.raises(InvalidJson) as refusal:
            loads_tolerant(b"[%s, %s]" % (beside, raw) if beside else raw)

        if not beside:
            assert refusal.value.facts == {"reason": reason}

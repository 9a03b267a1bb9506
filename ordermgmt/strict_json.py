"""JSON in, strictly, with exact numbers; and out, fast, with exact numbers.

A parser that guesses is a hole: two keys of one name, a float that lost its cents, a NUL that the
database cannot hold. What is ambiguous is refused here, so that nothing behind this has to ask.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, Final, NoReturn

import orjson

from ordermgmt.errors import Invalid
from ordermgmt.values.timestamps import timestamp

MAX_DEPTH: Final = 32
MAX_KEYS: Final = 2_000
MAX_ELEMENTS: Final = 20_000
MAX_STRING: Final = 16_384
MAX_DIGITS: Final = 19
MAX_EXPONENT: Final = 18
SMALLEST: Final = -(2**63)
LARGEST: Final = 2**63 - 1

_READABLE: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_INDENT_2
# A number is longer than this only to do harm; longer ones are never converted.
_LONGEST_NUMBER: Final = 64
# Up to this length no object can have too many keys, no array too many elements.
_SMALL: Final = 8_000
_BIDI: Final = "\u202a-\u202e\u2066-\u2069"
_BIDI_CONTROL: Final = re.compile(f"[{_BIDI}]")
# What no string may hold: C0 but tab and line ends, and halves of surrogate pairs.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
# Forbidden characters that are refused even in unread members, then those that are not.
_NEVER_IGNORED: Final = re.compile("[\x00\ud800-\udfff]")
_CONTROL: Final = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f]")
_FORBIDDEN_CHARACTER: Final = "a string holds a control character or half a pair"
# Escapes that could produce the above, in keys or values; others need no second look.
_SUSPICIOUS_ESCAPE: Final = re.compile(r"\\(?:[bf]|u(?:00[01]|[dD][89a-fA-F]|20[26]))")


class InvalidJson(Invalid):
    """The bytes are not JSON as we accept it; `reason` says which rule, in one word."""

    code: ClassVar[str] = "bad_request"


def _refusal(reason: str, why: str) -> InvalidJson:
    return InvalidJson(f"The request body is not acceptable JSON: {why}.", reason=reason)


def _refuse(reason: str, why: str) -> NoReturn:
    raise _refusal(reason, why)


def loads(raw: bytes) -> Any:
    """Return the value of one JSON text; numbers with a fraction are Decimal, all others int.

    `1.0` and `1e2` are the ints they mean, `-0` is 0. Refused with `InvalidJson`: anything but
    UTF-8, a byte order mark, a key that comes twice in an object, NaN and Infinity, control
    characters and lone surrogates, direction overrides in keys, integers beyond 64 bits, exponents
    beyond 18, and what exceeds the sizes above. The message never repeats the input.

    Cheap looks at the whole text decide whether its strings are walked one by one, so a usual
    order of 2 kB costs about 25 µs.
    """
    text, value = _parse(raw, _decode)
    if (
        len(text) > MAX_STRING
        or ("\\" in text and _SUSPICIOUS_ESCAPE.search(text))
        or (not text.isascii() and _BIDI_CONTROL.search(text))
    ):
        _check_strings(value, forbidden=_FORBIDDEN)
    return value


class Unreadable:
    """A number out of range, or a string or key with control characters, that may be ignored.

    Readers of the member that holds it raise `refusal`.
    """

    __slots__ = ("refusal",)

    def __init__(self, refusal: InvalidJson) -> None:
        self.refusal = refusal


def loads_tolerant(raw: bytes) -> Any:
    """Return the value as `loads`, with `Unreadable` for values that only their reader must refuse.

    For wire models, which ignore unknown members and refuse an `Unreadable` in all others. Raise
    `InvalidJson` for everything else that `loads` refuses. Only a body that has such values is
    parsed twice.
    """
    try:
        return loads(raw)
    except InvalidJson as refusal:
        if refusal.facts["reason"] not in ("number_out_of_range", "forbidden_character"):
            raise
    _, value = _parse(raw, _decode_tolerant)
    _check_strings(value, forbidden=_NEVER_IGNORED)
    return _with_unreadable(value)


def checked(value: Any) -> Any:
    """Return `value`, a parsed one of any type; raise the refusal of an `Unreadable` inside it."""
    parts = [value]
    while parts:
        part = parts.pop()
        if type(part) is dict:
            parts += part
            parts += part.values()
        elif type(part) is list:
            parts += part
        elif type(part) is Unreadable:
            raise part.refusal
    return value


def _parse(raw: bytes, decode: Callable[[str], Any]) -> tuple[str, Any]:
    """Return the text of `raw` and its value, which is no deeper and no wider than it may be."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        _refuse("invalid_encoding", "it is not UTF-8")
    try:
        value = decode(text)
    except json.JSONDecodeError as fault:
        _refuse("invalid_json", f"syntax error at line {fault.lineno}, column {fault.colno}")
    except RecursionError:
        _refuse("too_deep", f"it is nested deeper than {MAX_DEPTH}")
    if len(text) > _SMALL or text.count("{") + text.count("[") > MAX_DEPTH:
        _check_shape(value)
    return text, value


def dumps(value: Any) -> bytes:
    """`value` as JSON; a Decimal as the number it is, without exponent or idle zeros.

    72.0000 becomes 72 and 79.2000 becomes 79.2. UUIDs and dates in their usual form, times as
    `timestamp` writes them. Raise TypeError for what JSON cannot hold.
    """
    return orjson.dumps(value, _encode, orjson.OPT_PASSTHROUGH_DATETIME)


def readable(value: Any) -> str:
    """Return the JSON text with lines and indents, for people."""
    return orjson.dumps(value, _encode, _READABLE).decode()


@lru_cache(maxsize=4096)  # of an order's amounts each is written several times
def _encode(value: Any) -> orjson.Fragment | str:
    if isinstance(value, dt.datetime):
        return timestamp(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError(f"{type(value).__name__} has no form in JSON.")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return orjson.Fragment("0" if text == "-0" else text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse("duplicate_key", "an object has the same key twice")
    return members


def _number(text: str) -> int | Decimal:
    if len(text) > MAX_DIGITS or "e" in text or "E" in text:
        _check_range(text)
    number = Decimal(text)
    if text[-1] in "123456789" and "e" not in text and "E" not in text:
        return number
    integer = int(number)
    return _in_range(integer) if integer == number else number


def _check_range(text: str) -> None:
    _, _, exponent = text.lower().partition("e")
    if len(text) > _LONGEST_NUMBER:
        _refuse("number_out_of_range", "a number is too long")
    if exponent and abs(int(exponent)) > MAX_EXPONENT:
        _refuse("number_out_of_range", f"an exponent is beyond {MAX_EXPONENT}")
    if Decimal(text).adjusted() >= MAX_DIGITS:
        _refuse("number_out_of_range", f"a number has more than {MAX_DIGITS} digits")


def _integer(text: str) -> int:
    if len(text) < MAX_DIGITS:
        return int(text)
    if len(text) > MAX_DIGITS + 1:
        _refuse("number_out_of_range", f"a number has more than {MAX_DIGITS} digits")
    return _in_range(int(text))


def _in_range(integer: int) -> int:
    if not SMALLEST <= integer <= LARGEST:
        _refuse("number_out_of_range", "an integer does not fit 64 bits")
    return integer


def _constant(_: str) -> NoReturn:
    _refuse("invalid_json", "NaN and Infinity are not JSON")


def _tolerant(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    def number(text: str) -> Any:
        try:
            return convert(text)
        except InvalidJson as refusal:
            return Unreadable(refusal)

    return number


def _with_unreadable(value: Any) -> Any:
    if type(value) is str and _CONTROL.search(value):
        return Unreadable(_refusal("forbidden_character", _FORBIDDEN_CHARACTER))
    if type(value) is dict:
        return {_with_unreadable(key): _with_unreadable(part) for key, part in value.items()}
    if type(value) is list:
        return [_with_unreadable(part) for part in value]
    return value


_decode: Final = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=_number,
    parse_int=_integer,
    parse_constant=_constant,
).decode
_decode_tolerant: Final = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=_tolerant(_number),
    parse_int=_tolerant(_integer),
    parse_constant=_constant,
).decode


def _check_shape(value: Any) -> None:
    """Walk the containers, level by level: how deep, how wide."""
    level = [value] if type(value) in (dict, list) else []
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for container in level:
            if type(container) is dict:
                if len(container) > MAX_KEYS:
                    _refuse("too_large", f"an object has more than {MAX_KEYS} keys")
                parts: Iterable[Any] = container.values()
            else:
                if len(container) > MAX_ELEMENTS:
                    _refuse("too_large", f"an array has more than {MAX_ELEMENTS} elements")
                parts = container
            inner += [part for part in parts if type(part) is dict or type(part) is list]
        level = inner
        if not level:
            return
    _refuse("too_deep", f"it is nested deeper than {MAX_DEPTH}")


def _check_strings(value: Any, *, forbidden: re.Pattern[str]) -> None:
    keys: list[str] = []
    strings: list[str] = []
    parts = [value]
    while parts:
        part = parts.pop()
        if type(part) is str:
            strings.append(part)
        elif type(part) is dict:
            keys += part
            parts += part.values()
        elif type(part) is list:
            parts += part
    strings += keys
    if max(map(len, strings), default=0) > MAX_STRING:
        _refuse("too_large", f"a string has more than {MAX_STRING} characters")
    if forbidden.search("\n".join(strings)):
        _refuse("forbidden_character", _FORBIDDEN_CHARACTER)
    if _BIDI_CONTROL.search("\n".join(keys)):
        _refuse("forbidden_character", "a key changes the direction of writing")

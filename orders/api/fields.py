"""Scalar types of the order routes, with their limits."""

import datetime as dt
import ipaddress
import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from ordermgmt.http.wire import Instant, Matches, Number
from ordermgmt.money import LARGEST_AMOUNT, PLACES
from ordermgmt.values import countries, names
from orders.api import addresses

LONGEST_REASON: Final = 4096
_FUTURE: Final = dt.timedelta(hours=24)
_EMAIL: Final = re.compile(r"[^@\s\"<>(),;:\\]+@[^@\s\"<>(),;:\\]+\.[^@\s\"<>(),;:\\.]+")
_LONGEST_NAME: Final = 64


def _identifier(value: str) -> str:
    if value != value.strip() or names.has_invisible(value):
        raise PydanticCustomError(
            "identifier", "the value has spaces around it, or characters nobody sees"
        )
    return value


def _order_name(value: str) -> str:
    if len(names.normal(value)) > _LONGEST_NAME:
        raise PydanticCustomError(
            "identifier", f"the value has over {_LONGEST_NAME} characters in NFC"
        )
    addresses.check_addressable(value)
    return value


def _country(value: str) -> str:
    if value not in countries.NAMES:
        raise PydanticCustomError(
            "country", "the value is not a country code of ISO 3166 (two capitals)"
        )
    return value


def _currency(value: str) -> str:
    if value not in PLACES:
        raise PydanticCustomError(
            "currency", "the value is not a currency code of ISO 4217 (three capitals)"
        )
    return value


def _email(value: str) -> str:
    if value and (not _EMAIL.fullmatch(value) or names.has_invisible(value)):
        raise PydanticCustomError("email", "the value is not an 'email'")
    return value


def _ip_address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise PydanticCustomError(
            "ip_address", "the value is not an IPv4 or IPv6 address"
        ) from None
    return value


def _not_ahead(value: dt.datetime) -> dt.datetime:
    try:
        utc = value.astimezone(dt.UTC)
    except OverflowError:
        raise PydanticCustomError("instant", "the value is not a 'date-time' we can keep") from None
    if utc > dt.datetime.now(dt.UTC) + _FUTURE:
        raise PydanticCustomError("future", "the value is more than 24 hours in the future")
    return utc


def _integer_as_text(value: Any) -> Any:
    """Return an integer as text, because clients send phone numbers and zip codes as integers."""
    return str(value) if type(value) is int else value


Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=_LONGEST_NAME), AfterValidator(_identifier)
]
OrderName = Annotated[Identifier, AfterValidator(_order_name)]
LongIdentifier = Annotated[
    str, StringConstraints(min_length=1, max_length=256), AfterValidator(_identifier)
]
Text32 = Annotated[str, StringConstraints(max_length=32)]
Text64 = Annotated[str, StringConstraints(max_length=64)]
Text128 = Annotated[str, StringConstraints(max_length=128)]
Text256 = Annotated[str, StringConstraints(max_length=256)]
Text1024 = Annotated[str, StringConstraints(max_length=1024)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Zip = Annotated[Text32, BeforeValidator(_integer_as_text)]
Phone = Annotated[Text128, BeforeValidator(_integer_as_text)]
Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]
FreeText = Annotated[str, StringConstraints(max_length=LONGEST_REASON)]
# A reason in free text; line breaks are the only control characters.
Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_REASON),
    Matches(
        r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
        "the value holds a control character that is no line end",
    ),
    Matches(r"\S", "the value is blank"),
]
Locale = Annotated[
    str,
    StringConstraints(max_length=128),
    Matches(
        r"^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$",
        "the value is not a locale of language, script and region, as en-US",
    ),
]
Country = Annotated[
    str, AfterValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})
]
Currency = Annotated[
    str, AfterValidator(_currency), WithJsonSchema({"type": "string", "enum": sorted(PLACES)})
]
PlacedAt = Annotated[Instant, AfterValidator(_not_ahead)]
IpAddress = Annotated[
    str,
    StringConstraints(max_length=45),
    Matches(r"^[0-9A-Fa-f.:]+$", "the value is not an IPv4 or IPv6 address"),
    AfterValidator(_ip_address),
]
# Not Literal[1], because that accepts `true`.
Quantity = Annotated[int, Field(ge=1, le=1)]
Amount = Annotated[Number, Field(ge=0, le=LARGEST_AMOUNT)]
Positive = Annotated[Number, Field(gt=0, le=LARGEST_AMOUNT)]
Rate = Annotated[Number, Field(ge=0, le=Decimal(100))]
GracePeriod = Annotated[int, Field(ge=0, le=30 * 24 * 3600)]

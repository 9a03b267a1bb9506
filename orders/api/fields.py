"""The scalar types of the order routes, each with the limits of contract §a.1."""

import datetime as dt
import ipaddress
import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from ordermgmt.money import LARGEST_AMOUNT, PLACES
from ordermgmt.wire import Instant, Matches, Number

# ISO 3166.
_COUNTRIES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ "
    "BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM "
    "DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS "
    "GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN "
    "KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ "
    "MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
    "SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI "
    "VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRIES: Final = frozenset(_COUNTRIES.split())
LONGEST_REASON: Final = 4096
_FUTURE: Final = dt.timedelta(hours=24)
_EMAIL: Final = re.compile(r"[^@\s\"<>(),;:\\]+@[^@\s\"<>(),;:\\]+\.[^@\s\"<>(),;:\\.]+")
# What would make two ids look the same, or one not fit on a line.
_UNSEEN: Final = re.compile(r"^\s|\s$|[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def _wrong(code: str, words: str) -> PydanticCustomError:
    return PydanticCustomError(code, words)


def _identifier(value: str) -> str:
    if _UNSEEN.search(value):
        raise _wrong("identifier", "the value has spaces around it, or characters nobody sees")
    return value


def _addressable(value: str) -> str:
    if value.startswith("/") or "//" in value:
        raise _wrong("identifier", "the value begins with a slash, or has two in a row")
    return value


def _country(value: str) -> str:
    if value not in COUNTRIES:
        raise _wrong("country", "the value is not a country code of ISO 3166 (two capitals)")
    return value


def _currency(value: str) -> str:
    if value not in PLACES:
        raise _wrong("currency", "the value is not a currency code of ISO 4217 (three capitals)")
    return value


def _email(value: str) -> str:
    if value and not _EMAIL.fullmatch(value):
        raise _wrong("email", "the value is not an 'email'")
    return value


def _ip_address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise _wrong("ip_address", "the value is not an IPv4 or IPv6 address") from None
    return value


def _not_ahead(value: dt.datetime) -> dt.datetime:
    try:
        utc = value.astimezone(dt.UTC)
    except OverflowError:
        raise _wrong("instant", "the value is not a 'date-time' we can keep") from None
    if utc > dt.datetime.now(dt.UTC) + _FUTURE:
        raise _wrong("future", "the value is more than 24 hours in the future")
    return utc


def _said_as_text(value: Any) -> Any:
    """Phones and zip codes may come as integers; the documented samples do it."""
    return str(value) if type(value) is int else value


Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=64), AfterValidator(_identifier)
]
# An order is asked for by its id as part of an address, where slashes in a row are one.
OrderName = Annotated[Identifier, AfterValidator(_addressable)]
LongIdentifier = Annotated[
    str, StringConstraints(min_length=1, max_length=256), AfterValidator(_identifier)
]
Text32 = Annotated[str, StringConstraints(max_length=32)]
Text64 = Annotated[str, StringConstraints(max_length=64)]
Text128 = Annotated[str, StringConstraints(max_length=128)]
Text256 = Annotated[str, StringConstraints(max_length=256)]
Text1024 = Annotated[str, StringConstraints(max_length=1024)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Zip = Annotated[Text32, BeforeValidator(_said_as_text)]
Phone = Annotated[Text128, BeforeValidator(_said_as_text)]
Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]
FreeText = Annotated[str, StringConstraints(max_length=LONGEST_REASON)]
# Why somebody did something, in their own words: with line ends, without other control characters.
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
# Not Literal[1], which `true` would pass.
Quantity = Annotated[int, Field(ge=1, le=1)]
Amount = Annotated[Number, Field(ge=0, le=LARGEST_AMOUNT)]
Positive = Annotated[Number, Field(gt=0, le=LARGEST_AMOUNT)]
Rate = Annotated[Number, Field(ge=0, le=Decimal(100))]
GracePeriod = Annotated[int, Field(ge=0, le=30 * 24 * 3600)]

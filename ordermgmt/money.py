"""Amounts as decimals, with the decimal places of each currency (ISO 4217)."""

from decimal import Decimal
from typing import Final

# Larger amounts are typing errors; sums of allowed ones must fit numeric(18, 4).
LARGEST_AMOUNT: Final = Decimal(10) ** 12 - 1
LARGEST_TOTAL: Final = Decimal(10) ** 14 - 1
ZERO: Final = Decimal(0)

_CODES: Final[dict[int, str]] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP "
    "BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD "
    "FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD "
    "KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL "
    "SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST "
    "XCD XCG YER ZAR ZMW ZWG ZWL",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

# Currency code → number of decimals, without metals, funds and test codes.
PLACES: Final[dict[str, int]] = {
    code: places for places, codes in _CODES.items() for code in codes.split()
}
_SMALLEST: Final = {code: Decimal(1).scaleb(-places) for code, places in PLACES.items()}


def is_rounded(amount: Decimal, currency: str) -> bool:
    """Return whether `amount` has no decimals beyond the currency's smallest unit."""
    return amount.is_finite() and not amount % _SMALLEST[currency]


def smallest(currency: str) -> Decimal:
    """Return the currency's smallest unit: 0.01 of a dollar, 1 of a yen."""
    return _SMALLEST[currency]


def text(amount: Decimal) -> str:
    """Return an amount without exponent and trailing zeros ("79.2", "72")."""
    plain = format(amount, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def formatted(amount: Decimal, currency: str) -> str:
    """Return an amount for people: its currency's decimals, and thousands apart ("1,079.20")."""
    return f"{amount:,.{PLACES.get(currency, 2)}f}"

"""Demo orders with every channel, hold, route and currency.

They are capture bodies in an integrator's form, always the same and dated back from today. The demo
tenant captures them with the same service as every other tenant.
"""

import datetime as dt
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any, Final, NamedTuple

from ordermgmt.money import PLACES

ORDERS: Final = 300
DAYS_BACK: Final = 14
BIG_ORDER: Final = 25  # items; more than the soft limit of the demo tenant


class Location(NamedTuple):
    code: str
    type: str
    name: str
    country_codes: tuple[str, ...]
    priority: int


class ServiceLevel(NamedTuple):
    identifier: str
    name: str
    remorse_period: int | None  # seconds
    shipping_type: str


class _Market(NamedTuple):
    country: str
    currency: str
    locale: str
    city: str
    tax_rate: Decimal


LOCATIONS: Final = (
    Location(
        code="DC-EAST",
        type="dc",
        name="Distribution center New Jersey",
        country_codes=("US", "CA"),
        priority=10,
    ),
    Location(
        code="DC-EU",
        type="dc",
        name="Distribution center Rotterdam",
        country_codes=("NL", "DE", "FR", "AT"),
        priority=10,
    ),
    Location(code="NY5AVE", type="store", name="Fifth Avenue", country_codes=("US",), priority=20),
    Location(
        code="BER01", type="store", name="Kurfürstendamm", country_codes=("DE", "AT"), priority=20
    ),
    Location(code="TYO01", type="store", name="Ginza", country_codes=("JP",), priority=20),
    Location(code="KWT01", type="store", name="Salmiya", country_codes=("KW",), priority=20),
)
SERVICE_LEVELS: Final = (
    ServiceLevel(
        identifier="standard",
        name="Standard",
        remorse_period=None,
        shipping_type="traditional_carrier",
    ),
    ServiceLevel(
        identifier="express", name="Express", remorse_period=60, shipping_type="traditional_carrier"
    ),
    ServiceLevel(
        identifier="same day", name="Same day", remorse_period=0, shipping_type="same_day_delivery"
    ),
    ServiceLevel(
        identifier="pick up",
        name="Pick up in store",
        remorse_period=0,
        shipping_type="in_store_pick_up",
    ),
)
_MARKETS: Final = (
    _Market(
        country="US", currency="USD", locale="en-US", city="New York", tax_rate=Decimal("0.0825")
    ),
    _Market(country="DE", currency="EUR", locale="de-DE", city="Berlin", tax_rate=Decimal("0.19")),
    _Market(country="FR", currency="EUR", locale="fr-FR", city="Lyon", tax_rate=Decimal("0.2")),
    _Market(country="JP", currency="JPY", locale="ja-JP", city="Tokyo", tax_rate=Decimal("0.1")),
    _Market(
        country="KW", currency="KWD", locale="ar-KW", city="Kuwait City", tax_rate=Decimal("0.05")
    ),
    # No location serves Australia, so its orders are in conflict.
    _Market(country="AU", currency="AUD", locale="en-AU", city="Brisbane", tax_rate=Decimal("0.1")),
)
_CUSTOMERS: Final = (
    ("Ada", "Byron"),
    ("Grace", "Hopper"),
    ("Alan", "Mathison"),
    ("Katherine", "Coleman"),
    ("Edsger", "Wybe"),
    ("Barbara", "Huberman"),
    ("Niklaus", "Emil"),
    ("Radia", "Joy"),
)
_PRODUCTS: Final = (
    ("1000012", "Kate Dress", 80),
    ("10000100", "Basic T-Shirt", 20),
    ("10000101", "Basic T-Shirt, long sleeves", 25),
    ("2000450", "Wool Coat", 240),
    ("3000077", "Leather Belt", 45),
    ("4000001", "Silk Scarf", 60),
)


def bodies(today: dt.datetime) -> Iterator[dict[str, Any]]:
    """Yield the demo's capture bodies, from oldest to newest."""
    chance = Random(2026)  # noqa: S311  # the same orders everywhere
    for n in range(ORDERS):
        placed_at = today - dt.timedelta(days=DAYS_BACK) * (1 - n / ORDERS)
        yield _body(n, placed_at, chance)


def _body(n: int, placed_at: dt.datetime, chance: Random) -> dict[str, Any]:
    country, currency, locale, city, rate = chance.choices(_MARKETS, [50, 20, 10, 10, 5, 5])[0]
    first, last = chance.choice(_CUSTOMERS)
    units = BIG_ORDER if n % 60 == 59 else chance.choice((1, 1, 1, 2, 2, 3, 5))
    body = {
        "external_id": f"DEMO-{n + 1:04}",
        "currency": currency,
        "shop": f"shop-{country.lower()}",
        "shop_locale": locale,
        "placed_at": placed_at.replace(microsecond=0).isoformat(),
        "customer": {
            "name": f"{first} {last}",
            "email": f"{first}.{last}@example.com".lower(),
            "language": locale[:2],
        },
        "items": [_item(currency, rate, chance) for _ in range(units)],
    }
    if chance.random() < 0.2:
        return body | _in_store(body, chance)
    address = {
        "first_name": first,
        "last_name": last,
        "address_line_1": f"{n + 1} Main Street",
        "city": city,
        "zip_code": f"{10000 + n}",
        "country_code": country,
    }
    online = body | {
        "channel_type": chance.choice(("web", "web", "mobile")),
        "channel_name": chance.choice(("webshop", "marketplace")),
        "shipping_address": address,
        "billing_address": address,
        "shipments": [_shipment(currency, rate, chance)],
        # Only the newest orders have a grace period, so that all others are routed at once.
        **({"grace_period": 0} if n < ORDERS - 60 else {}),
        **({"is_historical": True} if n < 20 else {}),
    }
    return online | {"payments": [_card(online)]}


def _card(body: dict[str, Any]) -> dict[str, Any]:
    total = sum((item["price"]["gross"] for item in body["items"]), Decimal(0))
    option = body["shipments"][0]["shipping_option"]
    return {
        "type": "authorized",
        "amount": total + option["price"] + option["tax"],
        "method": "credit_card",
        "processor": "adyen",
        "processed_at": body["placed_at"],
        "correlation_ref": f"CARD-{body['external_id']}",
    }


def _in_store(body: dict[str, Any], chance: Random) -> dict[str, Any]:
    store = chance.choice(("NY5AVE", "BER01", "TYO01"))
    for item in body["items"]:
        item["fulfillment_group_type"] = "IN_STORE_HANDOVER"
    total = sum((item["price"]["gross"] for item in body["items"]), Decimal(0))
    payment = {
        "type": "captured",
        "amount": total,
        "method": "cash",
        "processor": "cash",
        "processed_at": body["placed_at"],
        "correlation_ref": f"CASH-{body['external_id']}",
    }
    return {"channel_type": "store", "store_id": store, "payments": [payment]}


def _item(currency: str, rate: Decimal, chance: Random) -> dict[str, Any]:
    product, name, price = chance.choice(_PRODUCTS)
    base = Decimal(price) * (100 if currency == "JPY" else 1)
    discount = _rounded(base / 10, currency) if chance.random() < 0.25 else Decimal(0)
    net = base - discount
    tax = _rounded(net * rate, currency)
    item = {
        "product_id": product,
        "product_attributes": {"name": name, "size": chance.choice("SML")},
        "price": {"base": base, "discount": discount, "net": net, "tax": tax, "gross": net + tax},
        "tax_lines": [{"amount": tax, "rate": rate, "name": "Sales tax"}],
    }
    if discount:
        item["discounts"] = [
            {"level": "item", "type": "percentage", "value": 10, "price_adjustment": discount}
        ]
    return item


def _shipment(currency: str, rate: Decimal, chance: Random) -> dict[str, Any]:
    level = chance.choices(SERVICE_LEVELS, [70, 15, 5, 10])[0].identifier
    price = Decimal(500 if currency == "JPY" else 5)
    option: dict[str, Any] = {
        "service_level_identifier": level,
        "price": price,
        "tax": _rounded(price * rate, currency),
    }
    if level == "pick up" or chance.random() < 0.03:
        node = chance.choice(("NY5AVE", "BER01", "CLOSED01"))
        option["routing_strategy"] = {"strategy": "prerouted", "fulfillment_node_id": node}
    return {"shipping_option": option}


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-PLACES[currency]), ROUND_HALF_UP)

"""A few hundred orders that look like a retailer's: every channel, hold, route and currency.

They are bodies as integrators send them, always the same ones, dated back from today; the demo
tenant captures them by the same service as everybody else.
"""

import datetime as dt
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any, Final

from ordermgmt.money import PLACES

ORDERS: Final = 300
DAYS_BACK: Final = 14
BIG_ORDER: Final = 25  # items; the demo's soft limit is lower

# code, type, name, countries it serves, priority
LOCATIONS: Final = (
    ("DC-EAST", "dc", "Distribution center New Jersey", ("US", "CA"), 10),
    ("DC-EU", "dc", "Distribution center Rotterdam", ("NL", "DE", "FR", "AT"), 10),
    ("NY5AVE", "store", "Fifth Avenue", ("US",), 20),
    ("BER01", "store", "Kurfürstendamm", ("DE", "AT"), 20),
    ("TYO01", "store", "Ginza", ("JP",), 20),
    ("KWT01", "store", "Salmiya", ("KW",), 20),
)
# identifier, name, remorse period in seconds, shipping type
SERVICE_LEVELS: Final = (
    ("standard", "Standard", None, "traditional_carrier"),
    ("express", "Express", 60, "traditional_carrier"),
    ("same day", "Same day", 0, "same_day_delivery"),
    ("pick up", "Pick up in store", 0, "in_store_pick_up"),
)
# country, currency, locale, city, tax rate
_MARKETS: Final = (
    ("US", "USD", "en-US", "New York", Decimal("0.0825")),
    ("DE", "EUR", "de-DE", "Berlin", Decimal("0.19")),
    ("FR", "EUR", "fr-FR", "Lyon", Decimal("0.2")),
    ("JP", "JPY", "ja-JP", "Tokyo", Decimal("0.1")),
    ("KW", "KWD", "ar-KW", "Kuwait City", Decimal("0.05")),
    ("AU", "AUD", "en-AU", "Brisbane", Decimal("0.1")),  # no location serves it: a conflict
)
_PEOPLE: Final = (
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
    """The demo's captures, newest last."""
    chance = Random(2026)  # noqa: S311  # the same orders everywhere
    for n in range(ORDERS):
        placed_at = today - dt.timedelta(days=DAYS_BACK) * (1 - n / ORDERS)
        yield _body(n, placed_at, chance)


def _body(n: int, placed_at: dt.datetime, chance: Random) -> dict[str, Any]:
    country, currency, locale, city, rate = chance.choices(_MARKETS, [50, 20, 10, 10, 5, 5])[0]
    first, last = chance.choice(_PEOPLE)
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
        # Most were bought long enough ago to be on their way; the newest wait.
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
    level = chance.choices(SERVICE_LEVELS, [70, 15, 5, 10])[0][0]
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

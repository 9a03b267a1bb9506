"""Invented orders of a small outdoor shop, derived from order id and e-mail address.

`ada@example.com` has the orders ADA-001, ADA-002 …; other ids such as GD000001234 have an order,
too. Customers with a name that begins with `heavy` have 137 orders, with `nobody` none. Ids that
begin with NONE have no order.
"""

import re
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from ordermgmt.values.timestamps import timestamp

MANY: Final = 137
_VALID_ID: Final = re.compile(r"(?!NONE)[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FIRST_DAY: Final = datetime(2024, 1, 8, 7, 30, tzinfo=UTC)
_LISTED: Final = {  # members of a history entry by the contract
    "id",
    "placed_at",
    "channel_type",
    "origin",
    "origin_id",
    "status",
    "currency",
    "fulfillment_type",
    "items",
}
_CATALOG: Final = [  # name, cents, color, sizes
    ("Ridge Shell Jacket", 24900, "Moss", ["S", "M", "L"]),
    ("Fjord Merino Sweater", 12900, "Oat", ["XS", "S", "M"]),
    ("Trail Runner", 13995, "Slate", ["40", "41", "42", "43"]),
    ("Basin Daypack 22", 8950, "Rust", []),
    ("Tarn Bottle", 2499, "Sky", []),
    ("Larch Wool Socks", 1790, "Gray", ["M", "L"]),
    ("Kate Dress", 8000, "Red", ["36", "38"]),
]


def find(identifier: str) -> dict[str, Any] | None:
    """Return the detail of an order, always the same, or None."""
    if not _VALID_ID.fullmatch(identifier):
        return None
    chance = Random(identifier)  # noqa: S311 -- an order, not a secret
    status = chance.choice(["pending", "in_fulfillment", "complete", "complete"])
    in_store = chance.random() < 0.2
    items = [_item(identifier, number, status, chance) for number in range(chance.randint(1, 4))]
    totals = _totals(items, shipping=0 if in_store else chance.choice([0, 500, 1290]))
    name, _, number = identifier.partition("-")
    return {
        "id": identifier,
        "placed_at": _placed_at(number, chance),
        "channel_type": "store" if in_store else "web",
        "origin": "external",
        "origin_id": identifier,
        "status": status,
        "currency": "USD",
        "fulfillment_type": "in_store_purchase"
        if in_store
        else chance.choice(["traditional", "same_day", "in_store_pickup", "multiple"]),
        "items": items,
        "totals": totals,
        "customer": {
            "id": f"C-{name.upper()}",
            "name": f"{name.capitalize()} Example",
            "email": f"{name.lower()}@example.com",
        },
        "payment_history": _payments(items, totals["total"], chance),
    }


def history(customer: str) -> list[dict[str, Any]]:
    """Return the orders of a customer by e-mail address or token, newest first."""
    name = re.sub(r"[^A-Za-z0-9]", "", customer.partition("@")[0])[:40].upper()
    count = MANY if name.startswith("HEAVY") else len(name) % 5 + 1
    if not name or name.startswith("NOBODY"):
        return []
    details = [find(f"{name}-{number:03}") for number in range(count, 0, -1)]
    return [{key: order[key] for key in order if key in _LISTED} for order in details if order]


def _placed_at(number: str, chance: Random) -> str:
    days = 3 * int(number) if number.isdecimal() and len(number) < 4 else chance.randrange(600)
    at = _FIRST_DAY + timedelta(days=days, minutes=chance.randrange(900))
    return timestamp(at, timespec="milliseconds")


def _item(order: str, number: int, order_status: str, chance: Random) -> dict[str, Any]:
    name, cents, color, sizes = chance.choice(_CATALOG)
    percent = chance.choice([0, 0, 10, 20])
    discount = cents * percent // 100
    tax = (cents - discount) * 8 // 100
    status = {
        "pending": "pending",
        "in_fulfillment": "in_fulfillment"
        if number == 0
        else chance.choice(["pending", "complete"]),
    }.get(order_status) or chance.choice(["complete", "complete", "cancelled", "returned"])
    item: dict[str, Any] = {
        "id": f"{order}-{number + 1}",
        "origin_id": f"{order}-{number + 1}",
        "status": status,
        "price": {
            "gross": _money(cents - discount + tax),
            "net": _money(cents - discount),
            "tax": _money(tax),
            "discount": _money(discount),
        },
        "product_attributes": {"name": name, "color": color},
        "external_identifier": {"product_id": str(100000 + cents)},
    }
    if sizes:
        item["product_attributes"]["size"] = chance.choice(sizes)
    if percent:
        item["discounts"] = [
            {
                "level": "item",
                "type": "percentage",
                "value": percent,
                "price_adjustment": _money(discount),
            }
        ]
    return item


def _totals(items: list[dict[str, Any]], *, shipping: int) -> dict[str, float]:
    sums = {
        part: sum(_cents(item["price"][part]) for item in items)
        for part in ("gross", "net", "tax", "discount")
    }
    sums |= {"shipping": shipping, "total": sums["gross"] + shipping}
    return {part: _money(cents) for part, cents in sums.items()}


def _payments(items: list[dict[str, Any]], total: float, chance: Random) -> list[dict[str, Any]]:
    """Return payments by card and sometimes gift card, and a refund of returned items."""
    by_gift_card = min(_cents(total), 2500) if chance.random() < 0.3 else 0
    returned = sum(_cents(item["price"]["gross"]) for item in items if item["status"] == "returned")
    card = f"Visa (**** {chance.randrange(1000, 10000)})"
    paid = [
        ("payment", by_gift_card, "gift_card", None),
        ("payment", _cents(total) - by_gift_card, "credit_card", card),
        ("refund", returned, "credit_card", card),
    ]
    return [
        {"category": category, "amount": _money(cents), "currency": "USD", "method": method}
        | ({"payment_information": information} if information else {})
        for category, cents, method, information in paid
        if cents
    ]


def _money(cents: int) -> float:
    return cents / 100


def _cents(amount: float) -> int:
    return round(amount * 100)

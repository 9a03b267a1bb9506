"""Breakdowns of amounts: the lines before a total add up to it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Protocol

from ordermgmt.money import ZERO
from orders.admin import labels
from orders.admin.excerpts import listing, mapping, short
from orders.models import Order, PriceMethod
from orders.services.reading.outcomes import Balance

DISCOUNTS: Final = 10  # listed by name; more are shown as one sum


class Priced(Protocol):
    """An item or a shipment. `base` is before the discount, with tax if prices include tax."""

    base: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    discount: Decimal
    details: Any


@dataclass(frozen=True, slots=True)
class Line:
    """One named amount. A total has its currency; a remark is not part of the sum."""

    name: str
    amount: str
    kind: str = ""


def price_lines(priced: Priced, order: Order) -> list[Line]:
    """Return base, discounts, tax and total, in the order the price method adds them."""
    includes_tax = order.price_method == PriceMethod.TAX_INCLUDED
    paid = priced.gross if includes_tax else priced.net
    parts = [("Price, with tax" if includes_tax else "Price, before tax", priced.base)]
    parts += _discounts(priced)
    # A tenant with lenient price details may store a base and a discount that miss the price.
    parts.append(("Other adjustment", paid - priced.base + priced.discount))
    if not includes_tax:
        parts.append(("Tax", priced.tax))
    return list(_lines(parts, priced.gross, order, tax=priced.tax if includes_tax else ZERO))


def order_lines(order: Order, balance: Balance) -> list[Line]:
    """Return the lines that add up to the order's total, then the reductions and the rest."""
    includes_tax = order.price_method == PriceMethod.TAX_INCLUDED
    paid = order.gross if includes_tax else order.net
    parts = [
        ("Items, with tax" if includes_tax else "Items, before tax", paid + order.discount),
        ("Discounts", -order.discount),
        ("Tax", ZERO if includes_tax else order.tax),
        ("Shipping, with tax", order.shipping),
        ("Gift wrapping, with tax", order.gift_wrapping),
    ]
    tax = order.tax if includes_tax else ZERO
    lines = list(_lines(parts, order.total, order, tax=tax, remark="Tax included in items"))
    if balance.is_reduced:
        lines += _named((("Cancelled", -balance.cancelled), ("Returned", -balance.returned)), order)
        lines.append(Line("Remaining", labels.amount(balance.remaining, order.currency), "sum"))
    return lines


def _lines(
    parts: Iterable[tuple[str, Decimal]],
    total: Decimal,
    order: Order,
    *,
    tax: Decimal,
    remark: str = "Tax included",
) -> Iterator[Line]:
    """Yield the non-zero parts, then the total; a single part equal to the total is left out."""
    nonzero = [part for part in parts if part[1]]
    if len(nonzero) > 1 or (nonzero and nonzero[0][1] != total):
        yield from _named(nonzero, order)
    yield Line("Total", labels.amount(total, order.currency), "sum")
    if tax:
        yield Line(remark, labels.number(tax, order.currency), "remark")


def _named(parts: Iterable[tuple[str, Decimal]], order: Order) -> list[Line]:
    return [Line(name, labels.number(value, order.currency)) for name, value in parts if value]


def _discounts(priced: Priced) -> list[tuple[str, Decimal]]:
    """Return each discount by name if they add up to the whole discount, else only the sum."""
    discounts = [mapping(d) for d in listing(mapping(priced.details).get("discounts"))]
    named = [(f"Discount {_discount_label(d)}".strip(), -_adjustment(d)) for d in discounts]
    if len(named) <= DISCOUNTS and -sum((value for _, value in named), ZERO) == priced.discount:
        return named
    return [("Discount", -priced.discount)]


def _discount_label(discount: Mapping[str, Any]) -> str:
    return short(discount.get("coupon_code") or discount.get("reason") or "")


def _adjustment(discount: Mapping[str, Any]) -> Decimal:
    try:
        return Decimal(str(discount.get("price_adjustment", 0)))
    except InvalidOperation:
        return ZERO

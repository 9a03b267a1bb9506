"""What the amounts of an order must satisfy, and what they add up to: product §4.1."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from ordermgmt import money
from ordermgmt.errors import Invalid
from ordermgmt.money import LARGEST_TOTAL, ZERO
from orders.services.capture.draft import NewOrder, Price


class WrongAmount(Invalid):
    code = "bad_request"


class NotRounded(Invalid):
    code = "bad_request"


class PaymentsDoNotAddUp(Invalid):
    code = "bad_request"


class Priced(Protocol):
    net: Decimal
    tax: Decimal
    gross: Decimal
    discount: Decimal


def check(price: Price, *, of: str, currency: str) -> Price:
    """Refuse amounts that cannot be: negative, over-discounted, not adding up, not payable.

    `of` names what is priced, as the documented messages do ("item <uuid>").
    """
    if price.discount > price.base:
        raise WrongAmount(
            _failed(
                f"discount '{money.text(price.discount)}' for {of} is more than its price "
                f"'{money.text(price.base)}'"
            )
        )
    for name, amount in _amounts(price):
        if amount < 0:
            raise WrongAmount(_failed(f"{name} '{money.text(amount)}' for {of} is negative"))
        if not money.is_rounded(amount, currency):
            raise NotRounded(
                "[input_error:price_not_rounded_according_currency] "
                f"{name} '{money.text(amount)}' for {of} is not rounded according to currency "
                "standards"
            )
    if price.gross != price.net + price.tax:
        raise WrongAmount(
            _failed(
                f"gross '{money.text(price.gross)}' for {of} is not net "
                f"'{money.text(price.net)}' plus tax '{money.text(price.tax)}'"
            )
        )
    return price


def check_details(details: dict[str, Any], *, of: str, currency: str) -> None:
    """The amounts inside a snapshot (tax lines, discounts) are payable, too."""
    for name, key, member in (
        ("Tax", "tax_lines", "amount"),
        ("Price adjustment", "discounts", "price_adjustment"),
    ):
        for line in details.get(key) or ():
            if not money.is_rounded(Decimal(line[member]), currency):
                raise NotRounded(
                    "[input_error:price_not_rounded_according_currency] "
                    f"{name} '{money.text(Decimal(line[member]))}' for {of} is not rounded "
                    "according to currency standards"
                )


def totals(
    items: Iterable[Priced], shipments: Iterable[Priced], gift_wrapping: Decimal
) -> dict[str, Decimal]:
    """The sums an order carries, by column name (§b.1). Refuses what no column could hold."""
    sums = {
        "net": sum((i.net for i in items), ZERO),
        "tax": sum((i.tax for i in items), ZERO),
        "gross": sum((i.gross for i in items), ZERO),
        "discount": sum((i.discount for i in items), ZERO),
        "shipping": sum((s.gross for s in shipments), ZERO),
        "gift_wrapping": gift_wrapping,
    }
    sums["total"] = sums["gross"] + sums["shipping"] + gift_wrapping
    if sums["total"] > LARGEST_TOTAL:
        raise WrongAmount(_failed(f"the order's total is more than {LARGEST_TOTAL}"))
    return sums


def check_payments(payments: list[dict[str, Any]], *, total: Decimal, currency: str) -> None:
    """Payments, where there are any, are payable, distinct and add up to the total (C-4)."""
    if not payments:
        return
    references = [p["correlation_ref"] for p in payments]
    if len(set(references)) != len(references):
        raise PaymentsDoNotAddUp(_failed("payments: a correlation_ref is used twice"))
    for position, payment in enumerate(payments):
        amount = Price(base=Decimal(payment["amount"]))
        check(amount, of=f"payment {position}", currency=currency)
    paid = sum((Decimal(p["amount"]) for p in payments), ZERO)
    if paid != total:
        raise PaymentsDoNotAddUp(
            _failed(
                f"payments of '{money.text(paid)}' do not add up to the order's total "
                f"'{money.text(total)}'"
            ),
            total=total,
            paid=paid,
        )


def check_all(new: NewOrder, *, currency: str, method: str, items: Sequence[UUID]) -> None:
    """Every amount of a capture; a refusal names the item by its id in `items`."""
    for item, uuid in zip(new.items, items, strict=True):
        of = f"item {uuid}"
        check(item.price.under(method), of=of, currency=currency)
        check_details(item.details, of=of, currency=currency)
    for position, shipment in enumerate(new.shipments):
        check(shipment.price.under(method), of=f"shipment {position}", currency=currency)
        check_details(shipment.details, of=f"shipment {position}", currency=currency)
    check(new.gift_wrapping.under(method), of="gift wrapping", currency=currency)
    check_details(new.details.get("gift_wrapping", {}), of="gift wrapping", currency=currency)


def _amounts(price: Price) -> Iterator[tuple[str, Decimal]]:
    yield "Price", price.base
    yield "Total discount", price.discount
    yield "Net price", price.net
    yield "Tax", price.tax
    yield "Gross price", price.gross


def _failed(why: str) -> str:
    return f"Validation of capture order failed with error: {why}."

"""Checks and totals of order amounts: docs/contract.md, Capture."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol
from uuid import UUID

from ordermgmt import money
from ordermgmt.errors import Invalid
from ordermgmt.money import LARGEST_TOTAL, ZERO
from orders.models import PriceMethod
from orders.services.capture.draft import AnyPrice, NewOrder, PartialPrice, Price

# Message templates by the kind of contradiction.
CONTRADICTIONS: Final = {
    "tax_lines": "the tax lines add up to {sum}, the tax is {amount}",
    "discounts": "the discounts add up to {sum}, the discount is {amount}",
    "price": "the base less the discount is {sum}, the price paid is {amount}",
}
MOST_CONTRADICTIONS: Final = 20  # that are reported for one capture


class WrongAmount(Invalid):
    code = "bad_request"


class NotRounded(Invalid):
    code = "bad_request"


class PaymentsDoNotAddUp(Invalid):
    code = "bad_request"


class DetailsDoNotAddUp(Invalid):
    code = "bad_request"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Details of a price with another sum than the amount they explain."""

    pointer: str  # into the request body
    of: str  # the priced line: item, shipment or gift wrapping
    kind: str  # one of CONTRADICTIONS
    sum: Decimal
    amount: Decimal

    @property
    def message(self) -> str:
        return CONTRADICTIONS[self.kind].format(
            sum=f"'{money.text(self.sum)}'", amount=f"'{money.text(self.amount)}'"
        )


class Priced(Protocol):
    net: Decimal
    tax: Decimal
    gross: Decimal
    discount: Decimal


def check(price: Price, *, of: str, currency: str) -> Price:
    """Return the price. Raise `WrongAmount` or `NotRounded` if its amounts are invalid.

    `of` names the priced line in the message, for example "item <uuid>".
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
    """Raise `NotRounded` if a tax line or a discount is not rounded to the currency's unit."""
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
    """Return the totals of an order by column name. Raise `WrongAmount` if they are too large."""
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
    """Raise `PaymentsDoNotAddUp`, `WrongAmount` or `NotRounded` unless payments equal the total."""
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
    """Check every amount of a capture; messages name the items by their ids in `items`."""
    for item, uuid in zip(new.items, items, strict=True):
        of = f"item {uuid}"
        check(item.price.under(method), of=of, currency=currency)
        check_details(item.details, of=of, currency=currency)
    for position, shipment in enumerate(new.shipments):
        check(shipment.price.under(method), of=f"shipment {position}", currency=currency)
        check_details(shipment.details, of=f"shipment {position}", currency=currency)
    check(new.gift_wrapping.under(method), of="gift wrapping", currency=currency)
    check_details(new.details.get("gift_wrapping", {}), of="gift wrapping", currency=currency)


def contradictions(
    new: NewOrder,
    *,
    currency: str,
    method: str,
    items: Iterable[int] | None = None,
    shipments: Iterable[int] | None = None,
) -> list[Contradiction]:
    """Return contradictions in the prices of the items and shipments at these indexes.

    All items, all shipments and the gift wrapping are checked by default. Only values that were
    sent are compared: a tax with its lines, a discount with the listed discounts, a base less its
    discount with the price paid. Each line may deviate by half the currency's smallest unit.
    """
    every = items is None and shipments is None
    half = money.smallest(currency) / 2
    result: list[Contradiction] = []
    paths: list[str] = []
    for n in range(len(new.items)) if every else items or ():
        item = new.items[n]
        for member, kind, total, amount in _unexplained(item.price, item.details, method, half):
            paths = paths or new.item_paths()
            of = f"item {item.product_id}"
            result.append(Contradiction(f"{paths[n]}/{member}", of, kind, total, amount))
    for n in range(len(new.shipments)) if every else shipments or ():
        shipment = new.shipments[n]
        for member, kind, total, amount in _unexplained(
            shipment.price, shipment.details, method, half
        ):
            path, of = f"/shipments/{n}/{member}", f"shipment {n + 1}"
            result.append(Contradiction(path, of, kind, total, amount))
    if every and (wrapping := new.details.get("gift_wrapping")):
        for member, kind, total, amount in _unexplained(new.gift_wrapping, wrapping, method, half):
            path = f"/gift_wrapping/{member}"
            result.append(Contradiction(path, "gift wrapping", kind, total, amount))
    return result[:MOST_CONTRADICTIONS]


def settle(contradictions: Sequence[Contradiction], *, is_lenient: bool) -> list[dict[str, Any]]:
    """Return the contradictions as an order stores them for the console.

    Raise `DetailsDoNotAddUp` if there are any and the tenant is not lenient.
    """
    if contradictions and not is_lenient:
        texts = [f"{c.pointer[1:].replace('/', '.')}: {c.message}" for c in contradictions]
        raise DetailsDoNotAddUp(
            _failed(texts[0]),
            messages=[_failed(text) for text in texts],
            errors=[{"pointer": c.pointer, "message": c.message} for c in contradictions],
        )
    return [{"of": c.of, "kind": c.kind, "sum": c.sum, "amount": c.amount} for c in contradictions]


def _unexplained(
    price: AnyPrice, details: Mapping[str, Any], method: str, half: Decimal
) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    """Yield member, kind, sum and expected amount of each contradiction in a price."""
    if price.states_tax and (lines := details.get("tax_lines")):
        taxes = sum((line["amount"] for line in lines), ZERO)
        if abs(taxes - price.tax) > half * len(lines):
            yield "tax_lines", "tax_lines", taxes, price.tax
    if not isinstance(price, PartialPrice):
        return
    discount, listed = price.discount, details.get("discounts", ())
    if (
        listed
        and discount is not None
        and abs(price.listed_discount - discount) > half * len(listed)
    ):
        yield "discounts", "discounts", price.listed_discount, discount
    if price.base is not None and (listed or discount is not None):
        if discount is None:
            member, off, lines = "discounts", price.listed_discount, len(listed)
        else:
            member, off, lines = "price/discount", discount, 1
        paid = price.gross if method == PriceMethod.TAX_INCLUDED else price.net
        if abs(price.base - off - paid) > half * lines:
            yield member, "price", price.base - off, paid


def _amounts(price: Price) -> Iterator[tuple[str, Decimal]]:
    yield "Price", price.base
    yield "Total discount", price.discount
    yield "Net price", price.net
    yield "Tax", price.tax
    yield "Gross price", price.gross


def _failed(why: str) -> str:
    return f"Validation of capture order failed with error: {why}."

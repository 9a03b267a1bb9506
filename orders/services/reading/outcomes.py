"""Outcome and remaining total of an order, derived from its items."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import F, Sum

from ordermgmt.money import ZERO
from orders.lifecycle import ItemStatus, Outcome, order_outcome
from orders.models import Item, Order

_REDUCED: Final = frozenset(
    {
        Outcome.CANCELLED,
        Outcome.RETURNED,
        Outcome.PARTLY_CANCELLED,
        Outcome.PARTLY_RETURNED,
    }
)


@dataclass(frozen=True, slots=True)
class Balance:
    """Outcome and amounts of an order; `total` is the amount at capture."""

    outcome: Outcome | None
    total: Decimal
    cancelled: Decimal
    returned: Decimal

    @property
    def remaining(self) -> Decimal:
        """Return the amount that is neither cancelled nor returned."""
        return self.total - self.cancelled - self.returned

    @property
    def is_reduced(self) -> bool:
        """Return whether an item was cancelled or returned, even one that costs nothing."""
        return self.outcome in _REDUCED or bool(self.cancelled or self.returned)


def balance(total: Decimal, gross: Mapping[str, Decimal]) -> Balance:
    """Return the balance of an order by what its items cost in each status.

    Shipping and gift wrapping end with the last item that is cancelled. They stay when items come
    back, because they were used.
    """
    outcome = order_outcome(gross)
    returned = gross.get(ItemStatus.RETURNED, ZERO)
    cancelled = gross.get(ItemStatus.CANCELLED, ZERO)
    if outcome is Outcome.CANCELLED:
        cancelled = total
    return Balance(outcome, total, cancelled, returned)


def balance_of(order: Order, items: Iterable[Item]) -> Balance:
    """Return the balance of an order that was read with its items."""
    gross: dict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        gross[item.status] += item.gross
    return balance(order.total, gross)


def balances(orders: Sequence[int]) -> list[tuple[str, Balance]]:
    """Return the currency and the balance of each of the orders with these keys. One statement."""
    sums = (
        Item.objects.filter(order__in=orders, tenant=F("order__tenant"))
        .order_by()
        .values_list("order", "order__currency", "order__total", "status")
        .annotate(gross=Sum("gross"))
    )
    by_order: dict[tuple[int, str, Decimal], dict[str, Decimal]] = defaultdict(dict)
    for key, currency, total, status, gross in sums:
        by_order[key, currency, total][status] = gross
    return [(currency, balance(total, by)) for (_, currency, total), by in by_order.items()]

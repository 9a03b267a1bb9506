"""Keyset paging of orders, newest first: no offsets, and counts that stop early.

A page begins where the one before it ended. Filters without an index may match no order at all, so
such a page searches only a window of orders, and the next page continues from the window's end.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    DateTimeField,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Cast

from configuration.models import Tenant
from orders.admin.filters import Reach
from orders.models import Order

SIZE: Final = 50
WINDOW: Final = 10_000  # orders that a page searches if a filter has no index
COUNTED: Final = 1_000  # orders: beyond it the list shows "more than"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_LAST_KEY: Final = 10**18 - 1
_FORMAT: Final = re.compile(r"(-?\d{1,17})\.(\d{1,18})")


class BadCursor(ValueError):
    """The cursor in the address is invalid."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position between two orders of the list."""

    placed_at: dt.datetime
    key: int

    @classmethod
    def read(cls, text: str) -> Self:
        match = _FORMAT.fullmatch(text)
        try:
            if match is None:
                raise BadCursor(text)
            return cls(_EPOCH + int(match[1]) * _MICROSECOND, int(match[2]))
        except OverflowError as error:
            raise BadCursor(text) from error

    def __str__(self) -> str:
        return f"{(self.placed_at - _EPOCH) // _MICROSECOND}.{self.key}"


@dataclass(frozen=True, slots=True)
class Direction:
    """A reading direction: its order, and the lookup of the next orders."""

    order: tuple[str, str]
    beyond: str  # "lt" or "gt"

    def after(self, cursor: Cursor) -> Q:
        at, key = cursor.placed_at, cursor.key
        return Q(**{f"placed_at__{self.beyond}e": at}) & (
            Q(**{f"placed_at__{self.beyond}": at}) | Q(**{f"pk__{self.beyond}": key})
        )


OLDER: Final = Direction(("-placed_at", "-pk"), "lt")
NEWER: Final = Direction(("placed_at", "pk"), "gt")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of orders in the order they were read, and the cursor of the next page.

    `edge` is the end of the window if the page searched one and more orders lie beyond it;
    `looked_until` is the same for a page that the window did not fill.
    """

    rows: list[Order]
    next: Cursor | None
    looked_until: dt.datetime | None = None
    edge: dt.datetime | None = None


def read(
    rows: QuerySet[Order],
    conditions: dict[Reach, Q],
    tenants: Sequence[Tenant],
    *,
    at: Cursor | None = None,
    direction: Direction = OLDER,
    size: int = SIZE,
) -> Page:
    """Return the next `size` of `rows` that match, after a cursor, of all tenants together."""
    along = Order.objects.filter(conditions[Reach.TIME])
    if at is not None:
        along = along.filter(direction.after(at))
    few = bool(conditions[Reach.FEW])
    edge = None
    if conditions[Reach.WINDOW] and not few:
        edge = _edge(along, tenants, direction)
    if edge is not None:
        along = along.filter(**{f"placed_at__{'gte' if direction is OLDER else 'lte'}": edge})
    keys = _keys(
        along.filter(conditions[Reach.FEW], conditions[Reach.WINDOW]),
        tenants,
        direction,
        size + 1,
        few=few,
    )
    orders = list(rows.filter(pk__in=keys).order_by(*direction.order)[: size + 1])
    if len(orders) > size:
        return Page(orders[:size], cursor_of(orders[size - 1]), edge=edge)
    if edge is None:
        return Page(orders, None)
    if direction is OLDER:
        return Page(orders, Cursor(edge, 0), edge)
    return Page(orders, Cursor(edge, _LAST_KEY))


def counts(
    conditions: dict[Reach, Q], tenants: Sequence[Tenant], first: Cursor, edge: dt.datetime | None
) -> dict[str, Func]:
    """Return expressions for the number of matching orders, and of those newer than `first`.

    Each counts at most `COUNTED` + 1 orders, by the index that the page was read by. Without an
    index only the orders since the window's edge are counted.
    """
    rows = Order.objects.filter(*conditions.values())
    if edge is not None:
        rows = rows.filter(placed_at__gte=edge)
    few = bool(conditions[Reach.FEW])
    newer = rows.filter(NEWER.after(first))
    return {
        "total": _number(_keys(rows, tenants, OLDER, COUNTED + 1, few=few)),
        "newer": _number(_keys(newer, tenants, NEWER, COUNTED + 1, few=few)),
    }


def _number(keys: QuerySet[Any]) -> Func:
    """Return the length of an array instead of `count`, so PostgreSQL stops at the limit."""
    return Func(
        ArraySubquery(keys[: COUNTED + 1]), function="cardinality", output_field=IntegerField()
    )


def cursor_of(order: Order) -> Cursor:
    return Cursor(order.placed_at, order.pk)


def _keys(
    rows: QuerySet[Order],
    tenants: Sequence[Tenant],
    direction: Direction,
    number: int,
    *,
    few: bool,
) -> QuerySet[Any]:
    """Return up to `number` keys of each tenant, from its own part of the index by time."""
    order = direction.order
    if few:
        # No index sorts by this expression, so the planner reads the few orders by their own index
        # instead of scanning the index by time.
        moment = ExpressionWrapper(F("placed_at") + dt.timedelta(0), DateTimeField())
        rows = rows.alias(moment=moment)
        order = tuple(name.replace("placed_at", "moment") for name in order)  # type: ignore[assignment]
    newest = rows.filter(tenant=OuterRef("pk")).order_by(*order).values("pk")[:number]
    keys = Cast(ArraySubquery(newest), ArrayField(BigIntegerField()))
    return _each(tenants).values_list(Func(keys, function="unnest"))


def _edge(
    rows: QuerySet[Order], tenants: Sequence[Tenant], direction: Direction
) -> dt.datetime | None:
    """Return the time of the window's last order; None if the window holds all orders."""
    last = rows.filter(tenant=OuterRef("pk")).order_by(*direction.order).values("placed_at")
    edges = _each(tenants).values_list(Subquery(last[WINDOW - 1 : WINDOW]), flat=True)
    nearest = max if direction is OLDER else min
    return nearest((edge for edge in edges if edge is not None), default=None)


def _each(tenants: Sequence[Tenant]) -> QuerySet[Tenant]:
    return Tenant.objects.filter(pk__in=[tenant.pk for tenant in tenants])

"""Pages of orders, newest first, as fast at a million as at ten: no offsets, counts stop early.

A page begins where the one before it ended. What may match none of a million orders is looked for
among a window of them; the page then says how far back it looked, and goes on from there.
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
WINDOW: Final = 10_000  # orders a page looks at for what has no index
COUNTED: Final = 1_000  # orders: how many more there are is not said
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_LAST_KEY: Final = 10**18 - 1
_WRITTEN: Final = re.compile(r"(-?\d{1,17})\.(\d{1,18})")


class BadPlace(ValueError):
    """What the address says is no place in the list."""


@dataclass(frozen=True, slots=True)
class Place:
    """Between two orders of the list."""

    placed_at: dt.datetime
    key: int

    @classmethod
    def read(cls, text: str) -> Self:
        written = _WRITTEN.fullmatch(text)
        try:
            if written is None:
                raise BadPlace(text)
            return cls(_EPOCH + int(written[1]) * _MICROSECOND, int(written[2]))
        except OverflowError as never:
            raise BadPlace(text) from never

    def __str__(self) -> str:
        return f"{(self.placed_at - _EPOCH) // _MICROSECOND}.{self.key}"


@dataclass(frozen=True, slots=True)
class Direction:
    """The same page code reads both ways."""

    order: tuple[str, str]
    beyond: str  # the lookup of what comes next

    def after(self, place: Place) -> Q:
        at, key = place.placed_at, place.key
        return Q(**{f"placed_at__{self.beyond}e": at}) & (
            Q(**{f"placed_at__{self.beyond}": at}) | Q(**{f"pk__{self.beyond}": key})
        )


OLDER: Final = Direction(("-placed_at", "-pk"), "lt")
NEWER: Final = Direction(("placed_at", "pk"), "gt")


@dataclass(frozen=True, slots=True)
class Found:
    """One page's orders in the order they were read, where to go on, and how far back it looked.

    `edge` is where the window ends, if what was asked has no index and the window held not all.
    """

    rows: list[Order]
    next: Place | None
    looked_until: dt.datetime | None = None
    edge: dt.datetime | None = None


def read(
    rows: QuerySet[Order],
    asked: dict[Reach, Q],
    tenants: Sequence[Tenant],
    *,
    at: Place | None = None,
    direction: Direction = OLDER,
    size: int = SIZE,
) -> Found:
    """The next `size` of `rows` that are as asked, after a place; of every tenant the newest."""
    along = Order.objects.filter(asked[Reach.TIME])
    if at is not None:
        along = along.filter(direction.after(at))
    few = bool(asked[Reach.FEW])
    edge = None
    if asked[Reach.WINDOW] and not few:
        edge = _edge(along, tenants, direction)
    if edge is not None:
        along = along.filter(**{f"placed_at__{'gte' if direction is OLDER else 'lte'}": edge})
    keys = _keys(
        along.filter(asked[Reach.FEW], asked[Reach.WINDOW]), tenants, direction, size + 1, few=few
    )
    found = list(rows.filter(pk__in=keys).order_by(*direction.order)[: size + 1])
    if len(found) > size:
        return Found(found[:size], place_of(found[size - 1]), edge=edge)
    if edge is None:
        return Found(found, None)
    if direction is OLDER:
        return Found(found, Place(edge, 0), edge)
    return Found(found, Place(edge, _LAST_KEY))


def counts(
    asked: dict[Reach, Q], tenants: Sequence[Tenant], first: Place, edge: dt.datetime | None
) -> dict[str, Func]:
    """Expressions for how many orders are as asked, and how many of them are newer than `first`.

    Each counts at most one more than `COUNTED`, along the index that the page was read by. Of what
    has no index, only those since the window's edge are counted.
    """
    rows = Order.objects.filter(*asked.values())
    if edge is not None:
        rows = rows.filter(placed_at__gte=edge)
    few = bool(asked[Reach.FEW])
    newer = rows.filter(NEWER.after(first))
    return {
        "total": _number(_keys(rows, tenants, OLDER, COUNTED + 1, few=few)),
        "newer": _number(_keys(newer, tenants, NEWER, COUNTED + 1, few=few)),
    }


def _number(keys: QuerySet[Any]) -> Func:
    """The length of an array instead of `count`: PostgreSQL stops reading at the limit."""
    return Func(
        ArraySubquery(keys[: COUNTED + 1]), function="cardinality", output_field=IntegerField()
    )


def place_of(order: Order) -> Place:
    return Place(order.placed_at, order.pk)


def _keys(
    rows: QuerySet[Order],
    tenants: Sequence[Tenant],
    direction: Direction,
    number: int,
    *,
    few: bool,
) -> QuerySet[Any]:
    """So many keys of each tenant: one walk along its own part of the index by time."""
    order = direction.order
    if few:
        # An expression that no index sorts by: else the planner may walk the index by time, through
        # a million orders, hoping to meet the few soon.
        moment = ExpressionWrapper(F("placed_at") + dt.timedelta(0), DateTimeField())
        rows = rows.alias(moment=moment)
        order = tuple(name.replace("placed_at", "moment") for name in order)  # type: ignore[assignment]
    newest = rows.filter(tenant=OuterRef("pk")).order_by(*order).values("pk")[:number]
    found = Cast(ArraySubquery(newest), ArrayField(BigIntegerField()))
    return _each(tenants).values_list(Func(found, function="unnest"))


def _edge(
    rows: QuerySet[Order], tenants: Sequence[Tenant], direction: Direction
) -> dt.datetime | None:
    """When the last order of the window was placed; None where the window holds them all."""
    last = rows.filter(tenant=OuterRef("pk")).order_by(*direction.order).values("placed_at")
    edges = _each(tenants).values_list(Subquery(last[WINDOW - 1 : WINDOW]), flat=True)
    nearest = max if direction is OLDER else min
    return nearest((edge for edge in edges if edge is not None), default=None)


def _each(tenants: Sequence[Tenant]) -> QuerySet[Tenant]:
    return Tenant.objects.filter(pk__in=[tenant.pk for tenant in tenants])

"""Statuses of items and orders, and the transitions between them.

Two words are easily confused. An *order* `on_hold` waits to be routed; an *item* `on_hold` could
not be fulfilled (a conflict).
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices

from ordermgmt.errors import Conflict


class ItemStatus(TextChoices):
    PENDING = "pending", "Pending"  # not routed yet
    IN_FULFILLMENT = "in_fulfillment", "In fulfillment"  # a location works on it
    ON_HOLD = "on_hold", "Conflict"  # could not be fulfilled
    COMPLETE = "complete", "Complete"  # the customer has it, or it is on its way
    CANCELLED = "cancelled", "Cancelled"  # it never left
    RETURNED = "returned", "Returned"  # it came back
    CAPTURED = "captured", "Captured"  # handed to the external OMS


class OrderStatus(TextChoices):
    ON_HOLD = "on_hold", "On hold"  # something waits to be routed
    OPEN = "open", "Open"  # being fulfilled
    CLOSED = "closed", "Closed"  # nothing left to do
    FAILED = "failed", "Failed"  # only ever imported
    CREATED_FOR_BLIND_RETURN = "created_for_blind_return", "Created for blind return"  # likewise


class HoldKind(TextChoices):
    GRACE = "grace", "Grace period"  # until its due time
    BIG_ORDER = "big_order", "Big order"  # until approved
    SUPPORT = "support", "Support"  # until released


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table below."""

    verb: str
    sources: AbstractSet[ItemStatus]
    target: ItemStatus


S = ItemStatus
# fmt: off
TRANSITIONS: Final = tuple(Transition(*row) for row in [
    # verb        from                                          to
    ("route",     {S.PENDING, S.ON_HOLD},                       S.IN_FULFILLMENT),
    ("conflict",  {S.PENDING, S.IN_FULFILLMENT},                S.ON_HOLD),
    ("hand_over", {S.PENDING},                                  S.CAPTURED),
    ("complete",  {S.PENDING, S.IN_FULFILLMENT},                S.COMPLETE),
    ("reject",    {S.IN_FULFILLMENT},                           S.ON_HOLD),
    ("cancel",    {S.PENDING, S.ON_HOLD, S.IN_FULFILLMENT},     S.CANCELLED),
    ("return",    {S.COMPLETE},                                 S.RETURNED),
    ("park",      {S.IN_FULFILLMENT, S.ON_HOLD},                S.PENDING),
])
# fmt: on

VERBS: Final = {t.verb: t for t in TRANSITIONS}
TERMINAL: Final = frozenset({S.COMPLETE, S.CANCELLED, S.RETURNED, S.CAPTURED})


class TransitionNotAllowed(Conflict):
    code = "transition_not_allowed"


def moved(verb: str, status: str) -> ItemStatus:
    """The status an item has after `verb`; a refusal names what is possible instead."""
    if status in VERBS[verb].sources:
        return VERBS[verb].target
    raise not_allowed(verb, status)


def not_allowed(verb: str, status: str) -> TransitionNotAllowed:
    """The refusal to raise when an item that is `status` cannot do what `verb` says."""
    return TransitionNotAllowed(
        f"Cannot {verb} an item that is {status}.",
        item_status=status,
        allowed_verbs=[t.verb for t in TRANSITIONS if status in t.sources and t.verb != verb],
    )


def order_status(item_statuses: Iterable[str]) -> OrderStatus:
    """What an order is, from what its items are: the one place where that is decided."""
    statuses = set(item_statuses)
    if S.PENDING in statuses:
        return OrderStatus.ON_HOLD
    return OrderStatus.CLOSED if statuses <= TERMINAL else OrderStatus.OPEN


class Outcome(TextChoices):
    """A second word for people beside an order's status, which the wire knows alone."""

    CANCELLED = "cancelled", "Cancelled"
    RETURNED = "returned", "Returned"
    COMPLETED = "completed", "Completed"
    HANDED_OVER = "handed_over", "Handed over"
    PARTLY_RETURNED = "partly_returned", "Partly returned"
    PARTLY_CANCELLED = "partly_cancelled", "Partly cancelled"
    PARTLY_SHIPPED = "partly_shipped", "Partly shipped"


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """An order has the outcome if some item has one of `some`, and every item one of `every`."""

    outcome: Outcome
    some: AbstractSet[ItemStatus]
    every: AbstractSet[ItemStatus]


_ANY: Final = frozenset(S)
# The first rule that fits decides. Nothing is said while all items are still on their way.
OUTCOME_RULES: Final = (
    OutcomeRule(outcome=Outcome.CANCELLED, some={S.CANCELLED}, every={S.CANCELLED}),
    OutcomeRule(outcome=Outcome.RETURNED, some={S.RETURNED}, every={S.RETURNED, S.CANCELLED}),
    OutcomeRule(outcome=Outcome.COMPLETED, some={S.COMPLETE}, every={S.COMPLETE}),
    OutcomeRule(outcome=Outcome.PARTLY_RETURNED, some={S.RETURNED}, every=TERMINAL),
    OutcomeRule(outcome=Outcome.PARTLY_CANCELLED, some={S.CANCELLED}, every=TERMINAL),
    OutcomeRule(outcome=Outcome.HANDED_OVER, some={S.CAPTURED}, every=TERMINAL),
    OutcomeRule(outcome=Outcome.PARTLY_SHIPPED, some={S.COMPLETE, S.RETURNED}, every=_ANY),
    OutcomeRule(outcome=Outcome.PARTLY_CANCELLED, some={S.CANCELLED}, every=_ANY),
)


def order_outcome(item_statuses: Iterable[str]) -> Outcome | None:
    """Return what became of an order, from what its items are; None while nothing did."""
    statuses = set(item_statuses)
    fits = (r.outcome for r in OUTCOME_RULES if statuses <= r.every and statuses & r.some)
    return next(fits, None)

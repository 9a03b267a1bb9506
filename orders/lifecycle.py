"""Statuses of items and orders, and their transitions: docs/contract.md, Statuses.

`on_hold` has two meanings. An *order* `on_hold` waits to be routed; an *item* `on_hold` could not
be fulfilled (a conflict).
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
    COMPLETE = "complete", "Complete"  # handed over or shipped
    CANCELLED = "cancelled", "Cancelled"  # before it was shipped
    RETURNED = "returned", "Returned"  # by the customer
    CAPTURED = "captured", "Captured"  # handed to the external OMS


class OrderStatus(TextChoices):
    ON_HOLD = "on_hold", "On hold"  # an item waits to be routed
    OPEN = "open", "Open"  # being fulfilled
    CLOSED = "closed", "Closed"  # every item is at its end
    FAILED = "failed", "Failed"  # import only
    CREATED_FOR_BLIND_RETURN = "created_for_blind_return", "Created for blind return"  # import only


class HoldKind(TextChoices):
    GRACE = "grace", "Grace period"  # until its due time
    BIG_ORDER = "big_order", "Big order"  # until approved
    SUPPORT = "support", "Support"  # until released


@dataclass(frozen=True, slots=True)
class Transition:
    """A row of the table of transitions."""

    verb: str
    sources: AbstractSet[ItemStatus]
    target: ItemStatus


S = ItemStatus
TRANSITIONS: Final = (
    Transition(
        verb="route",
        sources={S.PENDING, S.ON_HOLD},
        target=S.IN_FULFILLMENT,
    ),
    Transition(
        verb="conflict",
        sources={S.PENDING, S.IN_FULFILLMENT},
        target=S.ON_HOLD,
    ),
    Transition(
        verb="hand_over",
        sources={S.PENDING},
        target=S.CAPTURED,
    ),
    Transition(
        verb="complete",
        sources={S.PENDING, S.IN_FULFILLMENT},
        target=S.COMPLETE,
    ),
    Transition(
        verb="reject",
        sources={S.IN_FULFILLMENT},
        target=S.ON_HOLD,
    ),
    Transition(
        verb="cancel",
        sources={S.PENDING, S.ON_HOLD, S.IN_FULFILLMENT},
        target=S.CANCELLED,
    ),
    Transition(
        verb="return",
        sources={S.COMPLETE},
        target=S.RETURNED,
    ),
    Transition(
        verb="park",
        sources={S.IN_FULFILLMENT, S.ON_HOLD},
        target=S.PENDING,
    ),
)

VERBS: Final = {t.verb: t for t in TRANSITIONS}
TERMINAL: Final = frozenset({S.COMPLETE, S.CANCELLED, S.RETURNED, S.CAPTURED})


class TransitionNotAllowed(Conflict):
    code = "transition_not_allowed"


def moved(verb: str, status: str) -> ItemStatus:
    """Return the status of an item after `verb`. Raise `TransitionNotAllowed` if there is none."""
    if status in VERBS[verb].sources:
        return VERBS[verb].target
    raise not_allowed(verb, status)


def not_allowed(verb: str, status: str) -> TransitionNotAllowed:
    """Return the refusal of `verb` for an item with this status."""
    return TransitionNotAllowed(
        f"Cannot {verb} an item that is {status}.",
        item_status=status,
        allowed_verbs=[t.verb for t in TRANSITIONS if status in t.sources and t.verb != verb],
    )


def order_status(item_statuses: Iterable[str]) -> OrderStatus:
    """Return the status of an order, derived from its items' statuses."""
    statuses = set(item_statuses)
    if S.PENDING in statuses:
        return OrderStatus.ON_HOLD
    return OrderStatus.CLOSED if statuses <= TERMINAL else OrderStatus.OPEN


class Outcome(TextChoices):
    """The console's addition to an order's status. The API has the status only."""

    CANCELLED = "cancelled", "Cancelled"
    RETURNED = "returned", "Returned"
    COMPLETED = "completed", "Completed"
    HANDED_OVER = "handed_over", "Handed over"
    PARTLY_RETURNED = "partly_returned", "Partly returned"
    PARTLY_CANCELLED = "partly_cancelled", "Partly cancelled"
    PARTLY_SHIPPED = "partly_shipped", "Partly shipped"


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """The outcome of an order with an item status of `some`, and only statuses of `every`."""

    outcome: Outcome
    some: AbstractSet[ItemStatus]
    every: AbstractSet[ItemStatus]


_ANY: Final = frozenset(S)
# The first matching rule decides. An order without one has no outcome.
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
    """Return the outcome of an order, derived from its items' statuses, or None."""
    statuses = set(item_statuses)
    matches = (r.outcome for r in OUTCOME_RULES if statuses <= r.every and statuses & r.some)
    return next(matches, None)

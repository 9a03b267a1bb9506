"""Placing, releasing and extending holds by hand: product §4.2 and §4.3."""

import datetime as dt
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from configuration.models import Tenant
from configuration.services.policy import NO_LOCATION, Policy
from ordermgmt.errors import Conflict, Invalid, NotFound, PreconditionFailed
from orders.lifecycle import HoldKind, ItemStatus, OrderStatus
from orders.models import Hold, Item, Order
from orders.services.changes.locking import change_order, policy_for
from orders.services.changes.order_change import NewHold, OrderChange
from orders.services.fulfillment import routing
from orders.services.holds.rules import big_order_hold
from orders.services.reading import queries
from orders.services.reading.queries import IdType

EXTENSION: Final = dt.timedelta(minutes=15)
# A grace period that can be extended: not over by the database's clock.
RUNNING_GRACE: Final = Q(kind=HoldKind.GRACE, released_at__isnull=True, due_at__gt=Now())


class CannotHold(Invalid):
    code = "bad_request"


class HoldNotFound(NotFound):
    code = "not_found"


class NotInGrace(PreconditionFailed):
    code = "precondition_error"


class ExtendedElsewhere(Conflict):
    code = "conflict"


def place(
    *, tenant: Tenant, reference: str, reason: str, actor: str, expected_version: int | None = None
) -> Hold:
    """Hold an order for support, until somebody releases it; it stays one hold when repeated.

    Items an open order has under way, or in conflict, wait again. Raises `CannotHold` for an order
    in which nothing can wait any longer.
    """
    with change_order(
        tenant, reference, id_type="any", actor=actor, expected_version=expected_version
    ) as change:
        hold(change, reason=reason)
    return Hold.objects.get(
        tenant=tenant, order=change.order, kind=HoldKind.SUPPORT, released_at__isnull=True
    )


def hold(change: OrderChange, *, reason: str) -> None:
    """Hold an order that is locked, unless support holds it already. Raises `CannotHold`."""
    if any(standing.kind == HoldKind.SUPPORT for standing in change.standing):
        return
    if refusal := why_not_hold(change.order):
        raise refusal
    parked = parkable(change.items)
    change.hold(NewHold(HoldKind.SUPPORT, reason, {"parked": len(parked)}))
    change.move("park", parked, place=NO_LOCATION)


def why_not_hold(order: Order) -> CannotHold | None:
    """Why support cannot hold the order; None when it can."""
    if order.status in (OrderStatus.ON_HOLD, OrderStatus.OPEN):
        return None
    return CannotHold(f"Order {order.external_id} is already {order.status}.")


def parkable(items: Sequence[Item]) -> list[Item]:
    """The items that wait again when support holds their order."""
    return [i for i in items if i.status in (ItemStatus.IN_FULFILLMENT, ItemStatus.ON_HOLD)]


def release(
    *,
    tenant: Tenant,
    reference: str,
    hold: UUID,
    reason: str,
    actor: str,
    expected_version: int | None = None,
) -> Hold:
    """End a hold; when it was the last, the order is routed in the same transaction.

    Releasing it again changes nothing. Raises `HoldNotFound`.
    """
    with change_order(
        tenant, reference, id_type="any", actor=actor, expected_version=expected_version
    ) as change:
        found = Hold.objects.filter(tenant=tenant, order=change.order, uuid=hold).first()
        if found is None:
            raise HoldNotFound("The order has no such hold.")
        if standing := [h for h in change.standing if h.pk == found.pk]:
            change.release(standing[0], reason=reason)
            continue_after_hold(change, policy_for(tenant, change))
    return Hold.objects.get(pk=found.pk)


def release_kind(change: OrderChange, kind: HoldKind, *, tenant: Tenant, reason: str) -> None:
    """End the hold of this kind on an order that is locked. Raises `HoldNotFound`."""
    standing = next((h for h in change.standing if h.kind == kind), None)
    if standing is None:
        raise HoldNotFound(f"Order {change.order.external_id} has no {kind.label.lower()} hold.")
    change.release(standing, reason=reason)
    continue_after_hold(change, policy_for(tenant, change))


def extend_grace(
    *,
    tenant: Tenant,
    reference: str,
    id_type: IdType,
    actor: str,
    expected_version: int | None = None,
) -> dt.datetime:
    """Let the grace period last 15 minutes longer; returns when it is due now.

    Looks before it locks: of several at the same moment one extends, and the others are told by
    `ExtendedElsewhere`. Raises `NotInGrace` when no grace period runs by the database's clock,
    whether or not the sweep has been there.
    """
    key = queries.key_of(tenant, reference, id_type=id_type)
    before = _running_grace(tenant, key)
    with change_order(
        tenant, reference, id_type=id_type, actor=actor, expected_version=expected_version
    ) as change:
        running = _running_grace(tenant, key)
        if running is None:
            raise NotInGrace("The order is not in its grace period.")
        if before is None or before.due_at != running.due_at:
            raise ExtendedElsewhere("A concurrent request extended the grace period already.")
        assert running.due_at is not None  # a constraint promises it of grace holds
        due_at = running.due_at + EXTENSION
        Hold.objects.filter(pk=running.pk).update(due_at=due_at)
        change.record("extended", {"hold": HoldKind.GRACE, "from": running.due_at, "to": due_at})
    return due_at


def continue_after_hold(change: OrderChange, policy: Policy) -> None:
    """What follows when a hold ended: nothing while others stand; else a last look, and routing.

    The last look sees a big-order limit that was lowered, or items that came, since the capture.
    An order that was approved once is not held for its size again.
    """
    if change.is_held or not change.pending():
        return
    if (reason := big_order_hold(len(change.items), policy)) and not _was_judged_big(change):
        change.hold(reason)
        return
    routing.open_order(change, policy=policy)


def _was_judged_big(change: OrderChange) -> bool:
    """Whether it is held for its size, or was approved."""
    held = Hold.objects.filter(tenant=change.order.tenant_id, order=change.order)
    return held.filter(kind=HoldKind.BIG_ORDER).exists()


def _running_grace(tenant: Tenant, order_key: int) -> Hold | None:
    return Hold.objects.filter(RUNNING_GRACE, tenant=tenant, order_id=order_key).first()

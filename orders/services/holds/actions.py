"""Actions on holds: place, release and extend."""

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
# A grace period that can be extended, because it has not ended by the database's clock.
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
    """Place a support hold on an order and return it, or the one the order has already.

    Items in fulfillment or in conflict become pending again. Raise `OrderNotFound`, `ChangedSince`,
    and `CannotHold` for an order that is neither on hold nor open.
    """
    with change_order(
        tenant, reference, id_type="any", actor=actor, expected_version=expected_version
    ) as change:
        hold(change, reason=reason)
    return Hold.objects.get(
        tenant=tenant, order=change.order, kind=HoldKind.SUPPORT, released_at__isnull=True
    )


def hold(change: OrderChange, *, reason: str) -> None:
    """Place a support hold on a locked order that has none. Raise `CannotHold`."""
    if any(hold.kind == HoldKind.SUPPORT for hold in change.active_holds):
        return
    if message := why_not_hold(change.order):
        raise CannotHold(message)
    items = parkable(change.items)
    change.hold(NewHold(HoldKind.SUPPORT, reason, {"parked": len(items)}))
    change.move("park", items, place=NO_LOCATION)


def why_not_hold(order: Order) -> str | None:
    """Return the message if support cannot hold the order, otherwise None."""
    if order.status in (OrderStatus.ON_HOLD, OrderStatus.OPEN):
        return None
    return f"Order {order.external_id} is already {order.status}."


def parkable(items: Sequence[Item]) -> list[Item]:
    """Return the items that a support hold makes pending again."""
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
    """Release a hold; route the order in the same transaction if no other hold is active.

    A repeated release changes nothing. Raise `OrderNotFound`, `ChangedSince`, `HoldNotFound`.
    """
    with change_order(
        tenant, reference, id_type="any", actor=actor, expected_version=expected_version
    ) as change:
        row = Hold.objects.filter(tenant=tenant, order=change.order, uuid=hold).first()
        if row is None:
            raise HoldNotFound("The order has no such hold.")
        if active := [h for h in change.active_holds if h.pk == row.pk]:
            change.release(active[0], reason=reason)
            continue_after_hold(change, policy_for(tenant, change))
    return Hold.objects.get(pk=row.pk)


def release_kind(change: OrderChange, kind: HoldKind, *, tenant: Tenant, reason: str) -> None:
    """Release the hold of this kind on a locked order. Raise `HoldNotFound`."""
    hold = next((h for h in change.active_holds if h.kind == kind), None)
    if hold is None:
        raise HoldNotFound(f"Order {change.order.external_id} has no {kind.label.lower()} hold.")
    change.release(hold, reason=reason)
    continue_after_hold(change, policy_for(tenant, change))


def extend_grace(
    *,
    tenant: Tenant,
    reference: str,
    id_type: IdType,
    actor: str,
    expected_version: int | None = None,
) -> dt.datetime:
    """Extend the grace period by 15 minutes and return its new due time.

    Read the hold before and after the lock. Raise `ExtendedElsewhere` if a concurrent request
    changed it in between. Raise `NotInGrace` when no grace period runs by the database's clock,
    even if the due hold is not released yet.
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
        assert running.due_at is not None  # guaranteed by a constraint for grace holds
        due_at = running.due_at + EXTENSION
        Hold.objects.filter(pk=running.pk).update(due_at=due_at)
        change.record("extended", {"hold": HoldKind.GRACE, "from": running.due_at, "to": due_at})
    return due_at


def continue_after_hold(change: OrderChange, policy: Policy) -> None:
    """Route an order after the release of its last active hold.

    Check the size first, because the limit may be lower or the items may be more than at capture.
    An order that was held for its size before is not held for it again.
    """
    if change.is_held or not change.pending():
        return
    if (hold := big_order_hold(len(change.items), policy)) and not _had_big_order_hold(change):
        change.hold(hold)
        return
    routing.open_order(change, policy=policy)


def _had_big_order_hold(change: OrderChange) -> bool:
    holds = Hold.objects.filter(tenant=change.order.tenant_id, order=change.order)
    return holds.filter(kind=HoldKind.BIG_ORDER).exists()


def _running_grace(tenant: Tenant, order_key: int) -> Hold | None:
    return Hold.objects.filter(RUNNING_GRACE, tenant=tenant, order_id=order_key).first()

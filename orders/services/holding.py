"""Placing, releasing and extending holds by hand: product §4.2 and §4.3."""

import datetime as dt
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from configuration.models import Tenant
from configuration.services.policy import NOWHERE, Policy
from ordermgmt.errors import Conflict, Invalid, NotFound, PreconditionFailed
from orders.lifecycle import HoldKind, ItemStatus, OrderStatus
from orders.models import Hold
from orders.services import queries, routing
from orders.services.changing import changing, policy_for
from orders.services.holds import judge_size
from orders.services.queries import IdType
from orders.services.story import Reason, Story

EXTENSION: Final = dt.timedelta(minutes=15)


class CannotHold(Invalid):
    code = "bad_request"


class HoldNotFound(NotFound):
    code = "not_found"


class NotInGrace(PreconditionFailed):
    code = "precondition_error"


class ExtendedElsewhere(Conflict):
    code = "conflict"


def place(*, tenant: Tenant, reference: str, reason: str, actor: str) -> Hold:
    """Hold an order for support, until somebody releases it; it stays one hold when repeated.

    Items an open order has under way, or in conflict, wait again. Raises `CannotHold` for an order
    in which nothing can wait any longer.
    """
    with changing(tenant, reference, id_type="any", actor=actor) as story:
        if standing := [h for h in story.standing if h.kind == HoldKind.SUPPORT]:
            return standing[0]
        if story.order.status not in (OrderStatus.ON_HOLD, OrderStatus.OPEN):
            raise CannotHold(f"Order {story.order.external_id} is already {story.order.status}.")
        parked = [
            item
            for item in story.items
            if item.status in (ItemStatus.IN_FULFILLMENT, ItemStatus.ON_HOLD)
        ]
        story.hold(Reason(HoldKind.SUPPORT, reason, {"parked": len(parked)}))
        story.move("park", parked, place=NOWHERE)
    return Hold.objects.get(
        tenant=tenant, order=story.order, kind=HoldKind.SUPPORT, released_at__isnull=True
    )


def release(*, tenant: Tenant, reference: str, hold: UUID, reason: str, actor: str) -> Hold:
    """End a hold; when it was the last, the order is routed in the same transaction.

    Releasing it again changes nothing. Raises `HoldNotFound`.
    """
    with changing(tenant, reference, id_type="any", actor=actor) as story:
        found = Hold.objects.filter(tenant=tenant, order=story.order, uuid=hold).first()
        if found is None:
            raise HoldNotFound("The order has no such hold.")
        if standing := [h for h in story.standing if h.pk == found.pk]:
            story.release(standing[0], reason=reason)
            go_on(story, policy_for(tenant, story))
    return Hold.objects.get(pk=found.pk)


def extend_grace(*, tenant: Tenant, reference: str, id_type: IdType, actor: str) -> dt.datetime:
    """Let the grace period last 15 minutes longer; returns when it is due now.

    Looks before it locks: of several at the same moment one extends, and the others are told by
    `ExtendedElsewhere`. Raises `NotInGrace` when no grace period runs by the database's clock,
    whether or not the sweep has been there.
    """
    key = queries.key_of(tenant, reference, id_type=id_type)
    seen = _running_grace(tenant, key)
    with changing(tenant, reference, id_type=id_type, actor=actor) as story:
        running = _running_grace(tenant, key)
        if running is None:
            raise NotInGrace("The order is not in its grace period.")
        if seen is None or seen.due_at != running.due_at:
            raise ExtendedElsewhere("A concurrent request extended the grace period already.")
        assert running.due_at is not None  # a constraint promises it of grace holds
        due_at = running.due_at + EXTENSION
        Hold.objects.filter(pk=running.pk).update(due_at=due_at)
        story.tell("extended", {"hold": HoldKind.GRACE, "from": running.due_at, "to": due_at})
    return due_at


def go_on(story: Story, policy: Policy) -> None:
    """What follows when a hold ended: nothing while others stand; else a last look, and routing.

    The last look sees a big-order limit that was lowered, or items that came, since the capture.
    An order that was approved once is not held for its size again.
    """
    if story.is_held or not story.pending():
        return
    if (reason := judge_size(len(story.items), policy)) and not _was_judged_big(story):
        story.hold(reason)
        return
    routing.open_order(story, policy=policy)


def _was_judged_big(story: Story) -> bool:
    """Whether it is held for its size, or was approved."""
    held = Hold.objects.filter(tenant=story.order.tenant_id, order=story.order)
    return held.filter(kind=HoldKind.BIG_ORDER).exists()


def _running_grace(tenant: Tenant, order_key: int) -> Hold | None:
    return Hold.objects.filter(
        tenant=tenant,
        order_id=order_key,
        kind=HoldKind.GRACE,
        released_at__isnull=True,
        due_at__gt=Now(),
    ).first()

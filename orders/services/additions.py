"""More items for an order we have: product §4.1, "add sales order items"."""

from typing import Any

from django.db import transaction

from configuration.models import Tenant
from configuration.services.policy import Policy, policy
from orders.lifecycle import OrderStatus, moved, order_status
from orders.models import Hold, Item, Order, Shipment, TimelineEntry
from orders.services import identity, pricing
from orders.services.assembly import build_items, build_shipments, fulfillment_type
from orders.services.draft import NewOrder
from orders.services.holds import Reason, judge
from orders.services.identity import CaptureConflict
from orders.services.queries import Document, documents


@transaction.atomic(durable=True)
def add(order_id: int, *, tenant: Tenant, new: NewOrder, actor: str) -> Document:
    """Add the items a capture names and the order lacks; totals and holds are judged again.

    The order's row is locked first, so of two captures that add at the same moment the second
    sees what the first one added. Raises `CaptureConflict` when the order no longer waits to be
    routed, or when anything else the capture says differs from what is stored.
    """
    order = Order.objects.select_for_update().get(pk=order_id, tenant=tenant)
    stored = documents([order])[0]
    items = {item.uuid: item for item in stored.items}
    shipments = {shipment.uuid: shipment for shipment in stored.shipments}
    uuids = identity.item_uuids(new, order.uuid)
    fresh = [n for n, uuid in enumerate(uuids) if uuid not in items]
    found = identity.differences(new, order, items, shipments)
    if fresh and order.status != OrderStatus.ON_HOLD:
        found += [f"/items/{n}" for n in fresh]
    if found:
        raise CaptureConflict(found)
    if not fresh:
        return stored
    return _extend(stored, fresh, tenant=tenant, new=new, actor=actor)


def _extend(
    stored: Document, fresh: list[int], *, tenant: Tenant, new: NewOrder, actor: str
) -> Document:
    order = stored.order
    rules = policy(tenant, service_levels={s.service_level for s in new.shipments})
    uuids = identity.item_uuids(new, order.uuid)
    pricing.check_all(
        new, currency=order.currency, method=order.price_method, names=[str(u) for u in uuids]
    )
    travelling = _shipments(stored, new, rules)
    added = build_items(
        [new.items[n] for n in fresh],
        order,
        travelling,
        [uuids[n] for n in fresh],
        first=len(stored.items),
    )
    _insert(order, added, [s for s in travelling if s.pk is None])
    document = documents([order])[0]
    _settle(document, new, checks_payments=tenant.checks_payment_totals)
    _tell(order, actor, "items_added", {"items": len(added), "total": order.total})
    for reason in judge(items=len(document.items), own_grace=0, service_levels=(), policy=rules):
        _hold_again(order, reason, actor)
    order.save()
    return document


def _shipments(stored: Document, new: NewOrder, rules: Policy) -> list[Shipment]:
    """The capture's shipments, in its order: those the order has, and unsaved new ones."""
    order = stored.order
    known = {shipment.uuid: shipment for shipment in stored.shipments}
    uuids = identity.shipment_uuids(new, order.uuid)
    unknown = [n for n, uuid in enumerate(uuids) if uuid not in known]
    built = build_shipments(
        [new.shipments[n] for n in unknown],
        order,
        rules,
        [uuids[n] for n in unknown],
        first=len(known),
    )
    return [known.get(uuid) or built.pop(0) for uuid in uuids]


def _insert(order: Order, items: list[Item], shipments: list[Shipment]) -> None:
    for shipment in shipments:
        shipment.order = order
    for item in items:
        item.order = order
        if item.is_in_store:
            item.status = moved("complete", item.status)
    Shipment.objects.bulk_create(shipments)
    # By id, so that two captures that share items wait for each other and never deadlock.
    Item.objects.bulk_create(sorted(items, key=lambda item: item.uuid.int))


def _settle(document: Document, new: NewOrder, *, checks_payments: bool) -> None:
    """What follows from the order's items now: totals, payments, status."""
    order = document.order
    sums = pricing.totals(document.items, document.shipments, order.gift_wrapping)
    for name, amount in sums.items():
        setattr(order, name, amount)
    paid = order.details.get("payments", [])
    known = {payment["correlation_ref"] for payment in paid}
    more = [p for p in new.details.get("payments", []) if p["correlation_ref"] not in known]
    if more:
        order.details["payments"] = paid + more
    if new.details.get("payments") and checks_payments:
        pricing.check_payments(
            order.details["payments"], total=order.total, currency=order.currency
        )
    order.status = order_status(item.status for item in document.items)
    order.fulfillment_type = fulfillment_type(document.items)


def _hold_again(order: Order, reason: Reason, actor: str) -> None:
    """Place a hold the larger order deserves, unless one of its kind stands already."""
    standing = Hold.objects.filter(
        tenant=order.tenant_id, order=order, kind=reason.kind, released_at__isnull=True
    )
    if standing.exists():
        return
    Hold.objects.create(
        tenant_id=order.tenant_id, order=order, kind=reason.kind, reason=reason.text
    )
    _tell(order, actor, "held", {"hold": reason.kind, "reason": reason.text} | reason.facts)


def _tell(order: Order, actor: str, verb: str, facts: dict[str, Any]) -> None:
    order.version += 1
    TimelineEntry.objects.create(
        tenant_id=order.tenant_id,
        order=order,
        version=order.version,
        actor=actor,
        verb=verb,
        facts=facts,
    )

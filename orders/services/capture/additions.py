"""Addition of items to a stored order."""

from django.db import transaction

from configuration.models import Tenant
from configuration.services.policy import Place, Policy, PolicyKey, policy
from ordermgmt.database import prepared_sql
from ordermgmt.failpoints import failpoint
from ordermgmt.values import names
from orders.lifecycle import OrderStatus
from orders.models import Item, Order, Shipment
from orders.services.capture import building, identity, pricing
from orders.services.capture.draft import NewOrder
from orders.services.capture.identity import CaptureConflict
from orders.services.changes import persistence
from orders.services.changes.locking import LOCK, changes_of
from orders.services.changes.order_change import OrderChange
from orders.services.holds.rules import holds_for
from orders.services.reading.queries import Document, document


def add(order_id: int, *, tenant: Tenant, new: NewOrder, actor: str) -> Document:
    """Add the items that the order lacks, update totals and holds, and return the order.

    The order's row is locked first, so concurrent additions follow one another. Raise
    `CaptureConflict` if the order is not on hold, or if other values differ from what is stored.
    """
    with transaction.atomic(durable=True):
        extended = _add(order_id, tenant=tenant, new=new, actor=actor)
        failpoint("additions.before_commit")
    failpoint("additions.after_commit")
    return extended


def _add(order_id: int, *, tenant: Tenant, new: NewOrder, actor: str) -> Document:
    prepared_sql.rows(LOCK, [order_id])
    stored = document(tenant.pk, order_id)
    order = stored.order
    items = {item.uuid: item for item in stored.items}
    shipments = {shipment.uuid: shipment for shipment in stored.shipments}
    uuids = identity.item_uuids(new, order.uuid)
    fresh = [n for n, uuid in enumerate(uuids) if uuid not in items]
    pointers = identity.differences(new, order, items, shipments)
    if fresh and order.status != OrderStatus.ON_HOLD:
        paths = new.item_paths()
        pointers += [paths[n] for n in fresh]
    if pointers:
        raise CaptureConflict(pointers)
    if not fresh:
        return stored
    return _extend(stored, fresh, tenant=tenant, new=new, actor=actor)


def _extend(
    stored: Document, fresh: list[int], *, tenant: Tenant, new: NewOrder, actor: str
) -> Document:
    order = stored.order
    rules = policy(tenant, PolicyKey(frozenset(s.service_level for s in new.shipments)))
    uuids = identity.item_uuids(new, order.uuid)
    pricing.check_all(new, currency=order.currency, method=order.price_method, items=uuids)
    existing = {shipment.uuid for shipment in stored.shipments}
    shipments = identity.shipment_uuids(new, order.uuid)
    contradictions = pricing.contradictions(
        new,
        currency=order.currency,
        method=order.price_method,
        items=fresh,
        shipments=[n for n, uuid in enumerate(shipments) if uuid not in existing],
    )
    marks = pricing.settle(contradictions, is_lenient=tenant.lenient_price_details)
    all_shipments = _shipments(stored, new, rules)
    added = building.items_of(
        [new.items[n] for n in fresh],
        order,
        all_shipments,
        [uuids[n] for n in fresh],
        first=len(stored.items),
    )
    _insert(order, added, [s for s in all_shipments if s.pk is None])
    [change] = changes_of(tenant.pk, [order.pk], actor=actor)
    order = change.order
    _settle(change, new, checks_payments=tenant.checks_payment_totals)
    if marks:
        marks = order.details.get("contradictions", []) + marks
        order.details["contradictions"] = marks[: pricing.MOST_CONTRADICTIONS]
    change.record("items_added", {"items": len(added), "total": order.total})
    if in_store := [i for i in change.pending() if i.is_in_store]:
        change.move("complete", in_store, place=Place(order.store_id, "store"))
    active_kinds = {hold.kind for hold in change.active_holds}
    for reason in holds_for(items=len(change.items), own_grace=0, service_levels=(), policy=rules):
        if reason.kind not in active_kinds:
            change.hold(reason)
    order.save()
    persistence.save([change])
    return Document(order, change.items, change.shipments)


def _shipments(stored: Document, new: NewOrder, rules: Policy) -> list[Shipment]:
    """Return the capture's shipments in its order: the stored ones, and new unsaved ones."""
    order = stored.order
    by_uuid = {shipment.uuid: shipment for shipment in stored.shipments}
    uuids = identity.shipment_uuids(new, order.uuid)
    missing = [n for n, uuid in enumerate(uuids) if uuid not in by_uuid]
    built = building.shipments_of(
        [new.shipments[n] for n in missing],
        order,
        rules,
        [uuids[n] for n in missing],
        first=len(by_uuid),
    )
    return [by_uuid.get(uuid) or built.pop(0) for uuid in uuids]


def _insert(order: Order, items: list[Item], shipments: list[Shipment]) -> None:
    for shipment in shipments:
        shipment.order = order
    for item in items:
        item.order = order
    Shipment.objects.bulk_create(shipments)
    # In the order of ids, so captures that share items wait for each other without a deadlock.
    Item.objects.bulk_create(sorted(items, key=lambda item: item.uuid.int))


def _settle(change: OrderChange, new: NewOrder, *, checks_payments: bool) -> None:
    """Update the totals, the payments and the fulfillment type. Raise the errors of `pricing`."""
    order = change.order
    for name, amount in pricing.totals(change.items, change.shipments, order.gift_wrapping).items():
        setattr(order, name, amount)
    paid = order.details.get("payments", [])
    references = {names.normal(payment["correlation_ref"]) for payment in paid}
    payments = new.details.get("payments", [])
    more = [p for p in payments if names.normal(p["correlation_ref"]) not in references]
    if more:
        order.details["payments"] = paid + more
    if new.details.get("payments") and checks_payments:
        pricing.check_payments(
            order.details["payments"], total=order.total, currency=order.currency
        )
    order.item_count = len(change.items)
    order.fulfillment_type = building.fulfillment_type(change.items)

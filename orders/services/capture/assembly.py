"""New orders with their first status: complete, on hold or open.

Everything follows from the capture and the policy without a query, so it can be tested without a
database. `persistence` stores the result.
"""

from configuration.models import Tenant
from configuration.services.policy import Place, Policy
from orders.models import Item
from orders.services.capture import building, identity, pricing
from orders.services.capture.draft import NewOrder
from orders.services.changes.order_change import OrderChange
from orders.services.events.order_payloads import HANDOVER
from orders.services.fulfillment import routing
from orders.services.holds import rules as hold_rules


def assemble(new: NewOrder, *, tenant: Tenant, policy: Policy, actor: str) -> OrderChange:
    """Return the unsaved change that creates an order. Raise the errors of `pricing`."""
    order = building.new_order(new, tenant)
    shipments = building.shipments_of(
        new.shipments, order, policy, identity.shipment_uuids(new, order.uuid)
    )
    uuids = identity.item_uuids(new, order.uuid)
    items = building.items_of(new.items, order, shipments, uuids)
    pricing.check_all(new, currency=order.currency, method=order.price_method, items=uuids)
    contradictions = pricing.contradictions(new, currency=order.currency, method=order.price_method)
    if marks := pricing.settle(contradictions, is_lenient=tenant.lenient_price_details):
        order.details["contradictions"] = marks
    wrapping = new.gift_wrapping.under(order.price_method).gross
    for name, amount in pricing.totals(items, shipments, wrapping).items():
        setattr(order, name, amount)
    if tenant.checks_payment_totals:
        pricing.check_payments(
            order.details.get("payments", []), total=order.total, currency=order.currency
        )
    order.item_count = len(items)
    order.fulfillment_type = building.fulfillment_type(items)
    change = OrderChange(order, items, shipments, actor)
    _begin(change, new, policy)
    return change


def _begin(change: OrderChange, new: NewOrder, policy: Policy) -> None:
    order, items, shipments = change.order, change.items, change.shipments
    change.record(
        "captured",
        {"items": len(items), "total": order.total, "currency": order.currency},
    )
    if completed := [i for i in items if i.is_in_store or new.is_complete_at_once]:
        _complete(change, completed, new)
    if not change.pending():
        return
    reasons = hold_rules.holds_for(
        items=len(items),
        own_grace=new.details.get("grace_period"),
        service_levels=[s.service_level for s in shipments],
        policy=policy,
    )
    for reason in reasons:
        change.hold(reason)
    if not reasons:
        routing.open_order(change, policy=policy)


def _complete(change: OrderChange, completed: list[Item], new: NewOrder) -> None:
    """Complete the items that the customer already has, without a hold or routing."""
    order = change.order
    store = Place(order.store_id, "store" if order.store_id else "")
    change.move("complete", completed, place=store)
    rule = next(
        (name for name in ("is_historical", "is_fulfilled") if new.details.get(name)),
        HANDOVER,
    )
    change.record("completed", {"rule": rule, "items": len(completed)})

"""Cancellation rules of orders and single items (docs/contract.md, Cancellation)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from configuration import keys
from configuration.models import Tenant
from configuration.services import Stored, read
from ordermgmt.errors import Invalid, NotFound
from orders.lifecycle import TERMINAL, ItemStatus, OrderStatus
from orders.models import Item, Order
from orders.services.changes import closing
from orders.services.changes.locking import change_order
from orders.services.changes.order_change import OrderChange
from orders.services.reading import queries
from orders.services.reading.queries import IdType

# The reason in events; the caller's own reason is in the timeline only.
REASON: Final = "cancellation_request"


class NotCancelable(Invalid):
    code = "order_not_cancelable_any_longer"


class NotPreordered(Invalid):
    code = "not_preordered"


class ItemNotCancelable(Invalid):
    code = "item_not_cancelable_any_longer"


class NoSuchItem(NotFound):
    code = "not_found"


@dataclass(frozen=True, slots=True)
class Cancelability:
    """Cancellation state of an order; `is_safe` means that no location works on it."""

    is_cancelable: bool
    is_cancelled: bool
    is_safe: bool


def status(*, tenant: Tenant, reference: str, id_type: IdType) -> Cancelability:
    """Return the cancellation state of an order. Raise `OrderNotFound`."""
    document = queries.detail(tenant, reference, id_type=id_type)
    allowed = read(tenant, keys.CANCELLATION_ALLOWED_FROM)
    return Cancelability(
        is_cancelable=why_not(document.order, document.items, allowed) is None,
        is_cancelled=all(item.status == ItemStatus.CANCELLED for item in document.items),
        is_safe=is_safe(document.items),
    )


def cancel(
    *,
    tenant: Tenant,
    reference: str,
    id_type: IdType,
    reason: str,
    note: str | None,
    actor: str,
    expected_version: int | None = None,
) -> None:
    """Cancel all items of an order that have not ended and release its holds.

    Raise `OrderNotFound`, and `NotCancelable` when an item has been shipped, when no item can be
    cancelled, or when an item is at a location of a type from which the tenant allows no
    cancellation.
    """
    with change_order(
        tenant, reference, id_type=id_type, actor=actor, expected_version=expected_version
    ) as change:
        cancel_whole(change, tenant=tenant, reason=reason, note=note)


def cancel_whole(change: OrderChange, *, tenant: Tenant, reason: str, note: str | None) -> None:
    """Cancel all items of a locked order that have not ended. Raise `NotCancelable`."""
    allowed = read(tenant, keys.CANCELLATION_ALLOWED_FROM)
    if message := why_not(change.order, change.items, allowed):
        raise NotCancelable(message)
    closing.cancel_items(
        change,
        live(change.items),
        REASON,
        {
            "reason": reason,
            "note": note or "",
            "allowed_from": allowed.value,
            "config": {keys.CANCELLATION_ALLOWED_FROM.name: allowed.version},
        },
    )


def cancel_item(
    *,
    tenant: Tenant,
    reference: str,
    id_type: IdType,
    item: UUID,
    actor: str,
    expected_version: int | None = None,
) -> None:
    """Cancel one pre-ordered item at any location, and the order with its last item.

    Raise `OrderNotFound`, `NoSuchItem`, `NotPreordered`, and `ItemNotCancelable` when the item has
    ended.
    """
    with change_order(
        tenant, reference, id_type=id_type, actor=actor, expected_version=expected_version
    ) as change:
        row = next((i for i in change.items if i.uuid == item), None)
        if row is None:
            raise NoSuchItem("The order has no such item.")
        if message := why_not_item(change.order, row):
            raise ItemNotCancelable(message) if row.is_preorder else NotPreordered(message)
        closing.cancel_items(change, [row], REASON, {"item": item, "rule": "preordered_item"})


def why_not_item(order: Order, item: Item) -> str | None:
    """Return the documented message if an item cannot be cancelled alone, otherwise None."""
    if not item.is_preorder:
        return f"Item {item.uuid} is not pre-ordered."
    if item.status in TERMINAL:
        return f"Item {item.uuid} for order {order.external_id} cannot be cancelled any longer."
    return None


def live(items: Sequence[Item]) -> list[Item]:
    """Return the items that have not ended."""
    return [item for item in items if item.status not in TERMINAL]


def is_safe(items: Sequence[Item]) -> bool:
    """Return whether no location may be handling an item that would be cancelled."""
    return not any(item.location_type == "dc" or item.is_packing for item in live(items))


def why_not(order: Order, items: Sequence[Item], allowed: Stored[list[str]]) -> str | None:
    """Return the documented message if an order cannot be cancelled, otherwise None."""
    statuses = {item.status for item in items}
    if statuses & {ItemStatus.COMPLETE, ItemStatus.RETURNED}:
        return f"Order {order.external_id} or parts of it are already shipped."
    is_over = order.status not in (OrderStatus.ON_HOLD, OrderStatus.OPEN)
    if is_over or not live(items):
        return f"Order {order.external_id} is already closed."
    for item in live(items):
        if item.location_type and item.location_type not in allowed.value:
            return (
                f"Item {item.uuid} was routed to {item.location_code} (type: "
                f"{item.location_type}), cancellations are not allowed from this type of location."
            )
    return None

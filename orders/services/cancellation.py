"""Cancelling an order or one of its items, and whether it can be: product §4.5, contract §e.4."""

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

# Why, as subscribers hear it; the caller's own reason is for the timeline.
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
    """Whether an order can be cancelled, was, and whether nobody has begun to work on it."""

    is_cancelable: bool
    is_cancelled: bool
    is_safe: bool


def status(*, tenant: Tenant, reference: str, id_type: IdType) -> Cancelability:
    """What cancelling would meet now. Raises `OrderNotFound`."""
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
    """Cancel what of an order has not ended; its holds end with it.

    Raises `OrderNotFound`, and `NotCancelable` once anything left, nothing is left to cancel, or
    an item is at a location of a type the tenant does not allow.
    """
    with change_order(
        tenant, reference, id_type=id_type, actor=actor, expected_version=expected_version
    ) as change:
        cancel_whole(change, tenant=tenant, reason=reason, note=note)


def cancel_whole(change: OrderChange, *, tenant: Tenant, reason: str, note: str | None) -> None:
    """Cancel what has not ended of an order that is locked. Raises `NotCancelable`."""
    allowed = read(tenant, keys.CANCELLATION_ALLOWED_FROM)
    if refusal := why_not(change.order, change.items, allowed):
        raise refusal
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
    """Cancel one pre-ordered item, wherever it is; with the last one the order ends.

    Raises `OrderNotFound` or `NoSuchItem`, `NotPreordered`, and `ItemNotCancelable` when the item
    has ended.
    """
    with change_order(
        tenant, reference, id_type=id_type, actor=actor, expected_version=expected_version
    ) as change:
        found = next((i for i in change.items if i.uuid == item), None)
        if found is None:
            raise NoSuchItem("The order has no such item.")
        if refusal := why_not_item(change.order, found):
            raise refusal
        closing.cancel_items(change, [found], REASON, {"item": item, "rule": "preordered_item"})


def why_not_item(order: Order, item: Item) -> NotPreordered | ItemNotCancelable | None:
    """Why an item cannot be cancelled by itself, in the documented words; None when it can."""
    if not item.is_preorder:
        return NotPreordered(f"Item {item.uuid} is not pre-ordered.")
    if item.status in TERMINAL:
        return ItemNotCancelable(
            f"Item {item.uuid} for order {order.external_id} cannot be cancelled any longer."
        )
    return None


def live(items: Sequence[Item]) -> list[Item]:
    """The items that have not ended."""
    return [item for item in items if item.status not in TERMINAL]


def is_safe(items: Sequence[Item]) -> bool:
    """Whether nobody may be handling what cancelling would cancel."""
    return not any(item.location_type == "dc" or item.is_packing for item in live(items))


def why_not(
    order: Order, items: Sequence[Item], allowed: Stored[list[str]]
) -> NotCancelable | None:
    """Why the order cannot be cancelled, in the documented words; None when it can."""
    statuses = {item.status for item in items}
    if statuses & {ItemStatus.COMPLETE, ItemStatus.RETURNED}:
        return NotCancelable(f"Order {order.external_id} or parts of it are already shipped.")
    is_over = order.status not in (OrderStatus.ON_HOLD, OrderStatus.OPEN)
    if is_over or not live(items):
        return NotCancelable(f"Order {order.external_id} is already closed.")
    for item in live(items):
        if item.location_type and item.location_type not in allowed.value:
            return NotCancelable(
                f"Item {item.uuid} was routed to {item.location_code} (type: "
                f"{item.location_type}), cancellations are not allowed from this type of location."
            )
    return None

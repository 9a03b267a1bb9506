"""Cancellation of items and completion of orders."""

from collections.abc import Sequence
from typing import Any

from orders.lifecycle import ItemStatus, OrderStatus
from orders.models import Item
from orders.services.changes.order_change import OrderChange


def cancel_items(
    change: OrderChange, items: Sequence[Item], reason: str, facts: dict[str, Any]
) -> None:
    """Cancel these items of a locked order; `reason` is the public reason in the event.

    Record "cancelled" alone when all items of the order are cancelled now. Release the holds
    when no item waits any longer.
    """
    change.move("cancel", items)
    facts = facts | {"items": len(items)}
    if all(item.status == ItemStatus.CANCELLED for item in change.items):
        change.record("cancelled", facts, reason=reason)
    else:
        change.record("items_cancelled", facts, items=items, reason=reason)
        close(change)
    if not change.pending():
        for hold in list(change.active_holds):
            change.release(hold, reason="nothing_waits")


def close(change: OrderChange) -> None:
    """Record the completion of a closed order; call it once, after the last move."""
    if change.order.status == OrderStatus.CLOSED:
        change.record("completed", {})

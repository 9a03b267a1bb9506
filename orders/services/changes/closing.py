"""How items and orders end: what is announced of the last item, and holds that hold nothing."""

from collections.abc import Sequence
from typing import Any

from orders.lifecycle import ItemStatus, OrderStatus
from orders.models import Item
from orders.services.changes.order_change import OrderChange
from orders.services.events import order_payloads


def cancel_items(
    change: OrderChange, items: Sequence[Item], reason: str, facts: dict[str, Any]
) -> None:
    """Cancel these items of an order that is locked, for a reason subscribers know.

    Of an order that is cancelled whole, `order.cancelled` is all that is announced.
    """
    order, every_item = change.order, change.items
    change.move("cancel", items)
    facts = facts | {"items": len(items)}
    if all(item.status == ItemStatus.CANCELLED for item in every_item):
        change.record(
            "cancelled",
            facts,
            "order.cancelled",
            lambda _: order_payloads.cancelled(order, every_item, reason),
        )
    else:
        change.record(
            "items_cancelled",
            facts,
            "order.items_cancelled",
            lambda _: order_payloads.items_cancelled(order, items, reason),
        )
        close(change)
    if not change.pending():
        for hold in list(change.standing):
            change.release(hold, reason="nothing_waits")


def close(change: OrderChange) -> None:
    """Tell that nothing is left to do, if so: to be called once, when an item just ended."""
    order, items = change.order, change.items
    if order.status == OrderStatus.CLOSED:
        change.record(
            "completed", {}, "order.completed", lambda _: order_payloads.completed(order, items)
        )

"""Labels of order data: statuses, holds, outcomes and amounts, in words and colors."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from ordermgmt import money
from ordermgmt.console.wording import exact, relative
from orders.lifecycle import HoldKind, ItemStatus, OrderStatus, Outcome
from orders.models import Hold
from orders.services.timeline.descriptions import duration

# Colors repeat the text, so no information is in the color alone.
_COLORS: Final = {
    "info": "bg-blue-100 text-blue-700 dark:bg-blue-500/20 dark:text-blue-400",
    "danger": "bg-red-100 text-red-700 dark:bg-red-500/20 dark:text-red-400",
    "warning": "bg-orange-100 text-orange-700 dark:bg-orange-500/20 dark:text-orange-400",
    "success": "bg-green-100 text-green-700 dark:bg-green-500/20 dark:text-green-400",
    "plain": "bg-base-500/8 text-base-700 dark:bg-base-500/20 dark:text-base-200",
}
ORDER_COLORS: Final = {
    OrderStatus.ON_HOLD: "warning",
    OrderStatus.OPEN: "info",
    OrderStatus.FAILED: "danger",
}
OUTCOME_COLORS: Final = {
    Outcome.CANCELLED: "danger",
    Outcome.RETURNED: "danger",
    Outcome.PARTLY_CANCELLED: "warning",
    Outcome.PARTLY_RETURNED: "warning",
    Outcome.PARTLY_SHIPPED: "info",
    Outcome.COMPLETED: "success",
    Outcome.HANDED_OVER: "success",
}
ITEM_COLORS: Final = {
    ItemStatus.PENDING: "warning",
    ItemStatus.IN_FULFILLMENT: "info",
    ItemStatus.ON_HOLD: "danger",
    ItemStatus.COMPLETE: "success",
    ItemStatus.CAPTURED: "success",
}


def label(text: str, color: str = "plain", title: str = "") -> SafeString:
    """Return a small colored label as HTML."""
    return format_html(
        '<span class="inline-block font-semibold h-6 leading-6 px-2 rounded-default text-[11px]'
        ' uppercase whitespace-nowrap {}"{}>{}</span>',
        _COLORS[color],
        format_html(' title="{}"', title) if title else "",
        text,
    )


def order_status(status: str) -> SafeString:
    member = OrderStatus(status)
    return label(member.label, ORDER_COLORS.get(member, "plain"))


def item_status(status: str) -> SafeString:
    member = ItemStatus(status)
    return label(member.label, ITEM_COLORS.get(member, "plain"))


def hold(kind: str, due_at: datetime | None, reason: str = "") -> SafeString:
    """Return the label of a hold, with the end of a grace period."""
    if due_at is None:
        color = "danger" if kind == HoldKind.BIG_ORDER else "warning"
        return label(HoldKind(kind).label, color, reason)
    ends = "ends" if due_at > now() else "ended"
    return label(f"Grace {ends} {relative(due_at)}", "warning", f"{reason}, until {exact(due_at)}")


def why(hold: Hold) -> str:
    """Return the reason of a hold; for a grace period its length, with extensions."""
    if hold.due_at is None:
        return hold.reason
    return f"Grace period of {duration(round((hold.due_at - hold.placed_at).total_seconds()))}"


def outcome(outcome: Outcome | None) -> SafeString:
    """Return the second word beside an order's status, if there is one."""
    return label(outcome.label, OUTCOME_COLORS.get(outcome, "plain")) if outcome else SafeString()


def amount(value: Decimal, currency: str) -> str:
    """Return an amount with its currency, its decimals and thousands separators."""
    return f"{number(value, currency)} {currency}"


def number(value: Decimal, currency: str) -> str:
    """Return an amount without its currency."""
    return money.formatted(value, currency).replace("-", "−")

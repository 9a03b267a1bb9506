"""Why an order waits: which holds a capture places, and by which rule: product §4.2 and §4.3."""

from collections.abc import Iterable

from configuration.services.policy import Policy
from orders.lifecycle import HoldKind
from orders.services.changes.order_change import NewHold


def holds_for(
    *, items: int, own_grace: int | None, service_levels: Iterable[str], policy: Policy
) -> list[NewHold]:
    """The holds an order with so many `items` deserves by the tenant's policy.

    `own_grace` is the order's own grace period in seconds; with none of its own the longest of its
    service levels decides, then the tenant's. None or 0 means no grace.
    """
    reasons = []
    seconds, rule = _grace(own_grace, service_levels, policy)
    if seconds:
        reasons.append(
            NewHold(
                HoldKind.GRACE,
                f"Grace period of {seconds} s",
                {"rule": rule, "seconds": seconds, "config": dict(policy.versions)},
                seconds,
            )
        )
    if big := big_order_hold(items, policy):
        reasons.append(big)
    return reasons


def big_order_hold(items: int, policy: Policy) -> NewHold | None:
    """The hold an order deserves for its size; exactly the limit is not big."""
    if items <= policy.soft_limit:
        return None
    return NewHold(
        HoldKind.BIG_ORDER,
        f"{items} items are more than {policy.soft_limit}",
        {
            "rule": "big_sales_order",
            "items": items,
            "soft_limit": policy.soft_limit,
            "config": dict(policy.versions),
        },
    )


def _grace(own: int | None, service_levels: Iterable[str], policy: Policy) -> tuple[int, str]:
    if own is not None:
        return own, "order"
    remorse = [
        level.remorse_period
        for name in service_levels
        if (level := policy.service_levels.get(name)) and level.remorse_period is not None
    ]
    if remorse:
        return max(remorse), "service_level"
    return policy.grace_period, "on_hold_timer_duration"

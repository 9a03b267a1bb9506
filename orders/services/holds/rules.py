"""Rules that decide the holds of a new order."""

from collections.abc import Iterable

from configuration.services.policy import Policy
from orders.lifecycle import HoldKind
from orders.services.changes.order_change import NewHold


def holds_for(
    *, items: int, own_grace: int | None, service_levels: Iterable[str], policy: Policy
) -> list[NewHold]:
    """Return the holds for an order with this number of `items` under the tenant's policy.

    `own_grace` is the order's own grace period in seconds, 0 for none. If it is None, the longest
    period of the service levels applies, then the tenant's.
    """
    holds = []
    seconds, rule = _grace(own_grace, service_levels, policy)
    if seconds:
        holds.append(
            NewHold(
                HoldKind.GRACE,
                f"Grace period of {seconds} s",
                {"rule": rule, "seconds": seconds, "config": dict(policy.versions)},
                seconds,
            )
        )
    if big_order := big_order_hold(items, policy):
        holds.append(big_order)
    return holds


def big_order_hold(items: int, policy: Policy) -> NewHold | None:
    """Return the hold for an order with more items than the limit, otherwise None."""
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
    """Return the seconds of the grace period and the rule that decided them."""
    if own is not None:
        return own, "order"
    remorse_periods = [
        level.remorse_period
        for name in service_levels
        if (level := policy.service_levels.get(name)) and level.remorse_period is not None
    ]
    if remorse_periods:
        return max(remorse_periods), "service_level"
    return policy.grace_period, "on_hold_timer_duration"

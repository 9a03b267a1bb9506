"""Invariants of an order's holds and routing."""

from typing import Final

from orders.lifecycle import HoldKind, OrderStatus
from orders.services.holds.actions import EXTENSION
from orders.services.holds.due import LATE, RELEASER
from orders.services.invariants.invariant import Invariant

_ROUTED: Final = "('opened', 'routed', 'handed_over')"

COURSE: Final = [
    Invariant(
        name="nothing_waits_for_nothing",
        promise="An order on hold has an active hold.",
        offenders=f"""
        SELECT o.tenant_id, o.number, 'on_hold without a hold'
        FROM orders_order o
        WHERE o.status = '{OrderStatus.ON_HOLD}' AND NOT EXISTS (
          SELECT 1 FROM orders_hold h WHERE h.tenant_id = o.tenant_id
            AND h.order_id = o.id AND h.released_at IS NULL)
        """,
    ),
    Invariant(
        name="holds_hold_something",
        promise="Open and closed orders have no active hold.",
        offenders=f"""
            SELECT o.tenant_id, o.number, o.status || ' with an active hold: ' || h.kind
            FROM orders_hold h JOIN orders_order o ON o.id = h.order_id
            WHERE h.released_at IS NULL AND o.status <> '{OrderStatus.ON_HOLD}'
            """,
    ),
    Invariant(
        name="time_goes_on",
        promise="The times of a timeline never decrease.",
        offenders="""
            SELECT t.tenant_id, o.number, t.verb || ' at ' || t.at || ', but before it ' || t.before
            FROM (
              SELECT tenant_id, order_id, verb, at, lag(at) OVER (
                PARTITION BY tenant_id, order_id ORDER BY version) AS before
              FROM orders_timelineentry
            ) t JOIN orders_order o ON o.id = t.order_id
            WHERE t.at < t.before
            """,
    ),
    Invariant(
        name="nothing_is_routed_while_held",
        promise="No order is routed while it has an active hold.",
        offenders=f"""
        SELECT t.tenant_id, o.number, t.verb || ' at ' || t.at || ' while held: ' || h.kind
        FROM orders_hold h
        JOIN orders_timelineentry t ON t.tenant_id = h.tenant_id AND t.order_id = h.order_id
          AND t.verb IN {_ROUTED} AND t.at > h.placed_at
          AND (h.released_at IS NULL OR t.at < h.released_at)
        JOIN orders_order o ON o.id = h.order_id
        """,
    ),
    Invariant(
        name="grace_lasts_until_it_is_due",
        promise="No grace period is released automatically before it is due.",
        offenders=f"""
        SELECT h.tenant_id, o.number, 'released ' || h.released_at || ', due ' || h.due_at
        FROM orders_hold h
        JOIN orders_timelineentry t ON t.tenant_id = h.tenant_id AND t.order_id = h.order_id
          AND t.verb = 'released' AND t.actor = '{RELEASER}' AND t.facts->>'hold' = h.kind
        JOIN orders_order o ON o.id = h.order_id
        WHERE h.released_at < h.due_at
        """,
    ),
    Invariant(
        name="extensions_add_up",
        promise=f"An extension is {EXTENSION}, and no two extensions start from the same due time.",
        offenders=f"""
        SELECT o.tenant_id, o.number, e.number || ' extensions from ' || e.beginning
        FROM (
          SELECT tenant_id, order_id, facts->>'from' AS beginning, count(*) AS number,
                 max((facts->>'to')::timestamptz - (facts->>'from')::timestamptz) AS longest
          FROM orders_timelineentry WHERE verb = 'extended'
          GROUP BY tenant_id, order_id, facts->>'from'
        ) e JOIN orders_order o ON o.id = e.order_id
        WHERE e.number > 1 OR e.longest <> interval '{EXTENSION.total_seconds():.0f} seconds'
        """,
    ),
    Invariant(
        name="nothing_due_is_left",
        promise=f"A grace period that ended {LATE:.0f} s ago is released (workers run).",
        offenders=f"""
        SELECT h.tenant_id, o.number, 'due ' || h.due_at
        FROM orders_hold h JOIN orders_order o ON o.id = h.order_id
        WHERE h.released_at IS NULL AND h.due_at < now() - interval '{LATE} seconds'
        """,
    ),
    Invariant(
        name="big_orders_are_reviewed",
        promise="An order with more items than its configured limit was held before it was routed.",
        offenders=f"""
        SELECT o.tenant_id, o.number, past.items || ' items, limit ' || rule.most
        FROM orders_order o
        JOIN LATERAL (
          SELECT t.version, (t.facts->'config'->>'big_sales_order')::int AS config
          FROM orders_timelineentry t WHERE t.tenant_id = o.tenant_id AND t.order_id = o.id
            AND t.verb IN ('routed', 'handed_over') ORDER BY t.version LIMIT 1
        ) r ON true
        JOIN LATERAL (SELECT coalesce((
          SELECT (c.new_value->>'soft_limit_for_big_orders')::int
          FROM configuration_settingchange c WHERE c.tenant_id = o.tenant_id
            AND c.key = 'big_sales_order' AND c.version = r.config), 100) AS most
        ) rule ON o.item_count > rule.most
        JOIN LATERAL (
          SELECT sum((t.facts->>'items')::int) FILTER (
                   WHERE t.verb IN ('captured', 'items_added')) AS items,
                 bool_or(t.verb = 'held' AND t.facts->>'hold' = '{HoldKind.BIG_ORDER}') AS held
          FROM orders_timelineentry t WHERE t.tenant_id = o.tenant_id AND t.order_id = o.id
            AND t.version < r.version
        ) past ON past.items > rule.most AND NOT past.held
        """,
    ),
]

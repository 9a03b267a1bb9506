"""Invariants between an order's timeline and its events."""

from typing import Final

from orders.services.events import catalogue
from orders.services.invariants.invariant import Invariant

# The events an order has at most once, however often it was held and released in between.
_ONCE: Final = "({})".format(", ".join(f"'{e.name}'" for e in catalogue.EVENTS if e.is_once))
# The verb of each fact that is always announced, and its event, which has the same version.
_ALWAYS: Final = ", ".join(
    f"('{e.verb}', '{e.name}')" for e in catalogue.EVENTS if e.condition is None
)
_ANNOUNCED: Final = f"(VALUES {_ALWAYS})"

EVENTS: Final = [
    Invariant(
        name="what_happened_is_announced",
        promise="Every announced timeline entry has an event of its version in the outbox.",
        offenders=f"""
        SELECT t.tenant_id, o.number, t.verb || ' v' || t.version || ' without ' || expected.event
        FROM orders_timelineentry t
        JOIN {_ANNOUNCED} AS expected(verb, event) ON expected.verb = t.verb
        JOIN orders_order o ON o.id = t.order_id
        LEFT JOIN webhooks_event e ON e.tenant_id = t.tenant_id AND e.subject = o.uuid
          AND e.version = t.version AND e.name = expected.event
        WHERE e.id IS NULL
        """,
    ),
    Invariant(
        name="what_is_announced_happened",
        promise="An event about an order has a timeline entry of its version.",
        offenders="""
        SELECT e.tenant_id, o.number, e.name || ' v' || e.version
        FROM webhooks_event e
        JOIN orders_order o ON o.tenant_id = e.tenant_id AND o.uuid = e.subject
        LEFT JOIN orders_timelineentry t ON t.tenant_id = o.tenant_id AND t.order_id = o.id
          AND t.version = e.version
        WHERE t.id IS NULL
        """,
    ),
    Invariant(
        name="said_once",
        promise=f"These events are published at most once for an order: {_ONCE}.".replace("'", ""),
        offenders=f"""
        SELECT tenant_id, subject::text, name || ' ' || count(*) || ' times'
        FROM webhooks_event WHERE name IN {_ONCE}
        GROUP BY tenant_id, subject, name HAVING count(*) > 1
        """,
    ),
    Invariant(
        name="nothing_cancelled_is_routed",
        promise="An order that was cancelled is not routed afterwards.",
        offenders="""
        SELECT c.tenant_id, c.subject::text,
              'assigned v' || a.version || ' after v' || c.version
        FROM webhooks_event c JOIN webhooks_event a
          ON a.tenant_id = c.tenant_id AND a.subject = c.subject AND a.version > c.version
        WHERE c.name = 'order.cancelled' AND a.name = 'fulfillment_request.assigned'
        """,
    ),
]

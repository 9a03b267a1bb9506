"""Invariants of the stored rows of an order."""

from typing import Final

from orders.lifecycle import TERMINAL, ItemStatus, OrderStatus
from orders.services.invariants.invariant import Invariant

_TERMINAL: Final = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
_LIVING: Final = ", ".join(
    f"'{status}'" for status in (OrderStatus.ON_HOLD, OrderStatus.OPEN, OrderStatus.CLOSED)
)

STORED: Final = [
    Invariant(
        name="orders_are_unique",
        promise="An id, an external id and a number each name one order of a tenant.",
        offenders="""
        SELECT tenant_id, name, kind || ' names ' || count(*) || ' orders'
        FROM orders_order o CROSS JOIN LATERAL (VALUES ('id', o.uuid::text),
          ('external_id', o.external_id), ('number', o.number)) AS v(kind, name)
        GROUP BY tenant_id, kind, name HAVING count(*) > 1
        """,
    ),
    Invariant(
        name="names_are_of_one_order",
        promise="Any name of an order, in any spelling, belongs to one order only.",
        offenders="""
        SELECT tenant_id, name, 'names the orders ' || string_agg(number, ', ' ORDER BY id)
        FROM (
          SELECT DISTINCT o.tenant_id, o.id, o.number, v.name
          FROM orders_order o CROSS JOIN LATERAL (VALUES (o.uuid::text), (o.number),
            (CASE WHEN o.external_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                  THEN lower(o.external_id) ELSE normalize(o.external_id) END)) AS v(name)
        ) names
        GROUP BY tenant_id, name HAVING count(*) > 1
        """,
    ),
    Invariant(
        name="items_are_unique",
        promise="An item's id belongs to one item of one order, forever.",
        offenders="""
        SELECT tenant_id, uuid::text, count(*) || ' items'
        FROM orders_item GROUP BY tenant_id, uuid HAVING count(*) > 1
        """,
    ),
    Invariant(
        name="numbers_are_of_the_sequence",
        promise="A number is the tenant's prefix and as many digits as the sequence has.",
        offenders="""
        SELECT o.tenant_id, o.number, 'expected ' || (s.value->>'prefix') || ' and '
          || (s.value->>'size') || ' digits'
        FROM orders_order o JOIN configuration_setting s
          ON s.tenant_id = o.tenant_id AND s.key = 'sales_order_generator_sequence'
        WHERE NOT starts_with(o.number, s.value->>'prefix')
          OR length(o.number) <> length(s.value->>'prefix') + (s.value->>'size')::int
          OR substr(o.number, length(s.value->>'prefix') + 1) !~ '^[0-9]+$'
        """,
    ),
    Invariant(
        name="timelines_have_no_gap",
        promise="An order's timeline is numbered 1 to the order's version, each number once.",
        offenders="""
        SELECT o.tenant_id, o.number, 'version ' || o.version || ', '
          || coalesce(t.entries, 0) || ' entries, last ' || coalesce(t.last, 0)
        FROM orders_order o LEFT JOIN (
          SELECT tenant_id, order_id, count(*) AS entries, max(version) AS last,
                 count(DISTINCT version) AS versions, min(version) AS first
          FROM orders_timelineentry GROUP BY tenant_id, order_id
        ) t ON t.tenant_id = o.tenant_id AND t.order_id = o.id
        WHERE (t.first, t.last, t.entries, t.versions)
          IS DISTINCT FROM (1, o.version, o.version::bigint, o.version::bigint)
        """,
    ),
    Invariant(
        name="order_statuses_follow_from_items",
        promise="An order's status follows from its items' statuses.",
        offenders=f"""
        SELECT o.tenant_id, o.number, o.status || ', by its items ' || i.status
        FROM orders_order o JOIN (
          SELECT tenant_id, order_id, CASE
            WHEN bool_or(status = '{ItemStatus.PENDING}') THEN '{OrderStatus.ON_HOLD}'
            WHEN bool_and(status IN ({_TERMINAL})) THEN '{OrderStatus.CLOSED}'
            ELSE '{OrderStatus.OPEN}' END AS status
          FROM orders_item GROUP BY tenant_id, order_id
        ) i ON i.tenant_id = o.tenant_id AND i.order_id = o.id
        WHERE o.status <> i.status
          AND o.status IN ({_LIVING})
        """,
    ),
    Invariant(
        name="orders_are_read_whole",
        promise="An order has a first item, and its items travel in shipments of its own.",
        offenders="""
        SELECT o.tenant_id, o.number, 'no item at position 0'
        FROM orders_order o LEFT JOIN orders_item i
          ON i.tenant_id = o.tenant_id AND i.order_id = o.id AND i.position = 0
        WHERE i.id IS NULL
        UNION ALL
        SELECT i.tenant_id, o.number, 'item ' || i.uuid || ' in a shipment of another order'
        FROM orders_item i JOIN orders_shipment s ON s.id = i.shipment_id
        JOIN orders_order o ON o.id = i.order_id
        WHERE (s.tenant_id, s.order_id) <> (i.tenant_id, i.order_id)
        """,
    ),
    Invariant(
        name="amounts_add_up",
        promise="An order's amounts and item count are the sums of its items and shipments.",
        offenders="""
        SELECT o.tenant_id, o.number, 'total ' || o.total || ', gross ' || o.gross
          || ', of items ' || i.gross
        FROM orders_order o
        JOIN (SELECT tenant_id, order_id, count(*) AS number, sum(net) AS net, sum(tax) AS tax,
                     sum(gross) AS gross, sum(discount) AS discount
              FROM orders_item GROUP BY tenant_id, order_id
        ) i ON i.tenant_id = o.tenant_id AND i.order_id = o.id
        LEFT JOIN (SELECT tenant_id, order_id, sum(gross) AS gross
                   FROM orders_shipment GROUP BY tenant_id, order_id
        ) s ON s.tenant_id = o.tenant_id AND s.order_id = o.id
        WHERE (o.item_count, o.net, o.tax, o.gross, o.discount, o.shipping, o.total)
          IS DISTINCT FROM (i.number, i.net, i.tax, i.gross, i.discount,
                            coalesce(s.gross, 0),
                                i.gross + coalesce(s.gross, 0) + o.gift_wrapping)
        """,
    ),
]

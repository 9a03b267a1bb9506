"""Counts of a tenant's orders and holds by state, read from indexes up to `MOST`."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

from configuration.models import Tenant
from orders.lifecycle import HoldKind, OrderStatus, Outcome, order_outcome

MOST: Final = 1_000  # larger counts are shown as more than this
MOST_AN_HOUR: Final = 20_000


@dataclass(frozen=True, slots=True)
class Count:
    """A number, at most `MOST` + 1, and the earliest time among the counted rows."""

    number: int
    first: dt.datetime | None

    @property
    def is_more(self) -> bool:
        return self.number > MOST

    def __str__(self) -> str:
        return f"{MOST:,}+" if self.is_more else f"{self.number:,}"


# Each subquery reads one index, and no more of it than it counts.
_ORDERS: Final = {
    f"status:{status}": f"""
SELECT placed_at AS at FROM orders_order
WHERE tenant_id = t.id AND status = '{status}' ORDER BY placed_at"""
    for status in OrderStatus.values
}
_HOLDS: Final = {
    f"hold:{kind}": f"""
SELECT placed_at AS at FROM orders_hold
WHERE tenant_id = t.id AND kind = '{kind}' AND released_at IS NULL ORDER BY order_id"""
    for kind in HoldKind.values
}
_OTHERS: Final = {
    "due": """
SELECT due_at AS at FROM orders_hold
WHERE tenant_id = t.id AND released_at IS NULL AND due_at <= now() + interval '1 hour'
ORDER BY due_at""",
    "conflict": """
SELECT DISTINCT NULL::timestamptz AS at, order_id FROM orders_item
WHERE tenant_id = t.id AND conflict_reason <> ''""",
}
COUNTED: Final = _ORDERS | _HOLDS | _OTHERS
_COUNTS: Final = """
SELECT t.id, c.what, c.number, c.first
FROM configuration_tenant t CROSS JOIN LATERAL ({}) c
WHERE t.id = ANY(%s)
""".format(
    " UNION ALL ".join(
        f"SELECT '{what}' AS what, count(*) AS number, min(at) AS first"
        f" FROM ({rows} LIMIT {MOST + 1}) AS found"
        for what, rows in COUNTED.items()
    )
)
_OUTCOMES: Final = f"""
SELECT statuses, count(*)
FROM (
  SELECT id, tenant_id FROM orders_order
  WHERE tenant_id = %s AND status = '{OrderStatus.CLOSED}'
  ORDER BY placed_at DESC, id DESC LIMIT {MOST}
) AS closed
CROSS JOIN LATERAL (
  SELECT array_agg(DISTINCT status::text) AS statuses FROM orders_item
  WHERE tenant_id = closed.tenant_id AND order_id = closed.id
) AS item
WHERE statuses IS NOT NULL
GROUP BY statuses
"""
_HOURS: Final = f"""
SELECT day.at, count.number, extract(hour FROM now() AT TIME ZONE 'UTC')::integer
FROM (VALUES (date_trunc('day', now(), 'UTC')),
             (date_trunc('day', now(), 'UTC') - interval '7 days')) AS day(at)
CROSS JOIN generate_series(0, 23) AS hour
CROSS JOIN LATERAL (
  SELECT count(*) AS number FROM (
    SELECT FROM orders_order
    WHERE tenant_id = %s AND placed_at >= day.at + make_interval(hours => hour)
      AND placed_at < day.at + make_interval(hours => hour + 1)
    LIMIT {MOST_AN_HOUR}) AS found
) AS count
ORDER BY day.at DESC, hour
"""


def counts(tenants: Sequence[Tenant]) -> dict[int, dict[str, Count]]:
    """Return counts by tenant and by the names in `COUNTED`. Execute one statement."""
    result: dict[int, dict[str, Count]] = {tenant.pk: {} for tenant in tenants}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [list(result)])
        for tenant_id, name, number, first in cursor.fetchall():
            result[tenant_id][name] = Count(number, first)
    return result


def outcomes(tenant: Tenant) -> dict[Outcome, int]:
    """Return the number of orders by outcome among the newest `MOST` closed orders."""
    result: dict[Outcome, int] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, [tenant.pk])
        for statuses, number in cursor.fetchall():
            if outcome := order_outcome(statuses):
                result[outcome] += number
    return result


@dataclass(frozen=True, slots=True)
class Hours:
    """Orders placed in each hour (UTC) of today and of the same day last week.

    An hour counts `MOST_AN_HOUR` at most.
    """

    day: dt.datetime
    hour: int  # of the database's clock; today's later hours are empty
    today: list[int]
    last_week: list[int]


def hours(tenant: Tenant) -> Hours:
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, [tenant.pk])
        rows = cursor.fetchall()
    numbers = [number for _, number, _ in rows]
    return Hours(rows[0][0], rows[0][2], numbers[:24], numbers[24:])

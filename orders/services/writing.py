"""A new order and all that belongs to it, written by one statement.

Capture is a hot path: inserting model by model costs six round trips and a millisecond of Python;
this costs one (measured: see docs/adr). The columns come from the models, so nothing is declared
twice; a new field is written without a change here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from django.db import connection, models

from configuration.services.policy import Numbering
from ordermgmt import hot, strict_json
from orders.models import CustomerTally, Hold, Item, Order, Shipment, TimelineEntry

# Columns the database decides: the clock is its own, and a grace period is counted from it.
_COMPUTED: Final = {
    "captured_at": "now()",
    "at": "now()",
    "due_at": "now() + make_interval(secs => x.grace)",
    "order_id": "o.id",
}
_HOLD_COMPUTED: Final = {"placed_at": "now()"}


@dataclass(slots=True)
class Graph:
    """A new order with its rows, unsaved. `grace` is the seconds of its timed hold."""

    order: Order
    shipments: list[Shipment] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)
    grace: int | None = None


def insert(graph: Graph, numbering: Numbering) -> bool:
    """Write a new order, giving it the next number; False when somebody else was faster.

    The number is drawn from the tenant's sequence only if the order is not
    there yet, so repeating a capture leaves no gap. Fills in what the database decided. Items are
    inserted in the order of their ids: two captures that share some wait, and never deadlock.
    """
    order = graph.order
    made = hot.rows(
        _statement(),
        {
            "prefix": numbering.prefix,
            "size": numbering.size,
            "sequence": numbering.sequence,
            "tenant": order.tenant_id,
            "uuid": order.uuid,
            "external_id": order.external_id or None,
            "order": _rows([order]),
            "shipments": _rows(graph.shipments),
            "items": _rows(
                sorted(graph.items, key=lambda i: i.uuid.int),
                lambda i: {"shipment_position": i.shipment.position if i.shipment else None},
            ),
            "holds": _rows(
                graph.holds, lambda h: {"grace": graph.grace if h.kind == "grace" else None}
            ),
            "timeline": _rows(graph.timeline),
        },
    )
    if not made:
        return False
    order.pk, order.number, order.external_id, order.captured_at = made[0]
    return True


@cache
def _columns(model: type[models.Model]) -> dict[str, str]:
    """The columns a caller fills in, with their types; the key is the database's."""
    computed = _COMPUTED | (_HOLD_COMPUTED if model is Hold else {})
    return {
        f.column: str(f.db_type(connection)).replace("%%", "%")
        for f in model._meta.concrete_fields
        if not f.primary_key and f.column not in computed
    }


def _rows(instances: Sequence[models.Model], extra: Any = None) -> str:
    rows = []
    for instance in instances:
        values = instance.__dict__
        row = {f.column: values[f.attname] for f in _fields(type(instance))}
        rows.append(row | extra(instance) if extra else row)
    return strict_json.dumps(rows).decode()


@cache
def _fields(model: type[models.Model]) -> list[Any]:
    columns = _columns(model)
    return [
        f
        for f in model._meta.concrete_fields
        if f.column in columns and f.column not in ("shipment_id", "number")
    ]


@cache
def _statement() -> str:
    """The one statement: the order, then its rows, each read from a JSON array."""
    external_id = "coalesce(nullif(x.external_id, ''), n.number)"
    items = f"""o CROSS JOIN {_recordset("items", Item, shipment_position="integer")}
            LEFT JOIN s ON s.position = x.shipment_position"""
    return f"""
WITH n AS (
  SELECT %(prefix)s::text || lpad(nextval(%(sequence)s::regclass)::text, %(size)s, '0')
         AS number
   WHERE NOT EXISTS (SELECT 1 FROM orders_order
                      WHERE tenant_id = %(tenant)s AND uuid = %(uuid)s)
     AND NOT EXISTS (SELECT 1 FROM orders_order
                      WHERE tenant_id = %(tenant)s AND external_id = %(external_id)s)
), o AS (
  {_insert(Order, "n, " + _recordset("order", Order), number="n.number", external_id=external_id)}
  ON CONFLICT DO NOTHING
  RETURNING id, tenant_id, customer_key, number, external_id, captured_at
), s AS (
  {_insert(Shipment, "o, " + _recordset("shipments", Shipment))} RETURNING id, position
), i AS (
  {_insert(Item, items, shipment_id="s.id")}
  ORDER BY x.uuid
), h AS (
  {_insert(Hold, "o, " + _recordset("holds", Hold, grace="integer"))}
), t AS (
  {_insert(TimelineEntry, "o, " + _recordset("timeline", TimelineEntry))}
), c AS (
  INSERT INTO orders_customertally AS c (tenant_id, customer_key, shard, orders)
  SELECT o.tenant_id, o.customer_key, pg_backend_pid() %% {CustomerTally.SHARDS}, 1
    FROM o WHERE o.customer_key IS NOT NULL
  ON CONFLICT (tenant_id, customer_key, shard) DO UPDATE SET orders = c.orders + 1
)
SELECT id, number, external_id, captured_at FROM o
"""


def _recordset(parameter: str, model: type[models.Model], **more: str) -> str:
    columns = {name: type for name, type in _columns(model).items()} | more
    listed = ", ".join(f'"{name}" {type}' for name, type in columns.items())
    return f"jsonb_to_recordset(%({parameter})s::jsonb) AS x({listed})"


def _insert(model: type[models.Model], source: str, **expressions: str) -> str:
    computed = _COMPUTED | (_HOLD_COMPUTED if model is Hold else {}) | expressions
    names = [f.column for f in model._meta.concrete_fields if not f.primary_key]
    values = [computed.get(name, f'x."{name}"') for name in names]
    return (
        f"INSERT INTO {model._meta.db_table} ({_listed(names)}) "
        f"SELECT {', '.join(values)} FROM {source}"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)

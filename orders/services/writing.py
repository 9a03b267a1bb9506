"""Writing a story: a new order by one statement, what happened to an old one by a few.

Capture is a hot path: inserting model by model costs six round trips and a millisecond of Python;
this costs one (measured: see docs/adr). The columns come from the models, so nothing is declared
twice; a new field is written without a change here.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final

from django.db import connection, models
from django.db.models.functions import Now

from configuration.services.policy import Numbering
from ordermgmt import hot, strict_json
from orders.models import CustomerTally, Hold, Item, Order, Shipment, TimelineEntry
from orders.services.story import Reason, Story
from webhooks.services import publish

Model = type[models.Model]

# Columns the database decides, and how; `x` is the row as sent, `o` the new order, `n` its number.
_DECIDED: Final[dict[Model, dict[str, str]]] = {
    Order: {
        "number": "n.number",
        "external_id": "coalesce(nullif(x.external_id, ''), n.number)",
        "captured_at": "now()",
    },
    Shipment: {"order_id": "o.id"},
    Item: {"order_id": "o.id", "shipment_id": "s.id"},
    Hold: {
        "order_id": "o.id",
        "placed_at": "now()",
        "due_at": "now() + make_interval(secs => x.grace)",
    },
    TimelineEntry: {"order_id": "o.id", "at": "now()"},
}
# What is sent beside the other columns, to decide those by.
_SENT: Final[dict[Model, dict[str, str]]] = {
    Order: {"external_id": "text"},
    Item: {"shipment_position": "integer"},
    Hold: {"grace": "integer"},
}
_MOVED: Final = ["status", "location_code", "location_type", "conflict_reason"]


def insert(story: Story, numbering: Numbering) -> bool:
    """Write a new order, giving it the next number; False when somebody else was faster.

    The number is drawn only if the order is not there yet, so repeating a capture leaves no gap.
    Fills in what the database decided. Items are inserted in the order of their ids: two captures
    that share some wait for each other, and never deadlock.
    """
    order = story.order
    items = [
        _row(item) | {"shipment_position": item.shipment.position if item.shipment else None}
        for item in sorted(story.items, key=lambda item: item.uuid.int)
    ]
    made = hot.rows(
        _statement(),
        {
            "prefix": numbering.prefix,
            "size": numbering.size,
            "sequence": numbering.sequence,
            "tenant": order.tenant_id,
            "uuid": order.uuid,
            "external_id": order.external_id or None,
            "order": _json([_row(order) | {"external_id": order.external_id}]),
            "shipments": _json([_row(shipment) for shipment in story.shipments]),
            "items": _json(items),
            "holds": _json([_hold(order, reason) for reason in story.holds]),
            "timeline": _json([_row(entry) for entry in story.entries]),
        },
    )
    if not made:
        return False
    order.pk, order.number, order.external_id, order.captured_at = made[0]
    publish(story.news())
    return True


def save(story: Story) -> None:
    """Write what was done to an order that is locked: its own row, items, holds and timeline."""
    order = story.order
    order.save()
    Item.objects.bulk_update(story.moved, _MOVED)
    for reason in story.holds:
        Hold.objects.create(
            tenant_id=order.tenant_id,
            order=order,
            kind=reason.kind,
            reason=reason.text,
            due_at=Now() + timedelta(seconds=reason.seconds) if reason.seconds else None,
        )
    for entry in story.entries:
        entry.order = order
    TimelineEntry.objects.bulk_create(story.entries)
    publish(story.news())


def _hold(order: Order, reason: Reason) -> dict[str, Any]:
    hold = Hold(tenant_id=order.tenant_id, kind=reason.kind, reason=reason.text)
    return _row(hold) | {"grace": reason.seconds}


@cache
def _fields(model: Model) -> list[tuple[str, str]]:
    """Column and attribute of what is sent: all but the key and what the database decides."""
    return [
        (str(f.column), f.attname)
        for f in model._meta.concrete_fields
        if not f.primary_key and f.column not in _DECIDED[model]
    ]


def _row(instance: models.Model) -> dict[str, Any]:
    values = instance.__dict__
    return {column: values[attribute] for column, attribute in _fields(type(instance))}


def _json(rows: Sequence[dict[str, Any]]) -> str:
    return strict_json.dumps(rows).decode()


@cache
def _statement() -> str:
    """The order, then its rows, each read from a JSON array."""
    return f"""
WITH n AS (
  SELECT %(prefix)s::text || lpad(nextval(%(sequence)s::regclass)::text, %(size)s, '0') AS number
   WHERE NOT EXISTS (SELECT 1 FROM orders_order
                      WHERE tenant_id = %(tenant)s AND uuid = %(uuid)s)
     AND NOT EXISTS (SELECT 1 FROM orders_order
                      WHERE tenant_id = %(tenant)s AND external_id = %(external_id)s)
     AND NOT EXISTS (SELECT 1 FROM orders_order
                      WHERE tenant_id = %(tenant)s AND number = %(external_id)s)
), o AS (
  {_insert(Order, "order", of="n")}
  ON CONFLICT DO NOTHING
  RETURNING id, tenant_id, customer_key, number, external_id, captured_at
), s AS (
  {_insert(Shipment, "shipments")}
  RETURNING id, position
), i AS (
  {_insert(Item, "items")} LEFT JOIN s ON s.position = x.shipment_position
  ORDER BY x.uuid
), h AS (
  {_insert(Hold, "holds")}
), t AS (
  {_insert(TimelineEntry, "timeline")}
), c AS (
  INSERT INTO orders_customertally AS c (tenant_id, customer_key, shard, orders)
  SELECT o.tenant_id, o.customer_key, pg_backend_pid() %% {CustomerTally.SHARDS}, 1
    FROM o WHERE o.customer_key IS NOT NULL
  ON CONFLICT (tenant_id, customer_key, shard) DO UPDATE SET orders = c.orders + 1
)
SELECT id, number, external_id, captured_at FROM o
"""


def _insert(model: Model, parameter: str, *, of: str = "o") -> str:
    """INSERT … SELECT of all the model's columns, from the JSON array in `parameter`."""
    types = {str(f.column): str(f.db_type(connection)) for f in model._meta.concrete_fields}
    sent = {column: types[column] for column, _ in _fields(model)} | _SENT.get(model, {})
    values = {column: f'x."{column}"' for column, _ in _fields(model)} | _DECIDED[model]
    columns = ", ".join(f'"{column}"' for column in values)
    record = ", ".join(f'"{column}" {type_}' for column, type_ in sent.items())
    return (
        f"INSERT INTO {model._meta.db_table} ({columns}) SELECT {', '.join(values.values())} "
        f"FROM {of} CROSS JOIN jsonb_to_recordset(%({parameter})s::jsonb) AS x({record})"
    )

"""Writing a story: a new order by one statement, what happened to an old one by a few.

Capture is a hot path: inserting model by model costs six round trips and a millisecond of Python;
this costs one (measured: see docs/adr). The columns come from the models, so nothing is declared
twice; a new field is written without a change here.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, models

from configuration.services.policy import Policy
from ordermgmt import strict_json
from ordermgmt.database import prepared_sql
from ordermgmt.values.timestamps import timestamp_sql
from orders.models import CustomerTally, Hold, Item, Order, Shipment, TimelineEntry
from orders.services.changes.order_change import NewHold, OrderChange
from webhooks.services import outbox_insert_sql, outbox_rows, publish

Model = type[models.Model]

# Columns the database decides, and how; `x` is the row as sent, `o` the new order, `n` its number.
# The time is the statement's: a transaction's `now()` may be older than its wait for an order's
# lock, and then what happened second would be told with the earlier time.
_DECIDED: Final[dict[Model, dict[str, str]]] = {
    Order: {
        "number": "n.number",
        "external_id": "coalesce(nullif(x.external_id, ''), n.number)",
        "captured_at": "statement_timestamp()",
    },
    Shipment: {"order_id": "o.id"},
    Item: {
        "order_id": "o.id",
        "shipment_id": "(SELECT s.id FROM s WHERE s.position = x.shipment_position)",
    },
    Hold: {
        "order_id": "o.id",
        "uuid": "gen_random_uuid()",
        "placed_at": "statement_timestamp()",
        "due_at": "statement_timestamp() + make_interval(secs => x.grace)",
    },
    TimelineEntry: {"order_id": "o.id", "at": "statement_timestamp()"},
}
# What is sent beside the other columns, to decide those by.
_SENT: Final[dict[Model, dict[str, str]]] = {
    Order: {"external_id": "text"},
    Item: {"shipment_position": "integer"},
    Hold: {"grace": "integer"},
}
# What events tell of a new order that only the database knows. One that does not tell it is left
# as it is.
_TOLD: Final = f"""
jsonb_set(jsonb_set(x.payload,
  '{{external_id}}', coalesce(to_jsonb(nullif(x.payload->>'external_id', '')),
                              to_jsonb(o.external_id)), false),
  '{{created_at}}', to_jsonb({timestamp_sql("o.captured_at")}), false)
"""
# What may change of an item after its capture, and how it is sent.
_CHANGING: Final[dict[str, str]] = {
    "status": "text",
    "location_code": "text",
    "location_type": "text",
    "conflict_reason": "text",
    "request_version": "integer",
    "is_packing": "boolean",
    "tracking_code": "text",
    "carrier": "text",
    "serial_number": "text",
    "epc": "jsonb",
}
_UPDATE_ORDERS: Final = """
UPDATE orders_order o SET status = x.status, version = x.version
FROM jsonb_to_recordset(%s::jsonb) AS x(id bigint, status text, version integer)
WHERE o.id = x.id RETURNING o.id
"""
_UPDATE_ITEMS: Final = f"""
UPDATE orders_item i SET {", ".join(f"{name} = x.{name}" for name in _CHANGING)}
FROM jsonb_to_recordset(%s::jsonb)
  AS x(id bigint, {", ".join(f"{name} {kind}" for name, kind in _CHANGING.items())})
WHERE i.id = x.id RETURNING i.id
"""
_RELEASE_HOLDS: Final = """
UPDATE orders_hold SET released_at = statement_timestamp() WHERE id = ANY(%s::bigint[]) RETURNING id
"""


class Kin(NamedTuple):
    """What else an order's external id is, so that no other order may have it.

    An external id may look like a UUID, so it must not be another order's id; nor may an id be
    another order's external id. A route that takes either would not know which order is meant.
    """

    external_uuid: UUID | None = None
    spelling_2: str | None = None
    spelling_3: str | None = None


def insert(change: OrderChange, rules: Policy, kin: Kin) -> bool:
    """Write a new order, giving it the next number; False when somebody else was faster.

    False, too, when the `rules` it was made by no longer hold for its tenant, and when another
    order has one of the order's names, whatever kind of name it is there. The number is drawn only
    if the order is not there yet, so repeating a capture leaves no gap. An external id that has the
    form of the tenant's numbers is the order's number as well: none is drawn, and the unique index
    of numbers keeps it from being drawn for another order, at the same moment too. Fills in what
    the database decided. Items are inserted in the order of their ids: two captures that share some
    wait for each other, and never deadlock.
    """
    order, numbering = change.order, rules.numbering
    if numbering is None:
        raise ValueError("Without a sequence an order has no number.")
    items = [
        _row(item) | {"shipment_position": item.shipment.position if item.shipment else None}
        for item in sorted(change.items, key=lambda item: item.uuid.int)
    ]
    made = prepared_sql.rows(
        _statement(),
        {
            "prefix": numbering.prefix,
            "size": numbering.size,
            "sequence": numbering.sequence,
            "tenant": order.tenant_id,
            "policy": rules.revision,
            "uuid": order.uuid,
            "external_uuid": kin.external_uuid,
            "spelling_2": kin.spelling_2,
            "spelling_3": kin.spelling_3,
            "own_number": numbering.own_number(order.external_id),
            "external_id": order.external_id or None,
            "order": _json(_row(order) | {"external_id": order.external_id}),
            "shipments": _json([_row(shipment) for shipment in change.shipments]),
            "items": _json(items),
            "holds": _json([_hold(order, reason) for reason in change.holds]),
            "timeline": _json([_row(entry) for entry in change.entries]),
            "news": _json(outbox_rows(change.outbox_events())),
        },
    )
    if not made:
        return False
    order.pk, order.number, order.external_id, order.captured_at = made[0]
    return True


def save(changes_of: Sequence[OrderChange]) -> None:
    """Write what was done to orders that are locked: status, items, holds, timeline, events.

    Six statements at most, however many orders. What else changed of an order's own row is its
    service's to save.
    """
    changed = {item.pk: item for change in changes_of for item in change.changed}
    prepared_sql.rows(
        _UPDATE_ORDERS, [_json([_changed_order(change.order) for change in changes_of])]
    )
    if changed:
        prepared_sql.rows(
            _UPDATE_ITEMS, [_json([_changed_item(item) for item in changed.values()])]
        )
    if released := [hold.pk for change in changes_of for hold in change.released]:
        prepared_sql.rows(_RELEASE_HOLDS, [released])
    holds = [
        _hold(change.order, reason) | {"order_id": change.order.pk}
        for change in changes_of
        for reason in change.holds
    ]
    if holds:
        prepared_sql.rows(_insert_of_known(Hold), {"rows": _json(holds)})
    entries = [
        _row(entry) | {"order_id": change.order.pk}
        for change in changes_of
        for entry in change.entries
    ]
    if entries:
        prepared_sql.rows(_insert_of_known(TimelineEntry), {"rows": _json(entries)})
    publish([outbox_events for change in changes_of for outbox_events in change.outbox_events()])


def _changed_order(order: Order) -> dict[str, Any]:
    return {"id": order.pk, "status": order.status, "version": order.version}


def _changed_item(item: Item) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ("id", *_CHANGING)}


@cache
def _insert_of_known(model: Model) -> str:
    """Rows of orders we have: `order_id` is sent, not found."""
    statement = _insert(model, "rows", of="", order_id='x."order_id"')
    return f"{statement} RETURNING id"


def _hold(order: Order, reason: NewHold) -> dict[str, Any]:
    hold = prepared_sql.unsaved(
        Hold, tenant_id=order.tenant_id, kind=reason.kind, reason=reason.text
    )
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


def _json(value: Any) -> str:
    return strict_json.dumps(value).decode()


@cache
def _statement() -> str:
    """The order from a JSON object, then its rows, each kind from an array."""
    return f"""
WITH n AS (
  -- Not cut where the size was raised after it was read.
  SELECT coalesce(%(own_number)s::text, %(prefix)s::text
                  || lpad(d.counter, greatest(%(size)s, length(d.counter)), '0')) AS number
    FROM (SELECT CASE WHEN %(own_number)s::text IS NULL
                      THEN nextval(%(sequence)s::regclass)::text END AS counter
   WHERE EXISTS (SELECT 1 FROM configuration_policystate
                  WHERE tenant_id = %(tenant)s AND name = %(policy)s)
     AND NOT EXISTS (SELECT 1 FROM orders_order
                      WHERE tenant_id = %(tenant)s
                        AND uuid IN (%(uuid)s::uuid, %(external_uuid)s::uuid))
     AND NOT EXISTS (SELECT 1 FROM orders_order
                      WHERE tenant_id = %(tenant)s AND external_id IN (
                        %(external_id)s::text, %(spelling_2)s::text, %(spelling_3)s::text,
                        %(uuid)s::uuid::text, upper(%(uuid)s::uuid::text)))
     AND NOT EXISTS (SELECT 1 FROM orders_order
                      WHERE tenant_id = %(tenant)s AND number = %(external_id)s)) AS d
), o AS (
  {_insert(Order, "order", of="n")}
  WHERE NOT EXISTS (SELECT 1 FROM orders_order known
                     WHERE known.tenant_id = %(tenant)s AND known.external_id = n.number)
  ON CONFLICT DO NOTHING
  RETURNING id, tenant_id, customer_key, number, external_id, captured_at
), s AS (
  {_insert(Shipment, "shipments")}
  RETURNING id, position
), i AS (
  {_insert(Item, "items")}
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
), e AS (
  {outbox_insert_sql("news", of="o", payload=_TOLD)}
)
SELECT id, number, external_id, captured_at FROM o
"""


def _insert(model: Model, parameter: str, *, of: str = "o", **decided: str) -> str:
    """INSERT … SELECT of all the model's columns, from the rows (or one order) in `parameter`."""
    types = {str(f.column): str(f.db_type(connection)) for f in model._meta.concrete_fields}
    sent = {column: types[column] for column, _ in _fields(model)} | _SENT.get(model, {})
    sent |= {column: types[column] for column in decided}
    # Of one record the planner knows that it is one, and plans for few rows where its rows join it.
    source = "jsonb_to_record" if model is Order else "jsonb_to_recordset"
    values = {column: f'x."{column}"' for column, _ in _fields(model)}
    values |= _DECIDED[model] | decided
    columns = ", ".join(f'"{column}"' for column in values)
    record = ", ".join(f'"{column}" {type_}' for column, type_ in sent.items())
    known = f"{of} CROSS JOIN " if of else ""
    return (
        f"INSERT INTO {model._meta.db_table} ({columns}) SELECT {', '.join(values.values())} "
        f"FROM {known}{source}(%({parameter})s::jsonb) AS x({record})"
    )

"""SQL that writes order changes: one statement for a new order, a few for existing ones.

Capture is a hot path: one insert per model costs six round trips and a millisecond of Python, this
statement one round trip (measured, see docs/adr). The columns come from the models, therefore a
new field is written without a change here.
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

# Columns that the database computes; `x` is the parameter row, `o` the new order, `n` its number.
# Times come from the statement, because `now()` may be older than the wait for the order's lock.
_COMPUTED: Final[dict[Model, dict[str, str]]] = {
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
# Parameters beside the columns, from which the columns above are computed.
_EXTRA_PARAMETERS: Final[dict[Model, dict[str, str]]] = {
    Order: {"external_id": "text"},
    Item: {"shipment_position": "integer"},
    Hold: {"grace": "integer"},
}
# Adds the values that only the database knows to payloads that have a key for them.
_PAYLOAD: Final = f"""
jsonb_set(jsonb_set(x.payload,
  '{{external_id}}', coalesce(to_jsonb(nullif(x.payload->>'external_id', '')),
                              to_jsonb(o.external_id)), false),
  '{{created_at}}', to_jsonb({timestamp_sql("o.captured_at")}), false)
"""
# Columns of an item that may change after its capture, with their SQL types.
_MUTABLE: Final[dict[str, str]] = {
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
UPDATE orders_item i SET {", ".join(f"{name} = x.{name}" for name in _MUTABLE)}
FROM jsonb_to_recordset(%s::jsonb)
  AS x(id bigint, {", ".join(f"{name} {kind}" for name, kind in _MUTABLE.items())})
WHERE i.id = x.id RETURNING i.id
"""
_RELEASE_HOLDS: Final = """
UPDATE orders_hold SET released_at = statement_timestamp() WHERE id = ANY(%s::bigint[]) RETURNING id
"""


class Kin(NamedTuple):
    """Other forms of an order's external id, which no other order may have.

    An external id may look like a UUID, therefore it must not be another order's id. Routes that
    accept both would otherwise match two orders.
    """

    external_uuid: UUID | None = None
    spelling_2: str | None = None
    spelling_3: str | None = None


def insert(change: OrderChange, rules: Policy, kin: Kin) -> bool:
    """Insert a new order with the next number and return True, or return False without a trace.

    Return False when the order exists, when `rules` are no longer the tenant's policy, or when
    another order has one of the order's identifiers as an id, external id or number. The sequence
    is used only if the order does not exist, therefore a repeated capture leaves no gap. An
    external id in the form of the tenant's numbers becomes the order's number; the unique index
    of numbers then keeps the sequence from using it again. Set the columns that the database
    computed. Items are inserted in the order of their ids, which keeps two captures that share
    items from deadlocking.
    """
    order, numbering = change.order, rules.numbering
    if numbering is None:
        raise ValueError("Without a sequence an order has no number.")
    items = [
        _row(item) | {"shipment_position": item.shipment.position if item.shipment else None}
        for item in sorted(change.items, key=lambda item: item.uuid.int)
    ]
    rows = prepared_sql.rows(
        _insert_order_sql(),
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
            "holds": _json([_hold(order, hold) for hold in change.holds]),
            "timeline": _json([_row(entry) for entry in change.entries]),
            "events": _json(outbox_rows(change.outbox_events())),
        },
    )
    if not rows:
        return False
    order.pk, order.number, order.external_id, order.captured_at = rows[0]
    return True


def save(changes: Sequence[OrderChange]) -> None:
    """Write the changes of locked orders: status, items, holds, timeline and events.

    Any number of orders takes at most six statements. The caller saves other changed columns of
    the orders.
    """
    changed = {item.pk: item for change in changes for item in change.changed}
    prepared_sql.rows(_UPDATE_ORDERS, [_json([_changed_order(change.order) for change in changes])])
    if changed:
        prepared_sql.rows(
            _UPDATE_ITEMS, [_json([_changed_item(item) for item in changed.values()])]
        )
    if released := [hold.pk for change in changes for hold in change.released]:
        prepared_sql.rows(_RELEASE_HOLDS, [released])
    holds = [
        _hold(change.order, hold) | {"order_id": change.order.pk}
        for change in changes
        for hold in change.holds
    ]
    if holds:
        prepared_sql.rows(_insert_rows_sql(Hold), {"rows": _json(holds)})
    entries = [
        _row(entry) | {"order_id": change.order.pk}
        for change in changes
        for entry in change.entries
    ]
    if entries:
        prepared_sql.rows(_insert_rows_sql(TimelineEntry), {"rows": _json(entries)})
    publish([event for change in changes for event in change.outbox_events()])


def _changed_order(order: Order) -> dict[str, Any]:
    return {"id": order.pk, "status": order.status, "version": order.version}


def _changed_item(item: Item) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ("id", *_MUTABLE)}


@cache
def _insert_rows_sql(model: Model) -> str:
    """Return the SQL that inserts rows of existing orders, with `order_id` as a parameter."""
    statement = _insert_sql(model, "rows", of="", order_id='x."order_id"')
    return f"{statement} RETURNING id"


def _hold(order: Order, new: NewHold) -> dict[str, Any]:
    hold = prepared_sql.unsaved(Hold, tenant_id=order.tenant_id, kind=new.kind, reason=new.text)
    return _row(hold) | {"grace": new.seconds}


@cache
def _fields(model: Model) -> list[tuple[str, str]]:
    """Return column and attribute of all fields but the key and those the database computes."""
    return [
        (str(f.column), f.attname)
        for f in model._meta.concrete_fields
        if not f.primary_key and f.column not in _COMPUTED[model]
    ]


def _row(instance: models.Model) -> dict[str, Any]:
    values = instance.__dict__
    return {column: values[attribute] for column, attribute in _fields(type(instance))}


def _json(value: Any) -> str:
    return strict_json.dumps(value).decode()


@cache
def _insert_order_sql() -> str:
    """Return the SQL that inserts an order from a JSON object and its rows from JSON arrays."""
    return f"""
WITH n AS (
  -- greatest() keeps all digits when the size was changed after the policy was read.
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
  {_insert_sql(Order, "order", of="n")}
  WHERE NOT EXISTS (SELECT 1 FROM orders_order other
                     WHERE other.tenant_id = %(tenant)s AND other.external_id = n.number)
  ON CONFLICT DO NOTHING
  RETURNING id, tenant_id, customer_key, number, external_id, captured_at
), s AS (
  {_insert_sql(Shipment, "shipments")}
  RETURNING id, position
), i AS (
  {_insert_sql(Item, "items")}
  ORDER BY x.uuid
), h AS (
  {_insert_sql(Hold, "holds")}
), t AS (
  {_insert_sql(TimelineEntry, "timeline")}
), c AS (
  INSERT INTO orders_customertally AS c (tenant_id, customer_key, shard, orders)
  SELECT o.tenant_id, o.customer_key, pg_backend_pid() %% {CustomerTally.SHARDS}, 1
    FROM o WHERE o.customer_key IS NOT NULL
  ON CONFLICT (tenant_id, customer_key, shard) DO UPDATE SET orders = c.orders + 1
), e AS (
  {outbox_insert_sql("events", of="o", payload=_PAYLOAD)}
)
SELECT id, number, external_id, captured_at FROM o
"""


def _insert_sql(model: Model, parameter: str, *, of: str = "o", **expressions: str) -> str:
    """Return an INSERT … SELECT of all columns of the model from the JSON in `parameter`.

    `expressions` are the values of further columns by column.
    """
    types = {str(f.column): str(f.db_type(connection)) for f in model._meta.concrete_fields}
    parameters = {column: types[column] for column, _ in _fields(model)}
    parameters |= _EXTRA_PARAMETERS.get(model, {})
    parameters |= {column: types[column] for column in expressions}
    # jsonb_to_record makes the planner expect one row, which gives it better join plans.
    source = "jsonb_to_record" if model is Order else "jsonb_to_recordset"
    values = {column: f'x."{column}"' for column, _ in _fields(model)}
    values |= _COMPUTED[model] | expressions
    columns = ", ".join(f'"{column}"' for column in values)
    record = ", ".join(f'"{column}" {type_}' for column, type_ in parameters.items())
    join = f"{of} CROSS JOIN " if of else ""
    return (
        f"INSERT INTO {model._meta.db_table} ({columns}) SELECT {', '.join(values.values())} "
        f"FROM {join}{source}(%({parameter})s::jsonb) AS x({record})"
    )

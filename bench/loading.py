"""Bulk loading of orders: copies of a captured order, made in batches by the database."""
# ruff: noqa: S608 - statements composed of our own words only

from collections.abc import Callable, Mapping
from hashlib import md5
from threading import Lock
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.db import connection, models, transaction

from configuration.models import Tenant
from configuration.services.pseudonyms import customer_key
from orders.models import CustomerTally, Hold, Item, Order, Shipment, TimelineEntry
from webhooks.models import Event

BATCH: Final = 2_000  # orders a transaction: a second at most, and the same memory for a million
TABLES: Final = (Order, Shipment, Item, Hold, TimelineEntry, Event)
# What differs from copy to copy. `x` is the row copied, `x.place` its rank among its order's
# rows, `n` the copy: its number, its rank in the batch, its customer.
Differs = Mapping[type[models.Model], Mapping[str, str]]  # table → column → expression
_DIFFERS: Final[Differs] = {
    Order: {
        "id": "%(orders)s + n.rank",
        "uuid": "md5('order:' || n.number)::uuid",
        "number": "'L' || lpad(n.number::text, 9, '0')",
        "external_id": "'LOADED-' || lpad(n.number::text, 9, '0')",
        "customer_id": "n.customer",
        "customer_key": "n.key",
        "placed_at": "x.placed_at - make_interval(secs => n.number)",
    },
    Shipment: {
        "id": "%(shipments)s + n.rank * %(width)s + x.place",
        "uuid": "md5('shipment:' || n.number || ':' || x.place)::uuid",
        "order_id": "%(orders)s + n.rank",
    },
    Item: {
        "uuid": "md5('item:' || n.number || ':' || x.place)::uuid",
        "order_id": "%(orders)s + n.rank",
        # Nothing for what does not travel.
        "shipment_id": "CASE WHEN x.shipment_id > 0 THEN %(shipments)s + n.rank * %(width)s"
        " + (SELECT count(*) FROM orders_shipment s"
        " WHERE s.order_id = x.order_id AND s.id < x.shipment_id) END",
    },
    Hold: {
        "uuid": "md5('hold:' || n.number || ':' || x.place)::uuid",
        "order_id": "%(orders)s + n.rank",
    },
    TimelineEntry: {"order_id": "%(orders)s + n.rank"},
    Event: {
        "uuid": "md5('event:' || n.number || ':' || x.place)::uuid",
        "subject": "md5('order:' || n.number)::uuid",
    },
}
_COPIES: Final = """
SELECT number, number - %(first)s AS rank, customer, key
  FROM unnest(%(numbers)s::bigint[], %(customers)s::text[], %(keys)s::uuid[])
    AS u(number, customer, key)
"""
_reserving: Final = Lock()
_TALLY: Final = f"""
INSERT INTO {CustomerTally._meta.db_table} AS c (tenant_id, customer_key, shard, orders)
SELECT %(tenant)s, n.key, pg_backend_pid() %% {CustomerTally.SHARDS}, count(*)
  FROM ({_COPIES}) n GROUP BY 2 ORDER BY 2
ON CONFLICT (tenant_id, customer_key, shard) DO UPDATE SET orders = c.orders + excluded.orders
"""


def uuid_of(number: int) -> UUID:
    """Return the id of the order loaded under this number."""
    return UUID(md5(f"order:{number}".encode()).hexdigest())  # noqa: S324 - a name, no secret


def load(
    tenant: Tenant,
    sample: UUID,
    *,
    first: int,
    count: int,
    customer: Callable[[int], str],
    advance: Callable[[int], object] = lambda orders: None,
    differs: Differs = MappingProxyType({}),
    values: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Copy the order `sample` `count` times, as numbers `first` and up, with all its rows.

    `customer` says whose order a number is; `advance` hears how many more there are. The copies
    differ in their ids, number, customer and placing time, and in what `differs` says, with its
    `values`; events keep the sample's payload.
    Memory is that of one batch; a batch is there whole or not at all.
    """
    original = Order.objects.get(tenant=tenant, uuid=sample)
    for start in range(first, first + count, BATCH):
        numbers = list(range(start, min(start + BATCH, first + count)))
        customers = [customer(number) for number in numbers]
        with transaction.atomic():
            _copy(original, tenant, numbers, customers, differs, values)
        advance(len(numbers))


def settle() -> None:
    """Do now what autovacuum would do at some moment of the measurement: vacuum and analyze."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for model in (*TABLES, CustomerTally):
            cursor.execute(f"VACUUM (ANALYZE) {model._meta.db_table}")
        cursor.execute("RESET statement_timeout")


def _copy(
    original: Order,
    tenant: Tenant,
    numbers: list[int],
    customers: list[str],
    differs: Differs,
    values: Mapping[str, Any],
) -> None:
    width = Shipment.objects.filter(tenant=tenant, order=original).count()
    params: dict[str, Any] = {
        "tenant": tenant.pk,
        "first": numbers[0],
        "numbers": numbers,
        "customers": customers,
        "keys": [customer_key(tenant, customer) for customer in customers],
        "orders": _reserve(Order, len(numbers)),
        "shipments": _reserve(Shipment, len(numbers) * width) if width else 0,
        "width": width,
        "order": original.pk,
        "subject": original.uuid,
        **values,
    }
    with connection.cursor() as cursor:
        for model in TABLES:
            cursor.execute(_statement(model, differs.get(model, {})), params)
        cursor.execute(_TALLY, params)


def _statement(model: type[models.Model], also: Mapping[str, str]) -> str:
    """INSERT … SELECT of every column; what is not listed as different is copied."""
    differs = {**_DIFFERS[model], **also}
    columns = [str(f.column) for f in model._meta.concrete_fields]
    columns = [c for c in columns if c != "id" or c in differs]
    values = ", ".join(differs.get(column, f'x."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    rows = {Order: "id = %(order)s", Event: "tenant_id = %(tenant)s AND subject = %(subject)s"}
    return (
        f"INSERT INTO {model._meta.db_table} ({names}) SELECT {values} FROM ("
        f"SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM {model._meta.db_table}"
        f" WHERE {rows.get(model, 'order_id = %(order)s')}) x CROSS JOIN ({_COPIES}) n"
        " ORDER BY n.number, x.place"
    )


def _reserve(model: type[models.Model], count: int) -> int:
    """Reserve `count` keys, and return the first."""
    with _reserving, connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [model._meta.db_table])
        [(sequence,)] = cursor.fetchall()
        cursor.execute(
            "SELECT setval(%s, first + %s - 1) - %s + 1 FROM nextval(%s) AS first",
            [sequence, count, count, sequence],
        )
        [(first,)] = cursor.fetchall()
    return int(first)

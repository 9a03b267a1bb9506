"""The yardstick: pgbench, PostgreSQL's own load, with the same rows and none of our code."""
# ruff: noqa: S608 - statements composed of our own words only

import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import connection, models

from bench import bodies
from bench.measuring import tree_cpu
from bench.stage import Stage
from ordermgmt.launcher import servers
from orders.models import CustomerTally, Hold, Item, Order, Shipment, TimelineEntry
from webhooks.models import Event

_TPS: Final = re.compile(r"tps = ([\d.]+) \(without initial connection time\)")
_DONE: Final = re.compile(r"transactions actually processed: (\d+)")
_THREADS: Final = 2
# What is written anew for every order; all else is as the application wrote it once.
_ANEW: Final[dict[type[models.Model], dict[str, str]]] = {
    Order: {
        "uuid": "gen_random_uuid()",
        "number": "'Y:number'",
        "external_id": "'Y:number'",
        "customer_key": "md5(':customer')::uuid",
        "captured_at": "now()",
    },
    Shipment: {"uuid": "gen_random_uuid()", "order_id": ":order_id"},
    Item: {"uuid": "gen_random_uuid()", "order_id": ":order_id", "shipment_id": ":shipment_id"},
    Hold: {"uuid": "gen_random_uuid()", "order_id": ":order_id", "placed_at": "now()"},
    TimelineEntry: {"order_id": ":order_id", "at": "now()"},
    Event: {"uuid": "gen_random_uuid()", "subject": "':order_uuid'", "published_at": "now()"},
}
_KEEP: Final = {Order: "id AS order_id, uuid AS order_uuid", Shipment: "id AS shipment_id"}


@dataclass(frozen=True)
class Yardstick:
    """PostgreSQL's own results for the same work over the simple query protocol."""

    rate: float  # transactions a second
    database_cpu: float  # milliseconds a transaction


@dataclass(frozen=True)
class Script:
    """The script that each of pgbench's clients repeats."""

    text: str
    options: list[str] = field(default_factory=list)

    def run(self, stage: Stage, *, connections: int, seconds: float) -> Yardstick:
        """Run it for some (whole) seconds. Raise RuntimeError when any transaction failed."""
        program = servers._postgres_bin() / "pgbench"
        threads = min(connections, _THREADS)
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(self.text)
            file.flush()
            command = [str(program), "--no-vacuum", "--protocol=simple", f"--file={file.name}"]
            command += [f"--client={connections}", f"--jobs={threads}"]
            command += [f"--time={max(1, round(seconds))}", *self.options]
            command += ["--host", str(stage.postgres.sockets), "--username", servers.ROLE]
            before = _cpu(stage)
            done = subprocess.run(
                [*command, servers.DATABASE], capture_output=True, text=True, check=False
            )
            used = _cpu(stage) - before
        rate, number = _TPS.search(done.stdout), _DONE.search(done.stdout)
        if done.returncode or not rate or not number:
            raise RuntimeError(f"pgbench failed:\n{done.stdout}\n{done.stderr}")
        return Yardstick(float(rate[1]), 1000 * used / max(1, int(number[1])))


def writing(sample: UUID) -> Script:
    """Plain INSERTs of an order like `sample`, which the application captured, in a transaction."""
    order = Order.objects.get(uuid=sample)
    assert order.customer_key
    lines = [
        "\\set number random(1, 9000000000000000000)",
        f"\\set customer random(1, {bodies.CUSTOMERS})",
        "BEGIN;",
        *(
            _insert(model, "subject" if model is Event else "order_id", key)
            for model, key in _rows(order)
        ),
        f"INSERT INTO {CustomerTally._meta.db_table} AS c (tenant_id, customer_key, shard, orders)"
        f" VALUES ({order.tenant_id}, md5(':customer')::uuid,"
        f" pg_backend_pid() % {CustomerTally.SHARDS}, 1)"
        " ON CONFLICT (tenant_id, customer_key, shard) DO UPDATE SET orders = c.orders + 1;",
        "COMMIT;",
    ]
    return Script("\n".join(lines))


def reading(tenant: int, *, orders: int) -> Script:
    """Return a script that reads a random loaded order and its items in two statements."""
    order = (
        f"SELECT * FROM orders_order WHERE tenant_id = {tenant}"
        " AND uuid = md5('order:' || :number)::uuid"
    )
    items = (
        "SELECT * FROM orders_item i LEFT JOIN orders_shipment s ON s.id = i.shipment_id"
        f" WHERE i.tenant_id = {tenant} AND i.order_id = :o_id ORDER BY i.position"
    )
    return Script(f"\\set number random(0, {orders - 1})\n{order} \\gset o_\n{items};\n")


def _rows(order: Order) -> list[tuple[type[models.Model], Any]]:
    """Return the tables with rows of an order, and their references to it."""
    children = [(model, order.pk) for model in (Shipment, Item, Hold, TimelineEntry)]
    return [(Order, order.pk), *children, (Event, order.uuid)]


def _insert(model: type[models.Model], reference: str, key: Any) -> str:
    """Return one INSERT with literal values of all rows of `key` in the model's table."""
    anew, table = _ANEW[model], model._meta.db_table
    columns = [str(f.column) for f in model._meta.concrete_fields if not f.primary_key]
    stored = ", ".join(f'quote_nullable("{column}"::text)' for column in columns)
    column = "id" if model is Order else reference
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {stored} FROM {table} WHERE {column} = %s ORDER BY id", [key])
        rows = cursor.fetchall()
    assert rows, table
    values = ",\n  ".join(
        f"({', '.join(anew.get(c, value) for c, value in zip(columns, row, strict=True))})"
        for row in rows
    )
    names = ", ".join(f'"{column}"' for column in columns)
    end = f" RETURNING {_KEEP[model]} \\gset" if model in _KEEP else ";"
    return f"INSERT INTO {table} ({names}) VALUES\n  {values}{end}"


def _cpu(stage: Stage) -> float:
    assert stage.postgres.child
    return tree_cpu(stage.postgres.child.pid)


def durability() -> dict[str, str]:
    """Return the database settings that decide whether commits are durable."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)",
            [["fsync", "synchronous_commit", "full_page_writes", "server_version"]],
        )
        return dict(cursor.fetchall())

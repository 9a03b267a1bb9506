"""Hand-written SQL for the hot paths: planned once a connection, rows straight into models.

Only capture and the two reading routes use it, because there it was measured to pay: composing a
query in the ORM costs half a millisecond, planning capture's statement as much again. Everything
else is ORM. What runs here is logged, wrapped and counted by Django like any other statement.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeVar

import psycopg
from django.db import connection, models

from ordermgmt.fields import SnapshotField

M = TypeVar("M", bound=models.Model)
_decode: Final = json.JSONDecoder(parse_float=Decimal).decode


def rows(sql: str, params: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement that returns rows, prepared on the server, and return them.

    The server binds the parameters, so the statement must cast those whose type it cannot tell.
    """
    connection.ensure_connection()
    plain: Any = psycopg.Cursor(connection.connection)  # Django's own binds on the client
    log = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with log(plain) as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


@cache
def columns(model: type[models.Model], alias: str) -> str:
    """The model's columns, in its own order, as a SELECT lists them."""
    return ", ".join(f'{alias}."{f.column}"' for f in model._meta.concrete_fields)


def instance(model: type[M], row: Sequence[Any]) -> M:
    """A model from a row of its `columns`; snapshots are decoded, as the ORM would."""
    values = list(row)
    for place in _snapshots(model):
        values[place] = _decode(values[place])
    return model.from_db("default", _attributes(model), values)


def instances(model: type[M], found: Sequence[Sequence[Any]]) -> Iterator[M]:
    """Models from rows that begin with the model's `columns`."""
    width = len(_attributes(model))
    return (instance(model, row[:width]) for row in found)


@cache
def _attributes(model: type[models.Model]) -> list[str]:
    return [f.attname for f in model._meta.concrete_fields]


@cache
def _snapshots(model: type[models.Model]) -> list[int]:
    return [n for n, f in enumerate(model._meta.concrete_fields) if isinstance(f, SnapshotField)]

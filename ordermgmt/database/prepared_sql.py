"""Hand-written SQL of the hot paths, prepared once per connection.

Only capture, reading an order, writing its changes and the sweeps use it, because there the gain
was measured: composing a query in the ORM costs half a millisecond, and planning capture's
statement the same again. Everything else uses the ORM. Django's log of statements and its execute
wrappers see these statements too. `PREPARED_SQL=off` sends them through Django's cursor instead.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any, Final, TypeVar, cast

from django.conf import settings
from django.db import connection, models
from django.db.models.base import ModelState

from ordermgmt.database.fields import SnapshotField
from ordermgmt.database.prepared import Prepared

M = TypeVar("M", bound=models.Model)
_decode: Final = json.JSONDecoder(parse_float=Decimal).decode


def rows(sql: str, params: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement that returns rows, and return them.

    The server binds the parameters, so the statement must cast those that have no obvious type.
    Raise Django's database errors.
    """
    if not settings.PREPARED_SQL:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()
    connection.close_if_health_check_failed()  # as the ORM's cursors do
    connection.ensure_connection()
    numbered, names = _numbered(sql)
    values = [params[name] for name in names] if isinstance(params, Mapping) else params
    own: Any = connection
    if not own.queries_logged and not own.execute_wrappers:
        own.validate_no_broken_transaction()  # as the ORM's cursors do
        with own.wrap_database_errors:
            return cast("list[tuple[Any, ...]]", own.prepared.rows(numbered, values))
    observed = _ObservedCursor(own.prepared)
    with (own.make_debug_cursor if own.queries_logged else own.make_cursor)(observed) as cursor:
        cursor.execute(numbered, values)
    return observed.rows


class _ObservedCursor:
    """The part of a cursor that Django's execute wrappers and its log of statements use."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._query: SimpleNamespace | None = None  # Django's log reads the statement here
        self.rows: list[tuple[Any, ...]] = []

    def execute(self, sql: str, values: Sequence[Any]) -> None:
        self._query = SimpleNamespace(query=sql.encode())
        self.rows = self._prepared.rows(sql, values)

    def close(self) -> None:
        """Do nothing, because nothing is open."""


@cache
def columns(model: type[models.Model], alias: str) -> str:
    """Return the model's columns, in its own order, as a list for SELECT."""
    return ", ".join(f'{alias}."{f.column}"' for f in model._meta.concrete_fields)


def instance(model: type[M], row: Sequence[Any]) -> M:
    """Return a model from a row of its `columns`, with its snapshots decoded as by the ORM."""
    result = model.__new__(model)
    attributes, snapshots = _layout(model)
    values = result.__dict__
    values.update(zip(attributes, row, strict=False))
    for name in snapshots:
        values[name] = _decode(values[name])
    result._state = state = ModelState()
    state.adding, state.db = False, "default"
    return result


def unsaved(model: type[M], **values: Any) -> M:
    """Return a new model with these attributes, at a tenth of the cost of calling the model.

    Nothing is validated: the hot path has validated the values already, and the database will.
    """
    result = model.__new__(model)
    constants, factories = _defaults(model)
    result.__dict__.update(constants)
    for name, make in factories:
        if name not in values:
            result.__dict__[name] = make()
    result.__dict__.update(values)
    result._state = ModelState()
    return result


@cache
def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """Return the statement with PostgreSQL's `$1`, and the names of its parameters in order."""
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return f"${names.setdefault(match[1] or str(len(names)), len(names) + 1)}"

    numbered = re.sub(r"%%|%s|%\((\w+)\)s", number, sql)
    return numbered, tuple(names)


@cache
def _layout(model: type[models.Model]) -> tuple[list[str], list[str]]:
    fields = model._meta.concrete_fields
    snapshots = [f.attname for f in fields if isinstance(f, SnapshotField)]
    return [f.attname for f in fields], snapshots


@cache
def _defaults(
    model: type[models.Model],
) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    fields = model._meta.concrete_fields
    factories = [
        (f.attname, f.get_default) for f in fields if f.has_default() and callable(f.default)
    ]
    names = {name for name, _ in factories}
    return {f.attname: f.get_default() for f in fields if f.attname not in names}, factories

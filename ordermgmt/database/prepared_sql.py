"""Hand-written SQL for the hot paths: planned once a connection, rows straight into models.

Only capture, reading an order, writing its story and the sweeps use it, because there it was
measured to pay: composing a query in the ORM costs half a millisecond, planning capture's statement
as much again. Everything else is ORM. Who listens to Django's statements, by its log or a wrapper,
hears of these as well.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any, Final, TypeVar, cast

from django.db import connection, models
from django.db.models.base import ModelState

from ordermgmt.database.fields import SnapshotField
from ordermgmt.database.prepared import Prepared

M = TypeVar("M", bound=models.Model)
_decode: Final = json.JSONDecoder(parse_float=Decimal).decode


def rows(sql: str, params: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run one statement that returns rows, prepared on the server, and return them.

    The server binds the parameters, so the statement must cast those whose type it cannot tell.
    """
    connection.close_if_health_check_failed()  # as the ORM's cursors do
    connection.ensure_connection()
    numbered, names = _numbered(sql)
    values = [params[name] for name in names] if isinstance(params, Mapping) else params
    own: Any = connection
    if not own.queries_logged and not own.execute_wrappers:
        own.validate_no_broken_transaction()  # as the ORM's cursors do
        with own.wrap_database_errors:
            return cast("list[tuple[Any, ...]]", own.prepared.rows(numbered, values))
    heard = _Heard(own.prepared)
    with (own.make_debug_cursor if own.queries_logged else own.make_cursor)(heard) as cursor:
        cursor.execute(numbered, values)
    return heard.rows


class _Heard:
    """What Django's wrappers and its log of statements take for a cursor, when somebody listens."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._query: SimpleNamespace | None = None  # where Django's log finds what was run
        self.rows: list[tuple[Any, ...]] = []

    def execute(self, sql: str, values: Sequence[Any]) -> None:
        self._query = SimpleNamespace(query=sql.encode())
        self.rows = self._prepared.rows(sql, values)

    def close(self) -> None:
        """Nothing is open."""


@cache
def columns(model: type[models.Model], alias: str) -> str:
    """The model's columns, in its own order, as a SELECT lists them."""
    return ", ".join(f'{alias}."{f.column}"' for f in model._meta.concrete_fields)


def instance(model: type[M], row: Sequence[Any]) -> M:
    """A model from a row of its `columns`; snapshots are decoded, as the ORM would."""
    made = model.__new__(model)
    attributes, snapshots = _layout(model)
    values = made.__dict__
    values.update(zip(attributes, row, strict=False))
    for name in snapshots:
        values[name] = _decode(values[name])
    made._state = state = ModelState()
    state.adding, state.db = False, "default"
    return made


def unsaved(model: type[M], **values: Any) -> M:
    """A new model by its attributes' names; a tenth of the cost of calling the model.

    Nothing is checked: the hot path that needs this has checked already, and the database will.
    """
    made = model.__new__(model)
    constants, made_anew = _defaults(model)
    made.__dict__.update(constants)
    for name, make in made_anew:
        if name not in values:
            made.__dict__[name] = make()
    made.__dict__.update(values)
    made._state = ModelState()
    return made


@cache
def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with PostgreSQL's own `$1`, and the names of its parameters in that order."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        return f"${names.setdefault(found[1] or str(len(names)), len(names) + 1)}"

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
    made_anew = [
        (f.attname, f.get_default) for f in fields if f.has_default() and callable(f.default)
    ]
    names = {name for name, _ in made_anew}
    return {f.attname: f.get_default() for f in fields if f.attname not in names}, made_anew

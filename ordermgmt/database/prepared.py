"""Prepared statements of one connection, each run by a single call of libpq.

Running them through psycopg's cursor costs a seventh of the application's time for a capture: the
cursor looks the statement up by the types of its values, chooses a format for each value, and
waits in steps, after each of which another thread may take the interpreter's lock
(docs/adr/0021-one-call-of-libpq.md).
"""

from collections.abc import Sequence
from itertools import count
from typing import Any, Final

import psycopg
from psycopg import errors, pq
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.types.string import TextLoader


class _Context:
    """Psycopg's conversion of values to Python, except that JSON stays text for our models."""

    adapters: Final = AdaptersMap(psycopg.adapters)
    adapters.register_loader("jsonb", TextLoader)

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection


class Prepared:
    """The statements of one connection, used by one thread at a time."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection, self._line = connection, connection.pgconn
        self._names: dict[str, bytes] = {}  # statement → name
        # No name is used twice, because a statement that was interrupted may keep its name.
        self._numbers = count()
        self._forms = Transformer(_Context(connection))

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a statement with the placeholders `$1`, `$2` …, and return its rows.

        Values are sent as text; the server takes their types from the statement. Raise psycopg's
        errors.
        """
        self._begin()
        name = self._names.get(sql) or self._prepare(sql)
        texts = self._forms.dump_sequence(values, [PyFormat.TEXT] * len(values))
        result = self._line.exec_prepared(name, texts)  # type: ignore[arg-type]  # None is NULL
        _expect(pq.ExecStatus.TUPLES_OK, result)
        self._forms.set_pgresult(result)
        try:
            return self._forms.load_rows(0, result.ntuples, tuple)
        finally:
            self._forms.set_pgresult(None)  # otherwise the connection keeps it in memory

    def _begin(self) -> None:
        """Begin a transaction before its first statement unless in autocommit, as cursors do."""
        idle = self._line.transaction_status == pq.TransactionStatus.IDLE
        if idle and not self._connection.autocommit:
            _expect(pq.ExecStatus.COMMAND_OK, self._line.exec_(b"BEGIN"))

    def _prepare(self, sql: str) -> bytes:
        name = f"statement_{next(self._numbers)}".encode()
        _expect(pq.ExecStatus.COMMAND_OK, self._line.prepare(name, sql.encode()))
        self._names[sql] = name
        return name


def _expect(status: pq.ExecStatus, result: "pq.abc.PGresult") -> None:
    if result.status == status:
        return
    if result.status != pq.ExecStatus.FATAL_ERROR:
        raise psycopg.ProgrammingError("This statement was run, but returns no rows.")
    error = errors.error_from_result(result)
    # An error without SQLSTATE comes from libpq: the connection to the server is lost.
    raise error if error.sqlstate else psycopg.OperationalError(str(error))

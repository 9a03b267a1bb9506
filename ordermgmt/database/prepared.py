"""Statements that a connection prepares once; each is then run by a single call of libpq.

What psycopg's cursor does besides cost a capture a seventh of the application's time: it looks the
statement up by the types of its values, chooses a form for each, and waits in steps, after each of
which another thread may have taken the interpreter's lock (docs/adr/0021).
"""

from collections.abc import Sequence
from itertools import count
from typing import Any, Final

import psycopg
from psycopg import errors, pq
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.types.string import TextLoader


class _Context:
    """How values become Python's: psycopg's way, but JSON stays text, which our models decode."""

    adapters: Final = AdaptersMap(psycopg.adapters)
    adapters.register_loader("jsonb", TextLoader)

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection


class Prepared:
    """The statements of one connection, used by one thread at a time."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection, self._line = connection, connection.pgconn
        self._names: dict[str, bytes] = {}  # by the statement
        # A name is never used twice: what an interruption left behind has one, too.
        self._numbers = count()
        self._forms = Transformer(_Context(connection))

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement that returns some, with `$1`, `$2` … in it; psycopg's errors.

        The server takes each value from its text, and its type from the statement.
        """
        self._begin()
        name = self._names.get(sql) or self._prepare(sql)
        sent = self._forms.dump_sequence(values, [PyFormat.TEXT] * len(values))
        result = self._line.exec_prepared(name, sent)  # type: ignore[arg-type]  # None is NULL
        _expect(pq.ExecStatus.TUPLES_OK, result)
        self._forms.set_pgresult(result)
        try:
            return self._forms.load_rows(0, result.ntuples, tuple)
        finally:
            self._forms.set_pgresult(None)  # or the connection would keep it in memory

    def _begin(self) -> None:
        """Begin a transaction if one is wanted and this is its first statement, as cursors do."""
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
    # Where no server says what is wrong, there is none any more.
    raise error if error.sqlstate else psycopg.OperationalError(str(error))

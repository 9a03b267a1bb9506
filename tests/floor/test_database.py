"""Health checks of connections, and prepared statements."""

import contextlib
import datetime as dt
import os
import socket
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import (
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    close_old_connections,
    connection,
    connections,
    transaction,
)
from django.db.backends.postgresql import base
from django.test.utils import CaptureQueriesContext

from ordermgmt.database import prepared, prepared_sql
from ordermgmt.models import Heartbeat


def end_session(pid: int) -> None:
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()


def session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_session_the_server_ended_is_replaced_before_the_next_request():
    before = session()
    assert connection.is_usable()
    end_session(before)

    assert not connection.is_usable()
    close_old_connections()  # as Django does when a request begins
    assert session() != before


@pytest.mark.django_db(transaction=True)
def test_looking_costs_no_statement(django_assert_num_queries):
    session()
    with django_assert_num_queries(0):
        assert connection.is_usable()


def test_no_connection_is_no_use():
    connection.close()
    assert not connection.is_usable()


@pytest.mark.django_db(transaction=True)
def test_the_hot_paths_notice_it_too():
    [(before,)] = prepared_sql.rows("SELECT pg_backend_pid()", [])
    end_session(before)

    close_old_connections()  # as at the beginning of each request
    [(after,)] = prepared_sql.rows("SELECT pg_backend_pid()", [])

    assert after != before


VALUES = [
    ("text", "O'Neill $1 %s ü"),
    ("text", None),
    ("bigint", 2**62),
    ("integer", -1),
    ("boolean", True),
    ("numeric", Decimal("0.10")),
    ("uuid", UUID("6b9f3c1e-0000-4000-8000-000000000001")),
    ("bigint[]", [1, 2**40]),
    ("bigint[]", []),
    ("text[]", ["a,b", '"', "", "NULL"]),
    ("timestamptz", dt.datetime(2026, 11, 21, 12, 30, 0, 123456, tzinfo=dt.UTC)),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_a_value_comes_back_as_it_was_sent(kind, value):
    [(result,)] = prepared_sql.rows(f"SELECT %(value)s::{kind}", {"value": value})

    assert result == value
    assert type(result) is type(value)


@pytest.mark.django_db
def test_a_moment_with_another_offset_is_the_same_moment_in_utc():
    there = dt.datetime(2026, 11, 21, 12, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))

    [(result,)] = prepared_sql.rows("SELECT %s::timestamptz", [there])

    assert result == there
    assert result.tzinfo is dt.UTC


@pytest.mark.django_db
def test_json_stays_text_for_who_knows_its_numbers():
    assert prepared_sql.rows("SELECT %s::jsonb", ['{"a": 79.20}']) == [('{"a": 79.20}',)]


@pytest.mark.django_db
def test_a_statement_is_prepared_once():
    for number in range(10):
        assert prepared_sql.rows("SELECT %s::integer + 1000001", [number]) == [(number + 1000001,)]

    statements = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s"
    assert prepared_sql.rows(statements, ["% + 1000001"]) == [(1,)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sql", "kind", "state"),
    [
        ("SELECT 1 / %s::integer", DataError, "22012"),
        ("SELECT %s::integer FROM nowhere", ProgrammingError, "42P01"),
        (
            "INSERT INTO ordermgmt_heartbeat (name, at) VALUES (%s, NULL) RETURNING id",
            IntegrityError,
            "23502",
        ),
    ],
)
def test_a_fault_is_djangos_and_says_whose_it_was(sql, kind, state):
    with pytest.raises(kind) as fault:
        prepared_sql.rows(sql, [0])

    assert fault.value.__cause__.sqlstate == state
    assert prepared_sql.rows("SELECT 1", []) == [(1,)]


@pytest.mark.django_db(transaction=True)
def test_a_connection_cut_in_the_middle_is_the_connections_fault():
    [(before,)] = prepared_sql.rows("SELECT pg_backend_pid()", [])
    with socket.socket(fileno=os.dup(connection.connection.pgconn.socket)) as line:
        line.shutdown(socket.SHUT_RDWR)

    with pytest.raises(OperationalError):
        prepared_sql.rows("SELECT 1", [])

    close_old_connections()  # as at the end of each request
    assert prepared_sql.rows("SELECT pg_backend_pid()", []) != [(before,)]


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_cannot_be_prepared_is_refused_each_time():
    for _ in range(2):
        with pytest.raises(ProgrammingError, match="nowhere"):
            prepared_sql.rows("SELECT 1 FROM nowhere", [])


@pytest.mark.django_db(transaction=True)
def test_a_statement_without_rows_is_no_lost_connection():
    with pytest.raises(ProgrammingError, match="returns no rows"):
        prepared_sql.rows("UPDATE ordermgmt_heartbeat SET at = now()", [])


@pytest.mark.django_db
def test_what_was_read_is_not_kept():
    assert prepared_sql.rows("SELECT generate_series(1, 1000)", [])

    assert connection.prepared._forms.pgresult is None


@pytest.mark.django_db(transaction=True)
def test_an_interruption_while_preparing_spoils_no_other_statement(monkeypatch):
    expect = prepared._expect

    def interrupted(*args):
        monkeypatch.setattr(prepared, "_expect", expect)
        raise KeyboardInterrupt

    prepared_sql.rows("SELECT 1", [])
    monkeypatch.setattr(prepared, "_expect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepared_sql.rows("SELECT 1000002", [])

    assert prepared_sql.rows("SELECT 1000003", []) == [(1000003,)]
    assert prepared_sql.rows("SELECT 1000002", []) == [(1000002,)]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_not_set_up_to_the_end_has_statements_of_its_own(monkeypatch):
    connection.close()
    monkeypatch.setattr(base.DatabaseWrapper, "init_connection_state", fail)
    with pytest.raises(OperationalError):
        connection.ensure_connection()
    monkeypatch.undo()

    assert prepared_sql.rows("SELECT 1", []) == [(1,)]


def fail(_):
    raise OperationalError


@pytest.mark.django_db(transaction=True)
def test_nothing_is_written_into_a_transaction_that_is_lost_already():
    with transaction.atomic():
        with contextlib.suppress(ZeroDivisionError), transaction.atomic(savepoint=False):
            raise ZeroDivisionError
        with pytest.raises(transaction.TransactionManagementError):
            prepared_sql.rows("SELECT 1", [])


@pytest.mark.django_db(transaction=True)
def test_a_transaction_is_begun_once():
    notices = []
    with transaction.atomic():
        connection.ensure_connection()
        connection.connection.add_notice_handler(notices.append)
        prepared_sql.rows("SELECT 1", [])
        prepared_sql.rows("SELECT 2", [])

    assert not notices


@pytest.mark.django_db
def test_who_listens_may_refuse():
    def refuse(*args):
        raise RuntimeError("not now")

    with (
        CaptureQueriesContext(connection),
        connection.execute_wrapper(refuse),
        pytest.raises(RuntimeError, match="not now"),
    ):
        prepared_sql.rows("SELECT 1", [])


@pytest.mark.django_db(transaction=True)
def test_the_first_statement_of_a_transaction_begins_it():
    sql = "INSERT INTO ordermgmt_heartbeat (name, at) VALUES (%s, now()) RETURNING name"
    Heartbeat.objects.all().delete()

    with transaction.atomic():
        assert prepared_sql.rows(sql, ["x"]) == [("x",)]
        transaction.set_rollback(True)
    assert not Heartbeat.objects.exists()

    with transaction.atomic():
        prepared_sql.rows(sql, ["x"])
    assert Heartbeat.objects.exists()


@pytest.mark.django_db
def test_it_is_in_djangos_log_and_passes_those_who_listen():
    heard = []

    def listen(execute, sql, params, many, context):
        heard.append((sql, params))
        return execute(sql, params, many, context)

    with CaptureQueriesContext(connection) as queries, connection.execute_wrapper(listen):
        assert prepared_sql.rows("SELECT %(a)s::text", {"a": "x"}) == [("x",)]
    with connection.execute_wrapper(listen):
        assert prepared_sql.rows("SELECT 2", []) == [(2,)]

    assert [query["sql"] for query in queries] == ["SELECT $1::text"]
    assert heard == [("SELECT $1::text", ["x"]), ("SELECT 2", [])]

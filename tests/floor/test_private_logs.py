"""No log names a customer, and logs are private to their user."""

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ordermgmt.launcher.processes import private_logs
from ordermgmt.launcher.servers import Postgres
from ordermgmt.launcher.supervisor import Program
from ordermgmt.monitoring import checks
from ordermgmt.monitoring.logging import json_formatter

CANARY = "Canary Lovelace"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pg")


@pytest.fixture(scope="module")
def postgres(folder: Path) -> Iterator[Postgres]:
    """A server as installations have it, with the log that it writes."""
    (folder / "run").mkdir(mode=0o700)
    server = Postgres(data=folder, sockets=folder / "run", logs=folder / "log")
    server.start()
    yield server
    server.stop()


def fail(cursor: psycopg.Cursor, statement: str, *values: str) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught:
        cursor.execute(statement, values)  # type: ignore[call-overload]
    return caught.value


def test_the_databases_log_holds_no_values(postgres: Postgres) -> None:
    with psycopg.connect(
        host=str(postgres.sockets), dbname="ordermgmt", user="ordermgmt", autocommit=True
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE person (name text UNIQUE CHECK (name <> 'x'), size int)")
        cursor.execute("SELECT pg_sleep(1.1), %s::text", [CANARY])
        cursor.execute(f"SELECT pg_sleep(1.1), '{CANARY}'")
        cursor.execute("INSERT INTO person VALUES (%s)", [CANARY])
        fail(cursor, "INSERT INTO person VALUES (%s)", CANARY)
        fail(cursor, f"INSERT INTO person VALUES ('{CANARY}')")  # noqa: S608 - as the ORM writes it
        fail(cursor, "ALTER TABLE person ADD CONSTRAINT none_is_named CHECK (name IS NULL)")
        fail(cursor, "INSERT INTO person SELECT %s, 1/0", CANARY)

    log = postgres.log.read_text()
    assert "violates unique constraint" in log
    assert "division by zero" in log
    assert CANARY not in log


def test_a_broken_constraint_is_logged_by_us_without_the_row(postgres: Postgres) -> None:
    with psycopg.connect(
        host=str(postgres.sockets), dbname="ordermgmt", user="ordermgmt", autocommit=True
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE mail (address text UNIQUE)")
        cursor.execute("INSERT INTO mail VALUES (%s)", [f"{CANARY}\n\nsecond line"])
        error = fail(cursor, "INSERT INTO mail VALUES (%s)", f"{CANARY}\n\nsecond line")
    assert CANARY in str(error)
    try:
        try:
            raise error
        except psycopg.Error as cause:
            raise ValueError("afterwards") from cause
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    text = f"Task orders.sweep raised unexpected: {error!r}"
    words = logging.LogRecord("celery", logging.ERROR, "", 0, text, (), None)

    lines = [json_formatter().format(each) for each in (record, words)]

    assert CANARY not in "".join(lines)
    assert "second line" not in "".join(lines)
    assert "violates unique constraint" in json.loads(lines[0])["exception"]
    assert "ValueError: afterwards" in json.loads(lines[0])["exception"]
    assert "violates unique constraint" in json.loads(lines[1])["event"]


def test_logs_are_for_us_alone(postgres: Postgres, tmp_path: Path) -> None:
    assert postgres.log.parent.stat().st_mode & 0o777 == 0o700
    assert postgres.log.stat().st_mode & 0o777 == 0o600

    program = Program("true", ["true"], tmp_path / "log" / "web.log")
    program.start()
    program.stop()

    assert program.log.parent.stat().st_mode & 0o777 == 0o700
    assert program.log.stat().st_mode & 0o777 == 0o600


def test_logs_of_an_older_version_become_so(tmp_path: Path) -> None:
    for name in ("web.log", "postgres.old.log"):
        (tmp_path / name).touch(0o644)

    private_logs(tmp_path)

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.django_db
def test_a_database_that_logs_values_trips_the_check() -> None:
    assert not checks.logs_name_no_customers(None, databases=["default"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(checks.QUIET, "log_parameter_max_length", "-1")
        [warning] = checks.logs_name_no_customers(None, databases=["default"])

    assert warning.id == "ordermgmt.W003"
    assert "log_parameter_max_length" in warning.msg

"""New tables are analyzed for PostgreSQL's planner, once each."""

import pytest
from django.db import connection, connections, transaction

from ordermgmt.database import planner_statistics

pytestmark = pytest.mark.django_db(transaction=True)

NAME = 'brand "new"'
QUOTED = 'public."brand ""new"""'


def run(*statements):
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


def rows_known(name=NAME):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [name])
        return cursor.fetchone()[0]


def filled(table, number=planner_statistics.ENOUGH):
    return f"INSERT INTO {table} SELECT generate_series(1, {number})"


@pytest.fixture
def tables():
    """A table with a difficult name, that was tidied up before there was anything; one after it."""
    run(
        f"CREATE TABLE {QUOTED} (n integer)",
        "CREATE TABLE newer (n integer)",
        "CREATE SCHEMA elsewhere",
        "CREATE TABLE elsewhere.new (n integer)",
        f"ANALYZE {QUOTED}",
    )
    yield
    run(f"DROP TABLE {QUOTED}, newer, elsewhere.new", "DROP SCHEMA elsewhere")


@pytest.mark.usefixtures("tables")
def test_a_table_that_is_no_longer_empty_is_introduced_once():
    run(filled(QUOTED, planner_statistics.ENOUGH - 1))
    assert rows_known() == 0
    assert QUOTED not in planner_statistics.analyze_new_tables()

    run(filled(QUOTED, 1))
    assert rows_known() == 0
    assert QUOTED in planner_statistics.analyze_new_tables()
    assert rows_known() == planner_statistics.ENOUGH
    assert QUOTED not in planner_statistics.analyze_new_tables()


@pytest.mark.usefixtures("tables")
def test_one_that_is_locked_keeps_no_other_waiting(caplog):
    run(filled(QUOTED), filled("newer"), filled("elsewhere.new"))
    assert rows_known() == 0
    other = connections.create_connection("default")
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {QUOTED}")
        tried = planner_statistics.analyze_new_tables()
    other.rollback()
    other.close()

    assert {QUOTED, "public.newer"} <= set(tried)
    assert not [name for name in tried if name.startswith("elsewhere")]
    assert not caplog.records  # it was not even waited for
    assert (rows_known(), rows_known("newer")) == (0, planner_statistics.ENOUGH)
    assert planner_statistics.analyze_new_tables() == [QUOTED]  # now that nobody has it
    assert rows_known() == planner_statistics.ENOUGH


@pytest.mark.usefixtures("tables")
def test_one_that_fails_keeps_no_other_from_it(caplog):
    function = (
        "CREATE OR REPLACE FUNCTION one_by(n integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql "
        "AS $$ BEGIN RETURN {}; END $$"
    )
    run(
        function.format("1 / n"),
        f"CREATE INDEX by_one ON {QUOTED} (one_by(n))",
        filled(QUOTED),
        filled("newer"),
        function.format("1 / (n - n)"),
    )
    try:
        assert rows_known() == 0
        planner_statistics.analyze_new_tables()
    finally:
        run("DROP FUNCTION one_by CASCADE")

    assert rows_known("newer") == planner_statistics.ENOUGH
    assert f"{QUOTED} could not be analyzed: division by zero" in caplog.text


@pytest.mark.usefixtures("tables")
def test_it_keeps_no_locks():
    with transaction.atomic(), pytest.raises(RuntimeError):
        planner_statistics.analyze_new_tables()

"""Migrations have no time limit and run on one machine at a time."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting

import pytest
from django.core.management import call_command
from django.db import connection

from ordermgmt.launcher.embedded import ROOT
from ordermgmt.management.commands.migrate import MIGRATING, in_its_own_time


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return str(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_its_statements_may_take_long_but_do_not_queue_before_others() -> None:
    before = setting("statement_timeout"), setting("lock_timeout")

    with in_its_own_time(connection):
        assert (setting("statement_timeout"), setting("lock_timeout")) == ("0", "5s")

    assert (setting("statement_timeout"), setting("lock_timeout")) == before
    assert "0" not in before


@pytest.mark.django_db(transaction=True)
def test_a_second_one_waits_for_the_first() -> None:
    def migrate() -> None:
        try:
            call_command("migrate", verbosity=0)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as elsewhere:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
            second = elsewhere.submit(migrate)
            with pytest.raises(StillWaiting):
                second.result(timeout=0.5)
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
        second.result(timeout=30)


@pytest.mark.django_db(transaction=True)
def test_who_waits_does_not_hold_up_an_index_built_beside_others_work() -> None:
    def migrate() -> None:
        try:
            call_command("migrate", verbosity=0)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as elsewhere:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
            second = elsewhere.submit(migrate)
            with pytest.raises(StillWaiting):
                second.result(timeout=0.5)
            cursor.execute("CREATE INDEX CONCURRENTLY for_a_test ON orders_ordernote (text)")
            cursor.execute("DROP INDEX for_a_test")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
        second.result(timeout=30)


def test_no_limit_is_a_legitimate_limit_for_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_STATEMENT_TIMEOUT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "ordermgmt.E004" not in done.stderr
    assert "Traceback" not in done.stderr

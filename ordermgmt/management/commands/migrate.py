"""Django's `migrate` without a statement limit, on one machine at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

MIGRATING = 0x6F6D73  # an advisory lock: several machines may start on one database
ASK_AGAIN = 0.2  # seconds


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with in_its_own_time(connections[options["database"]]):
            super().handle(*args, **options)


@contextmanager
def in_its_own_time(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Alone, and as long as it takes, but never waiting long for a table.

    A migration that queues behind a busy table would make all others queue behind itself.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        # Asked again and again: who waits inside a statement holds up an index that is built
        # concurrently by the holder of the lock.
        while not _alone(cursor):
            time.sleep(ASK_AGAIN)
        cursor.execute("SET lock_timeout = '5s'")
    try:
        yield
    finally:
        connection.close()  # and with it the lock and the settings


def _alone(cursor: Any) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATING])
    return bool(cursor.fetchone()[0])

"""One racer: a process whose threads capture at the same moment, each with its own connection."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

PATIENCE = 30  # seconds
IN_THE_LOCK = 0.3  # seconds that one who holds a lock waits for another who should not get in


@dataclass(frozen=True)
class Job:
    """Rounds of bodies, one a thread, and where the threads wait for each other."""

    headers: dict[str, str]
    rounds: Sequence[Sequence[str]]
    meet: str


def run(line: Connection, database: str) -> None:
    """Race whenever told to, until nobody speaks any more."""
    import django
    from django.db import connections

    django.setup()
    connections.settings["default"]["NAME"] = database
    with suppress(EOFError):
        while True:
            job = line.recv()
            with ThreadPoolExecutor(len(job.rounds[0])) as threads:
                line.send(_race(threads, job, line))


def _race(threads: ThreadPoolExecutor, job: Job, line: Connection) -> list[list[tuple[int, str]]]:
    from django.db import connection

    size = len(job.rounds[0])
    together = threading.Barrier(size, timeout=PATIENCE)

    def all_do(work: Callable[[Any], Any], things: Sequence[Any]) -> list[Any]:
        def one(thing: Any) -> Any:
            together.wait()  # so that each thread gets one
            return work(thing)

        return list(threads.map(one, things))

    all_do(lambda _: _connect(), range(size))
    line.send("ready")
    line.recv()
    with _meeting(job.meet, size):
        results = [
            all_do(lambda body: _capture(job.headers, body), bodies) for bodies in job.rounds
        ]
    all_do(lambda _: connection.close(), range(size))
    return results


def _connect() -> None:
    """Connect, once those who raced before have left."""
    from django.db import OperationalError, connection

    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.ensure_connection()
            break
        except OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
    with connection.cursor() as cursor:  # a busy machine may take longer than the service allows
        cursor.execute(f"SET lock_timeout = '{PATIENCE}s'; SET statement_timeout = '{PATIENCE}s'")


def _capture(headers: dict[str, str], body: str) -> tuple[int, str]:
    from django.test import Client

    _met.here = False
    response = Client(raise_request_exception=False, SERVER_NAME="localhost").post(
        "/order-management/orders", body, content_type="application/json", headers=headers
    )
    return response.status_code, response.content.decode()


_met = threading.local()


@contextmanager
def _meeting(where: str, size: int) -> Iterator[None]:
    """Make the threads wait for each other once a call, at the place that matters."""
    from orders.services.capture import additions
    from orders.services.changes import persistence

    place, name, patience = {
        "before writing": (persistence, "insert", PATIENCE),
        "in the lock": (additions, "document", IN_THE_LOCK),
    }[where]
    barrier = threading.Barrier(size, timeout=patience)
    original = getattr(place, name)

    def meet(*args: Any) -> Any:
        if not _met.here:
            _met.here = True
            with suppress(threading.BrokenBarrierError):
                barrier.wait()
        return original(*args)

    setattr(place, name, meet)
    try:
        yield
    finally:
        setattr(place, name, original)

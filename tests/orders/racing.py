"""Doing things to one order at the same moment, in threads that meet where it matters."""

import fcntl
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import connection

from ordermgmt.errors import DomainError
from ordermgmt.launcher.embedded import data_dir

# How long one who holds the lock waits for another who should not get in. Without the lock they
# meet, and both go on from what they saw before.
IN_THE_LOCK = 0.3  # seconds
PATIENCE = 30  # seconds


@contextmanager
def alone() -> Iterator[None]:
    """One race at a time in all of pytest: each needs most of the connections there are."""
    with (data_dir() / "race.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def meet(
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    *,
    number: int = 2,
    patience: float = IN_THE_LOCK,
) -> None:
    """Let each thread that comes to `where.name` first look, then wait once for the others."""
    barrier = threading.Barrier(number, timeout=patience)
    been = threading.local()
    original = getattr(where, name)

    def look_and_meet(*args: Any, **kwargs: Any) -> Any:
        state = original(*args, **kwargs)
        if not getattr(been, "here", False):
            been.here = True
            with suppress(threading.BrokenBarrierError):
                barrier.wait()
        return state

    monkeypatch.setattr(where, name, look_and_meet)


def be_patient() -> None:
    """Wait for locks as long as a busy machine takes; whoever waits for ever fails by PATIENCE."""
    with connection.cursor() as cursor:
        for limit in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SET {limit} = '{PATIENCE}s'")


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each act returned, or the refusal it raised; they start together."""
    start = threading.Barrier(len(acts), timeout=PATIENCE)

    def run(act: Callable[[], Any]) -> Any:
        try:
            be_patient()
            start.wait()
            return act()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as people:
        return list(people.map(run, acts))

"""Requests that wait for another system or a slow reader, limited per process and tenant.

A waiting request needs a thread but no processor, so it gives its request slot and with it the
database connection back (`ordermgmt/http/request_slots.py` states the invariant).
"""

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Final

from django.db import connection

from ordermgmt.errors import Unavailable
from ordermgmt.http import request_slots

OUTBOUND_WAITS: Final = 12

_waiting: Final[Counter[int]] = Counter()  # tenant → its waiting requests
# RLock, because garbage collection may finalize a body in a thread that already holds the lock.
_lock: Final = RLock()


class AllAreWaiting(Unavailable):
    """As many requests as the process allows wait already; the caller should try later."""


@contextmanager
def release_while_waiting(tenant_id: int) -> Iterator[None]:
    """Give slot and connection back during a wait for another system, and take a slot afterwards.

    A tenant may have at most as many waiting requests as there are waits left for all others: one
    tenant alone gets half of them, and the next always finds some. Raise `AllAreWaiting` at once
    when none is left, and `RuntimeError` inside a transaction.
    """
    if connection.in_atomic_block:
        raise RuntimeError("The network is never asked in a transaction.")
    _begin_wait(tenant_id)
    had_slot = request_slots.has_slot()
    if had_slot:
        request_slots.detach()
    else:
        connection.close()
    try:
        yield
    finally:
        _end_wait(tenant_id)
        if had_slot:
            request_slots.attach()


class StreamedBody:
    """A response body that is built while its reader reads, and so holds a thread.

    It counts as a wait until it is closed. Raise `AllAreWaiting` when no wait is left.
    """

    def __init__(self, tenant_id: int, pieces: Generator[str]) -> None:
        self._pieces, self._tenant_id = pieces, tenant_id
        self._is_waiting = False
        _begin_wait(tenant_id)
        self._is_waiting = True

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def close(self) -> None:
        """End the wait; Django calls this after a complete and after a broken transfer."""
        if self._is_waiting:
            self._is_waiting = False
            _end_wait(self._tenant_id)
            self._pieces.close()

    __del__ = close  # an error may drop the body before Django sends it


def _begin_wait(tenant_id: int) -> None:
    with _lock:
        if _waiting[tenant_id] >= OUTBOUND_WAITS - _waiting.total():
            raise AllAreWaiting("Too many requests wait for this system already.", retry_after=1)
        _waiting[tenant_id] += 1


def _end_wait(tenant_id: int) -> None:
    with _lock:
        _waiting[tenant_id] -= 1
        if not _waiting[tenant_id]:
            del _waiting[tenant_id]

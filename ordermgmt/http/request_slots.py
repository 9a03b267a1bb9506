"""How many requests of a process work at once, and how others step aside while they wait.

A request that waits for somebody else's system, or for a slow reader, needs a thread, but no
processor. So a web process has threads for both, lets `REQUEST_SLOTS` of them work, and lets
`OUTBOUND_WAITS` more wait. There is always a thread for a request that only needs us.

A connection to the database belongs to a desk, not to a thread: whoever works there uses it. So
there are as many as work, not as many as there are threads, and each is warm.
"""

from collections import Counter, deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from threading import Lock, RLock, local
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ordermgmt.errors import Unavailable

REQUEST_SLOTS: Final = 3  # more fight over the interpreter's lock, and answer fewer in a second
OUTBOUND_WAITS: Final = 12


class AllAreWaiting(Unavailable):
    """As many requests as we can afford wait already; the caller should try later."""


class RequestSlot:
    """Where one request at a time is worked on; its connection is opened by the first."""

    def __init__(self) -> None:
        self._connection: BaseDatabaseWrapper | None = None

    def attach(self) -> None:
        """Make the desk's connection this thread's own."""
        if self._connection is None:
            self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
            self._connection.inc_thread_sharing()  # by one after the other, never at once
        connections[DEFAULT_DB_ALIAS] = self._connection
        # As when a request begins: who comes back from a wait sends no such signal.
        self._connection.close_if_unusable_or_obsolete()

    def detach(self) -> None:
        del connections[DEFAULT_DB_ALIAS]


class RequestSlots:
    """So many at once, and first come, first served.

    A semaphore of the standard library lets whoever comes just then overtake those that wait, so
    that some wait for seconds where all are answered in milliseconds.
    """

    def __init__(self, number: int) -> None:
        self.free = [RequestSlot() for _ in range(number)]
        self._lock, self._queue = Lock(), deque[tuple[Lock, list[RequestSlot]]]()

    def take(self) -> RequestSlot:
        """The desk that was left last, its connection the warmest; or wait for one."""
        with self._lock:
            if self.free:
                return self.free.pop()
            turn, given = Lock(), list[RequestSlot]()
            turn.acquire()
            self._queue.append((turn, given))
        turn.acquire()
        return given[0]

    def leave(self, slot: RequestSlot) -> None:
        with self._lock:
            if self._queue:
                turn, given = self._queue.popleft()
                given.append(slot)  # to the next in the queue, and nobody else
                turn.release()
            else:
                self.free.append(slot)


_slots: Final = RequestSlots(REQUEST_SLOTS)
_own: Final = local()  # the desk of this thread, if it has one
_waiting: Final[Counter[int]] = Counter()  # tenant → its requests that have stepped aside
_lock: Final = RLock()  # an answer may be collected by who holds it


@contextmanager
def request_slot() -> Iterator[None]:
    """Work on a request of the web server, when there is a desk for it."""
    _attach()
    try:
        yield
    finally:
        _detach()


def _attach() -> None:
    for own in connections.all(initialized_only=True):
        own.close()  # of an answer that was streamed after its request had left
    slot = _own.slot = _slots.take()
    slot.attach()


def _detach() -> None:
    slot, _own.slot = _own.slot, None
    slot.detach()
    _slots.leave(slot)


@contextmanager
def release_while_waiting(tenant_id: int) -> Iterator[None]:
    """Wait for somebody else, and hold nothing of ours meanwhile: no desk, no connection.

    A tenant may have at most as many requests waiting as places are left for all others, so one
    alone gets half of them, and the next always finds some. Raises `AllAreWaiting` at once.
    """
    if connection.in_atomic_block:
        raise RuntimeError("The network is never asked in a transaction.")
    _take_place(tenant_id)
    has_desk = getattr(_own, "slot", None) is not None
    if has_desk:
        _detach()
    else:
        connection.close()
    try:
        yield
    finally:
        _leave_place(tenant_id)
        if has_desk:
            _attach()


class Sent:
    """An answer that is made while it is sent, as fast as its reader reads, and so holds a thread.

    It has one of the places of those that wait, from now to its end. Raises `AllAreWaiting`.
    """

    def __init__(self, tenant_id: int, pieces: Generator[str]) -> None:
        self._pieces, self._tenant_id = pieces, tenant_id
        self._has_place = False
        _take_place(tenant_id)
        self._has_place = True

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def close(self) -> None:
        """The end, which Django says however it came."""
        if self._has_place:
            self._has_place = False
            _leave_place(self._tenant_id)
            self._pieces.close()

    __del__ = close  # where an error came before anybody could send it


def _take_place(tenant_id: int) -> None:
    with _lock:
        if _waiting[tenant_id] >= OUTBOUND_WAITS - _waiting.total():
            raise AllAreWaiting("Too many requests wait for this system already.", retry_after=1)
        _waiting[tenant_id] += 1


def _leave_place(tenant_id: int) -> None:
    with _lock:
        _waiting[tenant_id] -= 1
        if not _waiting[tenant_id]:
            del _waiting[tenant_id]

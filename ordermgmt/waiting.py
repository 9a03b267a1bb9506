"""How many requests of a process work at once, and how others step aside while they wait.

A request that waits for somebody else's system needs a thread, but no processor and no database
connection. So a web process has threads for both, lets `AT_WORK` of them work, and lets `ASIDE`
more wait; whatever others are slow, there is always a thread for a request that only needs us.
"""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import Final

from django.db import connection

from ordermgmt.errors import Unavailable

AT_WORK: Final = 4  # more fight over the interpreter's lock, and answer no more in a second
ASIDE: Final = 12


class AllAreWaiting(Unavailable):
    """As many requests as we can afford wait already; the caller should try later."""


class Desks:
    """So many at once, and first come, first served.

    A semaphore of the standard library lets whoever comes just then overtake those that wait, so
    that some wait for seconds where all are answered in milliseconds.
    """

    def __init__(self, number: int) -> None:
        self.free = number
        self._lock, self._queue = Lock(), deque[Lock]()

    def take(self) -> None:
        with self._lock:
            if self.free:
                self.free -= 1
                return
            turn = Lock()
            turn.acquire()
            self._queue.append(turn)
        turn.acquire()

    def leave(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().release()  # to the next in the queue, and nobody else
            else:
                self.free += 1


_desks: Final = Desks(AT_WORK)
_own: Final = local()  # whether this thread has a desk
_waiting: Final[Counter[int]] = Counter()  # tenant → its requests that have stepped aside
_lock: Final = Lock()


@contextmanager
def at_work() -> Iterator[None]:
    """Work on a request of the web server, when there is a desk for it."""
    _desks.take()
    _own.desk = True
    try:
        yield
    finally:
        _own.desk = False
        _desks.leave()


@contextmanager
def aside(tenant_id: int) -> Iterator[None]:
    """Wait for somebody else, and hold nothing of ours meanwhile: no desk, no connection.

    A tenant may have at most as many requests waiting as places are left for all others, so one
    alone gets half of them, and the next always finds some. Raises `AllAreWaiting` at once.
    """
    if connection.in_atomic_block:
        raise RuntimeError("The network is never asked in a transaction.")
    with _lock:
        if _waiting[tenant_id] >= ASIDE - _waiting.total():
            raise AllAreWaiting("Too many requests wait for this system already.", retry_after=1)
        _waiting[tenant_id] += 1
    connection.close()
    has_desk = getattr(_own, "desk", False)
    if has_desk:
        _desks.leave()
    try:
        yield
    finally:
        with _lock:
            _waiting[tenant_id] -= 1
            if not _waiting[tenant_id]:
                del _waiting[tenant_id]
        if has_desk:
            _desks.take()

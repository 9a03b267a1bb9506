"""Request slots of a web process, each with a database connection.

The invariant: in one process at most `REQUEST_SLOTS` requests work and at most `OUTBOUND_WAITS`
more wait for another system or a slow reader (`ordermgmt/http/outbound_waits.py`). The process has
a thread for each of them, so a request that needs only our database always finds a thread. A
database connection belongs to a slot, not to a thread: a process needs as many connections as it
has slots, and each stays warm.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

REQUEST_SLOTS: Final = 3  # more compete for the interpreter's lock and answer fewer per second


class RequestSlot:
    """The right to work on one request, with the connection that its requests share in turn."""

    def __init__(self) -> None:
        self._connection: BaseDatabaseWrapper | None = None

    def attach(self) -> None:
        """Make the slot's connection this thread's default connection."""
        if self._connection is None:
            self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
            self._connection.inc_thread_sharing()  # its threads use it in turn, never at once
        connections[DEFAULT_DB_ALIAS] = self._connection
        # Django does this when a request begins, but not when a request returns from a wait.
        self._connection.close_if_unusable_or_obsolete()

    def detach(self) -> None:
        del connections[DEFAULT_DB_ALIAS]


class RequestSlots:
    """A fixed number of slots, given out in the order of the requests.

    A semaphore of the standard library lets a new request overtake the waiting ones, so some wait
    for seconds while the others are answered in milliseconds.
    """

    def __init__(self, number: int) -> None:
        self.free = [RequestSlot() for _ in range(number)]
        self._lock, self._queue = Lock(), deque[tuple[Lock, list[RequestSlot]]]()

    def take(self) -> RequestSlot:
        """Return the slot that was left last, with the warmest connection, or wait for one."""
        with self._lock:
            if self.free:
                return self.free.pop()
            turn, handover = Lock(), list[RequestSlot]()
            turn.acquire()
            self._queue.append((turn, handover))
        turn.acquire()
        return handover[0]

    def leave(self, slot: RequestSlot) -> None:
        """Hand the slot to the first request of the queue, or keep it free."""
        with self._lock:
            if self._queue:
                turn, handover = self._queue.popleft()
                handover.append(slot)
                turn.release()
            else:
                self.free.append(slot)


_slots: Final = RequestSlots(REQUEST_SLOTS)
_own: Final = local()  # this thread's slot, if it has one


@contextmanager
def request_slot() -> Iterator[None]:
    """Wait for a slot, and hold it for one request of the web server."""
    attach()
    try:
        yield
    finally:
        detach()


def has_slot() -> bool:
    """Return whether this thread holds a slot."""
    return getattr(_own, "slot", None) is not None


def attach() -> None:
    """Wait for a slot, and give it and its connection to this thread."""
    for stray in connections.all(initialized_only=True):
        stray.close()  # a body that was streamed after its request had left may have opened one
    slot = _own.slot = _slots.take()
    slot.attach()


def detach() -> None:
    """Give this thread's slot and connection back."""
    slot, _own.slot = _own.slot, None
    slot.detach()
    _slots.leave(slot)

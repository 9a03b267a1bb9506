"""Limits of incoming request bodies: time, size and number.

A body is read before a thread is taken for its request, so a client that sends slowly costs a
connection and nothing else. The web server's threads call in here, so all of it is locked.
"""

import time
from abc import ABC, abstractmethod
from threading import Lock
from typing import Final

PATIENCE: Final = 10.0  # seconds from the end of the header to the end of the body
BUFFERED: Final = 256_000_000  # bytes of incomplete bodies that a process holds at most


class Body(ABC):
    """One body that is being read."""

    __slots__ = ("deadline", "parts", "peer", "size")

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.parts: list[bytes] = []
        self.size = 0
        self.deadline = 0.0

    @abstractmethod
    def give_up(self) -> None:
        """Stop reading. This is called once, if the body may not be read to its end."""


class Bodies:
    """All bodies that a process is reading.

    A client that reads more than `per_peer` at once (0: no limit) loses its oldest one: a newcomer
    is more likely to be honest than one that has not finished yet. The same happens when all
    together take more memory than `buffered`.
    """

    def __init__(
        self, *, per_peer: int, buffered: int = BUFFERED, patience: float = PATIENCE
    ) -> None:
        self.per_peer, self.buffered, self.patience = per_peer, buffered, patience
        self.size = 0
        self._all: dict[Body, None] = {}  # in order of arrival, and so of deadlines
        self._of_peer: dict[str, dict[Body, None]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._all)

    def begin(self, body: Body) -> None:
        """Start the clock of a body."""
        body.deadline = time.monotonic() + self.patience
        oldest = None
        with self._lock:
            self._all[body] = None
            of_peer = self._of_peer.setdefault(body.peer, {})
            of_peer[body] = None
            if 0 < self.per_peer < len(of_peer):
                oldest = next(iter(of_peer))
                self._forget(oldest)
        if oldest is not None:
            oldest.give_up()

    def add(self, body: Body, part: bytes) -> bool:
        """Keep a part of a body; return false if it was given up meanwhile."""
        oldest = None
        with self._lock:
            if body not in self._all:
                return False
            body.parts.append(part)
            body.size += len(part)
            self.size += len(part)
            if self.size > self.buffered:
                oldest = next(iter(self._all))
                self._forget(oldest)
        if oldest is not None:
            oldest.give_up()
        return oldest is not body

    def end(self, body: Body) -> bool:
        """Stop the clock of a body; return whether it was still running."""
        with self._lock:
            if body not in self._all:
                return False
            self._forget(body)
            return True

    def give_up_overdue(self) -> None:
        """Give up the bodies that took too long."""
        now = time.monotonic()
        while True:
            with self._lock:
                oldest = next(iter(self._all), None)
                if oldest is None or oldest.deadline > now:
                    return
                self._forget(oldest)
            oldest.give_up()

    def _forget(self, body: Body) -> None:
        del self._all[body]
        self.size -= body.size
        of_peer = self._of_peer[body.peer]
        del of_peer[body]
        if not of_peer:
            del self._of_peer[body.peer]

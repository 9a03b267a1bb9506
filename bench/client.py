"""The load: keep-alive connections that ask as fast as they are answered; a process of its own.

`python -m bench.client` reads a Plan as one JSON line, connects and warms up, writes `ready`, and
on `go` asks for as long as planned and writes what it saw as one JSON line. Standard library only
and as lean as Python allows: it shares the machine with what it measures.
"""

import json
import random
import re
import select
import socket
import sys
import time
from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

COUNTER = "@counter@"
_MARK = re.compile(r"@[a-z]+@")
_STATUS = slice(9, 12)  # of "HTTP/1.1 200"
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PATIENCE = 15.0  # seconds without any answer after which the rest counts as failed


@dataclass(frozen=True)
class Plan:
    """What to send to whom, how long, on how many connections at once.

    `request` is a whole HTTP request with marks in it: `@counter@` becomes a number that is
    never sent twice, of as many digits as the mark is long; any other mark one of its `choices`,
    by chance. A mark and what replaces it must be equally long if they stand in the body.
    """

    host: str
    port: int
    request: str
    connections: int
    seconds: float
    warm_up: float = 0.5
    first: int = 0
    choices: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What the client saw: `latencies` in microseconds, and failures as status → how many."""

    elapsed: float
    latencies: list[int]
    failures: dict[str, int]
    first_failure: str
    cpu: float  # seconds of processor the client itself used
    next: int  # the first number of the counter that was not used


class Requests:
    """Makes requests from a plan's template, without looking at it again."""

    def __init__(self, plan: Plan) -> None:
        self.next = plan.first
        chance = random.Random(plan.first)
        self._pieces: list[bytes] = [b.encode() for b in _MARK.split(plan.request)]
        self._marks = _MARK.findall(plan.request)
        decks = {name: [c.encode() for c in deck] for name, deck in plan.choices.items()}
        self._draw: dict[str, Callable[[], bytes]] = {
            name: (lambda deck=deck: deck[int(chance.random() * len(deck))])
            for name, deck in decks.items()
        }

    def make(self) -> bytes:
        """The next request."""
        number = b"%09d" % self.next
        self.next += 1
        values = {name: draw() for name, draw in self._draw.items()} | {COUNTER: number}
        parts = [self._pieces[0]]
        for mark, piece in zip(self._marks, self._pieces[1:], strict=True):
            parts += (values[mark], piece)
        return b"".join(parts)


class Answer:
    """An HTTP answer as it arrives on a connection that is kept."""

    __slots__ = ("_data", "_wanted")

    def __init__(self) -> None:
        self._data, self._wanted = b"", 0

    def take(self, data: bytes) -> bytes | None:
        """Add what arrived; the whole answer once it is complete.

        Raises ValueError for an answer of unknown length.
        """
        data = self._data = self._data + data if self._data else data
        if not self._wanted:
            head = data.find(_END)
            if head < 0:
                return None
            length = _LENGTH.search(data, 0, head)
            if length is None:
                raise ValueError("an answer without Content-Length")
            self._wanted = head + 4 + int(length[1])
        if len(data) < self._wanted:
            return None
        self._data, self._wanted = b"", 0
        return data


class Load:
    """Connections that each send a request, wait for its answer, and send the next."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests = Requests(plan)
        self._poll = select.epoll()
        self._lines: dict[int, tuple[socket.socket, Answer]] = {}
        for _ in range(plan.connections):
            self._connect()

    def _connect(self) -> int:
        line = socket.create_connection((self._plan.host, self._plan.port), timeout=10)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines[line.fileno()] = (line, Answer())
        self._poll.register(line.fileno(), select.EPOLLIN)
        return line.fileno()

    def run(self, seconds: float) -> Seen:
        """Ask for `seconds`, then wait for what is still on its way."""
        used, started = time.process_time(), time.monotonic()
        end = started + seconds
        latencies, failures, first_failure = array("L"), dict[str, int](), ""
        sent: dict[int, float] = {}
        for number, (line, _) in list(self._lines.items()):
            sent[number] = time.monotonic()
            line.sendall(self._requests.make())
        while sent:
            ready = self._poll.poll(_PATIENCE)
            if not ready:
                failures["no answer"] = failures.get("no answer", 0) + len(sent)
                break
            for number, _ in ready:
                line, answer = self._lines[number]
                failure = ""
                try:
                    whole = answer.take(data := line.recv(262_144))
                    if data and whole is None:
                        continue
                except (OSError, ValueError) as reason:
                    data, whole, failure = b"", None, str(reason)
                now = time.monotonic()
                if whole is not None and whole[_STATUS] == b"200":
                    latencies.append(int((now - sent[number]) * 1e6))
                else:
                    kind = whole[_STATUS].decode() if whole else "connection lost"
                    failures[kind] = failures.get(kind, 0) + 1
                    first_failure = first_failure or failure or (whole or b"")[:2000].decode()
                del sent[number]
                if not data:
                    self._close(number)
                    if now >= end:
                        continue
                    number = self._connect()
                    line = self._lines[number][0]
                if now < end:
                    sent[number] = now
                    line.sendall(self._requests.make())
        return Seen(
            elapsed=time.monotonic() - started,
            latencies=latencies.tolist(),
            failures=failures,
            first_failure=first_failure,
            cpu=time.process_time() - used,
            next=self._requests.next,
        )

    def _close(self, number: int) -> None:
        self._poll.unregister(number)
        self._lines.pop(number)[0].close()


def main() -> None:
    """Do as planned on standard input."""
    plan = Plan(**json.loads(sys.stdin.readline()))
    load = Load(plan)
    warm = load.run(plan.warm_up)
    _say({"ready": len(warm.latencies)})
    if sys.stdin.readline().strip() != "go":
        return
    seen = load.run(plan.seconds)
    failures = dict(seen.failures)
    for kind, number in warm.failures.items():  # a failure is one, also while warming up
        failures[kind] = failures.get(kind, 0) + number
    _say(
        asdict(seen)
        | {"failures": failures, "first_failure": warm.first_failure or seen.first_failure}
    )


def _say(facts: dict[str, Any]) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()

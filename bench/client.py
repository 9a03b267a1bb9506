"""The load client: keep-alive connections without pauses, in a process of its own.

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
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

COUNTER = "@counter@"
LOST = "connection lost"
_MARK = re.compile(r"@[a-z]+@")
_STATUS = slice(9, 12)  # of "HTTP/1.1 200"
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PATIENCE = 15.0  # seconds without any answer after which the rest counts as failed


@dataclass(frozen=True)
class Plan:
    """The load to generate: requests, server, duration and number of connections.

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
    """The client's results: `latencies` in microseconds, failures as status → number."""

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
            name: partial(_one_of, deck, chance.random) for name, deck in decks.items()
        }

    def make(self) -> bytes:
        """Return the next request."""
        number = b"%09d" % self.next
        self.next += 1
        values = {name: draw() for name, draw in self._draw.items()} | {COUNTER: number}
        parts = [self._pieces[0]]
        for mark, piece in zip(self._marks, self._pieces[1:], strict=True):
            parts += (values[mark], piece)
        return b"".join(parts)


def _one_of(deck: list[bytes], chance: Callable[[], float]) -> bytes:
    return deck[int(chance() * len(deck))]


class Answer:
    """An HTTP answer as it arrives on a connection that is kept."""

    __slots__ = ("_data", "_wanted")

    def __init__(self) -> None:
        self._data, self._wanted = b"", 0

    def take(self, data: bytes) -> bytes | None:
        """Add what arrived; the whole answer once it is complete.

        Raise ValueError for an answer of unknown length.
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


class Line:
    """One kept connection, and the answer it is waiting for."""

    __slots__ = ("answer", "sent", "socket")

    def __init__(self, plan: Plan) -> None:
        self.socket = socket.create_connection((plan.host, plan.port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = Answer()
        self.sent = 0.0  # when the request was, that waits for its answer

    def send(self, request: bytes) -> None:
        self.sent = time.monotonic()
        self.socket.sendall(request)


class Load:
    """Connections that each send a request, wait for its answer, and send the next."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests = Requests(plan)
        self._poll = select.epoll()
        self._lines: dict[int, Line] = {}
        for _ in range(plan.connections):
            self._connect()

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_: object) -> None:
        for number in list(self._lines):
            self._close(number)
        self._poll.close()

    def run(self, seconds: float) -> Seen:
        """Ask for `seconds`, then wait for what is still on its way."""
        used, started = time.process_time(), time.monotonic()
        latencies, failures = array("L"), Counter[str]()
        first_failure = self._ask(started + seconds, latencies, failures)
        return Seen(
            elapsed=time.monotonic() - started,
            latencies=latencies.tolist(),
            failures=dict(failures),
            first_failure=first_failure,
            cpu=time.process_time() - used,
            next=self._requests.next,
        )

    def _ask(self, end: float, latencies: "array[int]", failures: Counter[str]) -> str:
        """Fill `latencies` and `failures`; the body of the first failure."""
        first_failure = ""
        make, lines = self._requests.make, self._lines
        for line in lines.values():
            line.send(make())
        waiting = len(lines)
        while waiting:
            ready = self._poll.poll(_PATIENCE)
            if not ready:
                failures["no answer"] += waiting
                break
            for number, _ in ready:
                line = lines[number]
                whole = _received(line)
                if whole is None:
                    continue
                now = time.monotonic()
                if whole[_STATUS] == b"200":
                    latencies.append(int((now - line.sent) * 1e6))
                else:
                    failures[whole[_STATUS].decode() or LOST] += 1
                    first_failure = first_failure or whole[:2000].decode(errors="replace")
                    line = lines[number] if whole else self._replace(number)
                if now < end:
                    line.send(make())
                else:
                    waiting -= 1
        return first_failure

    def _connect(self) -> Line:
        line = Line(self._plan)
        self._lines[line.socket.fileno()] = line
        self._poll.register(line.socket.fileno(), select.EPOLLIN)
        return line

    def _close(self, number: int) -> None:
        self._poll.unregister(number)
        self._lines.pop(number).socket.close()

    def _replace(self, number: int) -> Line:
        self._close(number)
        return self._connect()


def _received(line: Line) -> bytes | None:
    """Return the answer when it is complete; b"" when the connection is lost or invalid."""
    try:
        data = line.socket.recv(262_144)
        return line.answer.take(data) if data else b""
    except (OSError, ValueError):
        return b""


def main() -> None:
    """Do as planned on standard input."""
    plan = Plan(**json.loads(sys.stdin.readline()))
    with Load(plan) as load:
        warm = load.run(plan.warm_up)
        _say({"ready": len(warm.latencies)})
        if sys.stdin.readline().strip() != "go":
            return
        measurement = load.run(plan.seconds)
    # A failure is one, also while warming up.
    failures = dict(Counter(warm.failures) + Counter(measurement.failures))
    first = warm.first_failure or measurement.first_failure
    _say(asdict(measurement) | {"failures": failures, "first_failure": first})


def _say(facts: dict[str, Any]) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()

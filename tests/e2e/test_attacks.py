"""Tests against attacks: slow bodies, slow headers, silent connections."""

import contextlib
import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from itertools import count

import pytest

from tests.e2e.stack import Stack, running_stack
from tests.e2e.test_durability import CAPTURE, Shop, order
from tests.e2e.test_wire import raw, request, status

pytestmark = pytest.mark.slow

BODIES, HEADERS, IDLE = 300, 300, 2_000
SECONDS, ENOUGH = 15, 0.3
STARTS = {
    "body": b"POST /order-management/orders HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
    "header": b"GET /v0/orders HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "idle": b"",
}


class Attack:
    """Connections of all three kinds, held for a while; whoever is hung up on comes back."""

    def __init__(self, port: int, *, from_many: bool) -> None:
        self._port, self._from_many = port, from_many
        self._numbers = count()
        self._over = threading.Event()
        kinds = ["body"] * BODIES + ["header"] * HEADERS + ["idle"] * IDLE
        self.lines = [(kind, self._connect(kind)) for kind in kinds]
        self.comebacks = 0
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def _connect(self, kind: str) -> socket.socket:
        number = next(self._numbers) % 60_000
        source = f"127.1.{number // 250}.{number % 250 + 1}" if self._from_many else "127.0.0.1"
        line = socket.create_connection(("127.0.0.1", self._port), 10, (source, 0))
        line.sendall(STARTS[kind])
        line.setblocking(False)
        return line

    def _go_on(self) -> None:
        while not self._over.wait(1):
            for n, (kind, line) in enumerate(self.lines):
                try:
                    if kind != "idle":
                        line.send(b"x")
                    if line.recv(65_536):
                        continue
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                line.close()
                with contextlib.suppress(OSError):
                    self.lines[n] = (kind, self._connect(kind))
                self.comebacks += 1

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        for _, line in self.lines:
            line.close()


@pytest.fixture(params=["100", "0"], ids=["with a cap", "without a cap"])
def attacked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < 2 * (BODIES + HEADERS + IDLE):
        pytest.fail(f"This needs more open files than the {most} that are allowed.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    monkeypatch.setenv("BODIES_AT_ONCE", request.param)
    with running_stack() as stack:
        yield stack


@pytest.mark.parametrize("from_many", [False, True], ids=["from one address", "from many"])
def test_others_are_answered_while_strangers_hold_connections(
    attacked: Stack, from_many: bool
) -> None:
    shop = Shop(attacked, f"calm{from_many:d}")
    attack = Attack(attacked.port, from_many=from_many)
    latencies = list[float]()
    try:
        end = time.monotonic() + SECONDS
        for n in count():
            if time.monotonic() > end:
                break
            body = json.dumps(order(f"calm-{from_many:d}-{n}")).encode()
            for data in (
                request(shop, "GET /healthz", b"", "Connection: close"),
                request(shop, "GET /v0/orders?customer_id=e2e", b"", "Connection: close"),
                request(shop, f"POST {CAPTURE}", body, "Connection: close"),
            ):
                began = time.monotonic()
                answer = raw(attacked, data)
                latencies.append(time.monotonic() - began)
                assert status(answer) == 200, answer[:500]
            time.sleep(0.05)
    finally:
        attack.end()

    latencies.sort()
    assert len(latencies) > 30
    assert latencies[len(latencies) * 95 // 100] <= ENOUGH, latencies[-10:]
    assert attack.comebacks > IDLE  # they were hung up on, and came back

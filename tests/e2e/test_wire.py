"""Bytes that no HTTP library would send, at the real server."""

import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from ordermgmt.launcher.processes import wait_until
from tests.e2e.stack import Stack
from tests.e2e.test_durability import CAPTURE, Shop, all_of, order

HISTORY = "/v0/orders?customer_id=e2e"


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Shop:
    return Shop(stack, "wire")


def raw(stack: Stack, *parts: bytes, patience: float = 10) -> bytes:
    """Return the answer to these bytes, until the server pauses or hangs up."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=patience) as line:
        received = b""
        try:
            for part in parts:
                line.sendall(part)
            while chunk := line.recv(65_536):
                received += chunk
                line.settimeout(0.3)
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            pass
        return received


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def request(
    shop: Shop, line: str, body: bytes = b"", *lines: str, length: bool = True, host: bool = True
) -> bytes:
    """A request of the shop's with lines of ours among its headers."""
    data = [f"{line} HTTP/1.1", *(f"{k}: {v}" for k, v in shop.headers.items()), *lines]
    data += ["Host: localhost"] * host + [f"Content-Length: {len(body)}"] * length
    return "\r\n".join([*data, "", ""]).encode("latin-1") + body


def test_what_is_sent_beside_the_fault_is_accepted(stack: Stack, shop: Shop) -> None:
    """Check that the later requests are not refused for another reason."""
    assert status(raw(stack, request(shop, f"GET {HISTORY}"))) == 200
    body = json.dumps(order("wire-0")).encode()
    assert status(raw(stack, request(shop, f"POST {CAPTURE}", body))) == 200


REFUSED = {
    "H3-path-of-9-kB": (f"GET /v0/orders/{'x' * 9_000}?id_type=external", [], {404, 414, 431}),
    "H4-nul-in-path": ("GET /v0/orders/%00?id_type=external", [], {400}),
    "H4-raw-nul-in-path": ("GET /v0/orders/\x00?id_type=external", [], {400, 0}),
    "H5-ff-in-path": ("GET /v0/orders/%ff?id_type=external", [], {404}),
    "H5-raw-ff-in-path": ("GET /v0/orders/\xff?id_type=external", [], {400, 404, 0}),
    "H6-trace": (f"TRACE {HISTORY}", [], {405}),
    "H6-foo": (f"FOO {HISTORY}", [], {405}),
    "H6-lower-case": (f"foo {HISTORY}", [], {400, 405}),
    "H9-101-headers": (f"GET {HISTORY}", [f"X-{n}: 1" for n in range(101)], {400, 431, 0}),
    "H9-header-of-2-MB": (f"GET {HISTORY}", ["X-Long: " + "x" * 2_000_000], {400, 431, 0}),
    "H10-nul-in-header": (f"GET {HISTORY}", ["X-Odd: a\x00b"], {400, 0}),
    "H10-cr-in-header": (f"GET {HISTORY}", ["X-Odd: a\rb"], {400, 0}),
    "H10-space-before-colon": (f"GET {HISTORY}", ["X-Odd : a"], {400, 0}),
    "H11-obs-fold": (f"GET {HISTORY}", ["X-Odd: a", " b"], {400, 0}),
    "H11-negative-length": (f"POST {CAPTURE}", ["Content-Length: -1"], {400, 0}),
    "H11-two-lengths": (
        f"POST {CAPTURE}",
        ["Content-Length: 2", "Content-Length: 3"],
        {400, 0},
    ),
    "H11-odd-coding": (f"POST {CAPTURE}", ["Transfer-Encoding: chunked, identity"], {400, 0}),
    "H16-bad-host": (f"GET {HISTORY}", ["Host: a b"], {400, 0}),
    "H16-another-host": (f"GET {HISTORY}", ["Host: evil.example"], {400}),
    "H2-way-out": ("GET /static/..%2f..%2fmanage.py", [], {400, 404}),
    "AU8-two-credentials": (f"GET {HISTORY}", ["Authorization: Bearer x"], {400, 401, 403}),
    "AU15-two-tenants": (f"POST {CAPTURE}", ["Tenant: other", "Content-Length: 0"], {400, 403}),
}


@pytest.mark.parametrize("row", REFUSED)
def test_is_refused_and_the_next_is_served(stack: Stack, shop: Shop, row: str) -> None:
    """0: hung up without a word, which a broken request deserves."""
    line, lines, statuses = REFUSED[row]
    has_length = line.startswith("GET") or line.split(" ")[0] in ("TRACE", "FOO", "foo")

    answer = raw(
        stack,
        request(shop, line, b"", *lines, length=has_length, host="Host" not in "".join(lines)),
    )

    assert status(answer) in statuses, answer[:500]
    assert b"Traceback" not in answer
    assert status(raw(stack, request(shop, f"GET {HISTORY}"))) == 200


def test_H12_a_body_in_chunks_is_read(stack: Stack, shop: Shop) -> None:
    body = json.dumps(order("chunked-1")).encode()
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    answer = raw(
        stack,
        request(shop, f"POST {CAPTURE}", b"", "Transfer-Encoding: chunked", length=False),
        chunked,
    )

    assert status(answer) == 200
    assert "chunked-1" in all_of(shop)


def test_H11_a_request_hidden_in_another_is_not_answered(stack: Stack, shop: Shop) -> None:
    hidden = request(shop, "GET /healthz")
    smuggled = b"0\r\n\r\n" + hidden

    answer = raw(
        stack, request(shop, f"POST {CAPTURE}", smuggled, "Transfer-Encoding: chunked"), patience=3
    )

    assert status(answer) in (0, 400)
    assert b"HTTP/1.1 200" not in answer


def test_H15_a_body_too_large_is_refused_before_it_is_sent(stack: Stack, shop: Shop) -> None:
    head = request(shop, f"POST {CAPTURE}", b"", "Expect: 100-continue", length=False)
    head = head.replace(b"Expect", b"Content-Length: 1000000000\r\nExpect")

    answer = raw(stack, head)

    assert status(answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")) == 413
    assert b"payload_too_large" in answer


def test_H19_an_underscore_gains_nothing(stack: Stack, shop: Shop) -> None:
    """The server drops such a header: WSGI would take it for the one with a hyphen."""
    body = json.dumps(order("underscore")).encode()
    data = request(shop, f"POST {CAPTURE}", body)

    other = raw(stack, re.sub(rb"X-Newstore-Tenant: \w+", b"X_Newstore_Tenant: other", data))

    assert status(other) == 400
    assert "underscore" not in all_of(shop)


@pytest.mark.parametrize("path", ["//v0//orders?customer_id=e2e", "///v0/orders?customer_id=e2e"])
def test_H1_leading_slashes_are_one(stack: Stack, shop: Shop, path: str) -> None:
    assert status(raw(stack, request(shop, f"GET {path}"))) == 200


def test_callers_who_hang_up_leave_whole_orders_or_none(stack: Stack, shop: Shop) -> None:
    def hang_up(n: int) -> None:
        data = request(shop, f"POST {CAPTURE}", json.dumps(order(f"half-{n}")).encode())
        with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as line:
            line.sendall(data[: len(data) * (n % 8 + 1) // 8])

    with ThreadPoolExecutor(16) as callers:
        list(callers.map(hang_up, range(64)))

    # Requests that came whole before the caller hung up are still being answered.
    assert wait_until(lambda: len(set(all_of(shop))) == len(all_of(shop)), timeout=10)
    for name in all_of(shop):
        status, detail = shop.get(f"/v0/orders/{name}?id_type=external")
        assert (status, len(detail["items"])) == (200, 3)
    assert '"status":500' not in stack.log("web")


def in_chunks(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


CHUNKED = "Transfer-Encoding: chunked"


def test_H12_a_body_in_chunks_may_come_slowly(stack: Stack, shop: Shop) -> None:
    body = in_chunks(json.dumps(order("chunked-2")).encode(), 100)
    head = request(shop, f"POST {CAPTURE}", b"", CHUNKED, length=False)

    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as line:
        for part in (head[:40], head[40:], body[:150], body[150:]):
            line.sendall(part)
            time.sleep(0.1)
        answer = line.recv(65_536)

    assert status(answer) == 200
    assert "chunked-2" in all_of(shop)


@pytest.mark.parametrize(("excess", "expected"), [(0, 400), (1, 413)])
def test_H15_a_body_in_chunks_is_read_up_to_the_limit(
    stack: Stack, shop: Shop, excess: int, expected: int
) -> None:
    body = b'"' + b"x" * (10_000_000 - 2 + excess) + b'"'
    head = request(shop, f"POST {CAPTURE}", b"", CHUNKED, length=False)

    answer = raw(stack, head + in_chunks(body, 65_536))

    assert status(answer) == expected
    assert b"problem+json" in answer


def test_H15_a_body_far_beyond_the_limit_is_answered_not_hung_up_on(
    stack: Stack, shop: Shop
) -> None:
    head = request(shop, f"POST {CAPTURE}", b"", CHUNKED, length=False)

    answer = raw(stack, head + in_chunks(b"x" * 20_000_000, 65_536))

    assert status(answer) == 413
    assert b"payload_too_large" in answer


def test_a_client_that_ends_amid_its_body_is_told_so(stack: Stack, shop: Shop) -> None:
    head = request(shop, f"POST {CAPTURE}", b"", length=False)
    head = head.replace(b"\r\n\r\n", b"\r\nContent-Length: 100\r\n\r\n")

    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as line:
        line.sendall(head + b'{"external_id": ')
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(65_536)

    assert status(answer) in (0, 400)
    assert stack.get("/healthz")[0] == 200


def test_a_client_may_wait_to_be_asked_for_its_body(stack: Stack, shop: Shop) -> None:
    body = json.dumps(order("expected")).encode()
    data = request(shop, f"POST {CAPTURE}", body, "Expect: 100-continue")
    head = data[: -len(body)]

    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as line:
        line.sendall(head)
        assert line.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(body)
        answer = line.recv(65_536)

    assert status(answer) == 200
    assert "expected" in all_of(shop)


def test_several_requests_at_once_are_answered_in_turn(stack: Stack, shop: Shop) -> None:
    first = request(shop, f"POST {CAPTURE}", json.dumps(order("piped")).encode())
    second = request(shop, "GET /v0/orders/piped?id_type=external")

    answer = raw(stack, first + second)

    assert answer.count(b"HTTP/1.1 200 OK") == 2


def test_what_one_client_sends_slowly_holds_up_nobody(stack: Stack, shop: Shop) -> None:
    """There are fifteen threads in each of two processes; all of these wait for a body."""
    head = request(shop, f"POST {CAPTURE}", b"", "Content-Length: 1000", length=False)
    with ExitStack() as lines:
        for _ in range(60):
            line = socket.create_connection(("127.0.0.1", stack.port), timeout=10)
            lines.enter_context(line).sendall(head + b"{")

        assert [stack.get("/healthz")[0] for _ in range(4)] == [200] * 4
        assert stack.get("/readyz")[0] == 200
        body = json.dumps(order("not held up")).encode()
        assert status(raw(stack, request(shop, f"POST {CAPTURE}", body))) == 200


def test_a_body_that_does_not_come_is_a_408_in_our_envelope(stack: Stack, shop: Shop) -> None:
    head = request(shop, f"POST {CAPTURE}", b"", "Content-Length: 10", length=False)

    with socket.create_connection(("127.0.0.1", stack.port), timeout=15) as line:
        line.sendall(head + b"{")
        answer = b"".join(iter(lambda: line.recv(65_536), b""))

    assert status(answer) == 408
    assert b"application/problem+json" in answer
    assert b'"error_code":"request_timeout"' in answer
    assert b"connection: close" in answer

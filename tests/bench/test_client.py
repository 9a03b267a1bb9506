"""The load client counts answers, failures and latencies truly."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench.client import LOST, Answer, Load, Plan, Requests, Seen

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 409 Conflict\r\ncontent-length: 4\r\n\r\nlate"


def plan(port: int = 0, *, connections: int = 2, request: str = "GET /@counter@ HTTP/1.1\r\n\r\n"):
    return Plan("127.0.0.1", port, request, connections, seconds=0.2)


@contextmanager
def server(answer: Callable[[bytes], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers each request by itself; an empty answer hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))
    requests_: list[bytes] = []

    def serve(line: socket.socket) -> None:
        with line:
            while request := line.recv(65_536):
                requests_.append(request)
                if not (whole := answer(request)):
                    return
                line.sendall(whole[:10])  # in two pieces, as large answers come
                line.sendall(whole[10:])

    def accept() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(line,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1], requests_
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def run(port: int) -> Seen:
    with Load(plan(port)) as load:
        return load.run(0.2)


def test_an_answer_is_whole_only_with_its_last_byte():
    answer = Answer()

    assert [answer.take(bytes([byte])) for byte in OK] == [None] * (len(OK) - 1) + [OK]
    assert answer.take(REFUSED) == REFUSED


def test_an_answer_of_unknown_length_is_refused():
    with pytest.raises(ValueError, match="Content-Length"):
        Answer().take(b"HTTP/1.1 200 OK\r\n\r\n")


def test_a_number_is_never_sent_twice_and_choices_come_from_the_deck():
    text = "@counter@ @who@ @counter@"
    requests = Requests(Plan("", 0, text, 1, 1, first=7, choices={"@who@": ["ann", "bob"]}))

    lines = [requests.make().decode() for _ in range(40)]

    assert [line.split()[0] for line in lines] == [f"{n:09}" for n in range(7, 47)]
    assert all(line.split()[0] == line.split()[2] for line in lines)
    assert {line.split()[1] for line in lines} == {"ann", "bob"}


def test_every_200_is_counted_once():
    with server(lambda request: OK) as (port, requests_):
        result = run(port)

    assert len(result.latencies) == len(requests_) == len(set(requests_)) == result.next
    assert not result.failures


def test_anything_but_a_200_is_a_failure_and_its_body_is_kept():
    with server(lambda request: REFUSED if b"5 " in request else OK) as (port, requests_):
        result = run(port)

    refused = sum(b"5 " in request for request in requests_)
    assert result.failures == {"409": refused}
    assert len(result.latencies) == len(requests_) - refused
    assert result.first_failure.endswith("late")


def test_a_lost_connection_is_a_failure_and_is_replaced():
    with server(lambda request: b"" if re.search(rb"[05] ", request) else OK) as (port, requests_):
        result = run(port)

    lost = sum(bool(re.search(rb"[05] ", request)) for request in requests_)
    assert result.failures == {LOST: lost}
    assert len(result.latencies) == len(requests_) - lost > 0

"""Translation of granian's requests to WSGI, without forged variables."""

from typing import Any

import pytest

from ordermgmt.launcher.serving import Exchange, environ_of, serve


class Watcher:
    """Granian's side of an exchange; `sent` is what reaches the client."""

    def __init__(self, *headers: tuple[bytes, bytes], raw_path: bytes = b"/", query: bytes = b""):
        self.scope = {
            "method": "POST",
            "raw_path": raw_path,
            "query_string": query,
            "http_version": "1.1",
            "scheme": "http",
            "server": ("127.0.0.1", "8000"),
            "client": ("192.0.2.1", 4321),
            "headers": [(b"host", b"localhost"), *headers],
        }
        self.proto, self.sent, self.is_done = self, list[dict[str, Any]](), False

    def send(self, message: dict[str, Any]) -> "Watcher":
        self.sent.append(message)
        return self

    def receive(self) -> "Watcher":
        return self

    def add_done_callback(self, callback: Any, context: Any) -> None:
        if self.sent and self.sent[-1].get("more_body"):
            callback(self)

    def cancel(self) -> None:
        pass

    def done(self) -> None:
        self.is_done = True


def environ(*headers: tuple[bytes, bytes], body: bytes = b"", **options: Any) -> dict[str, Any]:
    exchange = Exchange(Watcher(*headers, **options))
    exchange.body = body
    return environ_of(exchange)


def test_a_path_is_passed_decoded_and_as_it_was_sent() -> None:
    variables = environ(raw_path=b"/v0/orders/W-7%2F/%C3%BC", query=b"id_type=external&a=%20")

    assert variables["PATH_INFO"].encode("latin-1").decode() == "/v0/orders/W-7//ü"
    assert variables["RAW_URI"] == "/v0/orders/W-7%2F/%C3%BC?id_type=external&a=%20"
    assert variables["QUERY_STRING"] == "id_type=external&a=%20"


@pytest.mark.parametrize(
    ("headers", "name", "expected"),
    [
        ([(b"x-newstore-tenant", b"a")], "HTTP_X_NEWSTORE_TENANT", "a"),
        ([(b"x_newstore_tenant", b"a")], "HTTP_X_NEWSTORE_TENANT", None),
        ([(b"x-a", b"1"), (b"x_a", b"2")], "HTTP_X_A", "1"),
        ([(b"x-a", b"1"), (b"x-a", b"2")], "HTTP_X_A", "1,2"),
        ([(b"cookie", b"a=1"), (b"cookie", b"b=2")], "HTTP_COOKIE", "a=1; b=2"),
        ([(b"x-a", b"\xfc")], "HTTP_X_A", ""),
        ([(b"content-type", b"text/plain")], "CONTENT_TYPE", "text/plain"),
    ],
)
def test_headers_become_variables(
    headers: list[tuple[bytes, bytes]], name: str, expected: str | None
) -> None:
    assert environ(*headers).get(name) == expected


def test_a_body_in_chunks_has_a_length_and_is_no_longer_in_chunks() -> None:
    variables = environ((b"transfer-encoding", b"chunked"), body=b"{}")

    assert "HTTP_TRANSFER_ENCODING" not in variables
    assert variables["CONTENT_LENGTH"] == "2"
    assert variables["wsgi.input"].read() == b"{}"


def test_our_own_environment_is_not_in_a_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")

    assert "canary" not in repr(environ())


class Pieces:
    """An answer that is made while it is sent."""

    streaming = True

    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self) -> Any:
        yield from (b"a", b"", b"b")

    def close(self) -> None:
        self.is_closed = True


def test_an_answer_is_sent_whole() -> None:
    watcher = Watcher()

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"a", b"b"]

    serve(application, Exchange(watcher))

    start, body = watcher.sent
    assert (start["status"], start["headers"]) == (200, [(b"content-type", b"text/plain")])
    assert body == {"type": "http.response.body", "body": b"ab"}
    assert watcher.is_done


def test_a_stream_is_sent_piece_by_piece_and_closed() -> None:
    watcher, pieces = Watcher(), Pieces()

    def application(environ: dict[str, Any], start: Any) -> Pieces:
        start("200 OK", [])
        return pieces

    serve(application, Exchange(watcher))

    assert [message.get("body") for message in watcher.sent] == [None, b"a", b"b", b""]
    assert pieces.is_closed
    assert watcher.is_done


class Message:
    """A message that has arrived; granian returns its content by ending an iterator."""

    def add_done_callback(self, callback: Any, context: Any) -> None:
        callback(self)

    def __next__(self) -> None:
        raise StopIteration({"type": "http.request", "body": b"canary", "more_body": False})


class Arrived(Watcher):
    """A watcher whose messages have arrived already."""

    def receive(self) -> Any:
        return Message()


def test_a_body_is_not_in_the_context_of_later_errors() -> None:
    def fail(_: dict[str, Any]) -> None:
        raise LookupError("later")

    with pytest.raises(LookupError) as error:
        Exchange(Arrived()).receive(fail)

    assert error.value.__context__ is None


def test_an_exchange_releases_its_connection_when_it_is_answered() -> None:
    exchange = Exchange(Arrived())
    exchange.receive(lambda _: None)

    exchange.answer(408, [], b"")

    assert exchange.has_ended
    assert exchange._message is None

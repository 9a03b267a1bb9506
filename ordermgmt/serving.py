"""Granian's side of a request: its body is read without a thread, then a thread answers it.

Granian's own WSGI takes a thread before the body is there, and its ASGI runs an event loop in
Python, which costs every request a tenth more. So its ASGI worker is used without the loop: its
callbacks run in the threads that granian calls them in, and the callback that completes a request
answers it there (docs/adr/0023-bodies-before-threads.md).
"""

import io
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from django.conf import settings
from granian._granian import ASGIWorker, CallbackScheduler
from granian._signals import set_sync_signals
from granian.server.common import WORKERS_METHODS
from granian.server.mp import MPServer, WorkerProcess

from ordermgmt import problems
from ordermgmt.addresses import client_address
from ordermgmt.bodies import Bodies, Body
from ordermgmt.middleware import RequestMiddleware

LONGEST_QUEUE: Final = 500  # complete requests that may wait for a thread
PROBE: Final = b"/healthz"  # answered at once, however busy the others are
# Threads that only take in requests and bodies: requests that are answered never hold them.
SPARE_THREADS: Final = 2
# Statuses we answer here → what is wrong.
REFUSALS: Final = {
    400: "The body ended before it was complete.",
    408: "The body did not arrive in time.",
    500: "",
    503: "Too many requests wait already; try again shortly.",
}
CLOSE: Final = (b"connection", b"close")

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Immediately:
    """The event loop that granian's worker wants: it runs what it is given at once."""

    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> None:
        callback(*args)

    call_soon = call_soon_threadsafe


class Exchange:
    """A request and its answer."""

    __slots__ = ("_message", "_watcher", "body", "expected_size", "scope")

    def __init__(self, watcher: Any) -> None:
        self._watcher = watcher
        self._message: Any = None
        self.scope: dict[str, Any] = watcher.scope
        self.body = b""
        self.expected_size: int | None = None

    @property
    def has_ended(self) -> bool:
        return self._watcher is None

    def receive(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call back with the next message of the client, in another thread and perhaps at once.

        After the end of the exchange there is none.
        """
        watcher = self._watcher
        if not watcher:
            return
        message = self._message = watcher.proto.receive()

        def arrived(message: Any) -> None:
            content: dict[str, Any] = {"type": "http.disconnect"}
            try:
                next(message)
            except StopIteration as end:
                content = end.value
            except Exception:
                log.exception("a message could not be read")
            # Not called while the StopIteration is handled, because its value is a customer's body
            # and the traceback of a later error would quote it in the log.
            callback(content)

        message.add_done_callback(arrived, context=None)

    def stop_receiving(self) -> None:
        """Stop waiting for the message that was asked for last."""
        message = self._message
        if message:
            message.cancel()

    def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send a whole answer."""
        send = self._watcher.proto.send
        send({"type": "http.response.start", "status": status, "headers": headers})
        send({"type": "http.response.body", "body": body})
        self._end()

    def _end(self) -> None:
        """Let go of granian's side: it keeps a connection while a body may still be read."""
        self._watcher.done()
        self._watcher = self._message = None

    def stream(
        self, status: int, headers: list[tuple[bytes, bytes]], pieces: Iterable[bytes]
    ) -> None:
        """Send an answer piece by piece, as fast as the client reads, while it is there."""
        is_gone = threading.Event()

        def watch(message: dict[str, Any]) -> None:
            if message["type"] == "http.disconnect":
                is_gone.set()
            else:
                self.receive(watch)

        self.receive(watch)
        send = self._watcher.proto.send
        send({"type": "http.response.start", "status": status, "headers": headers})
        try:
            for piece in pieces:
                if piece:
                    _wait_for(
                        send({"type": "http.response.body", "body": piece, "more_body": True})
                    )
                if is_gone.is_set():
                    return
            send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._end()


def _wait_for(sending: Any) -> None:
    if not hasattr(sending, "add_done_callback"):
        return  # it was sent at once
    sent = threading.Lock()
    sent.acquire()
    sending.add_done_callback(lambda _: sent.release(), context=None)
    sent.acquire()


class Reading(Body):
    """The body of an exchange, read as it comes."""

    __slots__ = ("_exchange", "_front", "_is_discarded", "_is_given_up", "_length")

    def __init__(self, front: "Front", exchange: Exchange, peer: str, length: int | None) -> None:
        super().__init__(peer)
        self._front, self._exchange, self._length = front, exchange, length
        self._is_discarded = self._is_given_up = False
        front.bodies.begin(self)
        self._receive()

    def _receive(self) -> None:
        self._exchange.receive(self._take)
        if self._is_given_up:  # before there was a message to stop waiting for
            self._exchange.stop_receiving()

    def _take(self, message: dict[str, Any]) -> None:
        front, bodies, exchange = self._front, self._front.bodies, self._exchange
        if message["type"] != "http.request":
            if bodies.end(self) and not self._is_discarded:
                front.refuse(exchange, 400)
            return
        if not self._is_discarded:
            if not bodies.add(self, message["body"]):
                return
            if self.size > front.longest:
                self._discard()
        # Granian tells the end by a message of its own. It is not waited for where the length is
        # known, because a message takes two changes of threads.
        if message["more_body"] and self.size != self._length:
            self._receive()
        elif bodies.end(self):
            if not self._is_discarded:
                parts = self.parts
                exchange.body = parts[0] if len(parts) == 1 else b"".join(parts)
            front.queue(exchange)

    def _discard(self) -> None:
        """Read the rest of a body that is too long, and keep none of it.

        It is refused when it ends, or when its time is up: a client that is hung up on while it
        sends may never see the answer.
        """
        if not self._front.bodies.end(self):
            return
        self._is_discarded = True
        self._exchange.expected_size = self.size
        self.parts.clear()
        self.size = 0
        self._front.bodies.begin(self)

    def give_up(self) -> None:
        self.parts.clear()
        self._is_given_up = True
        self._exchange.stop_receiving()
        if self._is_discarded:
            self._front.queue(self._exchange)
        else:
            self._front.refuse(self._exchange, 408)


class Front:
    """Takes requests from granian, reads their bodies, and has threads answer them."""

    def __init__(self, application: Application, *, threads: int) -> None:
        from ordermgmt.wsgi import Request  # loads Django, in each process for itself

        self._application = application
        self.longest: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        self.bodies = Bodies(per_peer=settings.BODIES_AT_ONCE)
        self._proxies: int = settings.TRUSTED_PROXIES
        self._idle = threads
        self._queue: deque[Exchange] = deque()
        self._lock = threading.Lock()
        self._refusers = {
            status: _refuser(Request, status, message) for status, message in REFUSALS.items()
        }
        threading.Thread(target=self._watch_the_clock, daemon=True).start()

    def take(self, watcher: Any) -> None:
        """Begin an exchange, whose header was read; granian calls this."""
        exchange = Exchange(watcher)
        try:
            self._begin(exchange)
        except Exception:
            log.exception("a request could not be taken")
            self.refuse(exchange, 500)

    def _begin(self, exchange: Exchange) -> None:
        length, forwarded, is_chunked = b"", b"", False
        for name, value in exchange.scope["headers"]:
            if name == b"content-length":
                length = value
            elif name == b"transfer-encoding":
                is_chunked = True
            elif name == b"x-forwarded-for":
                forwarded = forwarded + b"," + value if forwarded else value
        if not is_chunked and (length in (b"", b"0") or int(length) > self.longest):
            self.queue(exchange)  # the application refuses what is too long, without reading it
            return
        peer = exchange.scope["client"][0]
        peer = client_address(peer, forwarded.decode("latin-1"), self._proxies)
        Reading(self, exchange, peer, None if is_chunked else int(length))

    def queue(self, exchange: Exchange) -> None:
        """Answer a request that is complete, or have a thread do it that is busy with another."""
        if exchange.scope["raw_path"] == PROBE:
            self._answer(exchange)
            return
        with self._lock:
            is_idle, is_full = self._idle > 0, len(self._queue) >= LONGEST_QUEUE
            if is_idle:
                self._idle -= 1
            elif not is_full:
                self._queue.append(exchange)
        if is_idle:
            self._answer_all(exchange)
        elif is_full:
            self.refuse(exchange, 503)

    def refuse(self, exchange: Exchange, status: int) -> None:
        """Answer in place of the application, in the same form."""
        try:
            code, headers, body = self._refusers[status](environ_of(exchange))
        except Exception:
            log.exception("a request could not be refused")
            code, headers, body = 500, [], b""
        exchange.answer(code, [*headers, CLOSE], body)

    def _answer_all(self, exchange: Exchange | None) -> None:
        """Answer a request, then those that came meanwhile."""
        while exchange:
            self._answer(exchange)
            exchange = None  # it holds a body, and the lock may be long in coming
            with self._lock:
                if self._queue:
                    exchange = self._queue.popleft()
                else:
                    self._idle += 1

    def _answer(self, exchange: Exchange) -> None:
        try:
            serve(self._application, exchange)
        except Exception:
            log.exception("the application failed")
            with suppress(RuntimeError):  # its answer had begun
                if not exchange.has_ended:
                    self.refuse(exchange, 500)

    def _watch_the_clock(self) -> None:
        while True:
            time.sleep(0.25)
            try:
                self.bodies.give_up_overdue()
            except Exception:
                log.exception("a body could not be given up")


def serve(application: Application, exchange: Exchange) -> None:
    """Call a WSGI application for a complete request, and send what it answers."""
    status, headers = 500, list[tuple[bytes, bytes]]()

    def start_response(line: str, lines: list[tuple[str, str]], _: Any = None) -> None:
        nonlocal status, headers
        status = int(line[:3])
        headers = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in lines]

    pieces = application(environ_of(exchange), start_response)
    try:
        if getattr(pieces, "streaming", True) and not isinstance(pieces, list):
            exchange.stream(status, headers, pieces)
        else:
            exchange.answer(status, headers, b"".join(pieces))
    finally:
        if hasattr(pieces, "close"):
            pieces.close()


_SAME: Final = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "granian",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
_NAMES: Final[dict[bytes, str]] = {}  # of headers → of their variables, for the usual ones


def environ_of(exchange: Exchange) -> dict[str, Any]:
    """What WSGI wants to know of a request; `RAW_URI` is its target as it was sent, undecoded.

    A header with an underscore in its name is dropped: it would pass for the one with a hyphen.
    A value that is not ASCII is empty, as nothing we read may have one.
    """
    scope, body = exchange.scope, exchange.body
    raw_path: bytes = scope["raw_path"]
    query = scope["query_string"].decode("latin-1")
    target = raw_path.decode("latin-1")
    environ = _SAME | {
        "REQUEST_METHOD": scope["method"],
        "RAW_URI": f"{target}?{query}" if query else target,
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1") if b"%" in raw_path else target,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in scope["headers"]:
        key = _NAMES.get(name) or _variable(name)
        if not key:
            continue
        text = value.decode("ascii") if value.isascii() else ""
        if key in environ:
            text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text
    if "HTTP_TRANSFER_ENCODING" in environ:  # undone by reading it
        del environ["HTTP_TRANSFER_ENCODING"]
        environ["CONTENT_LENGTH"] = str(exchange.expected_size or len(body))
    return environ


def _variable(name: bytes) -> str:
    if b"_" in name:
        return ""
    key = name.decode("latin-1").upper().replace("-", "_")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = f"HTTP_{key}"
    if len(_NAMES) < 500:  # anybody may send new ones
        _NAMES[name] = key
    return key


def _refuser(request_class: Any, status: int, message: str) -> Callable[[dict[str, Any]], Any]:
    """Return a function from a request's environ to a refusal: status, headers and body."""
    middleware = RequestMiddleware(lambda _: problems.of_status(status, message).response())

    def refuse(environ: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        response: Any = middleware(request_class(environ))
        headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in response.items()]
        return response.status_code, headers, response.content

    return refuse


class _Scheduler(CallbackScheduler):
    """Hands granian's requests to a front."""

    def __init__(self, loop: Immediately, take: Callable[[Any], None], *_: Any) -> None:
        super().__init__()
        self._schedule_fn = take


class Server(MPServer):
    """Granian's server of processes, whose WSGI workers are ours."""

    @staticmethod
    @WorkerProcess.wrap_target
    def _spawn_wsgi_worker(
        worker_id: int,
        callback: Application,
        sock: Any,
        ipc: Any,
        loop: Any,
        runtime_mode: Any,
        runtime_threads: int,
        runtime_blocking_threads: int | None,
        blocking_threads: int,
        blocking_threads_idle_timeout: int,
        backpressure: int,
        task_impl: Any,
        http_mode: Any,
        http1_settings: Any,
        http2_settings: Any,
        websockets: bool,
        static_path: Any,
        log_access_fmt: str | None,
        ssl_ctx: tuple[Any, ...],
        scope_opts: dict[str, Any],
        metrics: Any,
    ) -> None:
        is_stopped = threading.Event()
        stop_signal: Any = set_sync_signals()  # type: ignore[no-untyped-call]
        stop_signal.add_cb(is_stopped.set)
        front, event_loop = Front(callback, threads=blocking_threads), Immediately()
        start: Any = ASGIWorker  # its stub is of an older version
        worker = start(
            worker_id,
            sock,
            ipc,
            runtime_threads,
            runtime_blocking_threads,
            blocking_threads + SPARE_THREADS,
            blocking_threads_idle_timeout,
            backpressure,
            http_mode,
            http1_settings,
            http2_settings,
            False,
            static_path,
            *ssl_ctx,
            metrics,
        )
        listen = getattr(worker, WORKERS_METHODS[runtime_mode][(sock[0] or sock[1]).is_uds()])
        no_task: Any = (None, None, None)  # for granian's own way of running coroutines
        listen(_Scheduler(event_loop, front.take, *no_task), event_loop, stop_signal)
        is_stopped.wait()

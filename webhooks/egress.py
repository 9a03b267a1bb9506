"""Outbound HTTP requests to addresses that tenants configure.

Each request has its own connection. A pooled one would outlive the check of its address, and could
leak data between tenants. Redirects, proxies, netrc and cookies are ignored.
"""

import http.client
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

import urllib3
from urllib3.connection import HTTPConnection

from ordermgmt.http import destinations
from webhooks.dialing import (
    AnswerTooLarge,
    DestinationRefused,
    EgressFailed,
    Line,
    NotTrusted,
    Unreachable,
    dial,
)

__all__ = [
    "Answer",
    "AnswerBroken",
    "AnswerTooLarge",
    "DestinationRefused",
    "EgressFailed",
    "NotTrusted",
    "TimedOut",
    "Unreachable",
    "send",
]

LONGEST_BODY: Final = 1_000_000  # bytes
_PIECE: Final = 16 * 1024  # fixed, because a length that the server chooses would be allocated
_LENGTH: Final = re.compile(r"[0-9]{1,18}")


class TimedOut(EgressFailed):
    """A request without a complete answer before its deadline."""

    code = "timed_out"


class AnswerBroken(EgressFailed):
    """An answer that breaks the rules of HTTP or ends early."""

    code = "answer_broken"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any status, redirects included.

    `headers` ignore case. `body` is not decoded, so a compressed bomb stays small. `seconds` is the
    duration of the whole exchange.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    deadline: float,
    allows_http: bool = False,
    max_body: int = LONGEST_BODY,
    cuts: bool = False,
) -> Answer:
    """Send one request and return its whole answer. Raises `EgressFailed`.

    `deadline` is in seconds and covers the look-up, the connection, the handshake and every byte.
    At most `max_body` bytes of body are read, with the overhead of chunks. A longer body raises
    `AnswerTooLarge`, or is cut off if `cuts`. `allows_http` permits requests without TLS.
    """
    began = monotonic()
    base, _, query = url.partition("?")
    try:
        parts = destinations.check_url(base, allows_http=allows_http)
    except destinations.BadDestination as reason:
        raise DestinationRefused(str(reason)) from None
    all_headers = {
        **headers,
        "Host": parts.netloc,
        "User-Agent": "ordermgmt",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    target = (parts.path or "/") + (f"?{query}" if query else "")
    try:
        with (
            dial(parts, ends_at=began + deadline) as line,
            _request(line, method, target, all_headers, body) as response,
        ):
            received = _read(response, line, max_body=max_body, cuts=cuts)
    except (TimeoutError, urllib3.exceptions.TimeoutError):
        raise TimedOut(f"{parts.hostname} did not answer within {deadline:g} seconds.") from None
    except (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError) as reason:
        raise AnswerBroken(f"{parts.hostname} {_failure_text(reason)}.") from None
    return Answer(response.status, response.headers, received, monotonic() - began)


def _request(
    line: Line, method: str, target: str, headers: Mapping[str, str], body: bytes | None
) -> urllib3.BaseHTTPResponse:
    connection = HTTPConnection("unused")  # the line is connected, and the Host header is set
    connection.sock = line
    with suppress(BrokenPipeError):  # a server that hangs up early may have answered
        connection.request(
            method, target, body, headers, preload_content=False, decode_content=False
        )
    return connection.getresponse()


def _read(response: urllib3.BaseHTTPResponse, line: Line, *, max_body: int, cuts: bool) -> bytes:
    lengths = set(response.headers.getlist("Content-Length"))
    if response.status < 200 or len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
        raise http.client.HTTPException
    line.allowance += max_body
    received = bytearray()
    try:
        while len(received) <= max_body and (piece := response.read(_PIECE)):
            received += piece
        if len(received) > max_body:
            raise AnswerTooLarge("The answer is longer than we read.")
    except AnswerTooLarge:
        if not cuts:
            raise
    return bytes(received[:max_body])


def _failure_text(reason: Exception) -> str:
    """Return our own text, because messages of libraries may quote the request."""
    if isinstance(reason, http.client.RemoteDisconnected):
        return "hung up without an answer"
    if isinstance(reason, OSError | urllib3.exceptions.ProtocolError):
        return "broke off its answer"
    return "does not answer by the rules of HTTP"

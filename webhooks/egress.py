"""The one way out: every request to an address that a tenant named leaves through here.

Each request has a connection of its own. A pooled one would outlive the check of its address, and
could bring one tenant what another's request left on it; a handshake is the price. Nothing else of
the outside plays a part: no redirect is followed, no proxy, netrc or cookie is known.
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
_PIECE: Final = 16 * 1024  # never a length that the other side names: it would be allocated
_LENGTH: Final = re.compile(r"[0-9]{1,18}")


class TimedOut(EgressFailed):
    """The whole answer was not there in time."""

    code = "timed_out"


class AnswerBroken(EgressFailed):
    """Not an answer by HTTP's rules, or one that breaks off."""

    code = "answer_broken"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status; a redirect is an answer like any other.

    `headers` are found in any case. `body` is as it came: we ask for no encoding and undo none, so
    a bomb stays as small as it was sent. `seconds` is what the whole exchange took.
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
    """Ask once, and have the whole answer within `deadline` seconds, or raise `EgressFailed`.

    The deadline counts everything: looking up the name, connecting, the handshake, each byte. At
    most `max_body` bytes of body are read, with what chunks add; more of it raises, or is cut off
    if `cuts`. `allows_http` is the tenant's permission to do without TLS.
    """
    began = monotonic()
    base, _, query = url.partition("?")
    try:
        parts = destinations.check_url(base, allows_http=allows_http)
    except destinations.BadDestination as reason:
        raise DestinationRefused(str(reason)) from None
    said = {
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
            _asked(line, method, target, said, body) as response,
        ):
            received = _read(response, line, max_body=max_body, cuts=cuts)
    except (TimeoutError, urllib3.exceptions.TimeoutError):
        raise TimedOut(f"{parts.hostname} did not answer within {deadline:g} seconds.") from None
    except (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError) as reason:
        raise AnswerBroken(f"{parts.hostname} {_what_broke(reason)}.") from None
    return Answer(response.status, response.headers, received, monotonic() - began)


def _asked(
    line: Line, method: str, target: str, headers: Mapping[str, str], body: bytes | None
) -> urllib3.BaseHTTPResponse:
    connection = HTTPConnection("unused")  # the line is there already, the host in the headers
    connection.sock = line
    with suppress(BrokenPipeError):  # who hangs up before all is sent may have answered
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


def _what_broke(reason: Exception) -> str:
    """In words of ours: those of the libraries may quote what was sent."""
    if isinstance(reason, http.client.RemoteDisconnected):
        return "hung up without an answer"
    if isinstance(reason, OSError | urllib3.exceptions.ProtocolError):
        return "broke off its answer"
    return "does not answer by the rules of HTTP"

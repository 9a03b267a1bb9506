"""Outbound connections: one look-up of the host, a check of every address, one connection.

A connection has a deadline and a limit on the bytes that it receives.
"""

import socket
import ssl
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from time import monotonic
from typing import Any, ClassVar, Final
from urllib.parse import SplitResult

from urllib3.connection import HTTPConnection

from ordermgmt.http import destinations
from webhooks import names

LONGEST_HEAD: Final = 16 * 1024  # bytes of all status lines and headers, those of 1xx included
MOST_ADDRESSES: Final = 4  # tried of one host


class EgressFailed(Exception):
    """A request without a readable answer. The text names the host at most, so it can be shown."""

    code: ClassVar[str]


class DestinationRefused(EgressFailed):
    """A destination without a public address, without https or with an unusual port."""

    code = "blocked_destination"


class Unreachable(EgressFailed):
    """A host without an address, or with none that accepts connections."""

    code = "unreachable"


class NotTrusted(EgressFailed):
    """A host with a certificate that TLS does not trust."""

    code = "not_trusted"


class AnswerTooLarge(EgressFailed):
    """An answer that is longer than the limit."""

    code = "answer_too_large"


class Line(socket.socket):
    """A socket with a deadline and a byte limit for the whole connection.

    Limits on each read are not enough, because a server may send one byte a second.
    """

    ends_at: float  # on the monotonic clock
    allowance: int = LONGEST_HEAD  # bytes that may still be received

    def __exit__(self, *_: object) -> None:
        """Close the descriptor at once; `close` alone waits for files made from the socket."""
        if (descriptor := self.detach()) >= 0:
            socket.close(descriptor)

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        if self.allowance <= 0:
            raise AnswerTooLarge("The answer is longer than we read.")
        self.settimeout(left(self.ends_at))
        size = min(nbytes or len(buffer), self.allowance)
        received = super().recv_into(buffer, size, flags)
        self.allowance -= received
        return received

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(left(self.ends_at))
        super().sendall(data, flags)

    def send(self, data: Any, flags: int = 0) -> int:  # called by `sendall` of TLS sockets
        self.settimeout(left(self.ends_at))
        return super().send(data, flags)


class SafeLine(Line, ssl.SSLSocket):
    """A `Line` with TLS."""


def left(ends_at: float) -> float:
    """Return the seconds until a time of the monotonic clock. Raises `TimeoutError` when past."""
    seconds = ends_at - monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def dial(parts: SplitResult, *, ends_at: float) -> Line:
    """Return a connection to the URL's host. Raises `EgressFailed` and `TimeoutError`."""
    host = parts.hostname or ""
    try:
        addresses = names.look_up(host, seconds=left(ends_at))
    except TimeoutError:
        raise
    except OSError:
        raise Unreachable(f"{host} has no address.") from None
    if not destinations.is_trusted(parts) and not all(map(destinations.is_public, addresses)):
        raise DestinationRefused(f"{host} is not at a public address.")
    port = parts.port or destinations.PORTS[parts.scheme][0]
    try:
        line = _connected(addresses[:MOST_ADDRESSES], port, ends_at)
    except TimeoutError:
        raise
    except OSError as reason:
        raise Unreachable(f"{host} takes no connections: {reason.strerror}.") from None
    return _secured(line, host) if parts.scheme == "https" else line


def _connected(addresses: list[IPv4Address | IPv6Address], port: int, ends_at: float) -> Line:
    """Connect to the first address that answers; each gets an equal share of the time left."""
    address, *others = addresses
    line = Line(socket.AF_INET if address.version == 4 else socket.AF_INET6)
    line.ends_at = ends_at
    try:
        for option in HTTPConnection.default_socket_options:  # Nagle would cost 40 ms a request
            line.setsockopt(*option)
        line.settimeout(left(ends_at) / len(addresses))
        line.connect((str(address), port))
    except OSError:
        line.close()
        if not others:
            raise
        return _connected(others, port, ends_at)
    return line


def _secured(line: Line, host: str) -> Line:
    line.settimeout(left(line.ends_at))  # for the whole handshake
    try:
        safe = _trust().wrap_socket(line, server_hostname=host)
    except ssl.SSLCertVerificationError as reason:
        raise NotTrusted(f"The certificate is not trusted: {reason.verify_message}.") from None
    except ssl.SSLError:
        raise NotTrusted(f"{host} does not speak TLS as we do.") from None
    finally:
        line.close()  # the TLS socket has its own descriptor
    assert isinstance(safe, SafeLine)
    safe.ends_at = line.ends_at
    return safe


@cache
def _trust() -> ssl.SSLContext:
    """Return a context with the system's authorities, cached because loading them is slow."""
    context = ssl.create_default_context()
    # Explicit, because Debian's Python leaves the minimum to OpenSSL.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = SafeLine
    return context

"""From a URL to a connection: its host looked up once, every address checked, one of them dialed.

The connection ends at a moment, whatever it is busy with, and gives only so many bytes.
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
    """There is no answer that can be read. The text is safe to show: it names the host at most."""

    code: ClassVar[str]


class DestinationRefused(EgressFailed):
    """We do not send there: not a public address, or not by https on a usual port."""

    code = "blocked_destination"


class Unreachable(EgressFailed):
    """The host has no address, or none that takes connections."""

    code = "unreachable"


class NotTrusted(EgressFailed):
    """Somebody is there, but TLS does not prove that it is who we asked for."""

    code = "not_trusted"


class AnswerTooLarge(EgressFailed):
    """The answer is longer than we read."""

    code = "answer_too_large"


class Line(socket.socket):
    """A connection with limits on all of it: limits on each read let a byte a second go on."""

    ends_at: float  # of the monotonic clock
    allowance: int = LONGEST_HEAD  # bytes that may still come

    def __exit__(self, *_: object) -> None:
        """Closed for good: `close` alone waits for whoever still has a file made of it."""
        if (descriptor := self.detach()) >= 0:
            socket.close(descriptor)

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        if self.allowance <= 0:
            raise AnswerTooLarge("The answer is longer than we read.")
        self.settimeout(left(self.ends_at))
        wanted = min(nbytes or len(buffer), self.allowance)
        received = super().recv_into(buffer, wanted, flags)
        self.allowance -= received
        return received

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(left(self.ends_at))
        super().sendall(data, flags)

    def send(self, data: Any, flags: int = 0) -> int:  # what sendall is made of, by TLS
        self.settimeout(left(self.ends_at))
        return super().send(data, flags)


class SafeLine(Line, ssl.SSLSocket):
    """The same, by TLS."""


def left(ends_at: float) -> float:
    """Seconds until a moment of the monotonic clock; raises `TimeoutError` once it is past."""
    seconds = ends_at - monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def dial(parts: SplitResult, *, ends_at: float) -> Line:
    """A connection to the URL's host; raises `EgressFailed`, or `TimeoutError` at that moment."""
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
    """To the first address that answers; each may take its share of the time that is left."""
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
    line.settimeout(left(line.ends_at))  # of the whole handshake
    try:
        safe = _trust().wrap_socket(line, server_hostname=host)
    except ssl.SSLCertVerificationError as reason:
        raise NotTrusted(f"The certificate is not trusted: {reason.verify_message}.") from None
    except ssl.SSLError:
        raise NotTrusted(f"{host} does not speak TLS as we do.") from None
    finally:
        line.close()  # taken over, or of no use
    assert isinstance(safe, SafeLine)
    safe.ends_at = line.ends_at
    return safe


@cache
def _trust() -> ssl.SSLContext:
    """The system's authorities; kept, because reading them takes longer than a handshake."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # Debian's Python leaves it to OpenSSL
    context.sslsocket_class = SafeLine
    return context

"""Look-up of host names with a timeout.

The system's resolver cannot be interrupted, so it runs in a thread that may outlive the caller.
Each host has one thread at most, and all concurrent callers get its result.
"""

import socket
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Lock, Thread
from typing import Final

Addresses = list[IPv4Address | IPv6Address]

_pending: Final[dict[str, Future[Addresses]]] = {}
_lock: Final = Lock()


def look_up(host: str, *, seconds: float) -> Addresses:
    """Return all addresses of a host, at least one. Raises `OSError` or `TimeoutError`."""
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    with _lock:
        future = _pending.get(host)
        if future is None:
            future = Future()
            # Daemon threads, so that a process can end without them.
            Thread(target=_resolve, args=(host, future), name=f"dns {host}", daemon=True).start()
            _pending[host] = future
    return future.result(seconds)


def _resolve(host: str, future: Future[Addresses]) -> None:
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(ip_address(entry[4][0]) for entry in entries))
    except Exception as reason:
        _remove(host)
        future.set_exception(reason if isinstance(reason, OSError) else OSError(str(reason)))
    else:
        _remove(host)
        future.set_result(addresses)


def _remove(host: str) -> None:
    """Remove the look-up before its result is published, so that later callers start a new one."""
    with _lock:
        del _pending[host]

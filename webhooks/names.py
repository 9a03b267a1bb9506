"""Looking up where a host is, waiting no longer than there is time.

The system's resolver cannot be interrupted, so it works in a thread that may be left behind: one
for each host at most, whose answer goes to all who ask for that host meanwhile.
"""

import socket
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Lock, Thread
from typing import Final

Addresses = list[IPv4Address | IPv6Address]

_under_way: Final[dict[str, Future[Addresses]]] = {}
_lock: Final = Lock()


def look_up(host: str, *, seconds: float) -> Addresses:
    """All addresses of a host, at least one; raises `OSError`: of it, `TimeoutError`."""
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    with _lock:
        future = _under_way.get(host)
        if future is None:
            future = Future()
            # Daemons, so that a process can end without them.
            Thread(target=_resolve, args=(host, future), name=f"dns {host}", daemon=True).start()
            _under_way[host] = future
    return future.result(seconds)


def _resolve(host: str, future: Future[Addresses]) -> None:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
    except Exception as reason:
        _forget(host)
        future.set_exception(reason if isinstance(reason, OSError) else OSError(str(reason)))
    else:
        _forget(host)
        future.set_result(addresses)


def _forget(host: str) -> None:
    """Before anybody hears the answer, so that whoever asks after it gets one of their own."""
    with _lock:
        del _under_way[host]

"""Allowed destinations of outbound requests: public addresses, https, the usual ports.

A URL is checked when it is stored (without DNS), and its address again at each connection.
"""

import ipaddress
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from ordermgmt.errors import Invalid

LONGEST_URL: Final = 2048
PORTS: Final = {"https": (443, 8443), "http": (80, 8080)}

# The registries of special addresses, written out: `is_global` of the standard library lets
# several of them pass (192.0.0.8, 224.0.0.1, fec0::1 …) and changes between versions.
_NOT_PUBLIC_V4: Final = [
    IPv4Network(network)
    for network in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    ]
]
# Global unicast is 2000::/3; within it, these are Teredo and protocols, documentation and 6to4.
_UNICAST_V6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_V6: Final = [
    IPv6Network(network) for network in ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]
]
_NAT64: Final = IPv6Network("64:ff9b::/96")

_VISIBLE_ASCII: Final = re.compile(r"[!-~]+")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_PRIVATE_SUFFIXES: Final = ("localhost", "local", "internal", "localdomain", "home.arpa", "lan")


class BadDestination(Invalid):
    """A URL that we never call, independent of DNS."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is public; embedded IPv4 addresses are unwrapped first."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.scope_id or address not in _UNICAST_V6:
            return False
        return not any(address in network for network in _NOT_PUBLIC_V6)
    return not any(address in network for network in _NOT_PUBLIC_V4)


def check_url(url: str, *, allows_http: bool) -> SplitResult:
    """Return the parts of a base URL; raise `BadDestination` with the reason if it is refused.

    `settings.EGRESS_ALLOWED_HOSTS` names hosts (`host` or `host:port`) that are trusted as they
    stand: receivers on the operator's own network.
    """
    if len(url) > LONGEST_URL:
        raise BadDestination(f"The URL must not be longer than {LONGEST_URL} characters.")
    if not _VISIBLE_ASCII.fullmatch(url) or "\\" in url:
        raise BadDestination("The URL must be plain ASCII without spaces or backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadDestination("The URL is not well formed.") from None
    if parts.scheme not in (("https", "http") if allows_http else ("https",)):
        raise BadDestination("The URL must begin with https://.")
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise BadDestination("The URL must have no credentials, no query and no fragment.")
    host = parts.hostname or ""
    if is_trusted(parts):
        return parts
    if (port is not None and port not in PORTS[parts.scheme]) or parts.netloc.endswith(":"):
        raise BadDestination(f"The port must be one of {PORTS[parts.scheme]}.")
    _check_host(host, bracketed=parts.netloc.startswith("["))
    return parts


def is_trusted(parts: SplitResult) -> bool:
    """Return whether EGRESS_ALLOWED_HOSTS names this host or this port of it."""
    names = {parts.hostname, parts.netloc.lower()}
    if parts.port is None:
        names.add(f"{parts.netloc.lower()}:{PORTS[parts.scheme][0]}")
    return not names.isdisjoint(settings.EGRESS_ALLOWED_HOSTS)


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port, which must not change while a secret is stored."""
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", parts.port or default


def _check_host(host: str, *, bracketed: bool) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if bracketed:
            raise BadDestination("The URL's host is not an address.") from None
    else:
        if not is_public(address):
            raise BadDestination("The URL's host must be a public address.")
        return
    labels = host.split(".")
    # The last label decides how resolvers read a host: they take `127.1` for an address.
    if (
        len(host) > 253
        or len(labels) < 2
        or not all(_LABEL.fullmatch(label) for label in labels)
        or not re.search(r"[a-z]", labels[-1])
        or labels[-1].startswith("0x")
    ):
        raise BadDestination("The URL's host must be a full domain name, or a public address.")
    if any(host.endswith(f".{suffix}") for suffix in _PRIVATE_SUFFIXES):
        raise BadDestination("The URL's host must not be a name of a private network.")

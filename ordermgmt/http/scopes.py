"""OAuth scopes: each declared once with its help text."""

from collections.abc import Iterable
from typing import Final

from ordermgmt.errors import Invalid

SCOPES: Final[dict[str, str]] = {
    "order-management:orders:write": "Capture orders and put them on hold.",
    "order-management:holds:write": "Place and release holds.",
    "order-management:fulfillment:write": "Report fulfillment progress.",
    "order-management:pii:read": "Turn personal data into tokens, and tokens back.",
    "orders:read": "Read orders, their history and their timeline.",
    "orders:write": "Cancel and amend orders.",
    "newstore:configuration:read": "Read the tenant's configuration; secrets are masked.",
    "newstore:configuration:write": "Change the tenant's configuration, and read its secrets.",
    "events:read": "Read event streams and their deliveries.",
    "events:write": "Register, change and replay event streams.",
}

# Tokens get these only on request, because they reveal personal data that answers hide.
ONLY_IF_NAMED: Final = frozenset({"order-management:pii:read"})


class UnknownScope(Invalid):
    code = "invalid_scope"


def parse(text: str) -> list[str]:
    """Return the scopes of a space separated list, each once and in the order above.

    Raise `UnknownScope` naming the first that does not exist.
    """
    return known(text.split())


def known(names: Iterable[str]) -> list[str]:
    """Return the scopes, each once and in the order above; raise `UnknownScope` for others."""
    wanted = set(names)
    if unknown := sorted(wanted - SCOPES.keys()):
        raise UnknownScope(
            f"There is no scope {ascii(unknown[0])[:80]}.", known_scopes=list(SCOPES)
        )
    return [scope for scope in SCOPES if scope in wanted]

"""Names for customers that say nothing about them: product §4.7, contract §b.4.

A tenant's own secret key makes them, so they cannot be guessed from an e-mail address, are the
same every time, and mean nothing to another tenant. A token looks like `NS-EU-<ULID>-<ULID>`: the
first half names the customer, the second one thing we know of them.
"""

import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from uuid import UUID, uuid5

from configuration.models import Tenant
from configuration.services.tenants import pseudonym_key
from ordermgmt.values import names

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIX: Final = "NS-EU-"
TOKEN_LENGTH: Final = 59


def customer_id_for(tenant: Tenant, customer: Mapping[str, Any], *, external_id: str | None) -> str:
    """What we call a customer: the caller's id, or one that follows from e-mail or external id."""
    if given := customer.get("id"):
        return str(given)
    if email := customer.get("email"):
        return str(uuid5(tenant.uuid, f"customer:{names.normal_email(email)}"))
    if external_id:
        return str(uuid5(tenant.uuid, f"external_customer:{names.normal(external_id)}"))
    return ""


def customer_key(tenant: Tenant, customer_id: str) -> UUID:
    """What a customer's orders are found by. Of a token, it is the first half."""
    if is_token(customer_id):
        return _from_ulid(customer_id[len(_PREFIX) : len(_PREFIX) + 26])
    return UUID(bytes=_keyed(tenant, f"customer:{names.normal(customer_id)}"))


def is_token(text: str) -> bool:
    """Whether it has the form of a token, ours or another system's."""
    return text.startswith(_PREFIX) and len(text) == TOKEN_LENGTH


def token(tenant: Tenant, profile: UUID, kind: str, value: str) -> str:
    """What a piece of personal data leaves the order APIs as, for tenants that ask for it."""
    second = UUID(bytes=_keyed(tenant, f"{profile}:{kind}:{value}"))
    return f"{_PREFIX}{_ulid(profile)}-{_ulid(second)}"


def _keyed(tenant: Tenant, text: str) -> bytes:
    return hmac.digest(_key(tenant.uuid, tenant.pseudonym_key), text.encode(), "sha256")[:16]


@lru_cache(maxsize=1024)
def _key(identity: UUID, sealed: str) -> bytes:
    return pseudonym_key(identity, sealed)


def _ulid(value: UUID) -> str:
    return "".join(_ALPHABET[(value.int >> shift) & 31] for shift in range(125, -1, -5))


def _from_ulid(text: str) -> UUID:
    value = 0
    for character in text:
        place = _ALPHABET.find(character)
        if place < 0:
            return UUID(int=0)
        value = value << 5 | place
    return UUID(int=value & (2**128 - 1))

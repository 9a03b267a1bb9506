"""Pseudonyms of customers and of their personal data (docs/contract.md, Personal data tokens).

They are derived with a secret key of the tenant, so they are stable, cannot be guessed from an
e-mail address and differ between tenants. A token has the form `NS-EU-<ULID>-<ULID>`, where the
first half identifies the customer and the second half one value.
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
    """Return the caller's id of a customer, or one derived from e-mail or external id."""
    if customer_id := customer.get("id"):
        return str(customer_id)
    if email := customer.get("email"):
        return str(uuid5(tenant.uuid, f"customer:{names.normal_email(email)}"))
    if external_id:
        return str(uuid5(tenant.uuid, f"external_customer:{names.normal(external_id)}"))
    return ""


def customer_key(tenant: Tenant, customer_id: str) -> UUID:
    """Return the look-up key of a customer's orders; for a token, its first half."""
    if is_token(customer_id):
        return _from_ulid(customer_id[len(_PREFIX) : len(_PREFIX) + 26])
    return UUID(bytes=_digest(tenant, f"customer:{names.normal(customer_id)}"))


def is_token(text: str) -> bool:
    """Return whether the text has the form of a token, from any system."""
    return text.startswith(_PREFIX) and len(text) == TOKEN_LENGTH


def token(tenant: Tenant, profile: UUID, kind: str, value: str) -> str:
    """Return the token that replaces a value of personal data in the order APIs."""
    second = UUID(bytes=_digest(tenant, f"{profile}:{kind}:{value}"))
    return f"{_PREFIX}{_ulid(profile)}-{_ulid(second)}"


def _digest(tenant: Tenant, text: str) -> bytes:
    return hmac.digest(_key(tenant.uuid, tenant.pseudonym_key), text.encode(), "sha256")[:16]


@lru_cache(maxsize=1024)
def _key(identity: UUID, sealed: str) -> bytes:
    return pseudonym_key(identity, sealed)


def _ulid(value: UUID) -> str:
    return "".join(_ALPHABET[(value.int >> shift) & 31] for shift in range(125, -1, -5))


def _from_ulid(text: str) -> UUID:
    value = 0
    for character in text:
        digit = _ALPHABET.find(character)
        if digit < 0:
            return UUID(int=0)
        value = value << 5 | digit
    return UUID(int=value & (2**128 - 1))

"""Bearer authentication: from a token to its client, tenant and scopes.

Each process caches a token for one second. Revoked tokens, rotated secrets and suspended tenants
are therefore refused within a second without a shared cache, and a busy client costs one query per
second and process.
"""

import hashlib
import re
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from oauth2_provider.models import get_access_token_model
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from ordermgmt.errors import Forbidden

if TYPE_CHECKING:
    from configuration.models import Client

REMEMBERED_FOR: Final = 1.0  # seconds
REMEMBERED_AT_MOST: Final = 10_000  # tokens, about 20 MB

# RFC 6750 calls it b64token; the length is ours: our own are 43 characters, JWTs are a few 1,000.
_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,4096}=*)", re.IGNORECASE | re.ASCII)


class TokenRefused(Forbidden):
    """The contract answers a bad or expired token with 403; 401 is only for no token at all."""

    code = "invalid_token"


@dataclass(frozen=True, slots=True)
class Grant:
    """The scopes of this request's token, and its expiry in seconds since the epoch."""

    scopes: frozenset[str]
    expires_at: float


@dataclass(frozen=True, slots=True)
class _Remembered:
    client: "Client"
    grant: Grant
    until: float  # by time.monotonic()


_remembered: dict[str, _Remembered] = {}
_lock = Lock()


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer …` and nothing else: no query parameter, no cookie, no form field."""

    def authenticate(self, request: Request) -> tuple["Client", Grant]:
        """Return client and grant; raise 401 without a well-formed header, 403 for a bad token."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header.strip():
            raise NotAuthenticated("This needs an Authorization header with a bearer token.")
        match = _BEARER.fullmatch(header)
        if match is None:
            raise AuthenticationFailed("The Authorization header must be `Bearer <token>`.")
        return client_of(match[1])

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def client_of(token: str) -> tuple["Client", Grant]:
    """Return the token's client and grant; raise `TokenRefused` without a reason."""
    checksum = hashlib.sha256(token.encode()).hexdigest()
    entry = _remembered.get(checksum)
    if entry is None or entry.until < time.monotonic():
        entry = _look_up(checksum)
    if entry is None or entry.grant.expires_at <= time.time():
        raise TokenRefused("The access token is not valid, or no longer.")
    return entry.client, entry.grant


def forget() -> None:
    """Drop every cached token of this process, so that the next request asks the database."""
    with _lock:
        _remembered.clear()


def _look_up(checksum: str) -> _Remembered | None:
    # Read before the query, so that a slow query does not prolong the cached entry.
    until = time.monotonic() + REMEMBERED_FOR
    token = (
        get_access_token_model()
        .objects.select_related("application__tenant")
        .filter(token_checksum=checksum, application__tenant__is_active=True)
        .first()
    )
    with _lock:
        if token is None:
            _remembered.pop(checksum, None)
            return None
        if len(_remembered) >= REMEMBERED_AT_MOST:
            _remembered.clear()
        entry = _Remembered(
            client=token.application,
            grant=Grant(frozenset(token.scope.split()), token.expires.timestamp()),
            until=until,
        )
        _remembered[checksum] = entry
        return entry

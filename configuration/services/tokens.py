"""Access tokens: who gets one, how it is renewed, and when it is forgotten."""

import datetime as dt
import hashlib
import secrets
from typing import Any, Final, NamedTuple

from django.contrib.auth.hashers import check_password
from django.core import signing
from django.db import connection, transaction
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from configuration.models import Client
from ordermgmt import scopes
from ordermgmt.errors import Forbidden, Invalid

LIFETIME: Final = dt.timedelta(seconds=300)  # what client credentials get
LEGACY_LIFETIME: Final = dt.timedelta(days=1)  # what the legacy password grant gets
REFRESHABLE_FOR: Final = dt.timedelta(days=30)
_REFRESH_SALT: Final = "configuration.refresh_token"
_INVALID: Final = "Invalid client or Invalid client credentials"
_BATCH: Final = 5_000
# Two copies of the task share the work instead of waiting for each other.
_FORGET: Final = """
DELETE FROM oauth2_provider_accesstoken WHERE id IN (
    SELECT id FROM oauth2_provider_accesstoken WHERE expires < now()
    LIMIT %s FOR UPDATE SKIP LOCKED
)
"""


class InvalidClient(Forbidden):
    """One answer for tenants unknown or suspended, clients unknown or off, and wrong secrets."""

    code = "invalid_client"


class ScopeNotAllowed(Invalid):
    code = "invalid_scope"


class InvalidRefreshToken(Forbidden):
    code = "invalid_grant"


class CannotRevoke(Invalid):
    code = "unsupported_token_type"


class Issued(NamedTuple):
    """A token that can be shown now and never again: only its checksum is stored."""

    access_token: str
    scope: str
    lifetime: dt.timedelta


def authenticate(*, client_id: str, client_secret: str, tenant: str | None = None) -> Client:
    """The client of these credentials, of that tenant if one is named; or `InvalidClient`."""
    client = Client.objects.select_related("tenant").filter(client_id=client_id).first()
    if (
        client is None
        or not check_password(client_secret, client.client_secret)
        or not (client.is_active and client.tenant.is_active)
        or tenant not in (None, client.tenant.slug)
    ):
        raise InvalidClient(_INVALID)
    return client


@transaction.atomic
def issue_token(client: Client, *, scope: str = "", lifetime: dt.timedelta = LIFETIME) -> Issued:
    """A new access token with the scopes asked for, or all the client may have.

    Raises `ScopeNotAllowed` rather than give less than was asked, and `InvalidClient` when the
    client was rotated or switched off since it was read: that waits for this, or this sees it.
    """
    wanted = scope.split() or client.scopes
    if not set(wanted) <= set(client.scopes):
        raise ScopeNotAllowed("The client may not have one of the scopes asked for.")
    unchanged = Client.objects.select_for_update(no_key=True).filter(
        pk=client.pk, client_secret=client.client_secret, is_active=True
    )
    if unchanged.values_list("pk").first() is None:
        raise InvalidClient(_INVALID)
    token = secrets.token_urlsafe(32)
    granted = " ".join(scopes.known(wanted))
    get_access_token_model().objects.create(
        application=client,
        token_checksum=_checksum(token),
        scope=granted,
        expires=timezone.now() + lifetime,
    )
    return Issued(token, granted, lifetime)


def refresh_token(client: Client, *, scope: str) -> str:
    """A signed note that lets this client have another token, until its secret is rotated."""
    note = {"client": client.client_id, "scope": scope, "secret": _fingerprint(client)}
    return signing.dumps(note, salt=_REFRESH_SALT)


def refresh(token: str) -> tuple[Client, Issued]:
    """Another legacy token for the same client and scopes; raises `InvalidRefreshToken`."""
    refused = InvalidRefreshToken("Authentication failed")
    note = _note(token)
    if note is None:
        raise refused
    clients = Client.objects.select_related("tenant").filter(is_active=True, tenant__is_active=True)
    client = clients.filter(client_id=note["client"]).first()
    if client is None or note["secret"] != _fingerprint(client):
        raise refused
    return client, issue_token(client, scope=note["scope"], lifetime=LEGACY_LIFETIME)


def revoke(client: Client, token: str) -> None:
    """Revoke a client's own access token; anything else that is no token is none already.

    Raises `CannotRevoke` for a refresh token: nothing of it is stored.
    """
    if _note(token) is not None:
        raise CannotRevoke("Refresh tokens end when the client's secret is rotated.")
    own = get_access_token_model().objects.filter(application=client)
    own.filter(token_checksum=_checksum(token)).delete()


def forget_expired_tokens() -> int:
    """Delete access tokens that expired, in batches, and say how many."""
    forgotten = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, [_BATCH])
            forgotten += cursor.rowcount
            if cursor.rowcount < _BATCH:
                return forgotten


def _note(token: str) -> dict[str, Any] | None:
    try:
        note: dict[str, Any] = signing.loads(token, salt=_REFRESH_SALT, max_age=REFRESHABLE_FOR)
    except signing.BadSignature:
        return None
    return note


def _fingerprint(client: Client) -> str:
    """Changes with the secret, and tells nothing of it."""
    return hashlib.sha256(client.client_secret.encode()).hexdigest()[:16]


def _checksum(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""Access tokens and refresh tokens: issue, renewal, revocation and deletion."""

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.contrib.auth.hashers import check_password
from django.core import signing
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from configuration.models import Client, RefreshFamily
from ordermgmt.errors import Forbidden, Invalid
from ordermgmt.http import scopes

LIFETIME: Final = dt.timedelta(seconds=300)  # for client credentials
LEGACY_LIFETIME: Final = dt.timedelta(days=1)  # for the legacy password grant
REFRESHABLE_FOR: Final = dt.timedelta(days=30)
_REFRESH_SALT: Final = "configuration.refresh_token"
_INVALID: Final = "Invalid client or Invalid client credentials"
REPEATABLE_FOR: Final = dt.timedelta(seconds=30)  # a client may retry after a lost answer
_BATCH: Final = 5_000
# SKIP LOCKED, so that concurrent tasks share the work and do not wait for each other.
_FORGET: Final = """
DELETE FROM oauth2_provider_accesstoken WHERE id IN (
    SELECT id FROM oauth2_provider_accesstoken WHERE expires < now()
    LIMIT %s FOR UPDATE SKIP LOCKED
)
"""
_FORGET_FAMILIES: Final = """
DELETE FROM configuration_refreshfamily WHERE id IN (
    SELECT id FROM configuration_refreshfamily WHERE rotated_at < now() - %s
    LIMIT %s FOR UPDATE SKIP LOCKED
)
"""
# One day after the last token of the family, because clocks of processes may differ.
_FAMILY_LIFETIME: Final = REFRESHABLE_FOR + dt.timedelta(days=1)


class InvalidClient(Forbidden):
    """The same error for an unknown or inactive tenant or client, and for a wrong secret."""

    code = "invalid_client"


class ScopeNotAllowed(Invalid):
    code = "invalid_scope"


class InvalidRefreshToken(Forbidden):
    code = "invalid_grant"


class CannotRevoke(Invalid):
    code = "unsupported_token_type"


class Issued(NamedTuple):
    """A new token, which can be shown only now because only its checksum is stored."""

    access_token: str
    scope: str
    lifetime: dt.timedelta


def authenticate(*, client_id: str, client_secret: str, tenant: str | None = None) -> Client:
    """Return the client of these credentials, of that tenant if one is given.

    Raises `InvalidClient`.
    """
    client = Client.objects.select_related("tenant").filter(client_id=client_id).first()
    if (
        client is None
        or not check_password(client_secret, client.client_secret)
        or not (client.is_active and client.tenant.is_active)
        or tenant not in (None, client.tenant.slug)
    ):
        raise InvalidClient(_INVALID)
    return client


class Renewed(NamedTuple):
    """An access token that was issued for a refresh token, and the refresh token to use next."""

    token: Issued
    refresh_token: str


class _SignedAt(signing.TimestampSigner):
    """A signer with a fixed time, so that the same content always gives the same token."""

    def __init__(self, at: dt.datetime) -> None:
        super().__init__(salt=_REFRESH_SALT)
        self._at = at

    def timestamp(self) -> str:
        return signing.b62_encode(int(self._at.timestamp()))


@transaction.atomic
def issue_token(client: Client, *, scope: str = "", lifetime: dt.timedelta = LIFETIME) -> Issued:
    """Issue an access token with the requested scopes, or with all scopes of the client.

    Unknown scope names are ignored. Raises `ScopeNotAllowed` when the client lacks a requested
    scope, and `InvalidClient` when the client was rotated or switched off since it was read. The
    lock makes such a change wait for this transaction.
    """
    current = Client.objects.select_for_update(no_key=True).filter(
        pk=client.pk, client_secret=client.client_secret, is_active=True
    )
    allowed = current.values_list("scopes", flat=True).first()
    if allowed is None:
        raise InvalidClient(_INVALID)
    return _issue(client, scope=scope, allowed=allowed, lifetime=lifetime)


def _issue(client: Client, *, scope: str, allowed: Iterable[str], lifetime: dt.timedelta) -> Issued:
    """Store an access token for a locked client, and return it."""
    granted = _scopes_for(scope, allowed)
    token = secrets.token_urlsafe(32)
    get_access_token_model().objects.create(
        application=client,
        token_checksum=_checksum(token),
        scope=granted,
        expires=timezone.now() + lifetime,
    )
    return Issued(token, granted, lifetime)


def _scopes_for(scope: str, allowed: Iterable[str]) -> str:
    """Return the known scopes of a space separated list, or all allowed ones if it has none."""
    requested = scopes.SCOPES.keys() & set(scope.split())
    if not requested <= set(allowed):
        raise ScopeNotAllowed("The client may not have one of the scopes asked for.")
    return " ".join(scopes.known(requested or allowed))


def refresh_token(client: Client, *, scope: str) -> str:
    """Sign the first refresh token of a new family.

    A family ends when the client's secret is rotated or its tokens are revoked.
    """
    note = _note_of(client, scope=scope, family=uuid.uuid4(), generation=0)
    return _SignedAt(timezone.now()).sign_object(note)


def refresh(token: str, *, scope: str = "") -> Renewed:
    """Issue another legacy token for the same client, and the refresh token to use next.

    `scope` may ask for fewer scopes than the refresh token has; the next one has them all again.
    A refresh token works once. A second use within `REPEATABLE_FOR` returns the same next one,
    because the first answer may have been lost. A later use ends the family, because the token may
    have been copied. Raises `InvalidRefreshToken`, and `ScopeNotAllowed` as `issue_token`.
    """
    renewed = None
    if note := _note(token):
        with transaction.atomic():
            client = _holder(note)
            if client and (successor := _successor(client, note, token)):
                issued = _issue(
                    client, scope=scope, allowed=note["scope"].split(), lifetime=LEGACY_LIFETIME
                )
                renewed = Renewed(issued, successor)
    if renewed is None:  # after the transaction, because the end of a family has to be committed
        raise InvalidRefreshToken("Authentication failed")
    return renewed


def _holder(note: dict[str, Any]) -> Client | None:
    """Lock and return the client of a refresh token, or None if the token is no longer valid.

    The lock also serializes uses of the same token.
    """
    holders = Client.objects.select_related("tenant").select_for_update(no_key=True, of=("self",))
    client = holders.filter(
        client_id=note["client"],
        is_active=True,
        tenant__is_active=True,
        # Tokens of former releases have no epoch, because they precede the first revocation.
        token_epoch=note.get("epoch", 0),
    ).first()
    if client is None or note["secret"] != _fingerprint(client):
        return None
    return client if set(note["scope"].split()) <= set(client.scopes) else None


def _successor(client: Client, note: dict[str, Any], token: str) -> str | None:
    """Return the refresh token that follows this one, or None after a reuse that ends the family.

    Tokens are not stored, because family, generation and time always give the same token.
    """
    # A token of a former release is the first of a family with an id derived from it.
    family_id = note.get("family") or hashlib.sha256(token.encode()).hexdigest()[:32]
    used = note.get("generation", 0)
    if used == 0:  # later generations have a row, unless it was deleted
        RefreshFamily.objects.get_or_create(
            pk=uuid.UUID(family_id), defaults={"client": client, "rotated_at": Now()}
        )
    families = RefreshFamily.objects.annotate(now=Now())
    family = families.filter(pk=uuid.UUID(family_id), is_ended=False).first()
    if family is None:
        return None
    if used == family.generation:
        family.generation, family.rotated_at = used + 1, family.now
    elif used + 1 < family.generation or family.now - family.rotated_at > REPEATABLE_FOR:
        family.is_ended = True
    family.save(update_fields=["generation", "rotated_at", "is_ended"])
    if family.is_ended:
        return None
    following = _note_of(
        client, scope=note["scope"], family=family.pk, generation=family.generation
    )
    return _SignedAt(family.rotated_at).sign_object(following)


def _note_of(client: Client, *, scope: str, family: uuid.UUID, generation: int) -> dict[str, Any]:
    """Return the content of a refresh token."""
    return {
        "client": client.client_id,
        "scope": scope,
        "secret": _fingerprint(client),
        "epoch": client.token_epoch,
        "family": family.hex,
        "generation": generation,
    }


def revoke(client: Client, token: str) -> None:
    """Revoke an access token of the client; ignore any other text.

    Raises `CannotRevoke` for a refresh token.
    """
    if _note(token) is not None:
        raise CannotRevoke(
            "Refresh tokens end when all of the client's tokens are revoked, or its secret is"
            " rotated."
        )
    own = get_access_token_model().objects.filter(application=client)
    own.filter(token_checksum=_checksum(token)).delete()


def forget_expired_tokens() -> int:
    """Delete expired access tokens and families of refresh tokens, and return their number.

    Rows are deleted in batches.
    """
    return _forget(_FORGET) + _forget(_FORGET_FAMILIES, _FAMILY_LIFETIME)


def _forget(statement: str, *parameters: Any) -> int:
    deleted = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [*parameters, _BATCH])
            deleted += cursor.rowcount
            if cursor.rowcount < _BATCH:
                return deleted


def _note(token: str) -> dict[str, Any] | None:
    try:
        note: dict[str, Any] = signing.loads(token, salt=_REFRESH_SALT, max_age=REFRESHABLE_FOR)
    except signing.BadSignature:
        return None
    return note


def _fingerprint(client: Client) -> str:
    """Return a digest that changes with the secret and does not reveal it."""
    return hashlib.sha256(client.client_secret.encode()).hexdigest()[:16]


def _checksum(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

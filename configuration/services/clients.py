"""OAuth clients: creation, secrets, scopes and revocation of tokens."""

import secrets
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from oauth2_provider.models import get_access_token_model
from psycopg import errors as pg

from configuration.hashers import OnePassHasher
from configuration.models import Client, Tenant
from configuration.services import versions
from ordermgmt.errors import Conflict, Invalid, NotFound
from ordermgmt.http import scopes as known_scopes

# 256 random bits (43 characters), enough for a hash of one pass (configuration/hashers.py).
_SECRET_BYTES: Final = 32
_LONGEST_NAME: Final = 200


class ClientNotFound(NotFound):
    code = "client_not_found"


class ClientExists(Conflict):
    code = "client_exists"


class BadClientName(Invalid):
    code = "bad_client_name"


class WithSecret(NamedTuple):
    """A client and its secret, which is not stored and can be shown only now."""

    client: Client
    secret: str


def create(*, tenant: Tenant, name: str, scopes: Iterable[str] | None = None) -> WithSecret:
    """Return a new client with these scopes, by default all but those of `ONLY_IF_NAMED`.

    Raises `BadClientName` and `ClientExists`.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadClientName(f"A client's name is 1 to {_LONGEST_NAME} printable characters.")
    if scopes is None:
        scopes = known_scopes.SCOPES.keys() - known_scopes.ONLY_IF_NAMED
    allowed = known_scopes.known(scopes)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    try:
        with transaction.atomic():
            client = Client.objects.create(
                tenant=tenant,
                name=name,
                scopes=allowed,
                client_secret=_hash(secret),
                client_type=Client.CLIENT_CONFIDENTIAL,
                authorization_grant_type=Client.GRANT_CLIENT_CREDENTIALS,
            )
    except IntegrityError as failure:
        if isinstance(failure.__cause__, pg.UniqueViolation):
            raise ClientExists(f"{tenant.slug} already has a client named {name}.") from None
        raise
    return WithSecret(client, secret)


@transaction.atomic
def rotate(client_id: str) -> WithSecret:
    """Replace the secret of a client, and end every token that was issued for the old one."""
    client = _locked(client_id)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    client.client_secret = _hash(secret)
    client.save(update_fields=["client_secret", "updated"])
    _delete_tokens(client)
    return WithSecret(client, secret)


@transaction.atomic
def switch(client_id: str, *, is_active: bool) -> Client:
    """Switch a client on or off. Switching it off ends all of its tokens for good."""
    client = _locked(client_id)
    client.is_active = is_active
    client.save(update_fields=["is_active", "updated"])
    if not is_active:
        _end_tokens(client)
    return client


@transaction.atomic
def allow(
    client_id: str, *, scopes: Iterable[str], if_match: AbstractSet[int] | None = None
) -> Client:
    """Set the scopes of a client; a change ends its access tokens.

    Its refresh tokens end only when the client lost a scope. Raises
    `VersionMismatch` when `if_match` is given and lacks the client's version.
    """
    client = _locked(client_id)
    versions.check(client.version, if_match)
    before, former = client.version, set(client.scopes)
    versions.change(client, {"scopes": known_scopes.known(scopes)})
    if not former <= set(client.scopes):
        _end_tokens(client)
    elif client.version != before:
        _delete_tokens(client)
    return client


@transaction.atomic
def revoke_tokens(client_id: str) -> int:
    """Revoke all tokens of a client, and return the number of its access tokens."""
    return _end_tokens(_locked(client_id))


def _locked(client_id: str) -> Client:
    rows = Client.objects.select_for_update(of=("self",)).select_related("tenant")
    try:
        return rows.get(client_id=client_id)
    except Client.DoesNotExist:
        raise ClientNotFound(f"There is no client {ascii(client_id)[:80]}.") from None


def _end_tokens(client: Client) -> int:
    """Delete the access tokens of a locked client, and end its refresh tokens by a new epoch."""
    client.token_epoch += 1
    client.save(update_fields=["token_epoch"])
    return _delete_tokens(client)


def _delete_tokens(client: Client) -> int:
    deleted, _ = get_access_token_model().objects.filter(application=client).delete()
    return int(deleted)


def _hash(secret: str) -> str:
    return make_password(secret, hasher=OnePassHasher.algorithm)

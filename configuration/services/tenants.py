"""Tenants: creation, changes and look-up by slug."""

import os
import re
import uuid
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from psycopg import errors as pg

from configuration.models import SLUG, Tenant
from configuration.services import versions
from ordermgmt import encryption
from ordermgmt.errors import Conflict, Invalid, NotFound

_PSEUDONYM_KEY_BYTES: Final = 32


class TenantNotFound(NotFound):
    code = "tenant_not_found"


class BadSlug(Invalid):
    code = "bad_tenant_slug"


class TenantExists(Conflict):
    code = "tenant_exists"


class Switches(TypedDict, total=False):
    """Options of a tenant, documented in `configuration.models.Tenant`."""

    name: str
    is_active: bool
    shop: str
    shop_locale: str
    uses_pii_tokens: bool
    checks_payment_totals: bool
    lenient_price_details: bool
    allows_http_webhooks: bool


def create(slug: str, **switches: Unpack[Switches]) -> Tenant:
    """Return a new tenant, named like its slug by default.

    Raises `BadSlug` and `TenantExists`.
    """
    slug = folded(slug)
    if not re.fullmatch(SLUG.strip("^$"), slug):
        raise BadSlug("A tenant's slug is 1 to 63 of a-z, 0-9 and hyphens.")
    identity = uuid.uuid4()
    values: dict[str, Any] = {"name": slug, **switches}
    try:
        with transaction.atomic():
            return Tenant.objects.create(
                uuid=identity,
                slug=slug,
                pseudonym_key=encryption.seal(
                    os.urandom(_PSEUDONYM_KEY_BYTES),
                    associated_data=pseudonym_associated_data(identity),
                ),
                **values,
            )
    except IntegrityError as failure:
        if isinstance(failure.__cause__, pg.UniqueViolation):
            raise TenantExists(f"There already is a tenant {slug}.") from None
        raise


@transaction.atomic
def update(
    slug: str, *, if_match: AbstractSet[int] | None = None, **switches: Unpack[Switches]
) -> Tenant:
    """Change these options of a tenant; a suspended tenant is refused within a second.

    Raises `VersionMismatch` when `if_match` is given and lacks the tenant's version.
    """
    tenant = find(slug, among=Tenant.objects.select_for_update(no_key=True))
    versions.check(tenant.version, if_match)
    return versions.change(tenant, dict(switches))


def folded(slug: str) -> str:
    """Return a slug in its stored form, which has lowercase ASCII letters."""
    return slug.lower() if slug.isascii() else slug


def find(slug: str, *, among: QuerySet[Tenant] | None = None) -> Tenant:
    """Return the tenant of that slug, active or not. Raises `TenantNotFound`."""
    try:
        return (Tenant.objects.all() if among is None else among).get(slug=folded(slug))
    except Tenant.DoesNotExist:
        raise TenantNotFound(f"There is no tenant {ascii(slug)[:80]}.") from None


def pseudonym_key(identity: uuid.UUID, sealed: str) -> bytes:
    """Return the 32 bytes of a tenant's pseudonym key, from its UUID and the sealed text."""
    return encryption.open_sealed(sealed, associated_data=pseudonym_associated_data(identity))


def pseudonym_associated_data(identity: uuid.UUID) -> str:
    """Return the associated data of a tenant's pseudonym key, for `ordermgmt.encryption`."""
    return f"tenant:{identity}/pseudonym_key"

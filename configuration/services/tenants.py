"""Making and changing tenants."""

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
    """What may be chosen for a tenant; `configuration.models.Tenant` says what each means."""

    name: str
    is_active: bool
    shop: str
    shop_locale: str
    uses_pii_tokens: bool
    checks_payment_totals: bool
    lenient_price_details: bool
    allows_http_webhooks: bool


def create(slug: str, **switches: Unpack[Switches]) -> Tenant:
    """A new tenant that clients can be made for; its name is the slug unless one is given."""
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
                    os.urandom(_PSEUDONYM_KEY_BYTES), place=pseudonym_place(identity)
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
    """Change what is named and leave the rest; a suspended tenant is refused within a second.

    Raises `VersionMismatch` when `if_match` is given and lacks the tenant's version.
    """
    tenant = find(slug, among=Tenant.objects.select_for_update(no_key=True))
    versions.check(tenant.version, if_match)
    return versions.change(tenant, dict(switches))


def folded(slug: str) -> str:
    """Return a tenant's slug as it is stored; capitals of ASCII mean the same."""
    return slug.lower() if slug.isascii() else slug


def find(slug: str, *, among: QuerySet[Tenant] | None = None) -> Tenant:
    """The tenant of that slug, active or not; raises `TenantNotFound`."""
    try:
        return (Tenant.objects.all() if among is None else among).get(slug=folded(slug))
    except Tenant.DoesNotExist:
        raise TenantNotFound(f"There is no tenant {ascii(slug)[:80]}.") from None


def pseudonym_key(identity: uuid.UUID, sealed: str) -> bytes:
    """The 32 bytes that make the tokens of a tenant's personal data, from its uuid and column."""
    return encryption.open_sealed(sealed, place=pseudonym_place(identity))


def pseudonym_place(identity: uuid.UUID) -> str:
    """Where a tenant's key lives, for `ordermgmt.encryption`."""
    return f"tenant:{identity}/pseudonym_key"

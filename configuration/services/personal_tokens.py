"""Encrypted values behind tokens of personal data, so that a token can be resolved."""

from collections.abc import Collection, Mapping
from typing import Final

import structlog
from django.db import transaction

from configuration.models import PersonalToken, Tenant
from ordermgmt import encryption

_BATCH: Final = 500  # rows that are resealed in one transaction

log = structlog.get_logger(__name__)


def remember(tenant: Tenant, values: Mapping[str, str]) -> None:
    """Store the value of each token; a token that is stored already keeps its value."""
    rows = [
        PersonalToken(
            tenant=tenant,
            token=token,
            value=encryption.seal(
                values[token].encode(), associated_data=_associated_data(tenant, token)
            ),
        )
        for token in sorted(values)  # sorted, so that concurrent writers do not deadlock
    ]
    if rows:
        PersonalToken.objects.bulk_create(rows, ignore_conflicts=True)


def recall(tenant: Tenant, tokens: Collection[str]) -> dict[str, str]:
    """Return the stored values by token, in one query. Unknown tokens are left out."""
    rows = PersonalToken.objects.filter(tenant=tenant, token__in=tokens)
    values: dict[str, str] = {}
    for token, sealed in rows.values_list("token", "value"):
        try:
            secret = encryption.open_sealed(sealed, associated_data=_associated_data(tenant, token))
        except encryption.CannotOpen as reason:  # return the others all the same
            log.error("personal token cannot be opened", tenant=tenant.slug, reason=str(reason))
        else:
            values[token] = secret.decode()
    return values


def reseal(tenant: Tenant) -> bool:
    """Reseal every value of the tenant with the newest key; return whether any was changed.

    Raises `encryption.CannotOpen` for the first value whose key is not configured.
    """
    is_changed, last = False, 0
    while rows := _batch(tenant, after=last):
        last = rows[-1].pk
        changed = []
        for row in rows:
            sealed = encryption.reseal(
                row.value, associated_data=_associated_data(tenant, row.token)
            )
            if sealed != row.value:
                row.value = sealed
                changed.append(row)
        # No other code updates these rows, so no concurrent change is lost.
        with transaction.atomic():
            PersonalToken.objects.bulk_update(changed, ["value"])
        is_changed = is_changed or bool(changed)
    return is_changed


def _batch(tenant: Tenant, *, after: int) -> list[PersonalToken]:
    rows = PersonalToken.objects.select_related("tenant").filter(tenant=tenant, pk__gt=after)
    return list(rows.order_by("pk")[:_BATCH])


def _associated_data(tenant: Tenant, token: str) -> str:
    return f"tenant:{tenant.uuid}/personal_token:{token}"

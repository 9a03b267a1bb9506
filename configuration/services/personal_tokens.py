"""Values that tokens of personal data stand for, kept sealed so that a token can be turned back."""

from collections.abc import Collection, Mapping
from typing import Final

import structlog
from django.db import transaction

from configuration.models import PersonalToken, Tenant
from ordermgmt import encryption

_BATCH: Final = 500  # rows that are sealed anew in one transaction

log = structlog.get_logger(__name__)


def remember(tenant: Tenant, values: Mapping[str, str]) -> None:
    """Keep the value of each token; a token that is known keeps the value it has."""
    rows = [
        PersonalToken(
            tenant=tenant,
            token=token,
            value=encryption.seal(values[token].encode(), place=_place(tenant, token)),
        )
        for token in sorted(values)  # in one order, so that two who write the same do not deadlock
    ]
    if rows:
        PersonalToken.objects.bulk_create(rows, ignore_conflicts=True)


def recall(tenant: Tenant, tokens: Collection[str]) -> dict[str, str]:
    """Return the values of those of the tokens that this tenant has kept; one query."""
    rows = PersonalToken.objects.filter(tenant=tenant, token__in=tokens)
    values: dict[str, str] = {}
    for token, sealed in rows.values_list("token", "value"):
        try:
            secret = encryption.open_sealed(sealed, place=_place(tenant, token))
        except encryption.CannotOpen as reason:  # the other values can still be read
            log.error("personal token cannot be opened", tenant=tenant.slug, reason=str(reason))
        else:
            values[token] = secret.decode()
    return values


def reseal(tenant: Tenant) -> bool:
    """Seal every value of the tenant under the newest key; return whether any was under another.

    Raises `encryption.CannotOpen` for the first value whose key is not configured.
    """
    is_changed, last = False, 0
    while rows := _batch(tenant, after=last):
        last = rows[-1].pk
        changed = []
        for row in rows:
            sealed = encryption.reseal(row.value, place=_place(tenant, row.token))
            if sealed != row.value:
                row.value = sealed
                changed.append(row)
        # Rows are never changed otherwise, so nothing written meanwhile is lost.
        with transaction.atomic():
            PersonalToken.objects.bulk_update(changed, ["value"])
        is_changed = is_changed or bool(changed)
    return is_changed


def _batch(tenant: Tenant, *, after: int) -> list[PersonalToken]:
    rows = PersonalToken.objects.select_related("tenant").filter(tenant=tenant, pk__gt=after)
    return list(rows.order_by("pk")[:_BATCH])


def _place(tenant: Tenant, token: str) -> str:
    return f"tenant:{tenant.uuid}/personal_token:{token}"

"""Resealing of every stored secret with the newest key, so that old keys can be removed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef

from configuration import keys
from configuration.models import PersonalToken, Setting, Tenant
from configuration.services import personal_tokens
from configuration.services.settings import associated_data
from configuration.services.tenants import pseudonym_associated_data
from ordermgmt import encryption
from ordermgmt.console import second_factor
from ordermgmt.models import SecondFactor


@dataclass(frozen=True, slots=True)
class Sealed:
    """A row with secrets, or all rows of one kind of a tenant, with the function that reseals."""

    label: str
    reseal: Callable[[], bool]  # returns whether anything was changed; raises encryption.CannotOpen


def stored() -> list[Sealed]:
    """Return everything that holds secrets. Histories hold none, because they are masked."""
    tenants = [
        Sealed(f"{slug}: pseudonym_key", partial(_reseal_tenant, pk))
        for pk, slug in Tenant.objects.order_by("slug").values_list("pk", "slug")
    ]
    secret = [name for name, key in keys.KEYS.items() if key.secrets]
    rows = Setting.objects.filter(key__in=secret).order_by("tenant__slug", "key")
    settings = [
        Sealed(f"{slug}: {key}", partial(_reseal_setting, pk))
        for pk, slug, key in rows.values_list("pk", "tenant__slug", "key")
    ]
    return tenants + settings + _personal_tokens() + _second_factors()


def _personal_tokens() -> list[Sealed]:
    """Return one entry for each tenant with tokens, because a tenant may have very many."""
    has_tokens = Exists(PersonalToken.objects.filter(tenant=OuterRef("pk")))
    return [
        Sealed(f"{tenant.slug}: personal tokens", partial(personal_tokens.reseal, tenant))
        for tenant in Tenant.objects.filter(has_tokens).order_by("slug")
    ]


def _second_factors() -> list[Sealed]:
    devices = SecondFactor.objects.order_by("user__username")
    return [
        Sealed(f"{name}: second factor", partial(second_factor.reseal, pk))
        for pk, name in devices.values_list("pk", "user__username")
    ]


@transaction.atomic
def _reseal_tenant(pk: int) -> bool:
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=pk)
    sealed = encryption.reseal(
        tenant.pseudonym_key, associated_data=pseudonym_associated_data(tenant.uuid)
    )
    if sealed == tenant.pseudonym_key:
        return False
    Tenant.objects.filter(pk=pk).update(pseudonym_key=sealed)
    return True


@transaction.atomic
def _reseal_setting(pk: int) -> bool:
    """Reseal a setting without a new version or history, because its value stays the same."""
    setting = Setting.objects.select_related("tenant").select_for_update(of=["self"]).get(pk=pk)
    key = keys.find(setting.key)
    resealed = {
        name: encryption.reseal(
            setting.value[name], associated_data=associated_data(setting.tenant, key, name)
        )
        for name in key.secrets
    }
    document = {**setting.value, **resealed}
    if document == setting.value:
        return False
    Setting.objects.filter(pk=pk).update(value=document)
    return True

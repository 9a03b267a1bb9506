"""Settings of a tenant: reads, and atomic writes with history and encrypted secrets."""

import datetime as dt
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from psycopg import errors as pg

from configuration import keys
from configuration.models import Setting, SettingChange, Tenant
from configuration.registry import Key
from configuration.services import sequences, versions
from ordermgmt import encryption
from ordermgmt.errors import Conflict

T = TypeVar("T")


class LostRace(Conflict):
    code = "concurrent_update_on_tenant_setting"


class AlreadySet(Conflict):
    code = "setting_is_immutable"


class CannotReset(Conflict):
    code = "setting_cannot_be_reset"


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """The value of a key. A key that was never set has its default, version 0 and no time."""

    value: T
    version: int
    updated_at: dt.datetime | None
    updated_by: str = ""


def read(tenant: Tenant, key: Key[T]) -> Stored[T]:
    """Return the tenant's value of a key or its default, with secrets in the clear. One query."""
    setting = Setting.objects.filter(tenant=tenant, key=key.name).first()
    return _stored(tenant, key, setting)


def read_all(tenant: Tenant) -> dict[str, Stored[Any]]:
    """Return the values of all keys by name, in one query."""
    settings = {setting.key: setting for setting in Setting.objects.filter(tenant=tenant)}
    return {name: _stored(tenant, key, settings.get(name)) for name, key in keys.KEYS.items()}


def history(tenant: Tenant, key: Key[Any]) -> QuerySet[SettingChange]:
    """Return the changes of a key, newest first, with masked secrets."""
    return SettingChange.objects.filter(tenant=tenant, key=key.name).order_by("-version")


def write(
    tenant: Tenant,
    key: Key[T],
    value: T,
    *,
    actor: str,
    if_match: AbstractSet[int] | None = None,
    may_grow: bool = False,
) -> Stored[T]:
    """Set a key to a value that `key.parse` returned, and record the actor.

    Setting the same value again changes nothing. Raises `LostRace` for the slower of two
    concurrent writers, `VersionMismatch` when `if_match` is given and lacks the stored version, and
    `AlreadySet` when the key is immutable and set to another value. `may_grow` allows
    to raise the growing member of an immutable value.
    """
    with _one_writer(key), transaction.atomic():
        setting = _locked(tenant, key)
        before = _stored(tenant, key, setting)
        versions.check(before.version, if_match)
        after = key.settle(tenant, value, before.value if setting else None)
        if setting is not None and after == before.value:
            return before
        is_fixed = setting is not None and key.immutable
        if is_fixed and not (may_grow and key.has_grown(before.value, after)):
            raise AlreadySet(_already_set_text(key, may_grow=may_grow))
        return _replace(tenant, key, setting, before, after, actor)


def _already_set_text(key: Key[Any], *, may_grow: bool) -> str:
    exception = f" Only its {key.growing} can be raised." if may_grow and key.growing else ""
    return f"The {key.name} configuration is set once, and cannot be changed.{exception}"


def reset(tenant: Tenant, key: Key[T], *, actor: str) -> Stored[T]:
    """Reset an immutable key to its default while the tenant has no order, and record the actor.

    Does nothing when the key is not set. Raises `CannotReset` when the key is not immutable, and
    when the tenant has an order, because its number may come from the sequence.
    """
    if not key.immutable:
        raise CannotReset(f"The {key.name} configuration can be changed; set it to another value.")
    with _one_writer(key), transaction.atomic():
        setting = _locked(tenant, key)
        before = _stored(tenant, key, setting)
        if setting is None:
            return before
        sequences.stop_drawing(tenant)
        # Checked after the wait, because a capture may have drawn a number and committed meanwhile.
        if sequences.is_in_use(tenant):
            raise CannotReset(
                f"The {key.name} configuration stays: {tenant.slug} has orders, and their numbers"
                " must stay unique."
            )
        setting.delete()
        sequences.drop(tenant)
        SettingChange.objects.create(
            tenant=tenant,
            key=key.name,
            version=before.version + 1,
            old_value=key.masked(before.value),
            new_value=key.masked(key.default),
            author=actor,
            at=timezone.now(),
        )
        return _stored(tenant, key, None)


@contextmanager
def _one_writer(key: Key[Any]) -> Iterator[None]:
    """Raise `LostRace` for database errors that mean a concurrent write."""
    lost = LostRace(f"Concurrent update detected on {key.race_name} configuration setting.")
    try:
        yield
    except OperationalError as failure:
        if isinstance(failure.__cause__, pg.LockNotAvailable):
            raise lost from None
        raise
    except IntegrityError as failure:
        # The second of two first writers waits for the commit of the first and then fails.
        if _constraint(failure) == "setting_is_set_once_per_key":
            raise lost from None
        raise


def _constraint(failure: IntegrityError) -> str | None:
    cause = failure.__cause__
    return cause.diag.constraint_name if isinstance(cause, pg.Error) else None


def _locked(tenant: Tenant, key: Key[Any]) -> Setting | None:
    return (
        Setting.objects.select_for_update(nowait=True).filter(tenant=tenant, key=key.name).first()
    )


def _replace(
    tenant: Tenant,
    key: Key[T],
    setting: Setting | None,
    before: Stored[T],
    after: T,
    actor: str,
) -> Stored[T]:
    now = timezone.now()
    stored = Stored(after, _latest_version(tenant, key, before) + 1, now, actor)
    row = {
        "value": _sealed(tenant, key, after),
        "version": stored.version,
        "updated_at": now,
        "updated_by": actor,
    }
    if setting is None:
        Setting.objects.create(tenant=tenant, key=key.name, **row)
    else:
        Setting.objects.filter(pk=setting.pk).update(**row)
    SettingChange.objects.create(
        tenant=tenant,
        key=key.name,
        version=stored.version,
        old_value=key.masked(before.value) if setting else None,
        new_value=key.masked(after),
        author=actor,
        at=now,
    )
    if isinstance(after, keys.Sequence):
        (sequences.grow if setting else sequences.create)(tenant, after)
    return stored


def _latest_version(tenant: Tenant, key: Key[Any], before: Stored[Any]) -> int:
    """Return the version of the last change, which a reset may have made."""
    if before.version:
        return before.version
    return history(tenant, key).values_list("version", flat=True).first() or 0


def _stored(tenant: Tenant, key: Key[T], setting: Setting | None) -> Stored[T]:
    if setting is None:
        return Stored(key.default, 0, None)
    document = setting.value
    for member in key.secrets:
        secret = encryption.open_sealed(
            document[member], associated_data=associated_data(tenant, key, member)
        )
        document = document | {member: secret.decode()}
    return Stored(key.parse(document), setting.version, setting.updated_at, setting.updated_by)


def _sealed(tenant: Tenant, key: Key[T], value: T) -> Any:
    document = key.dump(value)
    for member in key.secrets:
        secret = document[member].encode()
        document[member] = encryption.seal(
            secret, associated_data=associated_data(tenant, key, member)
        )
    return document


def associated_data(tenant: Tenant, key: Key[Any], member: str) -> str:
    """Return the associated data of a setting's secret, for `ordermgmt.encryption`."""
    return f"tenant:{tenant.uuid}/setting:{key.name}/{member}"

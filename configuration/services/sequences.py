"""PostgreSQL sequences that count tenants' orders: creation, growth, removal and usage.

A draw takes no lock that another capture waits for, and a rollback leaves a gap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import connection

from configuration.keys import Sequence
from configuration.models import Tenant

NEARLY_USED: Final = 90  # percent of the numbers; from here on warnings are shown
_PREFIX: Final = "order_number_of_tenant_"
# Total and drawn numbers by tenant. The catalog has a row for each sequence.
_USED: Final = f"""
SELECT t.slug, (s.max_value - s.start_value) / s.increment_by + 1,
       coalesce((s.last_value - s.start_value) / s.increment_by + 1, 0)
  FROM configuration_tenant t
  JOIN pg_sequences s ON s.sequencename = '{_PREFIX}' || t.id AND s.schemaname = current_schema()
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Usage:
    """The number of order numbers of a tenant, and the number of those that were drawn."""

    total: int
    drawn: int

    @property
    def left(self) -> int:
        return self.total - self.drawn

    @property
    def percent(self) -> float:
        return 100 * self.drawn / self.total

    @property
    def is_nearly_used(self) -> bool:
        return self.percent >= NEARLY_USED


def sequence_name(tenant_id: int) -> str:
    """Return the name of the sequence; it exists once the tenant's numbers are configured."""
    return f"{_PREFIX}{tenant_id:d}"


def create(tenant: Tenant, sequence: Sequence) -> None:
    _execute(
        f"CREATE SEQUENCE {sequence_name(tenant.pk)} AS bigint"
        f" START {sequence.start:d} INCREMENT {sequence.step:d}"
        f" MINVALUE 1 MAXVALUE {sequence.largest:d} NO CYCLE"
    )


def grow(tenant: Tenant, sequence: Sequence) -> None:
    """Raise the maximum of the counter to the largest number of the new size."""
    _execute(f"ALTER SEQUENCE {sequence_name(tenant.pk)} MAXVALUE {sequence.largest:d}")


def exists(tenant: Tenant) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [sequence_name(tenant.pk)])
        return bool(cursor.fetchone()[0])


def stop_drawing(tenant: Tenant) -> None:
    """Wait for captures that drew a number, and block further draws until this commits.

    PostgreSQL has no LOCK for sequences, but every ALTER waits for transactions that called
    `nextval` and blocks it. This ALTER changes nothing.
    """
    _execute(f"ALTER SEQUENCE {sequence_name(tenant.pk)} NO CYCLE")


def drop(tenant: Tenant) -> None:
    _execute(f"DROP SEQUENCE {sequence_name(tenant.pk)}")


def usages(tenant: Tenant | None = None) -> dict[str, Usage]:
    """Return the usage of every tenant that has a sequence, or of one, by slug. One statement."""
    with connection.cursor() as cursor:
        if tenant is None:
            cursor.execute(_USED)
        else:
            cursor.execute(f"{_USED} WHERE t.id = %s", [tenant.pk])
        return {slug: Usage(total, drawn) for slug, total, drawn in cursor.fetchall()}


def used_percents() -> dict[str, float]:
    """Return the percentage of each tenant's numbers that were drawn, by slug, for a gauge."""
    return {slug: usage.percent for slug, usage in usages().items()}


def register_use(has_numbers: Callable[[Tenant], bool]) -> None:
    """Register a predicate for `is_in_use`; apps call this in `AppConfig.ready`."""
    _uses[has_numbers.__qualname__] = has_numbers


def is_in_use(tenant: Tenant) -> bool:
    """Return whether any registered app may use a number of the tenant."""
    return any(has_numbers(tenant) for has_numbers in _uses.values())


def _execute(statement: str) -> None:
    # DDL takes no parameters, but all parts are constants and validated integers.
    with connection.cursor() as cursor:
        cursor.execute(statement)


_uses: Final[dict[str, Callable[[Tenant], bool]]] = {}

"""Circuit breaker for external OMS: one row for each tenant, shared by all processes.

Each process reads the row at most once a second. An OMS that failed a few times in a row rests, and
requests to it are refused at once. After the rest a single request may try, and its success closes
the circuit.
"""

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any, Final, Generic, Literal, TypeVar

import structlog
from django.db.models import BooleanField, Case, DateTimeField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Extract, Now

from configuration.models import Tenant
from ordermgmt.errors import Unavailable
from webhooks.models import ExternalOms

MOST_FAILURES: Final = 5  # in a row, then it rests
REST: Final = dt.timedelta(seconds=10)
# Seconds. The same success or broken answer is not written more often.
WRITE_INTERVAL: Final = 5.0
CACHE_SECONDS: Final = 1.0

T = TypeVar("T")
log = structlog.get_logger(__name__)


class OmsRests(Unavailable):
    """An OMS that failed too often, so it is not called for `retry_after` seconds."""


class TenantCache(Generic[T]):
    """A value for each tenant that is cached for a second."""

    def __init__(self, read: Callable[[Tenant], T]) -> None:
        self._read, self._lock = read, Lock()
        self._entries: dict[int, tuple[T, float]] = {}

    def of(self, tenant: Tenant) -> T:
        entry = self._entries.get(tenant.pk)
        if entry is not None and entry[1] > monotonic():
            return entry[0]
        # The lifetime starts before the read, because the value may change during it.
        until = monotonic() + CACHE_SECONDS
        value = self._read(tenant)
        with self._lock:
            self._entries[tenant.pk] = value, until
        return value

    def invalidate(self, tenant: Tenant) -> None:
        with self._lock:
            self._entries.pop(tenant.pk, None)


@dataclass(frozen=True, slots=True)
class Health:
    """The row as last read by this process; `rests_until` is on its own monotonic clock."""

    failures: int = 0
    rests_until: float | None = None


def _read_health(tenant: Tenant) -> Health:
    left = Extract(F("rests_until") - Now(), "epoch")
    row = ExternalOms.objects.filter(tenant=tenant).values_list("failures", left).first()
    if row is None:
        return Health()
    failures, seconds = row
    return Health(failures, None if seconds is None else monotonic() + float(seconds))


health: Final = TenantCache(_read_health)
_last_writes: Final[dict[tuple[int, str], float]] = {}  # by tenant and error code


def check(tenant: Tenant, *, patience: float) -> None:
    """Raise `OmsRests` while the OMS rests, unless this request may try after the rest.

    `patience` is the timeout of the request in seconds, during which no other one may try.
    """
    until = health.of(tenant).rests_until
    if until is None:
        return
    seconds = until - monotonic()
    if seconds <= 0 and _may_try(tenant, patience):
        return
    raise OmsRests(
        "The external OMS failed several times in a row and is not asked for a moment.",
        retry_after=max(1, math.ceil(seconds)),
    )


def succeeded(tenant: Tenant) -> None:
    """Record a valid answer."""
    before = health.of(tenant)
    if before == Health() and not _is_due(tenant, ""):
        return
    ExternalOms.objects.bulk_create(
        [ExternalOms(tenant=tenant, last_success_at=Now())],
        update_conflicts=True,
        unique_fields=["tenant"],
        update_fields=["failures", "rests_until", "last_success_at"],
    )
    health.invalidate(tenant)


def failed(tenant: Tenant, code: str, text: str) -> None:
    """Record a missing answer or an error status. `code` and `text` must be safe to show."""
    rest = Case(
        When(failures__gte=MOST_FAILURES - 1, then=Now() + Value(REST)),
        default=F("rests_until"),
        output_field=DateTimeField(),
    )
    _note(tenant, code, text, failures=F("failures") + 1, rests_until=rest)


def broke(tenant: Tenant, code: str, text: str) -> None:
    """Record an invalid answer, which closes the circuit because the OMS is reachable."""
    if health.of(tenant) != Health() or _is_due(tenant, code):
        _note(tenant, code, text, failures=0, rests_until=None)


@dataclass(frozen=True, slots=True)
class State:
    """The health of a tenant's external OMS, for console and command line."""

    tenant: str
    state: Literal["well", "failing", "resting"]
    failures: int  # in a row
    rests_until: dt.datetime | None
    last_success_at: dt.datetime | None
    last_error_at: dt.datetime | None
    last_error: str
    last_error_text: str


def states(tenant: Tenant | None = None) -> list[State]:
    """Return the state of this tenant's external OMS, or of all, in one statement."""
    rests = ExpressionWrapper(Q(rests_until__gt=Now()), BooleanField())
    rows = ExternalOms.objects.annotate(rests=rests).select_related("tenant")
    selected = rows if tenant is None else rows.filter(tenant=tenant)
    return [_state(row) for row in selected.order_by("tenant__slug")]


def _state(row: Any) -> State:
    awake: Literal["well", "failing"] = "failing" if row.failures else "well"
    return State(
        tenant=row.tenant.slug,
        state="resting" if row.rests else awake,
        failures=row.failures,
        rests_until=row.rests_until,
        last_success_at=row.last_success_at,
        last_error_at=row.last_error_at,
        last_error=row.last_error,
        last_error_text=row.last_error_text,
    )


def ages() -> dict[str, float]:
    """Return the seconds since the last valid answer of each external OMS, by tenant slug."""
    seconds = Extract(Now() - F("last_success_at"), "epoch")
    rows = ExternalOms.objects.exclude(last_success_at=None).values_list("tenant__slug", seconds)
    return {slug: float(age) for slug, age in rows}


def failures() -> dict[str, float]:
    """Return the number of failures in a row of each external OMS, by tenant slug."""
    return dict(ExternalOms.objects.values_list("tenant__slug", "failures"))


def _may_try(tenant: Tenant, patience: float) -> bool:
    """Return whether this request may try; the rest is extended for all others."""
    end = Now() + Value(dt.timedelta(seconds=patience + 1))
    over = ExternalOms.objects.filter(tenant=tenant, rests_until__lte=Now())
    tries = over.update(rests_until=end) == 1
    health.invalidate(tenant)
    return tries


def _note(tenant: Tenant, code: str, text: str, **changes: Any) -> None:
    log.warning("external OMS failed", tenant=tenant.slug, code=code, text=text)
    ExternalOms.objects.get_or_create(tenant=tenant)
    ExternalOms.objects.filter(tenant=tenant).update(
        last_error=code, last_error_text=text[:300], last_error_at=Now(), **changes
    )
    health.invalidate(tenant)


def _is_due(tenant: Tenant, code: str) -> bool:
    now = monotonic()
    if _last_writes.get((tenant.pk, code), -math.inf) > now - WRITE_INTERVAL:
        return False
    _last_writes[tenant.pk, code] = now
    return True

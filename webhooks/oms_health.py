"""How each tenant's external OMS is doing, and when it is left alone: a circuit breaker in a row.

The row is shared by all processes; each looks at it once a second at most, and so learns within a
second what another met. An OMS that failed a few times in a row rests: whoever asks is refused at
once. When the rest is over, one request of all processes may try, and its success ends it.
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
NOTED_EVERY: Final = (
    5.0  # seconds; that all is well, or an answer broken, is not written more often
)
REMEMBERED_FOR: Final = 1.0  # seconds

T = TypeVar("T")
log = structlog.get_logger(__name__)


class OmsRests(Unavailable):
    """It failed too often just now; nobody asks it before `retry_after` seconds are over."""


class Remembered(Generic[T]):
    """What was found out of a tenant, for a second; so a busy tenant costs one look a second."""

    def __init__(self, find_out: Callable[[Tenant], T]) -> None:
        self._find_out, self._lock = find_out, Lock()
        self._known: dict[int, tuple[T, float]] = {}

    def of(self, tenant: Tenant) -> T:
        found = self._known.get(tenant.pk)
        if found is not None and found[1] > monotonic():
            return found[0]
        until = monotonic() + REMEMBERED_FOR  # from before the look: what changes during it is new
        value = self._find_out(tenant)
        with self._lock:
            self._known[tenant.pk] = value, until
        return value

    def forget(self, tenant: Tenant) -> None:
        with self._lock:
            self._known.pop(tenant.pk, None)


@dataclass(frozen=True, slots=True)
class Health:
    """The row as this process last saw it; `rests_until` by its own monotonic clock."""

    failures: int = 0
    rests_until: float | None = None


def _look(tenant: Tenant) -> Health:
    left = Extract(F("rests_until") - Now(), "epoch")
    row = ExternalOms.objects.filter(tenant=tenant).values_list("failures", left).first()
    if row is None:
        return Health()
    failures, seconds = row
    return Health(failures, None if seconds is None else monotonic() + float(seconds))


health: Final = Remembered(_look)
_noted: Final[dict[tuple[int, str], float]] = {}  # tenant and what was written → when


def check(tenant: Tenant, *, patience: float) -> None:
    """Raise `OmsRests` while it does; let one try, for `patience` seconds, when that is over."""
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
    """It answered as it should."""
    before = health.of(tenant)
    if before == Health() and not _is_due(tenant, ""):
        return
    ExternalOms.objects.bulk_create(
        [ExternalOms(tenant=tenant, last_success_at=Now())],
        update_conflicts=True,
        unique_fields=["tenant"],
        update_fields=["failures", "rests_until", "last_success_at"],
    )
    health.forget(tenant)


def failed(tenant: Tenant, code: str, text: str) -> None:
    """It did not answer, or said that it cannot; `code` and `text` are safe to show."""
    rest = Case(
        When(failures__gte=MOST_FAILURES - 1, then=Now() + Value(REST)),
        default=F("rests_until"),
        output_field=DateTimeField(),
    )
    _note(tenant, code, text, failures=F("failures") + 1, rests_until=rest)


def broke(tenant: Tenant, code: str, text: str) -> None:
    """It answered, but not what it should: a fault to repair, and no reason to let it rest."""
    if health.of(tenant) != Health() or _is_due(tenant, code):
        _note(tenant, code, text, failures=0, rests_until=None)


@dataclass(frozen=True, slots=True)
class State:
    """How a tenant's external OMS is doing, for people."""

    tenant: str
    state: Literal["well", "failing", "resting"]
    failures: int  # in a row
    rests_until: dt.datetime | None
    last_success_at: dt.datetime | None
    last_error_at: dt.datetime | None
    last_error: str
    last_error_text: str


def states(tenant: Tenant | None = None) -> list[State]:
    """How all external OMS are doing that were ever asked, or this tenant's; one statement."""
    rests = ExpressionWrapper(Q(rests_until__gt=Now()), BooleanField())
    rows = ExternalOms.objects.annotate(rests=rests).select_related("tenant")
    chosen = rows if tenant is None else rows.filter(tenant=tenant)
    return [_state(row) for row in chosen.order_by("tenant__slug")]


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
    """Seconds since each tenant's external OMS last answered well, by the tenant's slug."""
    seconds = Extract(Now() - F("last_success_at"), "epoch")
    rows = ExternalOms.objects.exclude(last_success_at=None).values_list("tenant__slug", seconds)
    return {slug: float(age) for slug, age in rows}


def failures() -> dict[str, float]:
    """How often each tenant's external OMS has failed in a row until now, by the tenant's slug."""
    return dict(ExternalOms.objects.values_list("tenant__slug", "failures"))


def _may_try(tenant: Tenant, patience: float) -> bool:
    """Whether this request is the one that tries; others find it resting until that has ended."""
    end = Now() + Value(dt.timedelta(seconds=patience + 1))
    over = ExternalOms.objects.filter(tenant=tenant, rests_until__lte=Now())
    tries = over.update(rests_until=end) == 1
    health.forget(tenant)
    return tries


def _note(tenant: Tenant, code: str, text: str, **changed: Any) -> None:
    log.warning("external OMS failed", tenant=tenant.slug, code=code, text=text)
    ExternalOms.objects.get_or_create(tenant=tenant)
    ExternalOms.objects.filter(tenant=tenant).update(
        last_error=code, last_error_text=text[:300], last_error_at=Now(), **changed
    )
    health.forget(tenant)


def _is_due(tenant: Tenant, what: str) -> bool:
    now = monotonic()
    if _noted.get((tenant.pk, what), -math.inf) > now - NOTED_EVERY:
        return False
    _noted[tenant.pk, what] = now
    return True

"""Heartbeats of workers and beat: rows that `/readyz` reads."""

from typing import Final

from django.db.models import F
from django.db.models.functions import Extract, Now

from ordermgmt.models import Heartbeat
from ordermgmt.monitoring import gauges

WORKER: Final = "worker"
BEAT: Final = "beat"
SILENT: Final = 35.0  # seconds: a little more than three missed beats


def beat(name: str) -> None:
    """Record that `name` is alive now."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=Now())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )


def silence(name: str) -> float | None:
    """Return the seconds since the last heartbeat of `name`; None when there was none.

    A heartbeat in the future dates from before the clock was set back. It counts by its distance,
    because a live process replaces it within seconds.
    """
    since = Extract(Now() - F("at"), "epoch")
    seconds = Heartbeat.objects.filter(name=name).values_list(since, flat=True).first()
    return None if seconds is None else abs(float(seconds))


def _gauge(name: str, help: str) -> gauges.Gauge:
    def read() -> dict[str, float]:
        seconds = silence(name)
        return {} if seconds is None else {"": seconds}

    return gauges.Gauge(name=f"{name}_silence_seconds", help=help, read=read)


SILENCES: Final = (
    _gauge(
        WORKER,
        "Seconds since a Celery worker last showed that it works; missing if none ever did.",
    ),
    _gauge(
        BEAT,
        "Seconds since a worker last did what Celery beat asked for; missing if none ever did.",
    ),
)

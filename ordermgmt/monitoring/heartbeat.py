"""Signs of life: beat asks every few seconds, a worker answers with a row, `/readyz` reads it."""

from typing import Final

from django.db.models import F
from django.db.models.functions import Extract, Now

from ordermgmt.models import Heartbeat
from ordermgmt.monitoring import gauges

WORKER: Final = "worker"
BEAT: Final = "beat"
SILENT: Final = 35.0  # seconds: three beats missed, and a bit


def beat(name: str) -> None:
    """Show that `name` lives now."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=Now())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )


def silence(name: str) -> float | None:
    """Return the seconds since `name` last showed that it lives; None when it never did.

    A sign from the future was given before the clock was set back, and counts by its distance:
    who lives replaces it within seconds.
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

"""Signs of life: beat asks every few seconds, a worker answers with a row, `/readyz` reads it."""

from typing import Final

from django.db.models import F
from django.db.models.functions import Extract, Now

from ordermgmt import gauges
from ordermgmt.models import Heartbeat

WORKER: Final = "worker"
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
    """Seconds since `name` last showed that it lives; None when it never did."""
    since = Extract(Now() - F("at"), "epoch")
    found = Heartbeat.objects.filter(name=name).values_list(since, flat=True).first()
    return None if found is None else float(found)


def _worker() -> dict[str, float]:
    seconds = silence(WORKER)
    return {} if seconds is None else {"": seconds}


SILENCE: Final = gauges.Gauge(
    name="worker_silence_seconds",
    help="Seconds since a Celery worker last showed that it works; missing if none ever did.",
    read=_worker,
)

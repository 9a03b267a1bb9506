"""Beat's scheduler, which continues when the clock is set back."""

from datetime import UTC, datetime
from typing import Any, Final

from celery import beat

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Scheduler(beat.Scheduler):
    """Celery's scheduler in memory; a last run in the future means that its task is due.

    Celery itself would wait until the clock has caught up, without a word.
    """

    def tick(self, *args: Any, **options: Any) -> float:
        """Send one task that is due; return the seconds until the next look."""
        ahead = [
            entry for entry in self.schedule.values() if entry.last_run_at > entry.default_now()
        ]
        if ahead:
            for entry in ahead:
                entry.last_run_at = LONG_AGO
            self._heap = None  # it is sorted by times of the former clock
        seconds: float = super().tick(*args, **options)
        return seconds

"""Scheduled tasks of orders. A task calls one service and has no rules of its own."""

import time
from collections.abc import Callable
from typing import Final

from celery import shared_task

from orders.services.console import bulk_jobs
from orders.services.holds import due as due_holds

# A run starts no batch after this time, and the next beat continues. It is shorter than the period
# of the heartbeat, so that a busy worker does not look dead.
PATIENCE: Final = 5.0  # seconds
# Less than the interval of their schedule, so that bulk jobs keep no more than one worker busy.
BULK_PATIENCE: Final = 1.5  # seconds; the interval is 2


@shared_task(name="orders.release_due_holds", ignore_result=True)
def release_due_holds() -> None:
    """Release due grace holds in batches."""
    _run_batches(due_holds.release_due)


@shared_task(name="orders.check_big_orders", ignore_result=True)
def check_big_orders() -> None:
    """Hold waiting orders above their tenant's size limit, in batches."""
    _run_batches(due_holds.hold_big_orders)


@shared_task(name="orders.work_off_bulk_jobs", ignore_result=True)
def work_off_bulk_jobs() -> None:
    """Perform bulk jobs in batches."""
    _run_batches(bulk_jobs.run_batch, patience=BULK_PATIENCE)


def _run_batches(batch: Callable[[], int], *, patience: float = PATIENCE) -> None:
    until = time.monotonic() + patience
    while batch() and time.monotonic() < until:
        pass

"""Orders on the clock. A task makes one call and holds no rules; beat may run it anywhere."""

import time
from collections.abc import Callable
from typing import Final

from celery import shared_task

from orders.services.console import bulk_jobs
from orders.services.holds import due as due_holds

# How long one run goes on with further batches; what is left then is due at the next beat. Shorter
# than a heartbeat's period: a worker that has much to do must not look dead.
PATIENCE: Final = 5.0  # seconds
# Bulk jobs can wait; what is due cannot. So no more than one worker is busy with them.
BULK_PATIENCE: Final = 1.5  # seconds; their beat is 2


@shared_task(name="orders.release_due_holds", ignore_result=True)
def release_due_holds() -> None:
    """Release grace holds that are due, batch by batch."""
    _while_any(due_holds.release_due)


@shared_task(name="orders.check_big_orders", ignore_result=True)
def check_big_orders() -> None:
    """Hold orders that wait and are bigger than their tenant's limit, batch by batch."""
    _while_any(due_holds.hold_big_orders)


@shared_task(name="orders.work_off_bulk_jobs", ignore_result=True)
def work_off_bulk_jobs() -> None:
    """Do to further orders what somebody asked for many, round by round."""
    _while_any(bulk_jobs.run_batch, patience=BULK_PATIENCE)


def _while_any(batch: Callable[[], int], *, patience: float = PATIENCE) -> None:
    until = time.monotonic() + patience
    while batch() and time.monotonic() < until:
        pass

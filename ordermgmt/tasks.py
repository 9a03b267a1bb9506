"""The floor on the clock. A task makes one call and holds no rules."""

from celery import shared_task

from ordermgmt import heartbeat


@shared_task(name="ordermgmt.heartbeat", ignore_result=True)
def show_life() -> None:
    """Say that beat asks, the broker carries and a worker works: it takes all three."""
    heartbeat.beat(heartbeat.WORKER)

"""Periodic tasks of the base. A task makes one call and holds no rules."""

from celery import shared_task
from django.core.management import call_command

from ordermgmt.database import planner_statistics
from ordermgmt.monitoring import heartbeat


@shared_task(name="ordermgmt.heartbeat", ignore_result=True)
def show_life(by_beat: bool = False) -> None:
    """Record that a worker works and, if beat asked for it, that beat sends what is due."""
    heartbeat.beat(heartbeat.WORKER)
    if by_beat:
        heartbeat.beat(heartbeat.BEAT)


@shared_task(name="ordermgmt.forget_ended_sessions", ignore_result=True)
def forget_ended_sessions() -> None:
    """Delete sessions of the console that nobody can use any more."""
    call_command("clearsessions")


@shared_task(name="ordermgmt.introduce_tables", ignore_result=True)
def introduce_tables() -> None:
    """Let PostgreSQL know of tables that are no longer empty."""
    planner_statistics.analyze_new_tables()

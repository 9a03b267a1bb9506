"""The Celery application. Its tasks only hurry what rows in the database already promise."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_ready

from ordermgmt.launcher.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")

app = Celery("ordermgmt")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["ordermgmt.monitoring"])


@worker_ready.connect
def show_life(**_: Any) -> None:
    """A worker is seen as soon as it works, not a period of the clock later."""
    app.send_task("ordermgmt.heartbeat", expires=10)


@worker_process_init.connect
def follow_the_worker(**_: Any) -> None:
    """A worker that was killed takes its pool along: its tasks are somebody else's now."""
    die_with_parent(os.getppid())

"""The Celery application. Its tasks only hurry work that rows of the database promise."""

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
    """Send a heartbeat as soon as the worker works, not one period later."""
    app.send_task("ordermgmt.heartbeat", expires=10)


@worker_process_init.connect
def follow_the_worker(**_: Any) -> None:
    """End with the killed worker, because another worker gets its tasks."""
    die_with_parent(os.getppid())

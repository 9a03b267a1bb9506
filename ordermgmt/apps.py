"""The base as a Django app: its commands, checks, logs and Celery application."""

from django.apps import AppConfig
from django.conf import settings


class FloorConfig(AppConfig):
    name = "ordermgmt"
    verbose_name = "order management"

    def ready(self) -> None:
        """Make our Celery application the one `shared_task` finds, in every process."""
        from ordermgmt.monitoring import gauges, heartbeat, logging

        logging.configure(settings.LOG_LEVEL)
        for gauge in heartbeat.SILENCES:
            gauges.show(gauge)

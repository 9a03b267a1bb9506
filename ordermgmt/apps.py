"""The shared floor as a Django app: its commands, and the Celery application every task hangs on."""

from django.apps import AppConfig


class FloorConfig(AppConfig):
    name = "ordermgmt"
    verbose_name = "order management"

    def ready(self) -> None:
        """Make our Celery application the one `shared_task` finds, in every process."""
        from ordermgmt import celery  # noqa: F401

"""The webhooks app."""

from django.apps import AppConfig

from ordermgmt import gauges


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        """Show how long the outbox waits."""
        from webhooks import services

        gauges.show(
            gauges.Gauge(
                name="oldest_outbox_event_seconds",
                help="Seconds that the oldest event has waited to be delivered; 0 if none waits.",
                read=lambda: {"": services.oldest_waiting()},
            )
        )

"""The webhooks app."""

from django.apps import AppConfig

from ordermgmt.monitoring import gauges


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        """Register gauges for the outbox and for the health of external OMS."""
        from webhooks import services

        gauges.show(
            gauges.Gauge(
                name="oldest_outbox_event_seconds",
                help="Seconds that the oldest event has waited to be delivered; 0 if none waits.",
                read=lambda: {"": services.oldest_waiting()},
            )
        )
        gauges.show(
            gauges.Gauge(
                name="external_oms_success_age_seconds",
                help="Seconds since the tenant's external OMS last answered well.",
                read=services.oms_health.ages,
                label="tenant",
            )
        )
        gauges.show(
            gauges.Gauge(
                name="external_oms_failures",
                help="How often the tenant's external OMS has failed in a row; from 5 on it rests.",
                read=services.oms_health.failures,
                label="tenant",
                limit=services.oms_health.MOST_FAILURES - 1,
            )
        )

"""The configuration app: tenants with their clients, locations and settings."""

from django.apps import AppConfig

from ordermgmt.monitoring import gauges


class ConfigurationConfig(AppConfig):
    name = "configuration"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the deployment check for staff and the gauge for used order numbers."""
        from configuration import checks  # noqa: F401
        from configuration.services import sequences

        gauges.show(
            gauges.Gauge(
                name="order_numbers_used_percent",
                help="Percentage of the tenant's order numbers that were drawn; at 100 capture"
                " answers 500 sequence_exhausted.",
                read=sequences.used_percents,
                label="tenant",
                limit=sequences.NEARLY_USED - 0.1,  # the gauge is rounded to one decimal
            )
        )

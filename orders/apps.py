"""The orders app."""

from django.apps import AppConfig

from ordermgmt.monitoring import gauges


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        """Register the gauge of due holds and the check for used order numbers."""
        from configuration.services import sequences
        from orders.services.holds import due as due_holds
        from orders.services.reading import queries

        sequences.register_use(queries.has_orders)

        gauges.show(
            gauges.Gauge(
                name="oldest_due_hold_seconds",
                help="Seconds that the grace period that ended first is over; 0 if none is due.",
                read=lambda: {"": due_holds.oldest_due()},
                limit=due_holds.LATE,
            )
        )

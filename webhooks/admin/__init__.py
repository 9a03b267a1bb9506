"""Other systems in the console: the events they will hear of, and how the external OMS does."""

from webhooks.admin import events, external_oms

__all__ = ["events", "external_oms"]

"""Console pages of outbox events and external OMS."""

from webhooks.admin import events, external_oms

__all__ = ["events", "external_oms"]

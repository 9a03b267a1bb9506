"""Outbox events for other systems, and the health of external OMS."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ordermgmt.database.fields import SnapshotField


class Event(models.Model):
    """An outbox event, stored until its delivery (docs/contract.md, Events)."""

    tenant = models.ForeignKey(
        "configuration.Tenant", models.PROTECT, related_name="+", db_index=False
    )
    uuid = models.UUIDField(default=uuid.uuid4, help_text="The same at every delivery.")
    name = models.CharField(max_length=80, help_text="What happened: order.created …")
    subject = models.UUIDField(help_text="The order it is about.")
    version = models.PositiveIntegerField(help_text="Grows from event to event of one order.")
    published_at = models.DateTimeField(db_default=Now())
    payload = SnapshotField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "subject", "version", "name"],
                name="event_is_published_once_a_version",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class ExternalOms(models.Model):
    """The recent health of a tenant's external OMS, stored from its first request on."""

    tenant = models.OneToOneField(
        "configuration.Tenant", models.CASCADE, related_name="+", primary_key=True
    )
    failures = models.PositiveIntegerField(default=0, help_text="In a row, until now.")
    rests_until = models.DateTimeField(
        null=True, help_text="It is left alone until then, after too many failures."
    )
    last_success_at = models.DateTimeField(null=True, help_text="To within seconds.")
    last_error_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=40, blank=True, help_text="What kind, as a code.")
    last_error_text = models.CharField(max_length=300, blank=True, help_text="In words.")

    class Meta:
        verbose_name = verbose_name_plural = "external OMS"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(rests_until__isnull=True) | Q(failures__gt=0),
                name="external_oms_rests_only_after_failures",
            ),
            models.CheckConstraint(
                condition=Q(last_error="", last_error_at__isnull=True)
                | (~Q(last_error="") & Q(last_error_at__isnull=False)),
                name="external_oms_error_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"external OMS of {self.tenant_id}"

"""What other systems are told: the outbox."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from ordermgmt.fields import SnapshotField


class Event(models.Model):
    """One thing subscribers will hear of, kept in the outbox until they have: product §4.14."""

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

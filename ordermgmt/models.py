"""What the floor itself remembers: signs of life."""

from django.db import models


class Heartbeat(models.Model):
    """When something last showed that it lives, by the database's clock; see heartbeat.py."""

    name = models.CharField(max_length=32, help_text="Who lives: `worker`.")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name"], name="heartbeat_is_one_per_name")]

    def __str__(self) -> str:
        return self.name

"""Models of the base: heartbeats and second factors."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django_otp.models import Device


class Heartbeat(models.Model):
    """The last heartbeat of a process, by the database's clock; see heartbeat.py."""

    name = models.CharField(max_length=32, help_text="Who lives: `worker`.")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name"], name="heartbeat_is_one_per_name")]

    def __str__(self) -> str:
        return self.name


class SecondFactor(Device):
    """A second factor of a console user: a phone's codes, or recovery codes on paper.

    It is a device of django-otp, so that its middleware finds it. The rules of codes are in
    ordermgmt/console/second_factor.py.
    """

    key = models.TextField(help_text="What the phone's codes are made from; sealed.")
    last_step = models.BigIntegerField(
        default=-1, help_text="The half minute of the last code used: none is good twice."
    )
    recovery_codes = ArrayField(
        models.CharField(max_length=64), default=list, help_text="Checksums of those not used yet."
    )
    failures = models.PositiveIntegerField(default=0, help_text="Wrong codes in a row.")
    failed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], name="person_has_one_second_factor"),
        ]

"""Which numbers a tenant's next orders will get."""

from typing import Final

from django.db import connection

from configuration import keys
from configuration.models import Tenant
from configuration.services.settings import sequence_name

SHOWN: Final = 5


def numbers(sequence: keys.Sequence, *, counter: int, count: int = SHOWN) -> list[str]:
    """The order numbers from a counter on; fewer than `count` when the digits run out."""
    counters = (counter + place * sequence.step for place in range(count))
    return [sequence.number(drawn) for drawn in counters if drawn <= sequence.largest]


def upcoming(tenant: Tenant, sequence: keys.Sequence, *, count: int = SHOWN) -> list[str]:
    """What the next orders will be called, if no capture is under way. Nothing is drawn."""
    with connection.cursor() as cursor:
        # Only validated integers make the name, and it cannot be a parameter.
        cursor.execute(f"SELECT last_value, is_called FROM {sequence_name(tenant.pk)}")  # noqa: S608
        last, is_called = cursor.fetchone()
    return numbers(sequence, counter=last + sequence.step * is_called, count=count)

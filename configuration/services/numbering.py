"""The next order numbers of a tenant, and warnings before they run out."""

from typing import Final

from django.db import connection

from configuration import keys
from configuration.models import Tenant
from configuration.services.sequences import sequence_name, usages

PREVIEW_SIZE: Final = 5


def numbers(sequence: keys.Sequence, *, counter: int, count: int = PREVIEW_SIZE) -> list[str]:
    """Return the order numbers from `counter` on, fewer than `count` when the digits run out."""
    counters = (counter + offset * sequence.step for offset in range(count))
    return [sequence.number(value) for value in counters if value <= sequence.largest]


def upcoming(tenant: Tenant, sequence: keys.Sequence, *, count: int = PREVIEW_SIZE) -> list[str]:
    """Return the next order numbers without drawing any; a capture under way may take some."""
    with connection.cursor() as cursor:
        # The name cannot be a parameter, but it is made of a validated integer.
        cursor.execute(f"SELECT last_value, is_called FROM {sequence_name(tenant.pk)}")  # noqa: S608
        last, is_called = cursor.fetchone()
    return numbers(sequence, counter=last + sequence.step * is_called, count=count)


def warnings(tenant: Tenant) -> list[str]:
    """Return warnings about the tenant's numbers, none while enough numbers are left."""
    usage = usages(tenant).get(tenant.slug)
    if usage is None or not usage.is_nearly_used:
        return []
    if not usage.left:
        return ["All order numbers are used, and no order can be captured. Raise the size."]
    return [
        f"{usage.percent:.0f} % of the order numbers are used, {usage.left:,} are left. Raise the"
        " size before they run out: then no order can be captured."
    ]

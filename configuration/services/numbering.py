"""The next order numbers of a tenant, and warnings before they run out."""

from typing import Final

from django.db import connection

from configuration import keys
from configuration.models import Tenant
from configuration.services.sequences import sequence_name, usages

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


def warnings(tenant: Tenant) -> list[str]:
    """Return what people should know of the tenant's numbers; nothing while enough are left."""
    usage = usages(tenant).get(tenant.slug)
    if usage is None or not usage.is_nearly_used:
        return []
    if not usage.left:
        return ["All order numbers are used, and no order can be captured. Raise the size."]
    return [
        f"{usage.percent:.0f} % of the order numbers are used, {usage.left:,} are left. Raise the"
        " size before they run out: then no order can be captured."
    ]

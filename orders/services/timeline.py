"""Reading what happened to an order: product §4.10."""

from configuration.models import Tenant
from orders.models import TimelineEntry
from orders.services.queries import key_of


def entries(tenant: Tenant, reference: str, *, after: int, count: int) -> list[TimelineEntry]:
    """What happened after that version, oldest first. Raises `OrderNotFound`."""
    key = key_of(tenant, reference, id_type="any")
    found = TimelineEntry.objects.filter(tenant=tenant, order_id=key, version__gt=after)
    return list(found.order_by("version")[:count])

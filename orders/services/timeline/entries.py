"""Reading what happened to an order: product §4.10."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from configuration.models import Tenant
from orders.models import Order, TimelineEntry
from orders.services.reading.queries import key_of
from webhooks.services import PublishedEvent, published_events


def entries(tenant: Tenant, reference: str, *, after: int, count: int) -> list[TimelineEntry]:
    """What happened after that version, oldest first. Raises `OrderNotFound`."""
    key = key_of(tenant, reference, id_type="any")
    found = TimelineEntry.objects.filter(tenant=tenant, order_id=key, version__gt=after)
    return list(found.order_by("version")[:count])


@dataclass(frozen=True, slots=True)
class Happening:
    """One row of the timeline, and the events it announced."""

    entry: TimelineEntry
    events: Sequence[PublishedEvent]


def latest(
    order: Order, *, before: int | None = None, since: int = 0, count: int
) -> list[Happening]:
    """What happened last, newest first, with what was announced of it; two statements.

    Of what came before version `before` if given, and after version `since`.
    """
    found = TimelineEntry.objects.filter(
        tenant=order.tenant_id, order=order, version__gt=since
    ).order_by("-version")
    if before is not None:
        found = found.filter(version__lt=before)
    entries = list(found[:count])
    events: dict[int, list[PublishedEvent]] = defaultdict(list)
    for event in published_events(
        order.tenant_id, order.uuid, [entry.version for entry in entries]
    ):
        events[event.version].append(event)
    return [Happening(entry, events[entry.version]) for entry in entries]

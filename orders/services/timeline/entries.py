"""Queries for timeline entries and their events."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from configuration.models import Tenant
from orders.models import Order, TimelineEntry
from orders.services.reading.queries import key_of
from webhooks.services import PublishedEvent, published_events


def entries(tenant: Tenant, reference: str, *, after: int, count: int) -> list[TimelineEntry]:
    """Return the entries after a version, oldest first. Raise `OrderNotFound`."""
    key = key_of(tenant, reference, id_type="any")
    newer = TimelineEntry.objects.filter(tenant=tenant, order_id=key, version__gt=after)
    return list(newer.order_by("version")[:count])


@dataclass(frozen=True, slots=True)
class EntryWithEvents:
    """A timeline entry with the events published for it."""

    entry: TimelineEntry
    events: Sequence[PublishedEvent]


def latest(
    order: Order, *, before: int | None = None, since: int = 0, count: int
) -> list[EntryWithEvents]:
    """Return the latest entries with their events, newest first. Execute two statements.

    The versions are greater than `since` and less than `before`, if given.
    """
    rows = TimelineEntry.objects.filter(
        tenant=order.tenant_id, order=order, version__gt=since
    ).order_by("-version")
    if before is not None:
        rows = rows.filter(version__lt=before)
    entries = list(rows[:count])
    events: dict[int, list[PublishedEvent]] = defaultdict(list)
    for event in published_events(
        order.tenant_id, order.uuid, [entry.version for entry in entries]
    ):
        events[event.version].append(event)
    return [EntryWithEvents(entry, events[entry.version]) for entry in entries]

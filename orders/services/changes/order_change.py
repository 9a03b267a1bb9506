"""What happens to an order, told once: moves, holds, the timeline's rows, and their events.

A story is about one order, new or locked. Services move its items, hold it and tell what they
did; when they are done the story is written: by `writing.insert` for a new order, by
`writing.save` for one we have. So nothing changes without a row that says who, what and why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from configuration.services.policy import Place
from ordermgmt.database import prepared_sql
from orders.lifecycle import HoldKind, ItemStatus, moved, order_status
from orders.models import Hold, Item, Order, Shipment, TimelineEntry
from orders.services.events.catalogue import Event, Fact, events_for
from webhooks.services import OutboxEvent


@dataclass(frozen=True, slots=True)
class NewHold:
    """Why an order is to be held. A grace period is `seconds` long by the database's clock."""

    kind: HoldKind
    text: str
    facts: dict[str, Any]
    seconds: int | None = None


@dataclass(slots=True)
class OrderChange:
    """One order with its rows, and what is being done to it and told of it by one actor."""

    order: Order
    items: Sequence[Item]
    shipments: Sequence[Shipment]
    actor: str
    standing: list[Hold] = field(default_factory=list)  # of an order we have
    released: list[Hold] = field(default_factory=list)
    changed: list[Item] = field(default_factory=list)
    holds: list[NewHold] = field(default_factory=list)
    entries: list[TimelineEntry] = field(default_factory=list)
    _events: list[tuple[Event, Fact]] = field(default_factory=list)

    def move(
        self, verb: str, items: Iterable[Item], *, place: Place | None = None, conflict: str = ""
    ) -> None:
        """Take items along one row of the lifecycle; without a place they stay where they are.

        Raises `lifecycle.TransitionNotAllowed`. The order's status follows from its items'.
        """
        for item in items:
            item.status = moved(verb, item.status)
            item.conflict_reason = conflict
            item.is_packing = False
            if place is not None:
                item.location_code, item.location_type = place.code, place.type
            self.changed.append(item)
        self.order.status = order_status(item.status for item in self.items)

    def amend(self, item: Item, **columns: Any) -> None:
        """Change what an item says beside its status: one of the columns `writing` saves."""
        for name, value in columns.items():
            setattr(item, name, value)
        self.changed.append(item)

    def hold(self, reason: NewHold) -> None:
        """Place a hold, and tell why."""
        self.holds.append(reason)
        self.record("held", {"hold": reason.kind, "reason": reason.text} | reason.facts)

    def release(self, hold: Hold, *, reason: str) -> None:
        """End a hold, and tell why. Whether anything else holds the order, ask `is_held`."""
        self.standing.remove(hold)
        self.released.append(hold)
        self.record("released", {"hold": hold.kind, "reason": reason})

    @property
    def is_held(self) -> bool:
        return bool(self.standing or self.holds)

    def record(
        self,
        verb: str,
        facts: dict[str, Any],
        *,
        items: Sequence[Item] | None = None,
        **details: Any,
    ) -> None:
        """Record a fact: one timeline entry and the events the catalogue has for it.

        The order's version grows by one. `items` are those the fact concerns, by default all of
        the order. `details` are values for the events that the timeline does not store.
        """
        self.order.version += 1
        self.entries.append(
            prepared_sql.unsaved(
                TimelineEntry,
                tenant_id=self.order.tenant_id,
                version=self.order.version,
                actor=self.actor,
                verb=verb,
                facts={name: value for name, value in facts.items() if value != ""},
            )
        )
        fact = Fact(
            verb=verb,
            version=self.order.version,
            order=self.order,
            order_items=self.items,
            shipments=self.shipments,
            items=self.items if items is None else items,
            details=details,
        )
        self._events += [(event, fact) for event in events_for(fact)]

    @property
    def country(self) -> str:
        """Where it goes: ISO 3166, or empty when nobody said."""
        address = self.order.details.get("shipping_address") or {}
        return str(address.get("country_code", ""))

    def pending(self) -> list[Item]:
        """The items that wait to be routed."""
        return [item for item in self.items if item.status == ItemStatus.PENDING]

    def outbox_events(self) -> list[OutboxEvent]:
        """Return the events to write, with payloads that show the order as it is now."""
        order = self.order
        return [
            OutboxEvent(order.tenant_id, order.uuid, event.name, fact.version, event.payload(fact))
            for event, fact in self._events
        ]

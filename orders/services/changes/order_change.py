"""Change of one order: item moves, holds, recorded facts and their events.

Services apply the change to an order that is new or locked. `persistence.insert` then writes a new
order, `persistence.save` an existing one. Every change records who changed what and why.
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
    """A hold to place. A grace period lasts `seconds` by the database's clock."""

    kind: HoldKind
    text: str
    facts: dict[str, Any]
    seconds: int | None = None


@dataclass(slots=True)
class OrderChange:
    """One order with its rows, and the changes that one actor makes to it."""

    order: Order
    items: Sequence[Item]
    shipments: Sequence[Shipment]
    actor: str
    active_holds: list[Hold] = field(default_factory=list)  # holds read from the database
    released: list[Hold] = field(default_factory=list)
    changed: list[Item] = field(default_factory=list)
    holds: list[NewHold] = field(default_factory=list)
    entries: list[TimelineEntry] = field(default_factory=list)
    _events: list[tuple[Event, Fact]] = field(default_factory=list)

    def move(
        self, verb: str, items: Iterable[Item], *, place: Place | None = None, conflict: str = ""
    ) -> None:
        """Move items by one transition of the lifecycle; without `place` keep their location.

        Derive the order's status from its items. Raise `lifecycle.TransitionNotAllowed`.
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
        """Set columns of an item other than its status; they must be among those `save` writes."""
        for name, value in columns.items():
            setattr(item, name, value)
        self.changed.append(item)

    def hold(self, reason: NewHold) -> None:
        """Place a hold and record its reason."""
        self.holds.append(reason)
        self.record("held", {"hold": reason.kind, "reason": reason.text} | reason.facts)

    def release(self, hold: Hold, *, reason: str) -> None:
        """Release a hold and record the reason; see `is_held` for the remaining holds."""
        self.active_holds.remove(hold)
        self.released.append(hold)
        self.record("released", {"hold": hold.kind, "reason": reason})

    @property
    def is_held(self) -> bool:
        return bool(self.active_holds or self.holds)

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
        """The ISO 3166 code of the destination, or an empty string without an address."""
        address = self.order.details.get("shipping_address") or {}
        return str(address.get("country_code", ""))

    def pending(self) -> list[Item]:
        """Return the items that wait to be routed."""
        return [item for item in self.items if item.status == ItemStatus.PENDING]

    def outbox_events(self) -> list[OutboxEvent]:
        """Return the events to write, with payloads that show the order as it is now."""
        order = self.order
        return [
            OutboxEvent(order.tenant_id, order.uuid, event.name, fact.version, event.payload(fact))
            for event, fact in self._events
        ]

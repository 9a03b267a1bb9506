"""Routing of shipments to fulfillment locations, with the reasons of each decision."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from configuration.services.policy import NO_LOCATION, Place, Policy
from orders.lifecycle import HoldKind
from orders.models import Item, TimelineEntry
from orders.services.changes.order_change import OrderChange


class Routable(Protocol):
    """The attributes of a shipment that routing uses."""

    strategy: str
    location_code: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A transition for the items of a shipment, with its location and reason."""

    verb: str  # route, conflict, hand_over or cancel
    place: Place = NO_LOCATION
    reason: str = ""  # of a conflict or a cancellation
    facts: dict[str, Any] = field(default_factory=dict)


def decide(shipment: Routable | None, *, country: str, policy: Policy) -> Decision:
    """Return the decision for one shipment, or for items without one, by the tenant's policy.

    `country` is the destination (ISO 3166, may be empty). The function reads nothing but its
    arguments. `facts` explain the decision in the timeline.
    """
    strategy = shipment.strategy if shipment else "default"
    location = shipment.location_code if shipment else ""
    facts = {
        "strategy": strategy,
        "asked_for": location,
        "country": country,
        "config": dict(policy.versions),
    }
    if strategy == "external" and location not in policy.locations:
        return Decision("cancel", reason="unknown_location", facts=facts)
    if policy.external_oms:
        place = policy.locations.get(location, NO_LOCATION)
        return Decision("hand_over", place, facts=facts | {"rule": "external_oms"})
    if location and strategy in ("prerouted", "external"):
        if location in policy.locations:
            return Decision("route", policy.locations[location], facts=facts | {"rule": strategy})
        return Decision("conflict", reason="unknown_location", facts=facts)
    if policy.nearest:
        return Decision("route", policy.nearest, facts=facts | {"rule": "nearest_location"})
    if not policy.has_locations:
        return Decision("route", facts=facts | {"rule": "no_locations"})
    return Decision("conflict", reason="no_location_serves_country", facts=facts)


def open_order(change: OrderChange, *, policy: Policy) -> None:
    """Route every waiting shipment of an order without active holds, and record the decisions."""
    groups: dict[int | None, list[Item]] = {}
    for item in change.pending():
        groups.setdefault(item.shipment.position if item.shipment else None, []).append(item)
    decisions = [
        (items, decide(items[0].shipment, country=change.country, policy=policy))
        for items in groups.values()
    ]
    for items, decision in decisions:
        conflict = decision.reason if decision.verb == "conflict" else ""
        change.move(decision.verb, items, place=decision.place, conflict=conflict)
    is_opened = any(decision.verb in ("route", "hand_over") for _, decision in decisions)
    if is_opened and not _was_opened(change):
        change.record("opened", {"rule": "nothing_holds_it"})
    for items, decision in decisions:
        _record(change, items, decision)


def _was_opened(change: OrderChange) -> bool:
    """Return whether the order was opened before a support hold, as it is opened only once.

    An order is never opened before its grace period ends, therefore a grace hold released just now
    saves the query.
    """
    if change.order.pk is None or any(hold.kind == HoldKind.GRACE for hold in change.released):
        return False
    entries = TimelineEntry.objects.filter(tenant=change.order.tenant_id, order=change.order)
    return entries.filter(verb="opened").exists()


def _record(change: OrderChange, items: list[Item], decision: Decision) -> None:
    facts = decision.facts | {
        "items": len(items),
        "location": decision.place.code,
        "reason": decision.reason,
    }
    match decision.verb:
        case "route":
            change.record("routed", facts, items=items)
            for item in items:
                change.amend(item, request_version=change.order.version)
        case "hand_over":
            change.record("handed_over", facts)
        case "conflict":
            change.record("conflicted", facts, items=items)
        case "cancel":
            change.record("cancelled", facts, items=items, reason=decision.reason)

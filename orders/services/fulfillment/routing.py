"""Who fulfills what: one decision a shipment, with its reasons: product §4.4."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from configuration.services.policy import NO_LOCATION, Place, Policy
from orders.lifecycle import HoldKind
from orders.models import Item, TimelineEntry
from orders.services.changes.order_change import OrderChange


class Routable(Protocol):
    """What routing needs to know of a shipment."""

    strategy: str
    location_code: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a shipment's items: a verb of the lifecycle, where, and why."""

    verb: str  # route, conflict, hand_over or cancel
    place: Place = NO_LOCATION
    reason: str = ""  # of a conflict or a cancellation
    facts: dict[str, Any] = field(default_factory=dict)


def decide(shipment: Routable | None, *, country: str, policy: Policy) -> Decision:
    """Route one shipment, or the items that belong to none, by the tenant's policy.

    `country` is the destination (ISO 3166, may be empty). Pure: the answer follows from what is
    given, and `facts` say how, for the timeline.
    """
    strategy = shipment.strategy if shipment else "default"
    asked = shipment.location_code if shipment else ""
    facts = {
        "strategy": strategy,
        "asked_for": asked,
        "country": country,
        "config": dict(policy.versions),
    }
    if strategy == "external" and asked not in policy.locations:
        return Decision("cancel", reason="unknown_location", facts=facts)
    if policy.external_oms:
        place = policy.locations.get(asked, NO_LOCATION)
        return Decision("hand_over", place, facts=facts | {"rule": "external_oms"})
    if asked and strategy in ("prerouted", "external"):
        if asked in policy.locations:
            return Decision("route", policy.locations[asked], facts=facts | {"rule": strategy})
        return Decision("conflict", reason="unknown_location", facts=facts)
    if policy.nearest:
        return Decision("route", policy.nearest, facts=facts | {"rule": "nearest_location"})
    if not policy.has_locations:
        return Decision("route", facts=facts | {"rule": "no_locations"})
    return Decision("conflict", reason="no_location_serves_country", facts=facts)


def open_order(change: OrderChange, *, policy: Policy) -> None:
    """Nothing holds the order any longer: every shipment that waits is routed, and told why."""
    groups: dict[int | None, list[Item]] = {}
    for item in change.pending():
        groups.setdefault(item.shipment.position if item.shipment else None, []).append(item)
    decided = [
        (items, decide(items[0].shipment, country=change.country, policy=policy))
        for items in groups.values()
    ]
    for items, decision in decided:
        conflict = decision.reason if decision.verb == "conflict" else ""
        change.move(decision.verb, items, place=decision.place, conflict=conflict)
    goes = any(decision.verb in ("route", "hand_over") for _, decision in decided)
    if goes and not _was_opened(change):
        change.record("opened", {"rule": "nothing_holds_it"})
    for items, decision in decided:
        _tell(change, items, decision)


def _was_opened(change: OrderChange) -> bool:
    """Whether it was on its way before, until support held it: it is opened once.

    A grace period ends before an order is opened, so where one just ended nothing is looked up.
    """
    if change.order.pk is None or any(hold.kind == HoldKind.GRACE for hold in change.released):
        return False
    told = TimelineEntry.objects.filter(tenant=change.order.tenant_id, order=change.order)
    return told.filter(verb="opened").exists()


def _tell(change: OrderChange, items: list[Item], decision: Decision) -> None:
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

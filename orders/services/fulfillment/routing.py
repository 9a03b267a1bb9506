"""Who fulfills what: one decision a shipment, with its reasons: product §4.4."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from configuration.services.policy import NOWHERE, Place, Policy
from orders.lifecycle import HoldKind
from orders.models import Item, TimelineEntry
from orders.services.changes.order_change import Story
from orders.services.events import order_payloads


class Routable(Protocol):
    """What routing needs to know of a shipment."""

    strategy: str
    location_code: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a shipment's items: a verb of the lifecycle, where, and why."""

    verb: str  # route, conflict, hand_over or cancel
    place: Place = NOWHERE
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
        place = policy.locations.get(asked, NOWHERE)
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


def open_order(story: Story, *, policy: Policy) -> None:
    """Nothing holds the order any longer: every shipment that waits is routed, and told why."""
    groups: dict[int | None, list[Item]] = {}
    for item in story.pending():
        groups.setdefault(item.shipment.position if item.shipment else None, []).append(item)
    decided = [
        (items, decide(items[0].shipment, country=story.country, policy=policy))
        for items in groups.values()
    ]
    for items, decision in decided:
        conflict = decision.reason if decision.verb == "conflict" else ""
        story.move(decision.verb, items, place=decision.place, conflict=conflict)
    goes = any(decision.verb in ("route", "hand_over") for _, decision in decided)
    if goes and not _was_opened(story):
        order, all_items, shipments = story.order, story.items, story.shipments
        story.tell(
            "opened",
            {"rule": "nothing_holds_it"},
            "order.opened",
            lambda _: order_payloads.order_event(order, all_items, shipments, item_status="opened"),
        )
    for items, decision in decided:
        _tell(story, items, decision)


def _was_opened(story: Story) -> bool:
    """Whether it was on its way before, until support held it: it is opened once.

    A grace period ends before an order is opened, so where one just ended nothing is looked up.
    """
    if story.order.pk is None or any(hold.kind == HoldKind.GRACE for hold in story.released):
        return False
    told = TimelineEntry.objects.filter(tenant=story.order.tenant_id, order=story.order)
    return told.filter(verb="opened").exists()


def _tell(story: Story, items: list[Item], decision: Decision) -> None:
    order = story.order
    facts = decision.facts | {
        "items": len(items),
        "location": decision.place.code,
        "reason": decision.reason,
    }
    match decision.verb:
        case "route":
            story.tell(
                "routed",
                facts,
                "fulfillment_request.assigned",
                lambda version: order_payloads.assigned(order, items, version),
            )
            for item in items:
                story.amend(item, request_version=order.version)
        case "hand_over":
            story.tell("handed_over", facts)
        case "conflict":
            story.tell(
                "conflicted",
                facts,
                "order.items_on_hold",
                lambda version: order_payloads.items_on_hold(order, items, version),
            )
        case "cancel":
            story.tell(
                "cancelled",
                facts,
                "order.cancelled",
                lambda _: order_payloads.cancelled(order, items, decision.reason),
            )

"""Who fulfills what: one decision a shipment, with its reasons: product §4.4."""

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from configuration.services.policy import Place, Policy

NOWHERE: Final = Place("", "")


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
    facts = {"strategy": strategy, "config": dict(policy.versions)}
    if asked:
        facts["asked_for"] = asked
    if country:
        facts["country"] = country

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

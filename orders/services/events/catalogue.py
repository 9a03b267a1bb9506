"""Catalogue of the events that subscribers receive.

Services record facts about an order. The rows below decide the events each fact announces, so no
other module spells the name of an event or builds its payload.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from orders.lifecycle import OrderStatus
from orders.models import Item, Order, Shipment
from orders.services.events import fulfillment_payloads, order_payloads


class Fact(NamedTuple):
    """One recorded fact about an order, with the rows its events describe.

    `items` are the items the fact concerns. `details` are values that only payloads need; the
    timeline does not store them.
    """

    verb: str  # the verb of the fact's timeline entry
    version: int
    order: Order
    order_items: Sequence[Item]
    shipments: Sequence[Shipment]
    items: Sequence[Item]
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the catalogue.

    `condition` is checked when the fact is recorded. `payload` is built when the order is written,
    because the order may change further in the same transaction.
    """

    name: str  # public, therefore never renamed
    verb: str  # the verb of the fact that announces it
    payload: Callable[[Fact], dict[str, Any]]
    condition: Callable[[Fact], bool] | None = None
    condition_text: str = ""
    is_once: bool = False  # at most once in the life of an order


EVENTS: Final = (
    Event(
        name="order.created",
        verb="captured",
        payload=lambda fact: order_payloads.order_event(
            fact.order, fact.order_items, fact.shipments, item_status="created"
        ),
        is_once=True,
    ),
    Event(
        name="order.captured",
        verb="confirmed",
        payload=lambda fact: order_payloads.captured(fact.order, fact.items),
        condition=lambda fact: all(item.confirmed_at is None for item in fact.order_items),
        condition_text="the order's first confirmation",
        is_once=True,
    ),
    Event(
        name="order.opened",
        verb="opened",
        payload=lambda fact: order_payloads.order_event(
            fact.order, fact.order_items, fact.shipments, item_status="opened"
        ),
        is_once=True,
    ),
    Event(
        name="order.items_on_hold",
        verb="conflicted",
        payload=lambda fact: order_payloads.items_on_hold(fact.order, fact.items, fact.version),
    ),
    Event(
        name="order.completed",
        verb="completed",
        payload=lambda fact: order_payloads.completed(fact.order, fact.order_items),
        condition=lambda fact: fact.order.status == OrderStatus.CLOSED,
        condition_text="the order is closed",
        is_once=True,
    ),
    Event(
        name="order.items_cancelled",
        verb="items_cancelled",
        payload=lambda fact: order_payloads.items_cancelled(
            fact.order, fact.items, fact.details["reason"]
        ),
    ),
    Event(
        name="order.cancelled",
        verb="cancelled",
        payload=lambda fact: order_payloads.cancelled(
            fact.order, fact.items, fact.details["reason"]
        ),
        is_once=True,
    ),
    Event(
        name="order.serial_numbers_added",
        verb="serial_numbers_added",
        payload=lambda fact: order_payloads.serial_numbers_added(
            fact.order, fact.items, fact.version
        ),
    ),
    Event(
        name="fulfillment_request.assigned",
        verb="routed",
        payload=lambda fact: fulfillment_payloads.assigned(fact.order, fact.items, fact.version),
    ),
    Event(
        name="fulfillment_request.items_completed",
        verb="items_completed",
        payload=lambda fact: fulfillment_payloads.items_completed(
            fact.order, fact.items, fact.version, at=fact.details["at"]
        ),
    ),
    Event(
        name="fulfillment_request.items_failed",
        verb="items_rejected",
        payload=lambda fact: fulfillment_payloads.items_failed(
            fact.order, fact.items, fact.version, **fact.details
        ),
    ),
    Event(
        name="return.processed",
        verb="returned",
        payload=lambda fact: fulfillment_payloads.returned(
            fact.order, fact.items, fact.version, **fact.details
        ),
    ),
)

_BY_VERB: Final[Mapping[str, list[Event]]] = defaultdict(list)
for _event in EVENTS:
    _BY_VERB[_event.verb].append(_event)


def events_for(fact: Fact) -> list[Event]:
    """Return the events that a fact announces, to be called when the fact is recorded."""
    return [
        event
        for event in _BY_VERB.get(fact.verb, ())
        if event.condition is None or event.condition(fact)
    ]

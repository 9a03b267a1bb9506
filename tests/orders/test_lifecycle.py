"""The table says what is possible. These tests try everything it does not mention, too."""

from itertools import combinations, product

import pytest

from orders import lifecycle
from orders.lifecycle import (
    TERMINAL,
    TRANSITIONS,
    VERBS,
    ItemStatus,
    OrderStatus,
    TransitionNotAllowed,
    moved,
    order_status,
)
from orders.services.events.catalogue import EVENTS
from orders.services.timeline.descriptions import WORDS

# The states of the product, written out a second time by hand: verb → sources, target.
EXPECTED = {
    "route": ({"pending", "on_hold"}, "in_fulfillment"),
    "conflict": ({"pending", "in_fulfillment"}, "on_hold"),
    "hand_over": ({"pending"}, "captured"),
    "complete": ({"pending", "in_fulfillment"}, "complete"),
    "reject": ({"in_fulfillment"}, "on_hold"),
    "cancel": ({"pending", "on_hold", "in_fulfillment"}, "cancelled"),
    "return": ({"complete"}, "returned"),
    "park": ({"in_fulfillment", "on_hold"}, "pending"),
}
ALLOWED = [(verb, source) for verb, (sources, _) in EXPECTED.items() for source in sorted(sources)]
REFUSED = sorted(set(product(EXPECTED, ItemStatus.values)) - set(ALLOWED))
MIXES = [
    mix for size in range(1, len(ItemStatus) + 1) for mix in combinations(ItemStatus.values, size)
]


def test_the_table_has_the_verbs_we_mean_each_once():
    assert [t.verb for t in TRANSITIONS] == list(VERBS) == list(EXPECTED)


@pytest.mark.parametrize(("verb", "status"), ALLOWED)
def test_what_is_in_the_table_leads_where_it_says(verb, status):
    assert moved(verb, status) == EXPECTED[verb][1]


@pytest.mark.parametrize(("verb", "status"), REFUSED)
def test_what_is_not_in_the_table_is_refused(verb, status):
    with pytest.raises(TransitionNotAllowed) as refusal:
        moved(verb, status)

    assert refusal.value.facts["item_status"] == status
    assert refusal.value.facts["allowed_verbs"] == [v for v, s in ALLOWED if s == status]


def test_every_item_status_can_be_reached():
    reached = {ItemStatus.PENDING}
    while new := {t.target for t in TRANSITIONS if t.sources & reached} - reached:
        reached |= new

    assert reached == set(ItemStatus)


def test_the_ends_are_the_ones_we_mean():
    assert {"complete", "cancelled", "returned", "captured"} == TERMINAL


def test_from_an_end_nothing_leads_but_a_return():
    assert {(t.verb, s) for t in TRANSITIONS for s in t.sources & TERMINAL} == {
        ("return", ItemStatus.COMPLETE)
    }


@pytest.mark.parametrize("mix", MIXES, ids="+".join)
def test_an_order_is_what_its_items_are(mix):
    if "pending" in mix:
        expected = OrderStatus.ON_HOLD
    elif "in_fulfillment" in mix or "on_hold" in mix:
        expected = OrderStatus.OPEN
    else:
        expected = OrderStatus.CLOSED

    assert order_status(mix) == expected


# The events of the contract, written out a second time by hand: name → verb of the fact.
EXPECTED_EVENTS = {
    "order.created": "captured",
    "order.captured": "confirmed",
    "order.opened": "opened",
    "order.items_on_hold": "conflicted",
    "order.completed": "completed",
    "order.items_cancelled": "items_cancelled",
    "order.cancelled": "cancelled",
    "order.serial_numbers_added": "serial_numbers_added",
    "fulfillment_request.assigned": "routed",
    "fulfillment_request.items_completed": "items_completed",
    "fulfillment_request.items_failed": "items_rejected",
    "return.processed": "returned",
}


def test_every_event_is_in_the_catalogue_once():
    assert [(e.name, e.verb) for e in EVENTS] == list(EXPECTED_EVENTS.items())


def test_every_fact_that_announces_an_event_has_a_description():
    assert {e.verb for e in EVENTS} <= set(WORDS)


def test_a_conditional_event_names_its_condition():
    for event in EVENTS:
        assert bool(event.condition) == bool(event.condition_text), event.name


# Each mix of item statuses → the second word; written by hand for the mixes people meet.
OUTCOMES = {
    "cancelled": "cancelled",
    "returned": "returned",
    "returned cancelled": "returned",
    "complete": "completed",
    "captured": "handed_over",
    "captured complete": "handed_over",
    "complete cancelled": "partly_cancelled",
    "captured cancelled": "partly_cancelled",
    "complete returned": "partly_returned",
    "complete returned cancelled": "partly_returned",
    "complete pending": "partly_shipped",
    "complete in_fulfillment cancelled": "partly_shipped",
    "returned on_hold": "partly_shipped",
    "pending cancelled": "partly_cancelled",
    "on_hold in_fulfillment cancelled": "partly_cancelled",
    "pending": None,
    "in_fulfillment on_hold": None,
    "captured pending": None,
}


@pytest.mark.parametrize(("mix", "outcome"), OUTCOMES.items())
def test_the_outcome_of_an_order_follows_from_its_items(mix, outcome):
    assert lifecycle.order_outcome(mix.split()) == outcome


def test_an_order_without_an_outcome_has_lost_and_shipped_nothing():
    for mix in MIXES:
        outcome = lifecycle.order_outcome(mix)
        is_untouched = not {"complete", "returned", "cancelled"} & set(mix)
        if outcome is None:
            assert is_untouched, mix
            assert order_status(mix) != OrderStatus.CLOSED, mix

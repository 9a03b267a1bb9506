"""Refusal of a decision about an order that has changed since it was read."""

import pytest

from ordermgmt.errors import DomainError
from orders.models import Hold, Order, TimelineEntry
from orders.services import cancellation
from orders.services.changes.locking import ChangedSince
from orders.services.console.order_state import load_order_state
from orders.services.holds import actions as hold_actions
from tests.orders.racing import alone, at_once
from tests.orders.shop import Shop, contents, item, order

pytestmark = pytest.mark.django_db(transaction=True)


def acts(shop, the_order):
    """Every change that may be told which version it was decided by."""
    whole = {"tenant": shop.tenant, "reference": "A-1", "actor": "staff:ada"}
    named = whole | {"id_type": "external"}
    grace = the_order.holds.get(kind="grace").uuid
    one = the_order.items.get().uuid
    return {
        "place": lambda **version: hold_actions.place(**whole, reason="x", **version),
        "release": lambda **version: hold_actions.release(
            **whole, hold=grace, reason="x", **version
        ),
        "extend": lambda **version: hold_actions.extend_grace(**named, **version),
        "cancel": lambda **version: cancellation.cancel(**named, reason="x", note=None, **version),
        "cancel item": lambda **version: cancellation.cancel_item(**named, item=one, **version),
    }


@pytest.fixture
def shop():
    shop = Shop()
    shop.captured(order(item(is_preorder=True), external_id="A-1", grace_period=900))
    return shop


NAMES = {  # and what each tells
    "place": "held",
    "release": "released",
    "extend": "extended",
    "cancel": "cancelled",
    "cancel item": "cancelled",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("off", [-1, 1])
def test_another_version_than_was_seen_is_refused(shop, name, off):
    stored_order = Order.objects.get()
    before = contents()

    with pytest.raises(ChangedSince) as refusal:
        acts(shop, stored_order)[name](expected_version=stored_order.version + off)

    assert refusal.value.facts == {"version": stored_order.version}
    assert contents() == before


@pytest.mark.parametrize("name", NAMES)
def test_the_version_that_was_seen_is_changed(shop, name):
    stored_order = Order.objects.get()

    acts(shop, stored_order)[name](expected_version=stored_order.version)

    assert Order.objects.get().version > stored_order.version


@pytest.mark.parametrize("name", NAMES)
def test_of_many_who_saw_the_same_one_is_heard(shop, name):
    stored_order = Order.objects.get()
    act = acts(shop, stored_order)[name]

    with alone():
        answers = at_once([lambda: act(expected_version=stored_order.version)] * 6)

    refused = [answer for answer in answers if isinstance(answer, DomainError)]
    assert len(refused) == 5
    if name != "extend":  # which has its own words for it
        assert {type(refusal) for refusal in refused} == {ChangedSince}
    entries = TimelineEntry.objects.filter(version__gt=stored_order.version, verb=NAMES[name])
    assert entries.count() == 1


def test_what_is_said_to_be_possible_is_what_the_services_allow(shop):
    stored_order = Order.objects.get()

    def order_state():
        return load_order_state(shop.tenant, stored_order.pk)

    assert order_state().can_be_held
    assert order_state().running == stored_order.holds.get()
    assert order_state().why_not_cancelable == ""
    assert order_state().balance.remaining == stored_order.total

    Hold.objects.update(placed_at="2020-01-01T00:00:00Z", due_at="2020-01-01T00:15:00Z")
    assert order_state().running is None

    acts(shop, stored_order)["place"]()
    assert not order_state().can_be_held

    acts(shop, stored_order)["cancel item"]()
    assert order_state().why_not_cancelable == "Order A-1 is already closed."
    assert order_state().balance.remaining == 0
    assert not order_state().can_be_held

"""Who decided by what they saw of an order is refused once it is no longer so."""

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


def acts(shop, kept):
    """Every change that may be told which version it was decided by."""
    whole = {"tenant": shop.tenant, "reference": "A-1", "actor": "staff:ada"}
    named = whole | {"id_type": "external"}
    grace = kept.holds.get(kind="grace").uuid
    one = kept.items.get().uuid
    return {
        "place": lambda **expected_version: hold_actions.place(
            **whole, reason="x", **expected_version
        ),
        "release": lambda **expected_version: hold_actions.release(
            **whole, hold=grace, reason="x", **expected_version
        ),
        "extend": lambda **expected_version: hold_actions.extend_grace(**named, **expected_version),
        "cancel": lambda **expected_version: cancellation.cancel(
            **named, reason="x", note=None, **expected_version
        ),
        "cancel item": lambda **expected_version: cancellation.cancel_item(
            **named, item=one, **expected_version
        ),
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
    kept = Order.objects.get()
    before = contents()

    with pytest.raises(ChangedSince) as refusal:
        acts(shop, kept)[name](expected_version=kept.version + off)

    assert refusal.value.facts == {"version": kept.version}
    assert contents() == before


@pytest.mark.parametrize("name", NAMES)
def test_the_version_that_was_seen_is_changed(shop, name):
    kept = Order.objects.get()

    acts(shop, kept)[name](expected_version=kept.version)

    assert Order.objects.get().version > kept.version


@pytest.mark.parametrize("name", NAMES)
def test_of_many_who_saw_the_same_one_is_heard(shop, name):
    kept = Order.objects.get()
    act = acts(shop, kept)[name]

    with alone():
        answers = at_once([lambda: act(expected_version=kept.version)] * 6)

    refused = [answer for answer in answers if isinstance(answer, DomainError)]
    assert len(refused) == 5
    if name != "extend":  # which has its own words for it
        assert {type(refusal) for refusal in refused} == {ChangedSince}
    told = TimelineEntry.objects.filter(version__gt=kept.version, verb=NAMES[name])
    assert told.count() == 1


def test_what_is_said_to_be_possible_is_what_the_services_allow(shop):
    kept = Order.objects.get()

    def standing():
        return load_order_state(shop.tenant, kept.pk)

    assert standing().can_be_held
    assert standing().running == kept.holds.get()
    assert standing().why_not_cancelable == ""
    assert standing().balance.remaining == kept.total

    Hold.objects.update(placed_at="2020-01-01T00:00:00Z", due_at="2020-01-01T00:15:00Z")
    assert standing().running is None

    acts(shop, kept)["place"]()
    assert not standing().can_be_held

    acts(shop, kept)["cancel item"]()
    assert standing().why_not_cancelable == "Order A-1 is already closed."
    assert standing().balance.remaining == 0
    assert not standing().can_be_held

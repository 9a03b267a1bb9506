"""A loaded year has every kind of order and keeps every invariant."""

from collections import Counter

import pytest
from django.utils.timezone import now

from bench import console, population
from orders.models import Hold, Item, Order
from orders.services import invariants

pytestmark = pytest.mark.django_db


@pytest.fixture
def following() -> int:
    """A year of about 500 orders; the number after the last."""
    return population.populate(console.tenant(), 500)


def test_every_promise_about_orders_is_kept(following):
    assert Order.objects.count() > 500

    assert [report.examples for report in invariants.check() if report.number] == []


def test_most_orders_are_over_and_some_wait_or_are_stuck(following):
    statuses = Counter(Order.objects.values_list("status", flat=True))
    items = Counter(Item.objects.values_list("status", flat=True))
    kinds = Counter(Hold.objects.filter(released_at=None).values_list("kind", flat=True))

    assert statuses["closed"] > 0.9 * Order.objects.count()
    assert min(statuses["open"], statuses["on_hold"]) > 5
    assert items.keys() >= {"complete", "cancelled", "returned", "in_fulfillment", "on_hold"}
    assert kinds.keys() == {"grace", "big_order", "support"}


def test_orders_were_placed_over_the_year_by_many_who_bought_many_things(following):
    loaded = Order.objects.filter(external_id__startswith="LOADED-")
    ages = [(now() - at).days for at in loaded.values_list("placed_at", flat=True)]

    assert max(ages) > 300
    assert min(ages) == 0
    assert loaded.values("customer_email").distinct().count() > 50
    assert Item.objects.values("product_id").distinct().count() > 100
    assert Item.objects.exclude(serial_number="").exists()


def test_more_is_loaded_after_what_is_there(following):
    before = Order.objects.count()

    population.populate(console.tenant(), 100, first=following)

    assert Order.objects.count() > before + 100

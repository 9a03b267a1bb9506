"""Loaded orders are complete, readable and counted."""

import json
from typing import Any

import pytest
from django.db.models import Sum

from bench import bodies, loading, pgbench
from bench.client import COUNTER
from configuration import keys
from orders.models import CustomerTally, Hold, Item, Order, Shipment, TimelineEntry
from orders.services.reading import queries
from tests.orders.shop import Shop, items, order, read, stored
from webhooks.models import Event

TABLES = (Order, Shipment, Item, Hold, TimelineEntry, Event)


def captured(shop: Shop, *, counter: int = 1) -> Order:
    """An order of the bench, captured."""
    text = json.dumps(bodies.capture(3)).replace(COUNTER, f"{counter:09}")
    return stored(read(shop.capture(text.replace(bodies.CUSTOMER, "7000000001"))))


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.set(keys.ON_HOLD_TIMER_DURATION, 900)
    return shop


def load(shop: Shop, sample: Order, **kwargs: Any) -> None:
    loading.load(shop.tenant, sample.uuid, customer=lambda number: f"C-{number % 2}", **kwargs)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "BATCH", 4)


@pytest.mark.django_db
@pytest.mark.usefixtures("small_batches")
class TestLoading:
    def test_gives_a_copy_every_row_of_its_sample(self, shop):
        sample = captured(shop)
        before = {model: model._base_manager.count() for model in TABLES}

        load(shop, sample, first=0, count=10)

        after = {model: model._base_manager.count() for model in TABLES}
        assert all(before.values())
        assert after == {model: number * 11 for model, number in before.items()}

    def test_copies_items_that_do_not_travel(self, shop):
        sample = stored(shop.captured(order(*items(2))))

        load(shop, sample, first=0, count=3)

        assert list(Item.objects.values_list("shipment", flat=True)) == [None] * 8

    def test_makes_orders_that_are_read_like_their_sample(self, shop):
        sample = captured(shop)

        load(shop, sample, first=0, count=10)

        original = queries.detail(shop.tenant, str(sample.uuid), id_type="internal")
        for number in range(10):
            uuid = loading.uuid_of(number)
            copy = queries.detail(shop.tenant, str(uuid), id_type="internal")
            assert copy.order.pk != sample.pk
            assert [item.product_id for item in copy.items] == [
                item.product_id for item in original.items
            ]
            assert {item.shipment for item in copy.items} == set(copy.shipments)
            assert copy.shipments[0].order_id == copy.order.pk
            assert Event.objects.filter(subject=uuid).exists()

    def test_keeps_the_tally_of_each_customer(self, shop):
        sample = captured(shop)

        load(shop, sample, first=0, count=7)
        load(shop, sample, first=7, count=6)

        for customer in ("C-0", "C-1"):
            page = queries.history(shop.tenant, customer, offset=0, count=50)
            assert page.total == len(page.documents)
        assert CustomerTally.objects.aggregate(all=Sum("orders")) == {"all": 14}
        assert Order.objects.count() == 14

    def test_leaves_the_keys_to_capture_after_it(self, shop):
        load(shop, captured(shop), first=0, count=9)

        assert captured(shop, counter=2).pk > Order.objects.get(uuid=loading.uuid_of(8)).pk

    def test_says_how_far_it_is(self, shop):
        heard: list[int] = []

        load(shop, captured(shop), first=0, count=10, advance=heard.append)

        assert heard == [4, 4, 2]


@pytest.mark.django_db
def test_the_yardstick_inserts_every_row_the_application_wrote(shop):
    order = captured(shop)

    text = pgbench.writing(order.uuid).text

    assert text.count("BEGIN;") == text.count("COMMIT;") == 1
    for model in (*TABLES, CustomerTally):
        assert text.count(f"INSERT INTO {model._meta.db_table} ") == 1
    inserts = {text.split("INSERT INTO ")[n].split(" ")[0]: n for n in range(1, 8)}
    items = text.split("INSERT INTO ")[inserts["orders_item"]]
    assert items.count("gen_random_uuid()") == 3
    assert str(order.uuid) not in text.replace(f'"id": "{order.uuid}"', "")

"""Equal results of the hot paths with prepared statements and with Django's cursor."""

import re

import pytest
from django.db import connection

from ordermgmt.database.prepared import Prepared
from orders.models import Hold, Order
from orders.services.holds import due as due_holds
from tests.factories import LocationFactory
from tests.orders.shop import Shop, items, order

pytestmark = pytest.mark.django_db(transaction=True)

# Ids and times differ between two runs.
RANDOM = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|20[2-9]\d-[\d-]+T[\d:.]+(Z|\+00:00)"
)


def hot_paths():
    """Return the answers of capture, detail and history, before and after the sweep."""
    shop = Shop()
    LocationFactory(tenant=shop.tenant)
    answers = []

    def ask(response):
        answers.append((response.status_code, RANDOM.sub("…", response.content.decode())))

    def read_order():
        order_id = Order.objects.get(tenant=shop.tenant, external_id="A-1").uuid
        for reference, id_type in (
            (order_id, "internal"),
            ("A-1", "external"),
            ("A-9", "external"),
        ):
            ask(shop.detail(reference, id_type))
        ask(shop.history("c-1", count=1))

    body = order(
        *items(3),
        external_id="A-1",
        customer={"id": "c-1"},
        grace_period=60,
        shipments=[{"price": 5}],
    )
    ask(shop.capture(body))
    ask(shop.capture(body))  # the same order again
    ask(shop.capture(order(external_id="A-2", customer={"id": "c-1"})))
    read_order()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_hold SET placed_at = now() - interval '1 day', due_at = now()"
        )
    answers.append((due_holds.release_due(), due_holds.hold_big_orders()))
    answers.append(sorted(Hold.objects.filter(tenant=shop.tenant).values_list("kind", "reason")))
    read_order()
    return answers


def test_both_ways_give_equal_results(settings, monkeypatch):
    settings.PREPARED_SQL = True
    prepared = hot_paths()
    settings.PREPARED_SQL = False
    monkeypatch.delattr(Prepared, "rows")  # would be called otherwise

    assert hot_paths() == prepared
    assert [status for status, _ in prepared[:7]] == [200, 200, 200, 200, 200, 404, 200]
    assert (1, 0) in prepared

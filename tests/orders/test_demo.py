"""The demo: a retailer's orders, and what happened to them, made once."""

import io
import json

import pytest
from django.core.management import call_command

from orders import demo
from orders.demo_changes import CHANGES
from orders.lifecycle import HoldKind, OrderStatus
from orders.models import Hold, Item, Order, OrderNote, TimelineEntry
from tests.orders.shop import contents


@pytest.fixture
def summary(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return lambda: json.loads(_output("demo", "--json"))


def _output(*words):
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_demo_has_something_of_everything_and_is_made_once(summary):
    facts = summary()

    assert Order.objects.count() == demo.ORDERS
    assert {OrderStatus.ON_HOLD, OrderStatus.OPEN, OrderStatus.CLOSED} <= {
        *Order.objects.values_list("status", flat=True)
    }
    assert set(Hold.objects.filter(released_at=None).values_list("kind", flat=True)) == set(
        HoldKind
    )
    assert Item.objects.exclude(conflict_reason="").exists()
    assert Item.objects.exclude(tracking_code="").count() >= 100
    assert OrderNote.objects.count() >= 5
    for name in CHANGES:
        assert TimelineEntry.objects.filter(order__external_id=name).count() >= 2
    before = contents()
    assert summary() == facts
    assert contents() == before

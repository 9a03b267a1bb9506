"""What happened to an order stays as it was written."""

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from orders.models import TimelineEntry
from tests.orders.shop import Shop, order

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("statement", ["UPDATE {} SET verb = 'forged'", "DELETE FROM {}"])
def test_nobody_rewrites_a_timeline(statement):
    Shop().captured(order(grace_period=60))
    before = list(TimelineEntry.objects.order_by("version").values_list("version", "verb"))

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format("orders_timelineentry"))

    assert list(TimelineEntry.objects.order_by("version").values_list("version", "verb")) == before

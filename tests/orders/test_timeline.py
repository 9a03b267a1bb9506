"""The timeline of an order, which stays as it was written."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test import Client as Browser

from orders.api.timeline import Timeline
from orders.models import TimelineEntry
from tests.orders.shop import Shop, documented, order, problem

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


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


def timeline(shop: Shop, reference: str, **query: Any) -> Any:
    path = f"/order-management/orders/{reference}/timeline"
    return Browser().get(path, query_params=query, headers=shop.headers | shop.tenant_headers)


def test_a_timeline_is_read_oldest_first_and_page_by_page(shop: Shop) -> None:
    placed = shop.captured(order(external_id="web-1", grace_period=600))
    path = f"/order-management/orders/{placed['origin_id']}"
    Browser().patch(
        path,
        '{"status": "on_hold"}',
        content_type="application/json",
        headers=shop.headers | shop.tenant_headers,
    )

    whole = documented(Timeline, timeline(shop, placed["origin_id"]))["entries"]
    pages, after = [], 0
    while page := documented(Timeline, timeline(shop, "web-1", after=after, count=1))["entries"]:
        pages += page
        after = page[-1]["version"]

    assert pages == whole
    assert [entry["version"] for entry in whole] == list(range(1, len(whole) + 1))
    assert [entry["verb"] for entry in whole][-2:] == ["held", "held"]
    assert whole[-1]["actor"] == shop.client.actor
    assert whole[-1]["facts"]["hold"] == "support"
    assert whole[-1]["at"].endswith("Z")


@pytest.mark.parametrize(
    "query", [{"after": "-1"}, {"after": "x"}, {"count": 0}, {"count": 101}, {"count": "1.0"}]
)
def test_a_page_that_makes_no_sense_is_refused(shop: Shop, query: dict[str, Any]) -> None:
    placed = shop.captured(order())

    assert problem(timeline(shop, placed["origin_id"], **query))[:2] == (400, "bad_request")


def test_anothers_timeline_cannot_be_told_from_none(shop: Shop) -> None:
    placed = shop.captured(order())

    foreign = timeline(Shop(), placed["origin_id"])

    assert problem(foreign)[:2] == (404, "not_found")

"""Times in answers and events: their form never depends on their value."""

import datetime as dt
import re
from typing import Any

import pytest

from orders.models import Hold, OrderNote
from tests.orders.shop import Shop, item, order, read
from webhooks.models import Event

pytestmark = pytest.mark.django_db
# What a clock rarely shows, and a shop system often sends.
WHOLE = dt.datetime(2024, 5, 1, 12, 0, 36, tzinfo=dt.UTC)
SIX = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
THREE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


def times(value: Any, name: str = "") -> dict[str, str]:
    """Every time of an answer: all members whose name ends in `_at`, `_date` or is `at`."""
    if isinstance(value, dict):
        return {k: v for name, part in value.items() for k, v in times(part, name).items()}
    if isinstance(value, list):
        return {f"{k}{n}": v for n, part in enumerate(value) for k, v in times(part, name).items()}
    is_time = name == "at" or name.endswith(("_at", "_date")) or name in ("from", "to")
    return {name: value} if is_time and value is not None else {}


def test_version_1_has_no_zone_and_version_2_has_one(shop: Shop) -> None:
    body = order(item(), external_id="A-1", placed_at=WHOLE.isoformat(), customer={"id": "c-1"})
    one = shop.captured(body)
    two = read(shop.get("/v0/orders/A-1", version2=True, id_type="external"))

    assert one["placed_at"] == "2024-05-01T12:00:36.000000"
    assert two["placed_at"] == "2024-05-01T12:00:36.000000Z"
    assert shop.page("c-1")["orders"][0]["placed_at"] == "2024-05-01T12:00:36.000000Z"


def test_our_own_routes_have_six_digits(shop: Shop) -> None:
    captured = shop.captured(order(item(), external_id="A-1", grace_period=9_000))
    later = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(hours=1)
    Hold.objects.update(due_at=later)
    notes = f"/v0/d/orders/{captured['origin_id']}/notes"
    shop.ask("POST", notes, {"text": "x", "source": "u-1", "tags": None})
    OrderNote.objects.update(created_at=WHOLE, updated_at=WHOLE)
    path = "/order-management/orders/A-1"

    answers = [
        shop.ask("GET", f"{path}/holds"),
        shop.ask("POST", "/v0/orders/A-1/_extend_grace_period", id_type="external"),
        shop.ask("POST", f"{path}/holds", {"kind": "support", "reason": "x"}),
        shop.ask("GET", f"{path}/timeline"),
        shop.ask("GET", notes),
        shop.ask("GET", "/v0/config/sales_order/sales_order_generator_sequence"),
    ]

    for answer in answers:
        results = times(read(answer))
        assert results, answer.content
        assert all(re.fullmatch(SIX, text) for text in results.values()), results
    extended = times(read(answers[3]))
    assert {name[:4] for name in extended} >= {"from"}


def test_events_have_three(shop: Shop) -> None:
    uuid = shop.captured(order(item(), placed_at=WHOLE.isoformat(), grace_period=0))["origin_id"]
    items = [{"id": read(shop.detail(uuid))["items"][0]["id"]}]
    path = f"/order-management/orders/{uuid}/fulfillment"
    for action in ("complete", "return"):
        assert shop.ask("POST", path, {"action": action, "items": items}).status_code == 200

    events_found = [times(event.payload) for event in Event.objects.order_by("id")]

    assert {"placed_at", "created_at"} <= events_found[0].keys()
    assert events_found[0]["placed_at"] == "2024-05-01T12:00:36.000Z"
    assert {name for event in events_found for name in event} >= {"shipped_at0", "returned_at"}
    for event in events_found:
        assert all(re.fullmatch(THREE, text) for text in event.values()), event

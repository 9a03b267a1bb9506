"""Answers of a route, accepted by the routes that take the same kind of body."""

import pytest

from configuration import keys
from tests.factories import bearer
from tests.orders.shop import Shop, order, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.captured(order(external_id="A-1", grace_period=600))
    return shop


def test_a_hold(shop: Shop) -> None:
    path = "/order-management/orders/A-1/holds"
    hold = read(shop.ask("POST", path, {"kind": "support", "reason": "Look\nagain"}))

    assert read(shop.ask("POST", path, hold)) == hold
    released = read(shop.ask("POST", f"{path}/{hold['id']}/release", hold))
    assert read(shop.ask("POST", f"{path}/{hold['id']}/release", released)) == released


def test_a_note(shop: Shop) -> None:
    uuid = read(shop.detail("A-1", "external"))["origin_id"]
    path = f"/v0/d/orders/{uuid}/notes"
    body = {"text": "Called\r\ntwice", "source": "ada", "source_type": "user", "tags": ["call"]}
    note = read(shop.ask("POST", path, body))

    edited = read(shop.ask("PATCH", f"{path}/{note['id']}", note))
    assert edited | {"updated_at": ""} == note | {"updated_at": ""}
    copy = read(shop.ask("POST", path, note))
    assert {name: copy[name] for name in body} == body


def test_akinons_items(shop: Shop) -> None:
    key = {"Authorization": bearer(shop.client)["Authorization"].replace("Bearer", "Token")}
    body = {"order": "A-1"}
    answer = read(shop.ask("POST", "/api/v1/capture-order/", body, headers=key))

    again = body | {"order_items": answer["extra_field"]["order_items"]}
    assert read(shop.ask("POST", "/api/v1/capture-order/", again, headers=key)) == answer


@pytest.mark.parametrize("key", keys.KEYS.values(), ids=lambda key: key.name)
def test_a_setting(key: object) -> None:
    shop, name = Shop(sequence={}), key.name  # type: ignore[attr-defined]
    path = f"/v0/config/sales_order/{name}"
    example = key.example  # type: ignore[attr-defined]
    assert shop.ask("POST", path, {"value": example}).status_code == 200
    answer = read(shop.ask("GET", path))

    assert shop.ask("POST", path, answer).status_code == 200
    assert read(shop.ask("GET", path)) == answer

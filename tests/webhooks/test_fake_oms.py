"""Tests of the fake OMS: its valid modes keep the contract, so its faults mean something."""

import shlex
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from configuration import keys, services
from tests.factories import TenantFactory
from webhooks.fake_oms import orders
from webhooks.fake_oms.modes import MODES

AMOUNTS = ("gross", "net", "tax", "discount")
IDS = ["GD000001234", *(f"ADA-{number:03}" for number in range(1, 40))]


@pytest.mark.parametrize("identifier", IDS)
def test_an_invented_order_adds_up(identifier):
    order = orders.find(identifier)
    totals = {part: Decimal(str(amount)) for part, amount in order["totals"].items()}
    for part in AMOUNTS:
        prices = [Decimal(str(item["price"][part])) for item in order["items"]]
        assert sum(prices) == totals[part]
    assert totals["total"] == totals["gross"] + totals["shipping"]
    assert totals["gross"] == totals["net"] + totals["tax"]
    paid = [
        Decimal(str(payment["amount"]))
        for payment in order["payment_history"]
        if payment["category"] == "payment"
    ]
    assert sum(paid) == totals["total"]


def test_an_order_is_the_same_each_time_and_other_ids_are_other_orders():
    assert orders.find("ADA-001") == orders.find("ADA-001")
    assert orders.find("ADA-001")["items"] != orders.find("ADA-002")["items"]


def test_all_there_is_to_say_is_said_of_some_order():
    details = [orders.find(identifier) for identifier in IDS]
    assert {order["status"] for order in details} == {"pending", "in_fulfillment", "complete"}
    assert {order["channel_type"] for order in details} == {"web", "store"}
    assert len({order["fulfillment_type"] for order in details}) == 5
    assert {item["status"] for order in details for item in order["items"]} == {
        "pending",
        "in_fulfillment",
        "complete",
        "cancelled",
        "returned",
    }
    assert {
        (p["category"], p["method"]) for order in details for p in order["payment_history"]
    } == {
        ("payment", "credit_card"),
        ("payment", "gift_card"),
        ("refund", "credit_card"),
    }


def test_a_history_is_newest_first_and_agrees_with_the_details(fake_oms):
    oms = fake_oms()

    status, body = oms.ask("/orders?consumer_email=heavy@example.com")

    listed = body["orders"]
    assert (status, len(listed)) == (200, orders.MANY)
    assert [order["placed_at"] for order in listed] == sorted(
        (order["placed_at"] for order in listed), reverse=True
    )
    detail = oms.ask(f"/orders/{listed[0]['id']}")[1]
    assert listed[0].items() <= detail.items()
    assert detail["customer"]["email"] == "heavy@example.com"


def test_it_refuses_what_the_contract_refuses(fake_oms):
    oms = fake_oms("good", "--api-key", "k")

    assert oms.ask("/orders/ADA-001", headers={"Authorization": "Bearer k"})[0] == 200
    assert oms.ask("/orders/ADA-001", headers={"Authorization": "Bearer other"})[0] == 403
    assert oms.ask("/orders/ADA-001", headers={"Accept": "*/*"})[0] == 403
    assert oms.ask("/orders/NONE-1")[0] == 404
    assert oms.ask("/orders")[0] == 400
    assert oms.ask("/orders?consumer_email=a@b.c&consumer_token=x")[0] == 400
    assert oms.ask("/orders?consumer_email=nobody@example.com") == (200, {"orders": []})
    assert len(oms.asked()) == 7


def test_it_changes_its_mode_while_it_runs(fake_oms):
    oms = fake_oms("503")
    assert oms.ask("/orders/ADA-001")[0] == 503

    oms.become("good")

    assert oms.ask("/orders/ADA-001")[0] == 200


def test_one_that_flaps_fails_first_and_then_every_other_time(fake_oms):
    oms = fake_oms()
    oms.ask("/orders/ADA-001")
    oms.become("flapping")

    assert [oms.ask("/orders/ADA-001")[0] for _ in range(4)] == [503, 200, 503, 200]


@pytest.mark.django_db
def test_what_it_prints_can_be_pasted(fake_oms):
    oms = fake_oms("good", "--tenant", "acme", "--api-key", "it's-a-secret")
    tenant = TenantFactory(slug="acme")

    for line in (oms.tenant, oms.config):
        program, word, *command = shlex.split(line)
        assert (program, word) == ("./run", "manage")
        call_command(*command, stdout=StringIO())

    tenant.refresh_from_db()
    assert tenant.allows_http_webhooks
    webhook = services.read(tenant, keys.EXTERNAL_ORDER_WEBHOOK).value
    assert (webhook.url, webhook.api_key) == (oms.url, "it's-a-secret")


@pytest.mark.parametrize("name", MODES)
def test_every_mode_is_told_in_a_sentence(name):
    assert MODES[name].help.endswith(".")
    assert len(name) <= 20

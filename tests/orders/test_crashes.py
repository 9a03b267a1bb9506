"""A process killed just before or after a COMMIT: nothing is lost, and nothing happens twice."""

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from configuration import keys
from orders.models import BulkJobOrder, BulkVerb, Hold, Item, Order, TimelineEntry
from orders.services import invariants
from orders.services.console import bulk_jobs
from orders.services.holds import actions as hold_actions
from orders.services.holds import due as due_holds
from tests.orders.shop import CAPTURE, Shop, contents, item, items, order, read
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
BEGIN = """
import json, sys, django
django.setup()
from django.db import connections
from orders.services.console import bulk_jobs
from orders.services.holds import due
known = json.load(sys.stdin)
connections.settings["default"]["NAME"] = known["database"]
"""
SWEEP = "while due.release_due(limit=10): pass"
JUDGE = "while due.hold_big_orders(limit=10): pass"
WORK_OFF = "while bulk_jobs.run_batch(): pass"
SEND = """
from django.test import Client
Client(SERVER_NAME="localhost").post(
    known["path"], known["body"], content_type="application/json", headers=known["headers"]
)
"""


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture(autouse=True)
def all_is_well():
    yield
    assert [results.examples for results in invariants.check() if results.number] == []


@pytest.fixture
def die(monkeypatch):
    def run(program, failpoint, **existing):
        """Run a program in a process of its own that must be killed at the failpoint."""
        monkeypatch.setenv("FAILPOINTS", f"{failpoint}:kill")
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "ordermgmt.settings")
        done = subprocess.run(
            [sys.executable, "-c", BEGIN + program],
            input=json.dumps(existing | {"database": connection.settings_dict["NAME"]}),
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr

    return run


def orders_that_are_due(shop, number):
    for n in range(number):
        shop.captured(order(external_id=f"A-{n}", grace_period=60))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_hold SET placed_at = now() - interval '2 s',"
            " due_at = now() - interval '1 s'"
        )


@pytest.mark.parametrize(("moment", "rows"), [("before", 0), ("after", 10)])
def test_a_sweeper_that_dies_at_a_commit_loses_nothing_and_releases_nothing_twice(
    shop, die, moment, rows
):
    orders_that_are_due(shop, 25)
    before = contents()

    die(SWEEP, f"release_due.{moment}_commit")

    assert Hold.objects.filter(released_at__isnull=False).count() == rows
    assert (contents() == before) is (not rows)
    assert due_holds.release_due() == 25 - rows
    assert set(Order.objects.values_list("status", flat=True)) == {"open"}
    assert Counter(e.verb for e in TimelineEntry.objects.all()) == dict.fromkeys(
        ["captured", "held", "released", "opened", "routed"], 25
    )
    assert Counter(e.name for e in Event.objects.all()) == dict.fromkeys(
        ["order.created", "order.opened", "fulfillment_request.assigned"], 25
    )


@pytest.mark.parametrize(("moment", "rows"), [("before", 0), ("after", 10)])
def test_who_judges_sizes_and_dies_at_a_commit_holds_each_order_once(shop, die, moment, rows):
    for n in range(12):
        shop.captured(order(*items(2), external_id=f"A-{n}", grace_period=600))
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})

    die(JUDGE, f"judge_sizes.{moment}_commit")

    assert Hold.objects.filter(kind="big_order").count() == rows
    assert due_holds.hold_big_orders() == 12 - rows
    assert Hold.objects.filter(kind="big_order").count() == 12


@pytest.mark.parametrize(("moment", "rows"), [("before", 0), ("after", 1)])
def test_a_capture_whose_process_dies_at_its_commit_is_repeated_to_one_order(
    shop, die, moment, rows
):
    body = order(external_id="A-1", grace_period=600)
    headers = shop.headers | shop.tenant_headers

    die(
        SEND,
        f"capture.{moment}_commit",
        path=CAPTURE,
        body=json.dumps(body),
        headers=headers,
    )

    assert Order.objects.count() == rows
    assert read(shop.capture(body))["external_id"] == "A-1"
    assert Order.objects.count() == 1
    assert [e.name for e in Event.objects.all()] == ["order.created"]


@pytest.mark.parametrize(("moment", "rows"), [("before", 1), ("after", 3)])
def test_items_whose_process_dies_at_their_commit_are_added_once(shop, die, moment, rows):
    first, more = item(), items(2)
    shop.captured(body := order(first, external_id="A-1", grace_period=600))
    body["items"] = [first, *more]

    die(
        SEND,
        f"additions.{moment}_commit",
        path=CAPTURE,
        body=json.dumps(body),
        headers=shop.headers | shop.tenant_headers,
    )

    assert Item.objects.count() == Order.objects.get().item_count == rows
    assert read(shop.capture(body))["totals"]["total"] == 33
    assert Item.objects.count() == Order.objects.get().item_count == 3
    assert [e.verb for e in TimelineEntry.objects.order_by("version")] == [
        "captured",
        "held",
        "items_added",
    ]


@pytest.mark.parametrize(("moment", "rows"), [("before", False), ("after", True)])
def test_a_hold_whose_process_dies_at_its_commit_is_placed_once(shop, die, moment, rows):
    answer = shop.captured(order(external_id="A-1"))

    die(
        SEND,
        f"changing.{moment}_commit",
        path=f"/order-management/orders/{answer['origin_id']}/holds",
        body=json.dumps({"kind": "support", "reason": "look"}),
        headers=shop.headers | shop.tenant_headers,
    )

    assert Hold.objects.exists() is rows
    hold_actions.place(tenant=shop.tenant, reference="A-1", reason="look", actor="staff:ada")
    assert Hold.objects.count() == 1
    assert Counter(e.verb for e in TimelineEntry.objects.all())["held"] == 1


@pytest.mark.parametrize(("moment", "rows"), [("before", 0), ("after", 1)])
def test_a_bulk_job_whose_worker_dies_at_a_commit_does_each_order_once(shop, die, moment, rows):
    for n in range(5):
        shop.captured(order(external_id=f"A-{n}"))
    keys_of_all = list(Order.objects.values_list("pk", flat=True))
    bulk_jobs.start(
        tenant=shop.tenant,
        verb=BulkVerb.CANCEL,
        orders=keys_of_all,
        reason="recall",
        actor="staff:ada",
    )

    die(WORK_OFF, f"bulk.{moment}_commit")

    assert BulkJobOrder.objects.filter(outcome="done").count() == rows
    while bulk_jobs.run_batch():
        pass
    assert set(BulkJobOrder.objects.values_list("outcome", flat=True)) == {"done"}
    assert Counter(e.name for e in Event.objects.all())["order.cancelled"] == 5

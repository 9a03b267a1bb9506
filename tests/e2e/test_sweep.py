"""Many orders come due at once while workers are killed in the middle of a batch."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ordermgmt.launcher.processes import spawn, stop, wait_until
from tests.e2e.stack import ROOT, Stack
from tests.e2e.test_durability import Shop, order, under_load

GRACE = 3600  # seconds
MANY = 10_000
LONGEST = 60.0  # seconds from the moment all are due until the last is released
SOME = 1_000
BATCH = 200  # as the sweep has it
DEATHS = 2
# Copies, in all their rows, of an order that was captured over HTTP; numbered like captures.
LOAD = """
from django.db.models import Value
from django.db.models.functions import Concat, Substr
from bench import loading
from configuration.models import Tenant
from orders.models import Order
tenant = Tenant.objects.get(slug="{slug}")
sample = Order.objects.get(tenant=tenant, external_id="sample").uuid
loading.load(tenant, sample, first=0, count={number}, customer=str)
copies = Order.objects.filter(tenant=tenant, number__startswith="L")
copies.update(number=Concat(Value("E9"), Substr("number", 3)))
loading.settle()
"""
COME_DUE = """
from django.db.models.functions import Now
from orders.models import Hold, Order
copies = Order.objects.filter(tenant__slug="{slug}", external_id__startswith="LOADED-")
Hold.objects.filter(order__in=copies).update(due_at=Now())
"""
TOLD = """
import json
from collections import Counter
from orders.models import Hold, Order, TimelineEntry
from webhooks.models import Event
copies = Order.objects.filter(tenant__slug="{slug}", external_id__startswith="LOADED-")
verbs = TimelineEntry.objects.filter(order__in=copies).values_list("order", "verb")
events = Event.objects.filter(tenant__slug="{slug}", subject__in=copies.values("uuid"))
events = events.values_list("subject", "name")
holds = Hold.objects.filter(order__in=copies, released_at__isnull=False)
print(json.dumps({{
    "statuses": Counter(copies.values_list("status", flat=True)),
    "recorded": Counter(verb for _, verb in set(verbs)),
    "announced": Counter(name for _, name in set(events)),
    "repeated": len(verbs) - len(set(verbs)) + len(events) - len(set(events)),
    "late": max(((h.released_at - h.due_at).total_seconds() for h in holds), default=0),
}}))
"""


def do(stack: Stack, shop: Shop, script: str, **facts: Any) -> Any:
    """Run one of the scripts; what it prints."""
    output = stack.manage("shell", "-v", "0", "-c", script.format(slug=shop.slug, **facts))
    return json.loads(output.splitlines()[-1]) if output else None


@pytest.fixture
def shop(stack: Stack, request: pytest.FixtureRequest) -> Shop:
    """A tenant of the test's own, whose orders have long to go."""
    name = request.node.callspec.id if hasattr(request.node, "callspec") else "many"
    shop = Shop(stack, f"sweep-{name}")
    stack.manage("config", "set", shop.slug, "on_hold_timer_duration", str(GRACE))
    return shop


def loaded(stack: Stack, shop: Shop, number: int) -> None:
    """Capture this number of orders that wait."""
    status, answer = shop.capture(order("sample"))
    assert status == 200, answer
    do(stack, shop, LOAD, number=number)


def is_nothing_due(stack: Stack) -> bool:
    return not json.loads(stack.get("/readyz")[1])["gauges"]["oldest_due_hold_seconds"]


def assert_all_left_once(stack: Stack, shop: Shop, number: int) -> dict[str, Any]:
    facts: dict[str, Any] = do(stack, shop, TOLD)
    assert facts["statuses"] == {"open": number}
    assert facts["repeated"] == 0
    verbs = ["captured", "held", "released", "opened", "routed"]
    assert facts["recorded"] == dict.fromkeys(verbs, number)
    events = ["order.created", "order.opened", "fulfillment_request.assigned"]
    assert facts["announced"] == dict.fromkeys(events, number)
    assert stack.manage_json("check_invariants")
    return facts


@contextmanager
def paused(stack: Stack) -> Iterator[None]:
    """The stack's own worker stands still."""
    [worker] = stack.children("celery -A ordermgmt.celery worker")
    os.killpg(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(worker, signal.SIGCONT)


@contextmanager
def doomed_worker(stack: Stack, failpoint: str) -> Iterator[Path]:
    """Another worker, each of whose processes is killed where it passes the failpoint; its log."""
    command = [sys.executable, "-m", "celery", "-A", "ordermgmt.celery", "worker"]
    command += ["--concurrency", "2", "--hostname", f"doomed-{failpoint}"]
    environment = stack.env | {"PYTHONPATH": str(ROOT), "FAILPOINTS": f"{failpoint}:kill"}
    log = stack.data_dir / "log" / f"{failpoint}.log"
    worker = spawn(command, log=log, env=environment)
    try:
        yield log
        assert worker.poll() is None, log.read_text()
    finally:
        stop(worker)


@pytest.mark.slow
def test_ten_thousand_due_orders_leave_within_a_minute_each_once_while_others_come(
    stack: Stack, shop: Shop
) -> None:
    loaded(stack, shop, MANY)

    def come_due_and_leave() -> None:
        do(stack, shop, COME_DUE)
        assert wait_until(lambda: is_nothing_due(stack), timeout=4 * LONGEST, pause=1)

    captured = under_load(shop, come_due_and_leave)

    assert len({answer["number"] for answer in captured.values()}) == len(captured)
    facts = assert_all_left_once(stack, shop, MANY)
    assert facts["late"] < LONGEST


@pytest.mark.parametrize("moment", ["before", "after"])
def test_workers_killed_at_a_commit_lose_nothing_and_release_nothing_twice(
    stack: Stack, shop: Shop, moment: str
) -> None:
    loaded(stack, shop, SOME)
    with paused(stack), doomed_worker(stack, f"release_due.{moment}_commit") as log:
        do(stack, shop, COME_DUE)
        assert wait_until(
            lambda: log.read_text().count("signal 9 (SIGKILL)") >= DEATHS, timeout=60, pause=0.2
        )
        left = do(stack, shop, TOLD)["statuses"].get("open", 0)
    if moment == "before":
        assert left == 0
    else:
        assert left >= DEATHS * BATCH
        assert left % BATCH == 0

    assert wait_until(lambda: is_nothing_due(stack), timeout=60, pause=0.5)
    assert_all_left_once(stack, shop, SOME)

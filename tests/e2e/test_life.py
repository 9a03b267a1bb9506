"""Order lifecycles on the whole stack, while workers stop and start."""

import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ordermgmt.launcher.processes import spawn, stop, wait_until
from tests.e2e.stack import ROOT, Stack
from tests.e2e.test_durability import Shop

GRACE = 3  # seconds
EACH = 6  # orders of a kind
FULFILLED = ("open", ("in_fulfillment",), (), 1)  # status, items, holds, announced as open
SOON = 60  # seconds after its return in which a worker releases what came due meanwhile
LATE = 40  # orders that come due while no worker works
TOLD = """
import json
from orders.models import Order
from webhooks.models import Event
print(json.dumps([
    {
        "name": o.external_id,
        "status": o.status,
        "items": sorted({i.status for i in o.items.all()}),
        "held": sorted(h.kind for h in o.holds.all() if h.released_at is None),
        "due": [h.due_at.timestamp() for h in o.holds.all() if h.kind == "grace"],
        "opened": [e.at.timestamp() for e in o.timeline.all() if e.verb == "opened"],
        "announced": Event.objects.filter(subject=o.uuid, name="order.opened").count(),
    }
    for o in Order.objects.filter(tenant__slug="life")
]))
"""


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Shop:
    shop = Shop(stack, "life")
    stack.manage("config", "set", "life", "on_hold_timer_duration", str(GRACE))
    limit = json.dumps({"soft_limit_for_big_orders": 4})
    stack.manage("config", "set", "life", "big_sales_order", limit)
    return shop


@contextmanager
def another(stack: Stack, program: str, *options: str) -> Iterator[None]:
    """A second Celery program beside the stack's own; it must not die."""
    command = [sys.executable, "-m", "celery", "-A", "ordermgmt.celery", program, *options]
    environment = stack.env | {"PYTHONPATH": str(ROOT)}
    child = spawn(command, log=stack.data_dir / "log" / f"second-{program}.log", env=environment)
    try:
        yield
        assert child.poll() is None, stack.log(f"second-{program}")
    finally:
        stop(child)


@pytest.fixture
def second_beat(stack: Stack) -> Iterator[None]:
    """Another clock, which orders the same again every two seconds."""
    with another(stack, "beat", "--pidfile", ""):
        yield


@pytest.fixture
def second_worker(stack: Stack) -> Iterator[None]:
    """Two more processes that release what is due, at the same time as the first two."""
    options = ["--concurrency", "2", "--hostname", "second", "--loglevel", "INFO"]
    with another(stack, "worker", *options):
        assert wait_until(lambda: "ready." in stack.log("second-worker"), timeout=30)
        yield


def body(name: str, items: int = 2) -> dict[str, Any]:
    price = {"net": 10, "tax": 1, "gross": 11}
    lines = [{"product_id": f"SKU-{n}", "price": price} for n in range(items)]
    return {"external_id": name, "currency": "EUR", "items": lines}


def captured(shop: Shop, name: str, items: int = 2) -> None:
    status, answer = shop.capture(body(name, items))
    assert status == 200, answer


def ask(shop: Shop, method: str, path: str, body: Any = None) -> Any:
    status, answer = shop.ask(method, path, None if body is None else json.dumps(body).encode())
    assert status == 200, (path, answer)
    return answer


def release(shop: Shop, name: str, kind: str) -> None:
    path = f"/order-management/orders/{name}/holds"
    [hold] = [h for h in ask(shop, "GET", path)["holds"] if h["kind"] == kind]
    ask(shop, "POST", f"{path}/{hold['id']}/release", {"reason": "looks right"})


def stored_orders(stack: Stack, kind: str = "") -> list[dict[str, Any]]:
    """The orders of a kind, or all, as they are stored."""
    output = stack.manage("shell", "-v", "0", "-c", TOLD).splitlines()[-1]
    return [each for each in json.loads(output) if each["name"].startswith(kind)]


def ends(orders: list[dict[str, Any]]) -> dict[str, set[Any]]:
    """Return states by kind: status, items' statuses, active holds and published events."""
    values = defaultdict(set)
    for o in orders:
        where = (o["status"], tuple(o["items"]), tuple(o["held"]), o["announced"])
        values[o["name"].partition("-")[0]].add(where)
    return values


def test_every_order_ends_where_the_tables_say(
    stack: Stack, shop: Shop, second_beat: None, second_worker: None
) -> None:
    for n in range(EACH):
        captured(shop, f"plain-{n}")
        captured(shop, f"extended-{n}")
        ask(shop, "POST", f"/v0/orders/extended-{n}/_extend_grace_period?id_type=external")
        captured(shop, f"cancelled-{n}")
        reason = {"reason": "changed my mind"}
        ask(shop, "POST", f"/v0/orders/cancelled-{n}/cancel?id_type=external", reason)
        captured(shop, f"big-{n}", items=5)
        captured(shop, f"approved-{n}", items=5)
        release(shop, f"approved-{n}", "big_order")
        captured(shop, f"support-{n}")
        ask(shop, "PATCH", f"/order-management/orders/support-{n}", {"status": "on_hold"})
    time.sleep(GRACE)
    left = {
        "plain": FULFILLED,
        "extended": ("on_hold", ("pending",), ("grace",), 0),
        "cancelled": ("closed", ("cancelled",), (), 0),
        "approved": FULFILLED,
        "big": ("on_hold", ("pending",), ("big_order",), 0),
        "support": ("on_hold", ("pending",), ("support",), 0),
    }

    def have_left() -> bool:
        return ends(stored_orders(stack)) == {kind: {where} for kind, where in left.items()}

    assert wait_until(have_left, timeout=40, pause=0.5), ends(stored_orders(stack))
    for n in range(EACH):
        release(shop, f"big-{n}", "big_order")
        release(shop, f"support-{n}", "support")

    left |= {"big": FULFILLED, "support": FULFILLED}
    assert have_left(), ends(stored_orders(stack))
    for each in stored_orders(stack):
        assert len(each["opened"]) == each["announced"], each
        assert all(at >= each["due"][0] for at in each["opened"]), each
    assert stack.manage_json("check_invariants")


def test_what_came_due_without_a_worker_is_released_soon_after_it_returns(
    stack: Stack, shop: Shop
) -> None:
    [worker] = stack.children("celery -A ordermgmt.celery worker")
    os.killpg(worker, signal.SIGSTOP)
    try:
        for n in range(LATE):
            captured(shop, f"late-{n}")
        time.sleep(GRACE + 2)
        waiting = ("on_hold", ("pending",), ("grace",), 0)
        assert ends(stored_orders(stack, "late"))["late"] == {waiting}
    finally:
        back = time.time()
        os.killpg(worker, signal.SIGCONT)

    assert wait_until(
        lambda: ends(stored_orders(stack, "late"))["late"] == {FULFILLED},
        timeout=SOON,
        pause=0.5,
    )
    for each in stored_orders(stack, "late"):
        [opened], [due] = each["opened"], each["due"]
        assert due <= opened < back + SOON
    assert stack.manage_json("check_invariants")

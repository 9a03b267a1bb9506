"""Extending, holding, releasing and sweeping one order at the same moment; nothing happens twice.

Each test was seen failing without the lock, or the second look, that it is about.
"""

import threading
import time
from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from configuration import keys
from orders.models import Hold, Order, TimelineEntry
from orders.services import invariants
from orders.services.capture import additions
from orders.services.holds import actions as hold_actions
from orders.services.holds import due as due_holds
from orders.services.reading import queries
from tests.orders.racing import PATIENCE, alone, at_once, meet
from tests.orders.shop import Shop, item, items, order
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)
EXTENDERS = 50


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture(autouse=True)
def all_is_well():
    yield
    assert [results.examples for results in invariants.check() if results.number] == []


def extend(shop, name="A-1"):
    def act():
        return hold_actions.extend_grace(
            tenant=shop.tenant, reference=name, id_type="external", actor="client:test"
        )

    return act


def place(shop, name="A-1"):
    return lambda: hold_actions.place(
        tenant=shop.tenant, reference=name, reason="look", actor="staff:ada"
    )


def release(shop, kind, name="A-1"):
    hold = Hold.objects.get(order__external_id=name, kind=kind, released_at=None)
    return lambda: hold_actions.release(
        tenant=shop.tenant, reference=name, hold=hold.uuid, reason="fine", actor="staff:ada"
    )


def end_grace(**which):
    """As if the grace period had ended a second ago."""
    with connection.cursor() as cursor:
        keys_ = list(Hold.objects.filter(kind="grace", **which).values_list("pk", flat=True))
        cursor.execute(
            "UPDATE orders_hold SET placed_at = now() - interval '2 s',"
            " due_at = now() - interval '1 s' WHERE id = ANY(%s)",
            [keys_],
        )


def verbs(name="A-1"):
    entries = TimelineEntry.objects.filter(order__external_id=name).order_by("version")
    return [entry.verb for entry in entries]


def test_of_fifty_who_extend_at_the_same_moment_one_does(shop, monkeypatch):
    shop.captured(order(external_id="A-1", grace_period=60))
    before = Hold.objects.get().due_at
    meet(monkeypatch, hold_actions, "_running_grace", number=EXTENDERS, patience=PATIENCE)

    with alone():
        answers = at_once([extend(shop)] * EXTENDERS)

    assert Counter(type(answer).__name__ for answer in answers) == {
        "datetime": 1,
        "ExtendedElsewhere": EXTENDERS - 1,
    }
    assert Hold.objects.get().due_at == before + hold_actions.EXTENSION
    assert verbs() == ["captured", "held", "extended"]


def test_two_who_extend_without_having_seen_the_same_both_do(shop):
    shop.captured(order(external_id="A-1", grace_period=60))
    before = Hold.objects.get().due_at

    extend(shop)()
    extend(shop)()

    assert Hold.objects.get().due_at == before + 2 * hold_actions.EXTENSION


def test_two_sweepers_at_the_same_moment_release_each_order_once(shop, monkeypatch):
    for n in range(40):
        shop.captured(order(external_id=f"A-{n}", grace_period=60))
    end_grace()
    meet(monkeypatch, queries, "documents")

    results = at_once([lambda: due_holds.release_due(limit=20)] * 2)

    assert results == [20, 20]  # neither waited for the other
    assert Event.objects.filter(name="order.opened").count() == 40
    assert {e.actor for e in TimelineEntry.objects.filter(verb="released")} == {due_holds.RELEASER}
    assert TimelineEntry.objects.filter(verb="released").count() == 40


def test_a_sweep_leaves_an_order_alone_that_is_being_changed(shop, monkeypatch):
    shop.captured(order(external_id="A-1", grace_period=60))
    end_grace()
    inside, done = threading.Event(), threading.Event()
    original = queries.active_holds

    def linger(*args):
        inside.set()
        assert done.wait(PATIENCE)
        return original(*args)

    def sweep():
        assert inside.wait(PATIENCE)
        monkeypatch.setattr(queries, "active_holds", original)
        try:
            return due_holds.release_due()
        finally:
            done.set()

    monkeypatch.setattr(queries, "active_holds", linger)

    [hold, swept] = at_once([place(shop), sweep])

    assert (hold.kind, swept) == ("support", 0)
    assert due_holds.release_due() == 1
    assert verbs() == ["captured", "held", "held", "released"]


@pytest.mark.parametrize("_", range(5))
def test_a_hold_and_the_end_of_grace_at_the_same_moment_end_in_a_held_order(shop, monkeypatch, _):
    """Either the hold comes first and nothing is routed, or what was routed is parked again."""
    shop.captured(order(external_id="A-1", grace_period=60))
    end_grace()
    meet(monkeypatch, queries, "documents")

    at_once([place(shop), due_holds.release_due])
    due_holds.release_due()

    assert Order.objects.get().status == "on_hold"
    assert [h.kind for h in Hold.objects.filter(released_at=None)] == ["support"]
    after = verbs()[verbs().index("held", 2) :] if "routed" in verbs() else verbs()
    assert "routed" not in after


def test_a_grace_period_that_ends_while_it_is_extended_is_extended_and_not_released(
    shop, monkeypatch
):
    """The caller has the lock and saw the grace run; the clock passes; a sweep comes by."""
    shop.captured(order(external_id="A-1", grace_period=1))
    original, looks, passed = hold_actions._running_grace, [], threading.Event()

    def look_and_wait_until_it_is_over(*args):
        looks.append(original(*args))
        if len(looks) == 2:
            time.sleep(1.2)
            passed.set()
            time.sleep(0.3)  # long enough for a sweep
        return looks[-1]

    def sweep():
        assert passed.wait(PATIENCE)
        return due_holds.release_due()

    monkeypatch.setattr(hold_actions, "_running_grace", look_and_wait_until_it_is_over)

    [due_at, swept] = at_once([extend(shop), sweep])

    assert (due_at, swept) == (looks[0].due_at + hold_actions.EXTENSION, 0)
    assert due_holds.release_due() == 0
    assert verbs() == ["captured", "held", "extended"]


def test_a_sweep_looks_again_at_what_is_due_once_it_has_the_lock(shop, monkeypatch):
    """The statement that locks sees holds as they were when it began; one may be extended since."""
    shop.captured(order(external_id="A-1", grace_period=60))
    end_grace()
    lock = due_holds._LOCK_DUE

    def lock_late(sql, params, rows=due_holds.prepared_sql.rows):
        results = rows(sql, params)
        if sql == lock:  # as if it had been extended between that statement's look and its lock
            Hold.objects.update(due_at=timezone.now() + hold_actions.EXTENSION)
        return results

    monkeypatch.setattr(due_holds.prepared_sql, "rows", lock_late)

    assert due_holds.release_due() == 0
    assert verbs() == ["captured", "held"]


def test_the_last_two_holds_released_at_the_same_moment_route_the_order_once(shop, monkeypatch):
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
    shop.captured(order(*items(2), external_id="A-1"))
    place(shop)()
    acts = [release(shop, "big_order"), release(shop, "support")]
    meet(monkeypatch, queries, "documents")

    at_once(acts)

    assert verbs() == ["captured", "held", "held", "released", "released", "opened", "routed"]
    assert Event.objects.filter(name="order.opened").count() == 1


def test_fifty_who_place_a_hold_at_the_same_moment_place_one(shop, monkeypatch):
    shop.captured(order(external_id="A-1"))
    meet(monkeypatch, queries, "key_of", number=EXTENDERS, patience=PATIENCE)

    with alone():
        answers = at_once([place(shop)] * EXTENDERS)

    assert len({answer.uuid for answer in answers}) == 1
    assert verbs() == ["captured", "opened", "routed", "held"]


def test_two_captures_that_add_at_the_same_moment_hold_a_big_order_once(shop, monkeypatch):
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
    order_body = order(external_id="A-1", grace_period=600)
    shop.captured(order_body)
    meet(monkeypatch, additions, "document")
    bodies = [{"id": order_body["id"], "items": items(2)} for _ in range(2)]

    answers = at_once([lambda body=body: shop.capture(body).status_code for body in bodies])

    assert answers == [200, 200]
    assert Order.objects.get().item_count == 5
    assert Counter(verbs())["held"] == 2
    assert {h.kind for h in Hold.objects.all()} == {"grace", "big_order"}


def test_items_added_while_the_grace_ends_are_routed_too_or_refused(shop, monkeypatch):
    order_body = order(external_id="A-1", grace_period=60)
    shop.captured(order_body)
    end_grace()
    meet(monkeypatch, queries, "documents")
    meet(monkeypatch, additions, "document")
    body = {"id": order_body["id"], "items": [item()]}

    [status, _] = at_once([lambda: shop.capture(body).status_code, due_holds.release_due])
    due_holds.release_due()

    assert status in (200, 409)
    stored_order = Order.objects.get()
    assert (stored_order.status, stored_order.item_count) == ("open", 2 if status == 200 else 1)
    assert set(stored_order.items.values_list("status", flat=True)) == {"in_fulfillment"}
    assert Counter(verbs())["routed"] == 1


def test_two_who_judge_sizes_at_the_same_moment_hold_each_big_order_once(shop, monkeypatch):
    for n in range(4):
        shop.captured(order(*items(3), external_id=f"A-{n}", grace_period=60))
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
    meet(monkeypatch, queries, "documents")

    results = at_once([due_holds.hold_big_orders] * 2)

    assert sorted(results) == [0, 4]
    assert Hold.objects.filter(kind="big_order").count() == 4


def test_sizes_are_judged_by_what_holds_once_the_order_is_locked(shop, monkeypatch):
    """The statement that locks sees orders as they were when it began; a hold may be newer."""
    shop.captured(order(*items(3), external_id="A-1"))
    place(shop)()
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
    slow = due_holds._LOCK_BIG.replace(
        "FROM orders_order o", "FROM (SELECT pg_sleep(0.4)) s, orders_order o", 1
    )
    fast, rows = due_holds._LOCK_BIG, due_holds.prepared_sql.rows
    began = threading.Event()

    def begin(sql, params):
        if sql == fast and not began.is_set():
            began.set()
            return rows(slow, params)
        return rows(sql, params)

    def second():
        assert began.wait(PATIENCE)
        time.sleep(0.1)  # so that its snapshot is taken
        return release(shop, "support")()  # the last look places a big_order hold

    monkeypatch.setattr(due_holds.prepared_sql, "rows", begin)

    [held, _] = at_once([due_holds.hold_big_orders, second])

    assert held == 0
    assert Counter(h.kind for h in Hold.objects.filter(released_at=None)) == {"big_order": 1}

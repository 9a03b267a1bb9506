"""The sweep over due holds and big orders: all tenants, in batches, each order locked first."""

import datetime as dt
import re
from collections import Counter

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from configuration import keys
from orders import tasks
from orders.models import Hold, Item, Order, TimelineEntry
from orders.services import invariants
from orders.services.changes import persistence
from orders.services.holds import actions as hold_actions
from orders.services.holds import due as due_holds
from tests.factories import LocationFactory, ServiceLevelFactory
from tests.orders.shop import Shop, contents, item, items, order
from webhooks import services as webhooks
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)
GERMANY = {"shipping_address": {"country_code": "DE", "last_name": "B", "address_line_1": "1"}}


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture(autouse=True)
def all_is_well():
    yield
    assert [results.examples for results in invariants.check() if results.number] == []


def end_grace(ago="1 s", **which):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_hold SET placed_at = now() - interval '1 day',"
            " due_at = now() - %s::interval WHERE id = ANY(%s)",
            [ago, list(Hold.objects.filter(kind="grace", **which).values_list("pk", flat=True))],
        )


def statuses():
    return Counter(Order.objects.values_list("status", flat=True))


def changes(name="A-1"):
    entries = TimelineEntry.objects.filter(order__external_id=name).order_by("version")
    return list(entries.values_list("verb", flat=True))


def test_nothing_is_released_before_it_is_due(shop):
    shop.captured(order(grace_period=60))
    before = contents()

    assert due_holds.release_due() == 0
    assert contents() == before


def test_what_is_due_is_released_and_routed_with_its_reasons(shop):
    LocationFactory(tenant=shop.tenant, code="DC", type="dc")
    shop.captured(order(external_id="A-1", grace_period=60))
    end_grace("1 ms")

    assert due_holds.release_due() == 1

    assert changes() == ["captured", "held", "released", "opened", "routed"]
    released, _, routed = TimelineEntry.objects.order_by("version")[2:]
    assert released.facts == {"hold": "grace", "reason": "grace_period_ended"}
    assert released.actor == routed.actor == "task:orders.release_due_holds"
    assert (routed.facts["rule"], routed.facts["location"]) == ("nearest_location", "DC")
    assert set(Item.objects.values_list("status", "location_code")) == {("in_fulfillment", "DC")}


def test_due_is_what_the_database_says_whatever_the_time_here(shop, monkeypatch):
    shop.captured(order(grace_period=3600))
    monkeypatch.setattr("time.time", lambda: 4_000_000_000.0)

    assert due_holds.release_due() == 0


@pytest.mark.parametrize(
    "where", [(due_holds, "continue_after_hold"), (persistence, "save")], ids=["judge", "save"]
)
def test_an_order_that_cannot_be_released_is_in_nobodys_way(shop, monkeypatch, caplog, where):
    for n in range(5):
        shop.captured(order(external_id=f"A-{n}", grace_period=60))
    end_grace("1 h", order__external_id="A-2")  # it would come first every time
    end_grace(order__external_id__in=["A-0", "A-1", "A-3", "A-4"])
    module, name = where
    original = getattr(module, name)

    def stumble(changes, *rest):
        changes_of = changes if isinstance(changes, list) else [changes]
        if any(change.order.external_id == "A-2" for change in changes_of):
            raise IntegrityError("nobody thought of this")
        return original(changes, *rest)

    monkeypatch.setattr(module, name, stumble)

    assert due_holds.release_due(limit=3) == 2
    assert due_holds.release_due(limit=3) == 2
    assert due_holds.release_due(limit=3) == 0
    assert dict(Order.objects.values_list("external_id", "status")) == {
        **dict.fromkeys(["A-0", "A-1", "A-3", "A-4"], "open"),
        "A-2": "on_hold",
    }
    broken = Order.objects.get(external_id="A-2").number
    assert caplog.text.count(f"order {broken} could not be released") == 3

    monkeypatch.undo()
    assert due_holds.release_due() == 1


def test_a_database_in_trouble_is_not_taken_for_an_order_in_trouble(shop, monkeypatch):
    shop.captured(order(grace_period=60))
    end_grace()
    tried = []

    def fail(_):
        tried.append(1)
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(persistence, "save", fail)
    with pytest.raises(OperationalError):
        due_holds.release_due()
    assert len(tried) == 1
    monkeypatch.undo()
    assert due_holds.release_due() == 1


@pytest.mark.parametrize("when", ["in a batch", "alone"])
def test_a_run_that_is_told_to_end_ends(shop, monkeypatch, when):
    for _ in range(3):
        shop.captured(order(grace_period=60))
    end_grace()
    ways = {"in a batch": [SoftTimeLimitExceeded], "alone": [IntegrityError, SoftTimeLimitExceeded]}
    failures = iter(ways[when])

    def stumble(_):
        raise next(failures)  # asked once more, it has none, which fails in another way

    monkeypatch.setattr(persistence, "save", stumble)
    with pytest.raises(SoftTimeLimitExceeded):
        tasks.release_due_holds()
    assert list(failures) == []
    assert statuses() == {"on_hold": 3}

    monkeypatch.undo()
    assert due_holds.release_due() == 3


@pytest.mark.parametrize(
    "trouble", [KeyError("price"), TypeError(), Order.DoesNotExist(), RuntimeError(), DataError()]
)
def test_whatever_an_order_makes_fail_it_fails_alone(shop, monkeypatch, trouble):
    for name in ("A-1", "A-2"):
        shop.captured(order(external_id=name, grace_period=60))
    end_grace()
    original = due_holds.continue_after_hold

    def stumble(change, rules):
        if change.order.external_id == "A-1":
            raise trouble
        original(change, rules)

    monkeypatch.setattr(due_holds, "continue_after_hold", stumble)

    assert due_holds.release_due() == 1


def test_orders_of_all_tenants_are_released_each_by_its_own_rules(shop):
    other = Shop()
    LocationFactory(tenant=shop.tenant, code="HERE", country_codes=["DE"])
    LocationFactory(tenant=other.tenant, code="THERE", country_codes=["FR"])
    for each in (shop, other):
        for n in range(3):
            each.captured(order(external_id=f"A-{n}", grace_period=60, **GERMANY))
    end_grace()

    assert due_holds.release_due() == 6

    by_tenant = set(Item.objects.values_list("tenant", "status", "location_code"))
    assert by_tenant == {
        (shop.tenant.pk, "in_fulfillment", "HERE"),
        (other.tenant.pk, "on_hold", ""),
    }
    assert {e.tenant_id for e in Event.objects.filter(name="order.items_on_hold")} == {
        other.tenant.pk
    }


def test_service_levels_and_destinations_are_told_apart_within_a_batch(shop):
    LocationFactory(tenant=shop.tenant, code="DE", country_codes=["DE"])
    LocationFactory(tenant=shop.tenant, code="FR", country_codes=["FR"])
    ServiceLevelFactory(tenant=shop.tenant, identifier="slow", remorse_period=60)
    for n, country in enumerate(["DE", "FR", "DE", "FR"]):
        body = {"shipping_address": GERMANY["shipping_address"] | {"country_code": country}}
        shipment = {"price": 5, "service_level_identifier": "slow"}
        shop.captured(order(external_id=f"{country}-{n}", shipments=[shipment], **body))
    end_grace()

    assert due_holds.release_due() == 4
    routed = set(Item.objects.values_list("order__external_id", "location_code"))
    assert routed == {("DE-0", "DE"), ("FR-1", "FR"), ("DE-2", "DE"), ("FR-3", "FR")}


def test_batches_take_the_longest_due_first(shop):
    for n, ago in enumerate(["1 s", "3 s", "2 s"]):
        shop.captured(order(external_id=f"A-{n}", grace_period=60))
        end_grace(ago, order__external_id=f"A-{n}")

    assert [due_holds.release_due(limit=1) for _ in range(4)] == [1, 1, 1, 0]

    released = TimelineEntry.objects.filter(verb="released").order_by("at")
    assert [e.order.external_id for e in released] == ["A-1", "A-2", "A-0"]


def test_a_batch_costs_the_same_statements_however_large(shop):
    counts = []
    for size in (2, 20):
        for _ in range(size):
            shop.captured(order(grace_period=60))
        end_grace(released_at=None)
        with CaptureQueriesContext(connection) as queries:
            assert due_holds.release_due() == size
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_task_goes_on_until_nothing_is_due(shop, monkeypatch):
    for _ in range(5):
        shop.captured(order(grace_period=60))
    end_grace()
    monkeypatch.setattr(due_holds.release_due, "__kwdefaults__", {"limit": 2})

    tasks.release_due_holds()

    assert statuses() == {"open": 5}


def test_other_holds_keep_an_order_whose_grace_ended(shop):
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
    shop.captured(order(*items(2), external_id="A-1", grace_period=60))
    hold_actions.place(tenant=shop.tenant, reference="A-1", reason="look", actor="staff:ada")
    end_grace()

    assert due_holds.release_due() == 1
    assert due_holds.release_due() == 0

    assert changes() == ["captured", "held", "held", "held", "released"]
    assert statuses() == {"on_hold": 1}


def test_an_extended_grace_is_due_when_it_was_extended_to(shop):
    shop.captured(order(external_id="A-1", grace_period=60))
    end_grace("-1 min")
    hold_actions.extend_grace(
        tenant=shop.tenant, reference="A-1", id_type="external", actor="client:test"
    )
    assert due_holds.release_due() == 0
    end_grace()

    assert due_holds.release_due() == 1


def test_before_it_is_routed_an_order_is_judged_by_the_limit_as_it_is_now(shop):
    shop.captured(order(*items(3), external_id="A-1", grace_period=60))
    shop.captured(order(*items(2), external_id="A-2", grace_period=60))
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
    end_grace()

    assert due_holds.release_due() == 2

    assert changes("A-1") == ["captured", "held", "released", "held"]
    assert changes("A-2") == ["captured", "held", "released", "opened", "routed"]


def test_an_approved_order_is_not_held_again_when_its_grace_ends(shop):
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
    shop.captured(order(*items(3), external_id="A-1", grace_period=60))
    hold = Hold.objects.get(kind="big_order")
    hold_actions.release(
        tenant=shop.tenant, reference="A-1", hold=hold.uuid, reason="fine", actor="staff:ada"
    )
    end_grace()

    assert due_holds.release_due() == 1
    assert statuses() == {"open": 1}


class TestJudgingSizes:
    def test_a_lowered_limit_holds_what_waits_and_nothing_else(self, shop):
        shop.captured(order(*items(3), external_id="waits", grace_period=60))
        shop.captured(order(*items(3), external_id="open"))
        shop.captured(order(*items(2), external_id="small", grace_period=60))
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})

        assert due_holds.hold_big_orders() == 1
        assert due_holds.hold_big_orders() == 0

        [hold] = Hold.objects.filter(kind="big_order")
        assert hold.order.external_id == "waits"
        assert hold.reason == "3 items are more than 2"
        entry = TimelineEntry.objects.get(order=hold.order, facts__hold="big_order")
        assert entry.actor == "task:orders.check_big_orders"
        assert entry.facts["config"]["big_sales_order"] == 1

    def test_an_approved_order_is_left_alone(self, shop):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
        shop.captured(order(*items(3), external_id="A-1", grace_period=60))
        hold = Hold.objects.get(kind="big_order")
        hold_actions.release(
            tenant=shop.tenant, reference="A-1", hold=hold.uuid, reason="fine", actor="staff:ada"
        )

        assert due_holds.hold_big_orders() == 0

    def test_each_tenant_has_its_own_limit(self, shop):
        other = Shop()
        for each in (shop, other):
            each.captured(order(*items(3), grace_period=60))
        other.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})

        assert due_holds.hold_big_orders() == 1
        assert Hold.objects.get(kind="big_order").tenant == other.tenant

    def test_the_task_goes_on_batch_by_batch(self, shop, monkeypatch):
        for _ in range(5):
            shop.captured(order(*items(2), grace_period=60))
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
        monkeypatch.setattr(due_holds.hold_big_orders, "__kwdefaults__", {"limit": 2})

        tasks.check_big_orders()

        assert Hold.objects.filter(kind="big_order").count() == 5

    def test_items_that_were_added_count(self, shop):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
        body = order(*items(2), external_id="A-1", grace_period=60)
        shop.captured(body)

        shop.captured({"id": body["id"], "items": [item()]})

        assert changes() == ["captured", "held", "items_added", "held"]
        assert due_holds.hold_big_orders() == 0


def seen(path):
    answer = Browser(SERVER_NAME="localhost").get(path)
    assert answer.status_code == 200
    return answer


def gauge(name):
    """What `/readyz` and `/metrics` say of a gauge; they must agree within seconds."""
    text = seen("/readyz").json()["gauges"][name]
    [line] = re.findall(rf"^ordermgmt_{name} (\S+)$", seen("/metrics").content.decode(), re.M)
    assert float(line) == pytest.approx(text, abs=5)
    return text


def test_how_late_the_sweep_is_can_be_seen(shop):
    name = "oldest_due_hold_seconds"
    for n in range(3):
        shop.captured(order(external_id=f"A-{n}", grace_period=600))
    assert gauge(name) == 0

    end_grace("30 s", order__external_id="A-0")
    assert gauge(name) == pytest.approx(30, abs=5)
    assert seen("/readyz").json()["checks"][name] == "ok"

    end_grace("100 s", order__external_id="A-1")
    assert gauge(name) == pytest.approx(100, abs=5)
    assert re.fullmatch(r"1\d\d\.\d > 60\.0", seen("/readyz").json()["checks"][name])

    due_holds.release_due()
    assert gauge(name) == 0


def test_how_long_the_outbox_waits_can_be_seen(shop):
    name = "oldest_outbox_event_seconds"
    assert gauge(name) == 0

    shop.captured(order())
    shop.captured(order())
    oldest = Event.objects.order_by("pk").first()
    Event.objects.filter(pk=oldest.pk).update(published_at=Now() - dt.timedelta(seconds=50))

    assert gauge(name) == pytest.approx(50, abs=5)


def test_looking_at_the_backlog_reads_one_row_by_an_index(shop):
    shop.captured(order(grace_period=600))
    for original, index in (
        (due_holds.oldest_due, "hold_by_due_time"),
        (webhooks.oldest_waiting, "webhooks_event_pkey"),
    ):
        with CaptureQueriesContext(connection) as question:
            original()
        [statement] = [q["sql"] for q in question.captured_queries]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert plan.startswith("Limit")
        assert f"using {index}" in plan

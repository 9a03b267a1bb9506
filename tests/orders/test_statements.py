"""The number of statements of a request: small, and constant in the amount of data."""

import re

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from configuration import keys
from orders.models import CustomerTally, Hold, Item, Order, Shipment, TimelineEntry
from orders.services.holds import due as due_holds
from tests.factories import LocationFactory
from tests.orders.shop import Shop, items, order
from webhooks import oms_health
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)  # so that BEGIN and COMMIT are real


@pytest.fixture
def shop(monkeypatch):
    monkeypatch.setattr(oms_health, "CACHE_SECONDS", 60)  # that there is no external OMS
    shop = Shop()
    shop.captured(order())  # the token is cached, the statements are prepared
    shop.detail("anything", "external")
    return shop


def statements(act):
    """What was run, and what of it between BEGIN and COMMIT."""
    with CaptureQueriesContext(connection) as queries:
        act()
    run = [query["sql"] for query in queries]
    if "BEGIN" not in run:
        return run, []
    return run, run[run.index("BEGIN") + 1 : run.index("COMMIT")]


@pytest.mark.parametrize("how", ["routed", "held", "gone"])
@pytest.mark.parametrize("number", [1, 3, 50])
def test_a_new_order_is_written_by_one_statement_and_so_in_one_transaction(shop, how, number):
    LocationFactory(tenant=shop.tenant)
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
    members = {
        "routed": {"customer": {"id": "c-1"}, "shipments": [{"price": 5}]},
        "held": {"grace_period": 60},
        "gone": {"is_fulfilled": True},
    }[how]

    shop.captured(order(*items(number), external_id="A-0", **members))  # the policy is read

    form_data = []

    def listen(execute, sql, *args):
        form_data.append(sql)
        return execute(sql, *args)

    with connection.execute_wrapper(listen):
        run, _ = statements(
            lambda: shop.captured(order(*items(number), external_id="A-1", **members))
        )

    assert len(run) == 1  # BEGIN and COMMIT would be here, too
    tables = [Order, Shipment, Item, Hold, TimelineEntry, CustomerTally, Event]
    assert all(f"INSERT INTO {table._meta.db_table}" in form_data[0] for table in tables)


def test_a_policy_that_was_never_read_costs_one_statement_and_a_changed_one_three(shop):
    fast = {"service_level_identifier": "fast"}
    shop.set(keys.ON_HOLD_TIMER_DURATION, 60)

    changed, _ = statements(lambda: shop.captured(order()))
    unread, _ = statements(lambda: shop.captured(order(shipments=[fast])))

    assert len(changed) == 4  # written in vain, looked for, read anew, written
    assert len(unread) == 2


def rows_read(act):
    """How many rows of orders the indexes gave for it."""

    def so_far():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'orders_order'"
            )
            return int(cursor.fetchone()[0])

    before = so_far()
    act()
    return so_far() - before


def test_a_capture_reads_no_more_rows_among_many_orders(shop):
    """Where the planner knows nothing of the tables, it takes any index that names the tenant."""
    customer = {"customer": {"id": "c-1"}}
    for number in range(60):
        shop.captured(order(*items(3), external_id=f"A-{number}", **customer))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as planner.introduce() does once

    read = rows_read(lambda: shop.captured(order(*items(3), external_id="B-1", **customer)))

    assert read < 20  # the order's own row, for each of its parts


@pytest.mark.parametrize("number", [1, 50])
def test_a_repeated_capture_costs_the_same_however_large(shop, number):
    body = order(*items(number), external_id="A-1")
    shop.captured(body)

    run, _ = statements(lambda: shop.captured(body))

    assert len(run) <= 6


@pytest.mark.parametrize("number", [1, 3, 50])
@pytest.mark.parametrize("id_type", ["internal", "external"])
def test_a_detail_is_one_statement(shop, number, id_type):
    answer = shop.captured(order(*items(number), shipments=[{"price": 1}]))
    name = answer["origin_id"] if id_type == "internal" else answer["number"]

    run, _ = statements(lambda: shop.order(name, id_type))

    assert len(run) == 1


@pytest.mark.parametrize("number", [1, 10, 50])
def test_a_history_is_two_statements(shop, number):
    for _ in range(number):
        shop.captured(order(*items(2), customer={"id": "c-1"}, shipments=[{"price": 1}]))

    run, _ = statements(lambda: shop.page("c-1", count=50))

    assert len(run) == 2


def test_the_holds_of_an_order_are_found_by_an_index_those_that_ended_too(shop):
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
    shop.captured(order(*items(2), external_id="A-1", grace_period=600))
    path = "/order-management/orders/A-1/holds"
    big = Hold.objects.get(kind="big_order").uuid

    def act():
        assert shop.ask("POST", f"{path}/{big}/release", {"reason": "fine"}).status_code == 200
        assert shop.ask("GET", path).status_code == 200
        due_holds.hold_big_orders()

    questions = []

    def listen(execute, sql, params, many, context):
        questions.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        act()
    plans = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql, params in questions:
            if sql.startswith("SELECT") and '"orders_hold"."order_id" ' in sql:
                cursor.execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert len(plans) >= 3
    assert [plan for plan in plans if not re.search("Index Cond: .*order_id", plan)] == []

"""Captures of the same moment: one order, one number, one event; never a deadlock."""

import fcntl
import json
from uuid import uuid4

import pytest
from django.db import connection

from ordermgmt import strict_json
from ordermgmt.launcher.embedded import data_dir
from orders.models import Item, Order, TimelineEntry
from tests.orders.racers import Racers
from tests.orders.shop import Shop, item, items, order
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSES = THREADS = 8


@pytest.fixture(scope="module")
def racers(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        started = Racers(PROCESSES, connection.settings_dict["NAME"])
    yield started
    started.stop()


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def alone():
    """One race at a time in all of pytest: each needs most of the connections there are."""
    with (data_dir() / "race.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def race(alone, racers, shop):
    def start(rounds, **kwargs):
        """Rounds of bodies, one for each process and thread; what each round was answered."""
        form_data = [[[text(body) for body in bodies] for bodies in by] for by in rounds]
        return racers.race(shop.headers | shop.tenant_headers, form_data, **kwargs)

    return start


def text(body):
    return strict_json.dumps(body).decode()


def by_everyone(body):
    return [[body] * THREADS] * PROCESSES


def test_sixty_four_captures_of_one_order_make_one(race, shop):
    body = order(*items(3), external_id="A-1", grace_period=60, customer={"id": "c-1"})

    [answers] = race([by_everyone(body)])

    assert len(answers) == 64
    assert {status for status, _ in answers} == {200}
    assert len({answer for _, answer in answers}) == 1
    assert Order.objects.count() == 1
    assert Item.objects.count() == 3
    assert [e.name for e in Event.objects.all()] == ["order.created"]
    assert [e.version for e in TimelineEntry.objects.order_by("version")] == [1, 2]
    assert shop.page("c-1")["pagination_info"]["total"] == 1
    assert json.loads(answers[0][1])["number"] == Order.objects.get().number


def test_of_differing_captures_of_one_order_one_is_taken_and_the_rest_are_told(race):
    body = order(external_id="A-1")
    bodies = [[body | {"shop": f"shop-{p}-{t}"} for t in range(THREADS)] for p in range(PROCESSES)]

    [answers] = race([bodies])

    statuses = [status for status, _ in answers]
    assert (statuses.count(200), statuses.count(409)) == (1, 63)
    assert {tuple(json.loads(a)["differences"]) for s, a in answers if s == 409} == {("/shop",)}
    stored_order = Order.objects.get()
    assert [json.loads(a)["catalog"] for s, a in answers if s == 200] == [stored_order.shop]
    assert Event.objects.filter(name="order.created").count() == 1


def test_orders_that_share_items_in_opposite_order_never_deadlock(race):
    def pair(shared):
        one = order(*shared, customer={"id": "c-1"})
        return [one, order(*reversed(shared), customer={"id": "c-1"})]

    rounds = [[pair(items(60)) for _ in range(PROCESSES)] for _ in range(8)]

    results = race(rounds)

    for bodies, answers in zip(rounds, results, strict=True):
        for n, (one, other) in enumerate(bodies):
            of_pair = answers[2 * n : 2 * n + 2]
            assert sorted(status for status, _ in of_pair) == [200, 409]
            refused = json.loads(next(answer for status, answer in of_pair if status == 409))
            assert refused["differences"] == [f"/items/{k}/id" for k in range(60)]
            assert Order.objects.filter(uuid__in=[one["id"], other["id"]]).count() == 1


def test_items_that_are_added_at_the_same_moment_are_all_there(race, shop):
    body = order(grace_period=600)
    shop.captured(body)
    bodies = [[{"id": body["id"], "items": [item()]} for _ in range(2)] for _ in range(PROCESSES)]

    [answers] = race([bodies], meet="in the lock")

    assert [status for status, _ in answers] == [200] * 16
    stored_order = shop.order(body["id"])
    assert len(stored_order["items"]) == 17
    assert stored_order["totals"]["total"] == 17 * 11
    assert sorted(len(json.loads(answer)["items"]) for _, answer in answers) == list(range(2, 18))
    assert sorted(Item.objects.values_list("position", flat=True)) == list(range(17))
    assert [e.version for e in TimelineEntry.objects.order_by("version")] == list(range(1, 19))
    assert Order.objects.get().version == 18


def test_the_same_items_added_twice_at_the_same_moment_are_added_once(race, shop):
    body = order(grace_period=600)
    shop.captured(body)

    [answers] = race([by_everyone({"id": body["id"], "items": [item()]})])

    assert {status for status, _ in answers} == {200}
    assert len({answer for _, answer in answers}) == 1
    assert Item.objects.count() == 2


def test_orders_of_one_tenant_get_numbers_of_their_own_all_at_once(race):
    bodies = [[order(id=str(uuid4())) for _ in range(THREADS)] for _ in range(PROCESSES)]

    [answers] = race([bodies])

    numbers = {json.loads(answer)["number"] for status, answer in answers if status == 200}
    assert numbers == {f"NS{n:08}" for n in range(1, 65)}

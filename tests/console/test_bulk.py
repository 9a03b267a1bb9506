"""The same to many orders in the console: chosen, confirmed, worked off, reported."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from configuration import keys
from orders.models import BulkJob, BulkJobOrder, Hold, Order
from orders.services import cancellation
from orders.services.console import bulk_jobs
from tests.console.agent import LIST, Agent, heard
from tests.orders.shop import Shop, contents, items, order

pytestmark = pytest.mark.django_db
JOBS = "/console/orders/bulkjob/"
ACTIONS = {"hold", "release", "approve", "cancel"}


@pytest.fixture
def shop():
    return Shop()


def captured(shop, number, **members):
    for n in range(number):
        shop.captured(order(external_id=f"A-{n}", **members))
    return list(Order.objects.filter(tenant=shop.tenant).order_by("id"))


def choose(agent, orders, verb="hold", **fields):
    """Tick some rows of the list and choose an action."""
    ticked = {"_selected_action": [stored_order.pk for stored_order in orders]}
    return agent.post(LIST, **{"action": f"{verb}_orders", "index": 0} | ticked | fields)


def confirm(agent, question_page, verb="hold", **fields):
    """Answer the question the list's action led to."""
    [chosen] = re.findall(r'name="orders" value="([0-9,]+)"', question_page.content.decode())
    return agent.post(f"{LIST}together/{verb}/", **{"orders": chosen, "reason": "recall"} | fields)


def run_batch():
    while bulk_jobs.run_batch():
        pass


def test_from_the_list_to_the_report(shop):
    orders, agent = captured(shop, 3), Agent(shop)
    cancellation.cancel(
        tenant=shop.tenant, reference="A-1", id_type="external", reason="x", note=None, actor="a"
    )

    question_page = choose(agent, orders)
    page = question_page.content.decode()
    assert "Put on hold: 3 orders" in page
    assert "Status: 2 open and 1 closed." in page
    assert "Total value: 33.00 EUR, of which 22.00 EUR remain." in page
    assert not BulkJob.objects.exists()

    begun = confirm(agent, question_page)
    job = BulkJob.objects.get()
    assert begun["Location"] == f"{JOBS}{job.pk}/change/"
    assert (job.actor, job.reason) == (agent.actor, "recall")
    details = agent.get(f"{JOBS}{job.pk}/progress/").json()
    assert details == {
        "waiting": 3,
        "done": 0,
        "refused": 0,
        "stopped": 0,
        "over": 0,
        "finished": False,
    }
    assert not Hold.objects.exists()

    run_batch()
    details = agent.get(f"{JOBS}{job.pk}/progress/").json()
    assert (details["done"], details["refused"], details["finished"]) == (2, 1, True)
    report = agent.get(f"{JOBS}{job.pk}/change/").content.decode()
    assert "Order A-1 is already closed." in report
    assert report.count("Put on hold: recall.") == 2
    assert f"{LIST}{orders[0].pk}/change/" in report
    refused = agent.get(f"{JOBS}{job.pk}/change/", outcome="refused").content.decode()
    assert orders[1].number in refused
    assert orders[0].number not in refused
    assert "Finished" in agent.get(JOBS).content.decode()


def test_all_that_match_are_chosen_and_not_only_the_page(shop):
    orders, agent = captured(shop, 60), Agent(shop)

    page = choose(agent, orders[:1], select_across=1)

    assert "Put on hold: 60 orders" in page.content.decode()
    confirm(agent, page)
    assert BulkJobOrder.objects.count() == 60


def test_more_than_can_be_done_is_refused_before_anything_is_asked(shop, monkeypatch):
    orders, agent = captured(shop, 3), Agent(shop)
    monkeypatch.setattr(bulk_jobs, "MOST", 2)

    answer = choose(agent, orders)

    assert answer.status_code == 302
    assert heard(agent.browser) == ["At most 2 orders can be changed at once."]
    answer = agent.post(f"{LIST}together/hold/", orders="1,2,3", reason="x")
    assert answer.status_code == 302
    assert not BulkJob.objects.exists()


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        ("release", "The support hold ended: recall."),
        ("approve", "The big-order hold ended: recall."),
        ("cancel", "The order was cancelled, 2 items: recall (see mail)."),
    ],
)
def test_every_verb_does_what_it_says(shop, verb, message):
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
    shop.captured(order(*items(2), external_id="A-1"))
    agent = Agent(shop, "supervisor")
    stored_order = Order.objects.get()
    agent.do(stored_order, "hold", reason="look")

    confirm(agent, choose(agent, [stored_order], verb), verb, note="see mail")
    run_batch()

    assert list(BulkJobOrder.objects.values_list("outcome", "message")) == [("done", message)]


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("support", {"hold", "release", "cancel"}),
        ("supervisor", ACTIONS),
        ("admin", ACTIONS),
    ],
)
def test_who_may_do_what(shop, role, allowed):
    orders, agent = captured(shop, 1), Agent(shop, role)
    page = agent.get(LIST).content.decode()

    assert {verb for verb in ACTIONS if f'value="{verb}_orders"' in page} == allowed
    for verb in ACTIONS - allowed:
        before = contents()
        choose(agent, orders, verb)
        answer = agent.post(f"{LIST}together/{verb}/", orders=str(orders[0].pk), reason="x")
        assert answer.status_code == 403
        assert contents() == before


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": ""},
        {"reason": "a\nb"},
        {"reason": "x", "orders": ""},
        {"reason": "x", "orders": "1;2"},
        {"reason": "x", "orders": "1,,2"},
        {"reason": "x", "orders": "9" * 19},
        {"reason": "x", "orders": "1," * 150_000},
        {"reason": "x", "orders": "\0"},
    ],
)
def test_what_makes_no_sense_is_asked_again(shop, fields):
    orders, agent = captured(shop, 1), Agent(shop)

    answer = agent.post(f"{LIST}together/hold/", **{"orders": str(orders[0].pk)} | fields)

    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert not BulkJob.objects.exists()


def test_it_is_begun_by_a_post_only(shop):
    agent = Agent(shop)

    answer = agent.get(f"{LIST}together/hold/")
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert not BulkJob.objects.exists()
    assert agent.post(f"{LIST}together/forget/", orders="1", reason="x").status_code == 403


class TestStopping:
    def test_the_rest_is_left_as_it_was(self, shop):
        orders, agent = captured(shop, 3), Agent(shop)
        confirm(agent, choose(agent, orders))
        job = BulkJob.objects.get()
        bulk_jobs.run_batch(limit=1)
        path = f"{JOBS}{job.pk}/stop/"
        assert path in agent.get(f"{JOBS}{job.pk}/change/").content.decode()

        assert agent.get(path).status_code == 405
        agent.post(path)

        assert heard(agent.browser) == ["2 orders are left as they were."]
        page = agent.get(f"{JOBS}{job.pk}/change/").content.decode()
        assert f"stopped by {agent.person}" in page
        assert f"Put on hold, by {agent.person}" in page
        assert "staff:" not in page
        assert path not in page
        run_batch()
        assert Hold.objects.count() == 1

    def test_only_who_may_do_it_may_stop_it(self, shop):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
        shop.captured(order(*items(2)))
        boss, agent = Agent(shop, "supervisor"), Agent(shop)
        confirm(boss, choose(boss, Order.objects.all(), "approve"), "approve")
        path = f"{JOBS}{BulkJob.objects.get().pk}/stop/"

        assert agent.post(path).status_code == 403
        assert BulkJobOrder.objects.get().outcome == "waiting"


class TestBorders:
    @pytest.fixture
    def foreign(self, shop):
        other = Shop()
        theirs = captured(other, 2)
        agent = Agent(other)
        confirm(agent, choose(agent, theirs), reason="THEIRS")
        return BulkJob.objects.get()

    def test_anothers_job_cannot_be_told_from_none(self, shop, foreign):
        agent, before = Agent(shop, "admin"), contents()
        absent = foreign.pk + 10**9

        for method, tail in (("get", "change/"), ("get", "progress/"), ("post", "stop/")):
            answers = []
            for key in (foreign.pk, absent):
                answer = getattr(agent.browser, method)(f"{JOBS}{key}/{tail}")
                messages = [m.replace(str(key), "N") for m in heard(agent.browser)]
                answers.append(
                    (answer.status_code, answer.content, answer.get("Location"), messages)
                )
            assert answers[0] == answers[1]
        assert "THEIRS" not in agent.get(JOBS).content.decode()
        assert contents() == before

    def test_anothers_orders_cannot_be_chosen(self, shop, foreign):
        mine, agent = captured(shop, 1), Agent(shop)
        theirs = list(Order.objects.filter(tenant=foreign.tenant))

        page = choose(agent, [*mine, *theirs])
        assert "Put on hold: 1 order" in page.content.decode()
        agent.post(f"{LIST}together/hold/", orders=str(theirs[0].pk), reason="x")
        assert BulkJob.objects.filter(tenant=shop.tenant).count() == 0
        everybodys = ",".join(str(stored_order.pk) for stored_order in [*theirs, *mine])
        agent.post(f"{LIST}together/hold/", orders=everybodys, reason="x")

        job = BulkJob.objects.get(tenant=shop.tenant)
        assert [row.order_id for row in job.orders.all()] == [mine[0].pk]

    def test_an_operator_does_one_tenants_orders_at_a_time(self, shop, foreign):
        captured(shop, 1)
        agent = Agent(None)
        every = ",".join(str(key) for key in Order.objects.values_list("pk", flat=True))

        agent.post(f"{LIST}together/hold/", orders=every, reason="x")

        assert heard(agent.browser) == ["Choose orders of one tenant."]
        assert BulkJob.objects.count() == 1


def test_what_somebody_wrote_is_shown_and_cannot_run(shop):
    bad = "<script>alert(1)</script>"
    orders, agent = captured(shop, 1), Agent(shop)
    confirm(agent, choose(agent, orders), reason=bad)
    run_batch()
    job = BulkJob.objects.get()

    for path in (JOBS, f"{JOBS}{job.pk}/change/", f"{JOBS}{job.pk}/change/?outcome={bad}"):
        page = agent.get(path).content.decode()
        assert bad not in page
    assert "&lt;script&gt;" in page


def test_however_many_orders_the_queries_are_as_many(shop):
    orders, agent = captured(shop, 12), Agent(shop)
    questions = []
    for chosen in (orders[:1], orders):
        confirm(agent, choose(agent, chosen))
        job = BulkJob.objects.latest("id")
        agent.get(f"{JOBS}{job.pk}/change/")
        with CaptureQueriesContext(connection) as queries:
            agent.get(f"{JOBS}{job.pk}/change/")
        questions.append(len(queries))

    assert questions[0] == questions[1] <= 12


def test_a_long_report_is_read_page_by_page(shop, monkeypatch):
    monkeypatch.setattr("orders.admin.jobs.SHOWN", 3)
    orders, agent = captured(shop, 8), Agent(shop)
    confirm(agent, choose(agent, orders))
    job = BulkJob.objects.get()

    numbers_listed, query = [], {}
    while True:
        page = agent.get(f"{JOBS}{job.pk}/change/", **query).content.decode()
        numbers_listed += re.findall(r">([A-Z0-9]+)</a></td>", page)
        match = re.search(r"after=(\d+)", page)
        if not match:
            break
        query = {"after": match[1]}

    chosen = job.orders.order_by("position").values_list("order__number", flat=True)
    assert numbers_listed == list(chosen)
    assert len(numbers_listed) == 8

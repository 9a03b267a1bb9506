"""Doing the same to many orders: each on its own, all of them reported."""

import pytest

from configuration import keys
from orders import tasks
from orders.models import BulkJob, BulkJobOrder, BulkOutcome, BulkVerb, Hold, Order
from orders.services import cancellation, invariants
from orders.services.console import bulk_jobs
from orders.services.holds import actions as hold_actions
from tests.factories import LocationFactory
from tests.orders.racing import at_once
from tests.orders.shop import Shop, contents, items, order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop():
    shop = Shop()
    LocationFactory(tenant=shop.tenant, code="S1")
    return shop


@pytest.fixture(autouse=True)
def all_is_well():
    yield
    assert [results.examples for results in invariants.check() if results.number] == []


def captured(shop, number, **members):
    return [shop.captured(order(external_id=f"A-{n}", **members)) for n in range(number)]


def start(shop, verb=BulkVerb.HOLD, orders=None, **fields):
    chosen = list(Order.objects.order_by("id").values_list("pk", flat=True))
    existing = {"tenant": shop.tenant, "reason": "recall", "actor": "staff:ada"} | fields
    return bulk_jobs.start(verb=verb, orders=chosen if orders is None else orders, **existing)


def finish(job):
    while bulk_jobs.run_batch():
        pass
    job.refresh_from_db()
    return {outcome: n for outcome, n in bulk_jobs.tally(job).items() if n}


def job_results(job):
    rows = job.orders.order_by("position")
    return list(rows.values_list("outcome", "message"))


def test_nothing_happens_until_it_is_worked_off(shop):
    captured(shop, 3)

    job = start(shop)

    assert bulk_jobs.tally(job)[BulkOutcome.WAITING] == 3
    assert not Hold.objects.exists()
    assert finish(job) == {BulkOutcome.DONE: 3}
    assert job.finished_at
    assert set(Hold.objects.values_list("kind", "reason")) == {("support", "recall")}
    assert set(Order.objects.values_list("timeline__actor", flat=True)) >= {"staff:ada"}


def test_one_refusal_stops_none_of_the_others(shop):
    captured(shop, 3)
    cancellation.cancel(
        tenant=shop.tenant, reference="A-1", id_type="external", reason="x", note=None, actor="a"
    )

    job = start(shop, BulkVerb.CANCEL, note="see the recall")

    assert finish(job) == {BulkOutcome.DONE: 2, BulkOutcome.REFUSED: 1}
    assert job_results(job) == [
        ("done", "The order was cancelled, 1 item: recall (see the recall)."),
        ("refused", "Order A-1 is already closed."),
        ("done", "The order was cancelled, 1 item: recall (see the recall)."),
    ]


def test_approving_ends_only_what_size_holds(shop):
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
    shop.captured(order(*items(2), external_id="big"))
    shop.captured(order(external_id="small", grace_period=60))

    job = start(shop, BulkVerb.APPROVE)

    assert finish(job) == {BulkOutcome.DONE: 1, BulkOutcome.REFUSED: 1}
    assert dict(Order.objects.values_list("external_id", "status")) == {
        "big": "open",
        "small": "on_hold",
    }
    assert job_results(job)[1] == ("refused", "Order small has no big order hold.")


def test_releasing_lets_go_on_what_support_held(shop):
    captured(shop, 2)
    hold_actions.place(tenant=shop.tenant, reference="A-0", reason="look", actor="staff:ada")

    assert finish(start(shop, BulkVerb.RELEASE)) == {BulkOutcome.DONE: 1, BulkOutcome.REFUSED: 1}
    assert set(Order.objects.values_list("status", flat=True)) == {"open"}


def test_what_is_so_already_is_done_without_a_trace(shop):
    captured(shop, 1)
    finish(start(shop))
    before = Order.objects.get().version

    job = start(shop)

    assert finish(job) == {BulkOutcome.DONE: 1}
    assert job_results(job) == [("done", "It was so already.")]
    assert Order.objects.get().version == before


def test_the_rest_can_be_let_be(shop):
    captured(shop, 4)
    job = start(shop)
    bulk_jobs.run_batch(limit=1)

    assert bulk_jobs.stop(job=job, actor="staff:bea") == 3

    assert finish(job) == {BulkOutcome.DONE: 1, BulkOutcome.STOPPED: 3}
    assert (job.stopped_by, bool(job.finished_at)) == ("staff:bea", True)
    assert Hold.objects.count() == 1
    assert bulk_jobs.stop(job=job, actor="staff:eve") == 0
    job.refresh_from_db()
    assert job.stopped_by == "staff:bea"


def test_another_tenants_orders_are_none(shop):
    captured(shop, 1)
    mine = Order.objects.get()
    other = Shop()
    other.captured(order(external_id="foreign"))
    before = contents()

    with pytest.raises(bulk_jobs.NoOrders):
        start(shop, orders=[Order.objects.get(external_id="foreign").pk, 10**18])
    assert contents() == before

    job = start(shop)  # of everybody's
    assert list(job.orders.values_list("order", flat=True)) == [mine.pk]


def test_too_many_are_refused_whole(shop):
    captured(shop, 1)
    before = contents()

    with pytest.raises(bulk_jobs.TooManyOrders):
        start(shop, orders=range(bulk_jobs.MOST + 1))
    assert contents() == before


def test_jobs_take_turns(shop):
    captured(shop, 6)
    long, short = start(shop), start(shop, orders=[Order.objects.latest("id").pk])

    bulk_jobs.run_batch(limit=2)

    assert bulk_jobs.tally(long)[BulkOutcome.DONE] == 2
    assert bulk_jobs.tally(short)[BulkOutcome.DONE] == 1


def test_several_workers_do_each_order_once(shop):
    captured(shop, 12)
    job = start(shop)

    done = at_once([tasks.work_off_bulk_jobs] * 3)

    assert done == [None] * 3
    assert finish(job) == {BulkOutcome.DONE: 12}
    assert Hold.objects.count() == 12
    assert not BulkJob.objects.filter(finished_at__isnull=True).exists()
    assert not BulkJobOrder.objects.filter(message="It was so already.").exists()


def test_a_failure_leaves_the_order_to_the_next_round(shop, settings):
    captured(shop, 2)
    job = start(shop)
    settings.FAILPOINTS = {"bulk.before_commit": "raise"}
    with pytest.raises(Exception, match=r"bulk\.before_commit"):
        bulk_jobs.run_batch()
    assert not Hold.objects.exists()

    settings.FAILPOINTS = {}
    assert finish(job) == {BulkOutcome.DONE: 2}


def test_an_order_nobody_thought_of_stops_none_of_the_others(shop, monkeypatch):
    captured(shop, 3)
    original = hold_actions.hold

    def hold(change, *, reason):
        if change.order.external_id == "A-1":
            raise TypeError("nobody thought of this")
        return original(change, reason=reason)

    monkeypatch.setattr(hold_actions, "hold", hold)
    job = start(shop)

    assert finish(job) == {BulkOutcome.DONE: 2, BulkOutcome.REFUSED: 1}
    assert job_results(job)[1] == ("refused", "It failed, and the service's log says why.")
    assert job.finished_at
    assert Hold.objects.count() == 2

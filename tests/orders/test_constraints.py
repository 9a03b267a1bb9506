"""Database constraints on orders: each one refuses the rows it names."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import CheckConstraint, F, UniqueConstraint
from django.db.models.functions import Now

from orders.models import (
    BulkJob,
    BulkJobOrder,
    BulkVerb,
    CustomerTally,
    Hold,
    Item,
    Order,
    Shipment,
    TimelineEntry,
)
from orders.services.console import bulk_jobs
from tests.orders.shop import Shop, order, stored
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def stored_order(shop):
    """An order with a row in every table."""
    body = order(
        external_id="A-1",
        grace_period=60,
        customer={"id": "c-1"},
        shipments=[{"price": 5, "tax": 1}],
    )
    stored_order = stored(shop.captured(body))
    bulk_jobs.start(
        tenant=shop.tenant,
        verb=BulkVerb.HOLD,
        orders=[stored_order.pk],
        reason="look",
        actor="staff:ada",
    )
    return stored_order


def refusing(constraint, act):
    """`act` breaks exactly this promise."""
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        act()
    assert refusal.value.__cause__.diag.constraint_name == constraint


def again(row, **changed):
    """The row a second time, but for what is changed."""
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
    return type(row)(**values | {"id": None} | changed)


BROKEN_CHECKS = [
    (Order, "order_status_is_known", {"status": "lost"}),
    (Order, "order_channel_type_is_known", {"channel_type": "fax"}),
    (Order, "order_price_method_is_known", {"price_method": "barter"}),
    (Order, "order_gross_is_net_plus_tax", {"net": F("net") + 1}),
    (Order, "order_total_is_items_shipping_and_wrapping", {"total": F("total") + 1}),
    (Order, "order_amounts_are_not_negative", {"discount": -1}),
    (Shipment, "shipment_gross_is_net_plus_tax", {"gross": F("gross") + 1}),
    (Shipment, "shipment_gross_is_net_plus_tax", {"discount": -1}),
    (Item, "item_status_is_known", {"status": "lost"}),
    (Item, "item_gross_is_net_plus_tax", {"tax": F("tax") + 1}),
    (Item, "item_discount_is_at_most_its_price", {"discount": F("base") + 1}),
    (Item, "item_discount_is_at_most_its_price", {"discount": -1}),
    (Hold, "hold_kind_is_known", {"kind": "whim", "due_at": None}),
    (Hold, "only_a_grace_hold_has_a_due_time", {"due_at": None}),
    (Hold, "only_a_grace_hold_has_a_due_time", {"kind": "support"}),
    (BulkJob, "bulk_verb_is_known", {"verb": "juggle"}),
    (BulkJob, "bulk_job_has_a_reason", {"reason": ""}),
    (BulkJobOrder, "bulk_outcome_is_known", {"outcome": "lost", "at": Now()}),
    (BulkJobOrder, "bulk_order_has_a_time_once_it_is_over", {"outcome": "done"}),
    (BulkJobOrder, "bulk_order_has_a_time_once_it_is_over", {"at": Now()}),
]
BROKEN_UNIQUES = [
    (Order, "order_uuid_is_unique_in_its_tenant", {"external_id": "B", "number": "B"}),
    (Order, "order_external_id_is_unique_in_its_tenant", {"uuid": uuid4(), "number": "B"}),
    (Order, "order_number_is_never_given_twice", {"uuid": uuid4(), "external_id": "B"}),
    (Shipment, "shipment_has_its_place_in_the_order", {}),
    (Item, "item_belongs_to_one_order_forever", {"position": 9}),
    (Item, "item_has_its_place_in_the_order", {"uuid": uuid4()}),
    (Hold, "order_is_held_once_for_each_kind", {"uuid": uuid4()}),
    (TimelineEntry, "timeline_has_one_entry_a_version", {}),
    (CustomerTally, "tally_has_one_row_a_shard", {}),
    (BulkJobOrder, "bulk_order_has_its_place", {"order_id": 0}),
    (BulkJobOrder, "bulk_order_is_chosen_once", {"position": 9}),
    (Event, "event_is_published_once_a_version", {"uuid": uuid4()}),
]
CHILDREN = {
    Shipment: "shipment_shares_its_orders_tenant",
    Item: "item_shares_its_orders_tenant",
    Hold: "hold_shares_its_orders_tenant",
    TimelineEntry: "timeline_entry_shares_its_orders_tenant",
}


@pytest.mark.parametrize(("model", "constraint", "changed"), BROKEN_CHECKS)
def test_a_row_that_cannot_be_is_refused(stored_order, model, constraint, changed):
    refusing(constraint, lambda: model.objects.update(**changed))


@pytest.mark.parametrize(("model", "constraint", "changed"), BROKEN_UNIQUES)
def test_what_is_once_is_once(stored_order, model, constraint, changed):
    row = model.objects.first()

    refusing(constraint, lambda: again(row, **changed).save(force_insert=True))


@pytest.mark.parametrize("model", CHILDREN)
def test_a_part_of_another_tenants_order_is_refused(stored_order, model):
    other, part = Shop().tenant, model.objects.first()

    def smuggle():
        again(part, tenant_id=other.pk).save(force_insert=True)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    refusing(CHILDREN[model], smuggle)


def test_a_bulk_job_is_about_its_own_tenants_orders_only(stored_order):
    row, other = BulkJobOrder.objects.get(), Shop()
    theirs = stored(other.captured(order()))
    job = BulkJob.objects.create(tenant=other.tenant, verb=BulkVerb.HOLD, reason="x", actor="a")

    refusing(
        "bulk_order_shares_its_orders_tenant",
        lambda: again(row, order_id=theirs.pk, position=9).save(force_insert=True),
    )
    refusing(
        "bulk_order_shares_its_jobs_tenant",
        lambda: again(row, job_id=job.pk).save(force_insert=True),
    )


def test_a_hold_that_was_released_makes_room_for_another(stored_order):
    hold = Hold.objects.get()
    Hold.objects.update(released_at=hold.placed_at)

    again(hold, uuid=uuid4(), released_at=None).save(force_insert=True)

    assert Hold.objects.count() == 2


def test_no_promise_is_forgotten_here():
    declared = {
        constraint.name
        for model in (
            *(Order, Shipment, Item, Hold, TimelineEntry, CustomerTally),
            *(BulkJob, BulkJobOrder, Event),
        )
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint | UniqueConstraint)
    }

    referred_to = {"bulk_job_is_known_within_its_tenant"}  # no more than its key says already
    assert {name for _, name, _ in BROKEN_CHECKS + BROKEN_UNIQUES} == declared - referred_to


@pytest.mark.parametrize(
    ("table", "index"),
    [("orders_order", "order_by_customer"), ("orders_hold", "hold_by_due_time")],
)
def test_the_database_has_the_indexes_of_the_hot_paths(table, index):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_indexes WHERE tablename = %s AND indexname = %s", [table, index]
        )
        assert cursor.fetchone()

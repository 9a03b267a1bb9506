"""`check_invariants` finds what is broken by hand, and nothing in what the services made."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from configuration import keys
from orders.models import Hold, Order
from orders.services import invariants
from orders.services.holds import actions as hold_actions
from orders.services.holds import due as due_holds
from tests.factories import LocationFactory
from tests.orders.shop import Shop, item, items, order

pytestmark = pytest.mark.django_db(transaction=True)

# One line each: the invariant, and what breaks it and nothing else that was fine.
EVENT = "INSERT INTO webhooks_event (tenant_id, uuid, name, subject, version, payload) SELECT"
ENTRY = "INSERT INTO orders_timelineentry (tenant_id, order_id, version, actor, verb, facts) SELECT"
BREACHES = [
    (
        "orders_are_unique",
        "ALTER TABLE orders_order DROP CONSTRAINT order_external_id_is_unique_in_its_tenant;"
        "UPDATE orders_order SET external_id = 'the same'",
    ),
    (
        "names_are_of_one_order",
        "UPDATE orders_order o SET external_id = (SELECT max(number) FROM orders_order)"
        " WHERE id = {open}",
    ),
    (
        "names_are_of_one_order",
        "UPDATE orders_order o SET external_id = (SELECT upper(max(uuid::text)) FROM orders_order"
        " WHERE id <> {open}) WHERE id = {open}",
    ),
    (
        "items_are_unique",
        "ALTER TABLE orders_item DROP CONSTRAINT item_belongs_to_one_order_forever;"
        "UPDATE orders_item SET uuid = '00000000-0000-4000-8000-000000000001'",
    ),
    ("numbers_are_of_the_sequence", "UPDATE orders_order SET number = 'XY' || number"),
    ("numbers_are_of_the_sequence", "UPDATE orders_order SET number = number || '0'"),
    (
        "numbers_are_of_the_sequence",
        "UPDATE orders_order SET number = left(number, -1) || 'x' WHERE id = {open}",
    ),
    ("timelines_have_no_gap", "UPDATE orders_order SET version = version + 1"),
    ("timelines_have_no_gap", "DELETE FROM orders_timelineentry WHERE verb = 'held'"),
    ("timelines_have_no_gap", "DELETE FROM orders_timelineentry"),
    ("order_statuses_follow_from_items", "UPDATE orders_order SET status = 'closed'"),
    ("order_statuses_follow_from_items", "UPDATE orders_item SET status = 'complete'"),
    ("nothing_waits_for_nothing", "UPDATE orders_hold SET released_at = due_at WHERE id = {hold}"),
    ("holds_hold_something", "UPDATE orders_hold SET released_at = NULL WHERE kind = 'support'"),
    ("time_goes_on", "UPDATE orders_timelineentry SET at = at - interval '1 h' WHERE version = 2"),
    (
        "nothing_is_routed_while_held",
        f"{ENTRY} tenant_id, id, version + 1, 'x', 'routed', '{{{{}}}}' FROM orders_order"
        " WHERE id = {held}",
    ),
    (
        "nothing_is_routed_while_held",
        "UPDATE orders_hold SET placed_at = placed_at - interval '1 s',"
        " released_at = released_at + interval '1 ms' WHERE released_at IS NOT NULL",
    ),
    (
        "grace_lasts_until_it_is_due",
        "UPDATE orders_hold SET due_at = released_at + interval '1 ms'"
        " WHERE released_at IS NOT NULL AND kind = 'grace'",
    ),
    (
        "extensions_add_up",
        f"{ENTRY} tenant_id, order_id, version + 9, actor, verb, facts FROM orders_timelineentry"
        " WHERE verb = 'extended'",
    ),
    (
        "extensions_add_up",
        "UPDATE orders_timelineentry SET facts = facts || jsonb_build_object('to', now())"
        " WHERE verb = 'extended'",
    ),
    (
        "nothing_due_is_left",
        "UPDATE orders_hold SET due_at = now() - interval '61 s' WHERE id = {hold}",
    ),
    (
        "big_orders_are_reviewed",
        'UPDATE orders_timelineentry SET facts = facts || \'{{"hold": "support"}}\''
        " WHERE facts->>'hold' = 'big_order'",
    ),
    ("what_happened_is_announced", "DELETE FROM webhooks_event WHERE name = 'order.created'"),
    (
        "what_happened_is_announced",
        "UPDATE webhooks_event SET version = version + 1 WHERE name LIKE '%assigned'",
    ),
    (
        "what_is_announced_happened",
        f"{EVENT} tenant_id, gen_random_uuid(), 'x', uuid, version + 1, '{{{{}}}}'"
        " FROM orders_order",
    ),
    (
        "said_once",
        f"{EVENT} tenant_id, gen_random_uuid(), name, subject, version + 1, '{{{{}}}}'"
        " FROM webhooks_event WHERE name = 'order.opened'",
    ),
    (
        "nothing_cancelled_is_routed",
        f"{EVENT} tenant_id, gen_random_uuid(), 'order.cancelled', subject, 1, '{{{{}}}}'"
        " FROM webhooks_event WHERE name = 'order.opened'",
    ),
    (
        "orders_are_read_whole",
        "ALTER TABLE orders_item DROP CONSTRAINT item_has_its_place_in_the_order;"
        "UPDATE orders_item SET position = position + 1",
    ),
    ("orders_are_read_whole", "DELETE FROM orders_item WHERE order_id = {open}"),
    (
        "orders_are_read_whole",
        "UPDATE orders_item SET shipment_id = (SELECT id FROM orders_shipment"
        " WHERE order_id = {open}) WHERE order_id = {held}",
    ),
    ("amounts_add_up", "UPDATE orders_item SET net = net + 1, gross = gross + 1"),
    ("amounts_add_up", "UPDATE orders_shipment SET net = net + 1, gross = gross + 1"),
    ("amounts_add_up", "UPDATE orders_order SET item_count = item_count + 1"),
]


@pytest.fixture
def shop():
    """Orders that were captured, extended, held, released, approved and routed."""
    shop = Shop()
    LocationFactory(tenant=shop.tenant)
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
    shop.captured(order(external_id="open", shipments=[{"price": 5}]))
    shop.captured(order(external_id="held", grace_period=600))
    hold_actions.extend_grace(
        tenant=shop.tenant, reference="held", id_type="external", actor="client:test"
    )
    shop.captured(order(*items(3), external_id="big"))
    release(shop, "big")
    parked = shop.captured(order(external_id="parked"))
    hold_actions.place(tenant=shop.tenant, reference="parked", reason="look", actor="staff:ada")
    shop.captured({"id": parked["origin_id"], "items": [item(), item()]})
    release(shop, "parked")
    release(shop, "parked")
    shop.captured(order(external_id="due", grace_period=600))
    Hold.objects.filter(order__external_id="due").update(due_at="2020-01-01T00:00:00Z")
    due_holds.release_due()
    return shop


def release(shop, reference):
    hold = Hold.objects.filter(order__external_id=reference, released_at=None).order_by("id")[0]
    hold_actions.release(
        tenant=shop.tenant, reference=reference, hold=hold.uuid, reason="fine", actor="staff:ada"
    )


def broken():
    return [finding.invariant.name for finding in invariants.check() if finding.number]


def test_what_the_services_made_is_whole(shop):
    assert set(Order.objects.values_list("external_id", "status")) == {
        ("open", "open"),
        ("held", "on_hold"),
        ("big", "open"),
        ("parked", "open"),
        ("due", "open"),
    }
    assert broken() == []


def break_it(statement):
    held = Hold.objects.get(order__external_id="held")
    names = {
        "open": Order.objects.get(external_id="open").pk,
        "held": held.order_id,
        "hold": held.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_timelineentry DISABLE TRIGGER USER")
        cursor.execute(statement.format(**names))


@pytest.mark.parametrize(("name", "statement"), BREACHES)
@pytest.mark.django_db(transaction=False)
def test_each_breach_is_found(request, name, statement):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    request.getfixturevalue("shop")

    break_it(statement)

    assert name in broken()


def test_every_invariant_is_broken_once_here():
    assert {name for name, _ in BREACHES} == {i.name for i in invariants.INVARIANTS}


def test_the_command_says_that_all_is_well(shop):
    out = StringIO()

    call_command("check_invariants", stdout=out)

    assert out.getvalue().count(" ok ") == len(invariants.INVARIANTS)


def test_the_command_fails_and_names_who_breaks_what(shop):
    Order.objects.filter(external_id="open").update(status="closed")
    out = StringIO()

    with pytest.raises(CommandError, match=r"1 of \d+ broken: order_statuses_follow_from_items"):
        call_command("check_invariants", "--json", stdout=out)

    [results] = [finding for finding in json.loads(out.getvalue()) if finding["broken"]]
    number = Order.objects.get(external_id="open").number
    assert results["broken"] == 1
    assert results["examples"] == [
        f"tenant {shop.tenant.pk}: {number}: closed, by its items open",
    ]

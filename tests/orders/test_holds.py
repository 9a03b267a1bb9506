"""Holding, releasing and extending by hand, over HTTP: routes 2, 13, our own; tables PS and X."""

import datetime as dt
from uuid import uuid4

import pytest
from django.db import connection

from configuration import keys
from configuration.services import clients
from orders.models import Hold, Item, Order, TimelineEntry
from tests.factories import LocationFactory, bearer
from tests.orders.shop import Shop, contents, item, items, order, problem, read
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)
ON_HOLD = {"status": "on_hold"}


@pytest.fixture
def shop():
    shop = Shop()
    LocationFactory(tenant=shop.tenant, code="S1")
    return shop


def patch(shop, body, name="A-1"):
    return shop.ask("PATCH", f"/order-management/orders/{name}", body)


def extend(shop, name="A-1", id_type="external", body=None):
    path = f"/v0/orders/{name}/_extend_grace_period"
    return shop.ask("POST", path, body, id_type=id_type)


def place(shop, body=None, name="A-1"):
    fields = {"kind": "support", "reason": "look"} if body is None else body
    return shop.ask("POST", f"/order-management/orders/{name}/holds", fields)


def listed(shop, name="A-1"):
    return read(shop.ask("GET", f"/order-management/orders/{name}/holds"))["holds"]


def release(shop, kind, name="A-1", body=None):
    [hold] = [h for h in listed(shop, name) if h["kind"] == kind and not h["released_at"]]
    fields = {"reason": "fine"} if body is None else body
    return shop.ask("POST", f"/order-management/orders/{name}/holds/{hold['id']}/release", fields)


def verbs():
    return list(TimelineEntry.objects.order_by("order", "version").values_list("verb", flat=True))


def events():
    return list(Event.objects.order_by("id").values_list("name", flat=True))


def end_grace(ago="1 s"):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_hold SET placed_at = now() - interval '1 day',"
            " due_at = now() - %s::interval WHERE kind = 'grace'",
            [ago],
        )


class TestPuttingOnHold:
    @pytest.mark.parametrize("by", ["uuid", "number", "external_id"])
    def test_an_open_order_waits_again_by_whatever_name(self, shop, by):
        shop.captured(order(*items(2), external_id="A-1"))
        name = str(getattr(Order.objects.get(), by))

        answer = patch(shop, ON_HOLD, name)

        assert (answer.status_code, answer.content) == (200, b"")
        stored_order = Order.objects.get()
        assert stored_order.status == "on_hold"
        assert set(stored_order.items.values_list("status", "location_code")) == {("pending", "")}
        assert [h["kind"] for h in listed(shop)] == ["support"]

    def test_what_is_complete_stays_complete(self, shop):
        shop.captured(order(*items(2), external_id="A-1"))
        first = Item.objects.order_by("id")[0]
        Item.objects.filter(pk=first.pk).update(status="complete")

        assert patch(shop, ON_HOLD).status_code == 200

        assert set(Item.objects.values_list("status", flat=True)) == {"complete", "pending"}

    def test_again_changes_nothing(self, shop):
        shop.captured(order(external_id="A-1"))
        patch(shop, ON_HOLD)
        before = contents()

        assert patch(shop, ON_HOLD).status_code == 200
        assert contents() == before

    def test_a_closed_order_is_refused(self, shop):
        shop.captured(order(external_id="A-1", is_fulfilled=True))
        before = contents()

        assert problem(patch(shop, ON_HOLD)) == (400, "bad_request", "Order A-1 is already closed.")
        assert contents() == before

    @pytest.mark.parametrize(
        "name", ["nobody", "00000000-0000-4000-8000-00000000dead", "%00", "a" * 300]
    )
    def test_an_unknown_order_is_not_found(self, shop, name):
        assert patch(shop, ON_HOLD, name).status_code in (400, 404)
        if "%" not in name:
            assert problem(patch(shop, ON_HOLD, name))[:2] == (404, "not_found")

    def test_another_tenants_order_is_not_found(self, shop):
        shop.captured(order(external_id="A-1"))
        other, before = Shop(), contents()

        for name in ("A-1", Order.objects.get().uuid, Order.objects.get().number):
            assert problem(patch(other, ON_HOLD, name))[:2] == (404, "not_found")
        assert contents() == before

    @pytest.mark.parametrize(
        "body",
        [
            {},
            *(
                {"status": status}
                for status in (None, "", "ON_HOLD", " on_hold", "routed", "open", 5, [], {}, True)
            ),
            {"status": "x" * 1_000_000},
            {"status": "on_hold", "total": 0},
            {"status": "on_hold", "items": []},
            [],
            [{"op": "replace", "path": "/status", "value": "on_hold"}],
            "on_hold",
        ],
        ids=lambda body: str(body)[:40],
    )
    def test_nothing_else_is_accepted(self, shop, body):
        shop.captured(order(external_id="A-1"))
        before = contents()

        status, code, message = problem(patch(shop, body))

        assert (status, code) == (400, "bad_request")
        assert message.startswith(("Validation of update order failed", "The request body is not"))
        assert len(message) < 200
        assert contents() == before


class TestHolds:
    def test_a_hold_is_told_as_it_is(self, shop):
        shop.captured(order(external_id="A-1", grace_period=60))

        hold = read(place(shop))

        assert hold == listed(shop)[1]
        assert (hold["kind"], hold["reason"], hold["due_at"]) == (
            "support",
            "look",
            None,
        )
        assert listed(shop)[0]["due_at"].endswith("Z")

    def test_a_second_one_is_the_first(self, shop):
        shop.captured(order(external_id="A-1"))

        assert read(place(shop)) == read(place(shop, {"kind": "support", "reason": "another"}))

    def test_released_one_by_one_the_order_is_routed_with_the_last(self, shop):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
        shop.captured(order(*items(2), external_id="A-1", grace_period=60))
        place(shop)

        for kind in ("support", "grace", "big_order"):
            assert Order.objects.get().status == "on_hold"
            answer = read(release(shop, kind))
            assert answer["released_at"]

        assert Order.objects.get().status == "open"
        assert verbs() == [
            *("captured", "held", "held", "held"),
            *("released", "released", "released", "opened", "routed"),
        ]
        assert events() == ["order.created", "order.opened", "fulfillment_request.assigned"]

    def test_releasing_again_changes_nothing(self, shop):
        shop.captured(order(external_id="A-1"))
        hold = read(place(shop))
        path = f"/order-management/orders/A-1/holds/{hold['id']}/release"
        first = read(shop.ask("POST", path, {"reason": "fine"}))
        before = contents()

        assert read(shop.ask("POST", path, {"reason": "fine"})) == first
        assert contents() == before

    def test_what_was_parked_and_released_is_routed_again_but_opened_once(self, shop):
        shop.captured(order(external_id="A-1"))
        place(shop)

        release(shop, "support")

        assert verbs() == ["captured", "opened", "routed", "held", "released", "routed"]
        assert events().count("order.opened") == 1
        assert events().count("fulfillment_request.assigned") == 2

    def test_the_last_look_sees_a_limit_that_was_lowered(self, shop):
        shop.captured(order(*items(3), external_id="A-1", grace_period=60))
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})

        release(shop, "grace")

        assert Order.objects.get().status == "on_hold"
        assert [h["kind"] for h in listed(shop) if not h["released_at"]] == ["big_order"]
        release(shop, "big_order")
        assert Order.objects.get().status == "open"

    def test_an_approved_order_is_not_held_for_its_size_again(self, shop):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
        shop.captured(order(*items(3), external_id="A-1", grace_period=60))
        release(shop, "big_order")
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})

        release(shop, "grace")

        assert Order.objects.get().status == "open"

    def test_an_approved_order_that_grows_is_held_again(self, shop):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
        body = order(*items(3), external_id="A-1", grace_period=60)
        shop.captured(body)
        release(shop, "big_order")

        shop.captured({"id": body["id"], "items": [item()]})

        assert [h["kind"] for h in listed(shop) if not h["released_at"]] == ["grace", "big_order"]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"kind": "support"},
            {"reason": "x"},
            *({"kind": kind, "reason": "x"} for kind in ("grace", "big_order", "", None, 5)),
            *(
                {"kind": "support", "reason": r}
                for r in (None, "", "  ", 5, "x" * 4097, "a\x7f", "\0", [])
            ),
        ],
        ids=lambda body: str(body)[:40],
    )
    def test_a_hold_that_makes_no_sense_is_refused(self, shop, body):
        shop.captured(order(external_id="A-1"))
        before = contents()

        assert problem(place(shop, body))[:2] == (400, "bad_request")
        assert contents() == before

    @pytest.mark.parametrize("reason", ["Look\nagain", "x" * 4096])
    def test_reasons_have_as_many_lines_as_they_need(self, shop, reason):
        shop.captured(order(external_id="A-1"))

        assert read(place(shop, {"kind": "support", "reason": reason}))["reason"] == reason
        assert listed(shop)[0]["reason"] == reason
        assert release(shop, "support", body={"reason": reason}).status_code == 200
        released = TimelineEntry.objects.get(verb="released")
        assert released.facts["reason"] == reason

    def test_a_release_needs_a_reason(self, shop):
        shop.captured(order(external_id="A-1", grace_period=60))
        before = contents()

        for body in ({}, {"reason": ""}, {"reason": " "}, {"reason": None}):
            assert problem(release(shop, "grace", body=body))[:2] == (400, "bad_request")
        assert contents() == before

    def test_a_hold_of_another_order_is_not_found(self, shop):
        shop.captured(order(external_id="A-1", grace_period=60))
        shop.captured(order(external_id="A-2", grace_period=60))
        hold = Hold.objects.get(order__external_id="A-2").uuid
        before = contents()

        for name in (hold, uuid4()):
            path = f"/order-management/orders/A-1/holds/{name}/release"
            assert problem(shop.ask("POST", path, {"reason": "x"}))[:2] == (404, "not_found")
        assert contents() == before

    @pytest.mark.parametrize("act", ["patch", "place", "release"])
    def test_PS7_who_decided_by_what_is_no_longer_so_is_refused(self, shop, act):
        shop.captured(order(external_id="A-1", grace_period=60))
        path = "/order-management/orders/A-1"
        tag = shop.ask("GET", f"{path}/holds")["ETag"]
        release_path = f"{path}/holds/{Hold.objects.get().uuid}/release"
        acts = {
            "patch": ("PATCH", path, ON_HOLD),
            "place": ("POST", f"{path}/holds", {"kind": "support", "reason": "look"}),
            "release": ("POST", release_path, {"reason": "fine"}),
        }
        extend(shop)
        before = contents()

        stale = shop.ask(*acts[act], headers={"If-Match": tag})
        assert problem(stale)[:2] == (412, "version_mismatch")
        assert problem(shop.ask(*acts[act], headers={"If-Match": f"W/{tag}"}))[0] == 412
        for body in ("3", 'w/"3"', '"3", "4"', '"x"', "", '"0"', 'W/"0"', '"99999999999999999999"'):
            refused = shop.ask(*acts[act], headers={"If-Match": body})
            assert problem(refused)[:2] == (400, "bad_request"), body
        assert contents() == before

        tag = shop.ask("GET", f"{path}/holds")["ETag"]
        assert tag == f'"{Order.objects.get().version}"'
        assert shop.ask(*acts[act], headers={"If-Match": tag}).status_code == 200
        assert shop.ask(*acts[act], headers={"If-Match": "*"}).status_code == 200

    @pytest.mark.parametrize("act", ["patch", "place", "release"])
    def test_a_weakened_tag_names_the_same_version(self, shop, act):
        shop.captured(order(external_id="A-1", grace_period=60))
        path = "/order-management/orders/A-1"
        acts = {
            "patch": ("PATCH", path, ON_HOLD),
            "place": ("POST", f"{path}/holds", {"kind": "support", "reason": "look"}),
            "release": (
                "POST",
                f"{path}/holds/{Hold.objects.get().uuid}/release",
                {"reason": "fine"},
            ),
        }
        tag = shop.ask("GET", f"{path}/holds")["ETag"]

        answer = shop.ask(*acts[act], headers={"If-Match": f"W/{tag}"})

        assert answer.status_code == 200, answer.content

    @pytest.mark.parametrize("name", ["x", "1", "A-1", "{uuid}x", "{{{uuid}}}", "urn:uuid:{uuid}"])
    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_a_hold_that_is_no_uuid_is_not_found(self, shop, name, method):
        shop.captured(order(external_id="A-1", grace_period=60))
        name = name.format(uuid=Hold.objects.get().uuid)
        before = contents()

        answer = shop.ask(
            method, f"/order-management/orders/A-1/holds/{name}/release", {"reason": "x"}
        )

        if method == "POST":
            assert problem(answer) == (404, "not_found", "The order has no such hold.")
        else:
            assert (answer.status_code, answer["Allow"]) == (405, "POST")
        assert contents() == before

    def test_a_hold_in_capitals_is_the_same(self, shop):
        shop.captured(order(external_id="A-1", grace_period=60))
        name = str(Hold.objects.get().uuid).upper()

        path = f"/order-management/orders/A-1/holds/{name}/release"
        assert shop.ask("POST", path, {"reason": "x"}).status_code == 200

    def test_only_who_may_release_holds_does(self, shop):
        shop.captured(order(external_id="A-1", grace_period=60))
        scopes = ["order-management:orders:write", "orders:read", "orders:write"]
        new_order = clients.create(tenant=shop.tenant, name="shop", scopes=scopes)
        shop.headers = bearer(new_order.client)
        before = contents()

        assert problem(release(shop, "grace"))[0] == 403
        assert problem(place(shop))[0] == 403
        assert contents() == before


class TestExtending:
    @pytest.mark.parametrize("body", [None, {}, {"junk": [1]}, "x" * 1_000_000])
    def test_it_is_due_fifteen_minutes_later_whatever_the_body(self, shop, body):
        shop.captured(order(external_id="A-1", grace_period=60))
        before = Hold.objects.get().due_at

        answer = extend(shop, body=body)

        assert answer.status_code == 200
        after = Hold.objects.get().due_at
        assert after - before == dt.timedelta(minutes=15)
        assert dt.datetime.fromisoformat(read(answer)["due_at"]) == after
        assert verbs() == ["captured", "held", "extended"]

    def test_it_may_be_extended_any_number_of_times(self, shop):
        shop.captured(order(external_id="A-1", grace_period=60))
        before = Hold.objects.get().due_at

        for _ in range(20):
            assert extend(shop).status_code == 200

        assert Hold.objects.get().due_at - before == 20 * dt.timedelta(minutes=15)

    @pytest.mark.parametrize("ago", ["0", "1 ms", "1 day"])
    def test_once_it_is_due_it_is_over_even_before_the_sweep(self, shop, ago):
        shop.captured(order(external_id="A-1", grace_period=60))
        end_grace(ago)
        before = contents()

        answer = extend(shop)

        assert (answer.status_code, answer.content) == (412, b"")
        assert contents() == before

    def test_what_is_not_in_its_grace_period_has_none_to_extend(self, shop):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
        shop.captured(order(external_id="open"))
        shop.captured(order(external_id="closed", is_fulfilled=True))
        shop.captured(order(*items(2), external_id="big"))
        shop.captured(order(external_id="released", grace_period=60))
        release(shop, "grace", "released")
        before = contents()

        for name in ("open", "closed", "big", "released"):
            answer = extend(shop, name)
            assert (answer.status_code, answer.content) == (412, b""), name
        assert contents() == before

    def test_an_unknown_order_is_not_found_as_a_problem(self, shop):
        assert problem(extend(shop, "nobody"))[:2] == (404, "not_found")
        assert problem(extend(shop, str(uuid4()), "internal"))[:2] == (404, "not_found")

    def test_another_tenants_order_is_not_found(self, shop):
        shop.captured(order(external_id="A-1", grace_period=60))
        other, before = Shop(), contents()

        assert problem(extend(other))[:2] == (404, "not_found")
        assert problem(extend(other, Order.objects.get().uuid, "internal"))[0] == 404
        assert contents() == before

    @pytest.mark.parametrize("id_type", ["", "INTERNAL", "number"])
    def test_the_kind_of_id_must_be_known(self, shop, id_type):
        shop.captured(order(external_id="A-1", grace_period=60))

        assert problem(extend(shop, id_type=id_type))[0] == 400

"""Progress reports of locations: the ends of items, their events, and refused reports."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from configuration.services import clients
from orders.models import Item, Order
from orders.services import invariants
from tests.factories import LocationFactory, bearer
from tests.orders.shop import Shop, contents, item, items, order, problem, read, stored
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_impossible(db: None) -> Iterator[None]:
    """Whatever a test did, what must be true of orders still is."""
    yield
    assert not [finding.examples for finding in invariants.check() if finding.number]


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    LocationFactory(tenant=shop.tenant, code="S1", type="store")
    return shop


def captured(shop: Shop, *bodies: dict[str, Any], **members: Any) -> Order:
    return stored(shop.captured(order(*bodies, external_id="A-1", **members)))


def report(shop: Shop, action: str, *reported: Item, **fields: Any) -> Any:
    body = {"action": action, "items": [{"id": str(item.uuid)} | fields for item in reported]}
    return shop.ask("POST", "/order-management/orders/A-1/fulfillment", body)


def reported(shop: Shop, action: str, *named: Item, **fields: Any) -> Any:
    answer = report(shop, action, *named, **fields)
    assert answer.status_code == 200, answer.content
    return read(answer)


def items_of(order: Order) -> list[Item]:
    return list(order.items.order_by("position"))


def verbs(order: Order) -> list[str]:
    return list(order.timeline.order_by("version").values_list("verb", flat=True))


def payload(name: str) -> Any:
    return Event.objects.get(name=name).payload


class TestComplete:
    def test_ends_the_order_with_its_last_item(self, shop: Shop) -> None:
        it = captured(shop, *items(2))
        first, second = items_of(it)

        assert reported(shop, "complete", first) == {
            "status": "open",
            "items": [{"id": str(first.uuid), "status": "complete"}],
        }
        assert not Event.objects.filter(name="order.completed").exists()
        assert reported(shop, "complete", second)["status"] == "closed"

        assert verbs(it)[-3:] == ["items_completed", "items_completed", "completed"]
        assert [i["status"] for i in payload("order.completed")["items"]] == ["complete"] * 2
        it.refresh_from_db()
        assert it.status == "closed"

    def test_tells_of_the_request_it_was_assigned_with(self, shop: Shop) -> None:
        it = captured(shop)
        [one] = items_of(it)

        reported(shop, "complete", one, tracking_code="1Z", carrier="UPS")

        assigned = payload("fulfillment_request.assigned")
        done = payload("fulfillment_request.items_completed")
        same = ("id", "order_id", "created_at", "fulfillment_location_id", "service_level")
        assert [done[name] for name in same] == [assigned[name] for name in same]
        assert done["logical_timestamp"] > assigned["logical_timestamp"]
        [form_data] = done["items"]
        assert form_data.pop("shipped_at").endswith("Z")
        assert form_data == {
            "id": str(one.uuid),
            "product_id": "SKU-1",
            "tracking_code": "1Z",
            "carrier": "UPS",
        }

    def test_may_be_repeated_with_the_same_content_only(self, shop: Shop) -> None:
        it = captured(shop, *items(2))
        first, second = items_of(it)
        parcel = {"tracking_code": "1Z", "carrier": "UPS"}
        reported(shop, "complete", first, **parcel)
        before = contents()

        reported(shop, "complete", first, **parcel)
        assert contents() == before
        assert problem(report(shop, "complete", first, tracking_code="2Z"))[:2] == (
            409,
            "transition_not_allowed",
        )
        assert contents() == before

        reported(shop, "complete", first, second, **parcel)
        last = Event.objects.filter(name="fulfillment_request.items_completed").latest("id")
        assert [i["id"] for i in last.payload["items"]] == [str(second.uuid)]

    def test_is_not_for_what_was_never_routed(self, shop: Shop) -> None:
        it = captured(shop, grace_period=60)
        before = contents()

        refused = report(shop, "complete", *items_of(it))
        assert "complete" not in read(refused)["allowed_verbs"]
        assert problem(refused) == (
            409,
            "transition_not_allowed",
            "Cannot complete an item that is pending.",
        )
        assert contents() == before

    def test_is_told_once_a_request(self, shop: Shop) -> None:
        LocationFactory(tenant=shop.tenant, code="S2", type="store")
        near, far = str(uuid4()), str(uuid4())
        to_s2 = {"strategy": "prerouted", "fulfillment_node_id": "S2"}
        it = captured(
            shop,
            *items(2, shipment_id=near),
            item(shipment_id=far),
            shipments=[{"id": near}, {"id": far, "routing_strategy": to_s2}],
        )

        reported(shop, "complete", *items_of(it))

        events = Event.objects.filter(name="fulfillment_request.items_completed").order_by("id")
        assert [
            (e.payload["fulfillment_location_id"], len(e.payload["items"])) for e in events
        ] == [("S1", 2), ("S2", 1)]
        assert len({e.payload["id"] for e in events}) == 2
        assert verbs(it).count("completed") == 1


class TestReject:
    def test_makes_a_conflict_at_no_location(self, shop: Shop) -> None:
        it = captured(shop, *items(2))
        first, _ = items_of(it)

        assert reported(shop, "reject", first, reason="no_inventory")["status"] == "open"

        first.refresh_from_db()
        assert (first.status, first.conflict_reason, first.location_code) == (
            "on_hold",
            "no_inventory",
            "",
        )
        failed = payload("fulfillment_request.items_failed")
        assert failed["fulfillment_location_id"] == "S1"
        assert failed["id"] == payload("fulfillment_request.assigned")["id"]
        assert failed["items"] == [
            {
                "id": str(first.uuid),
                "product_id": "SKU-1",
                "rejection_reason": "no_inventory",
            }
        ]
        entry = it.timeline.get(verb="items_rejected")
        assert failed["logical_timestamp"] == entry.version
        assert entry.facts["reasons"] == ["no_inventory"]

    def test_needs_no_reason_but_a_known_one(self, shop: Shop) -> None:
        it = captured(shop)
        before = contents()

        assert problem(report(shop, "reject", *items_of(it), reason="bored"))[:2] == (
            400,
            "bad_request",
        )
        assert contents() == before
        reported(shop, "reject", *items_of(it))
        assert items_of(it)[0].conflict_reason == "cannot_fulfill"

    def test_may_be_repeated(self, shop: Shop) -> None:
        it = captured(shop)
        reported(shop, "reject", *items_of(it), reason="refused")
        before = contents()

        reported(shop, "reject", *items_of(it), reason="refused")
        assert contents() == before
        assert problem(report(shop, "reject", *items_of(it)))[0] == 409

    def test_may_be_routed_anew_as_another_request(self, shop: Shop) -> None:
        it = captured(shop)
        reported(shop, "reject", *items_of(it))
        path = "/order-management/orders/A-1/holds"
        hold = read(shop.ask("POST", path, {"kind": "support", "reason": "Look"}))["id"]
        shop.ask("POST", f"{path}/{hold}/release", {"reason": "Restocked"})

        assert reported(shop, "complete", *items_of(it))["status"] == "closed"

        first, second = Event.objects.filter(name="fulfillment_request.assigned").order_by("id")
        done = payload("fulfillment_request.items_completed")["id"]
        assert done == second.payload["id"] != first.payload["id"]


class TestReturn:
    def test_takes_back_what_was_complete(self, shop: Shop) -> None:
        it = captured(shop, *items(2))
        first, second = items_of(it)
        reported(shop, "complete", first, second)

        assert reported(shop, "return", first, reason="Too small")["status"] == "closed"

        came = payload("return.processed")
        assert came["order_id"] == str(it.uuid)
        assert came["items"] == [
            {"id": str(first.uuid), "product_id": "SKU-1", "return_reason": "Too small"}
        ]
        assert it.timeline.get(verb="returned").facts["reasons"] == ["Too small"]
        assert Event.objects.filter(name="order.completed").count() == 1
        before = contents()
        reported(shop, "return", first, reason="Too small")
        assert contents() == before

    def test_takes_a_reason_of_several_lines(self, shop: Shop) -> None:
        it = captured(shop)
        reported(shop, "complete", *items_of(it))
        reason = "Too small\r\nand too late\n".ljust(4096, "x")

        reported(shop, "return", *items_of(it), reason=reason)

        assert it.timeline.get(verb="returned").facts["reasons"] == [reason]

    def test_is_not_for_what_never_left(self, shop: Shop) -> None:
        it = captured(shop)
        before = contents()

        assert problem(report(shop, "return", *items_of(it)))[:2] == (409, "transition_not_allowed")
        assert contents() == before


class TestPacking:
    def test_is_remembered_until_the_item_moves(self, shop: Shop) -> None:
        it = captured(shop)
        reported(shop, "packing", *items_of(it))
        assert items_of(it)[0].is_packing
        before = contents()
        reported(shop, "packing", *items_of(it))
        assert contents() == before

        reported(shop, "complete", *items_of(it))

        assert not items_of(it)[0].is_packing
        assert verbs(it)[-3:] == ["packing", "items_completed", "completed"]

    def test_ends_when_support_takes_the_order_back(self, shop: Shop) -> None:
        it = captured(shop)
        reported(shop, "packing", *items_of(it))

        shop.ask("PATCH", f"/order-management/orders/{it.number}", {"status": "on_hold"})

        [one] = items_of(it)
        assert (one.status, one.is_packing, one.location_code) == ("pending", False, "")

    def test_is_not_for_what_nobody_was_given(self, shop: Shop) -> None:
        it = captured(shop, grace_period=60)
        before = contents()

        assert problem(report(shop, "packing", *items_of(it)))[:2] == (
            409,
            "transition_not_allowed",
        )
        assert contents() == before


@pytest.mark.parametrize("action", ["complete", "reject", "return", "packing"])
def test_one_item_that_cannot_spoils_the_report(shop: Shop, action: str) -> None:
    it = captured(shop, item(is_preorder=True), item())
    former, other = items_of(it)
    path = f"/v0/orders/{it.uuid}/items/{former.uuid}/cancel"
    assert shop.ask("POST", path, id_type="internal").status_code == 200
    before = contents()

    assert problem(report(shop, action, other, former))[:2] == (409, "transition_not_allowed")
    assert contents() == before


def test_an_item_of_another_order_spoils_the_report(shop: Shop) -> None:
    it = captured(shop)
    other = stored(shop.captured(order()))
    before = contents()

    [foreign] = items_of(other)
    assert problem(report(shop, "complete", *items_of(it), foreign)) == (
        400,
        "sales_order_item_not_found",
        f"The sales order item with id {foreign.uuid} cannot be found.",
    )
    assert contents() == before


def test_another_tenants_order_is_not_found(shop: Shop) -> None:
    it, stranger = captured(shop), Shop()
    before = contents()

    path = f"/order-management/orders/{it.uuid}/fulfillment"
    body = {"action": "complete", "items": [{"id": str(items_of(it)[0].uuid)}]}
    assert problem(stranger.ask("POST", path, body))[:2] == (404, "not_found")
    assert contents() == before


def test_an_item_is_named_once(shop: Shop) -> None:
    it = captured(shop)
    before = contents()

    assert problem(report(shop, "complete", *items_of(it), *items_of(it)))[:2] == (
        400,
        "bad_request",
    )
    assert contents() == before


def test_501_items_are_too_many(shop: Shop) -> None:
    captured(shop)
    body = {"action": "complete", "items": [{"id": str(uuid4())} for _ in range(501)]}

    answer = shop.ask("POST", "/order-management/orders/A-1/fulfillment", body)

    assert problem(answer) == (400, "bad_request", "The number of products can't exceed 500.")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "complete"},
        {"action": "complete", "items": []},
        {"action": "complete", "items": {}},
        {"action": "complete", "items": ["x"]},
        {"action": "complete", "items": [{"id": "x"}]},
        {"action": "complete", "items": [{"id": 5}]},
        {"action": "COMPLETE", "items": [{"id": str(uuid4())}]},
        {"action": "cancel", "items": [{"id": str(uuid4())}]},
        {"action": "complete", "items": [{"id": str(uuid4()), "tracking_code": 5}]},
        {"action": "complete", "items": [{"id": str(uuid4()), "carrier": "x" * 65}]},
        {"items": [{"id": str(uuid4())}]},
    ],
)
def test_a_report_that_makes_no_sense_is_refused(shop: Shop, body: Any) -> None:
    captured(shop)
    before = contents()

    answer = shop.ask("POST", "/order-management/orders/A-1/fulfillment", body)

    assert problem(answer)[:2] == (400, "bad_request")
    assert contents() == before


def test_it_needs_its_scope(shop: Shop) -> None:
    it = captured(shop)
    limited = clients.create(tenant=shop.tenant, name="x", scopes=["orders:write"]).client
    shop.headers = bearer(limited)

    assert problem(report(shop, "complete", *items_of(it)))[:2] == (403, "insufficient_scope")

"""Cancelling: what may be, what it does, what it says; and that a refusal leaves no trace."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from configuration import keys
from orders.models import Hold, Item, Order, TimelineEntry
from orders.services import invariants
from orders.services.fulfillment import reports as fulfillment_reports
from orders.services.fulfillment.reports import Report
from orders.services.holds import actions as hold_actions
from tests.factories import LocationFactory
from tests.orders.shop import Shop, contents, item, items, order, problem, read, stored
from webhooks.models import Event

pytestmark = pytest.mark.django_db

BODY = {"reason": "Customer remorse", "note": "Example note"}


@pytest.fixture(autouse=True)
def _nothing_impossible(db: None) -> Iterator[None]:
    """Whatever a test did, what must be true of orders still is."""
    yield
    assert not [finding.examples for finding in invariants.check() if finding.number]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def captured(shop: Shop, *bodies: dict[str, Any], **members: Any) -> Order:
    return stored(shop.captured(order(*bodies, external_id="A-1", **members)))


def cancel(shop: Shop, order: Order, body: Any = BODY) -> Any:
    return shop.ask("POST", f"/v0/orders/{order.uuid}/cancel", body, id_type="internal")


def status(shop: Shop, order: Order) -> dict[str, bool]:
    answer = shop.ask("GET", "/v0/orders/A-1/cancel", id_type="external")
    assert answer.status_code == 200
    return read(answer)


def cancel_item(shop: Shop, order: Order, item: Any, body: Any = None) -> Any:
    path = f"/v0/orders/{order.uuid}/items/{item}/cancel"
    return shop.ask("POST", path, body, id_type="internal")


def report(order: Order, action: Any, *reported: Item) -> None:
    fulfillment_reports.report(
        tenant=order.tenant,
        reference=str(order.uuid),
        action=action,
        reports=[Report(item.uuid) for item in reported],
        actor="test",
    )


def statuses(order: Order) -> list[str]:
    return [order.status for order in Order.objects.filter(pk=order.pk)] + [
        item.status for item in order.items.order_by("position")
    ]


def verbs(order: Order) -> list[str]:
    return list(order.timeline.order_by("version").values_list("verb", flat=True))


def published_events() -> list[str]:
    return list(Event.objects.order_by("id").values_list("name", flat=True))


def refused(shop: Shop, answer: Any, before: Any, code: str, message: str) -> None:
    assert problem(answer) == (400, code, message)
    assert contents() == before


class TestAnOrder:
    def test_in_its_grace_period_is_cancelled_and_its_holds_end(self, shop: Shop) -> None:
        it = captured(shop, *items(2), grace_period=60)
        hold_actions.place(tenant=it.tenant, reference="A-1", reason="A check", actor="test")
        assert status(shop, it) == {"cancelable": True, "canceled": False, "is_safe": True}

        answer = cancel(shop, it)

        assert (answer.status_code, answer.content) == (200, b"")
        assert statuses(it) == ["closed", "cancelled", "cancelled"]
        assert not Hold.objects.filter(released_at__isnull=True).exists()
        assert verbs(it)[-3:] == ["cancelled", "released", "released"]
        assert status(shop, it) == {"cancelable": False, "canceled": True, "is_safe": True}

    def test_keeps_the_reason_the_note_and_who_said_so(self, shop: Shop) -> None:
        it = captured(shop)

        cancel(shop, it)

        entry = TimelineEntry.objects.get(verb="cancelled")
        assert entry.actor == shop.client.actor
        assert entry.facts["reason"] == "Customer remorse"
        assert entry.facts["note"] == "Example note"
        assert entry.facts["allowed_from"] == ["store"]

    @pytest.mark.parametrize(
        "reason", ["a\nb", "Called twice:\r\n\t- no answer\r\n\t- moved", "x" * 4096, "é\n" * 2048]
    )
    def test_takes_a_reason_and_a_note_of_several_lines(self, shop: Shop, reason: str) -> None:
        it = captured(shop)

        assert cancel(shop, it, {"reason": reason, "note": reason}).status_code == 200

        facts = TimelineEntry.objects.get(verb="cancelled").facts
        assert (facts["reason"], facts["note"]) == (reason, reason)

    def test_says_in_words_what_is_wrong_with_a_reason(self, shop: Shop) -> None:
        it = captured(shop)

        messages = [problem(cancel(shop, it, {"reason": r}))[2] for r in ("  ", "a\x7fb")]

        start = "Validation of cancel order request failed with error: reason: the value "
        assert messages == [
            f"{start}is blank.",
            f"{start}holds a control character that is no line end.",
        ]

    def test_is_announced_once_with_all_its_items(self, shop: Shop) -> None:
        it = captured(shop, *items(2))

        cancel(shop, it)

        event = Event.objects.get(name="order.cancelled")
        assert event.payload["cancellation_reason"] == "cancellation_request"
        assert [i["status"] for i in event.payload["items"]] == ["cancelled", "cancelled"]
        assert "order.completed" not in published_events()

    def test_can_be_named_by_number_and_the_note_left_out(self, shop: Shop) -> None:
        it = captured(shop)

        path, body = f"/v0/orders/{it.number}/cancel", {"reason": "x", "note": None}
        answer = shop.ask("POST", path, body, id_type="external")

        assert answer.status_code == 200

    def test_is_not_cancelled_twice(self, shop: Shop) -> None:
        it = captured(shop)
        cancel(shop, it)
        before = contents()

        refused(
            shop,
            cancel(shop, it, {"reason": "Another"}),
            before,
            "order_not_cancelable_any_longer",
            "Order A-1 is already closed.",
        )

    @pytest.mark.parametrize("last", ["complete", "return"])
    def test_of_which_a_part_has_left_is_not_cancelled(self, shop: Shop, last: str) -> None:
        it = captured(shop, *items(2))
        first = it.items.get(position=0)
        report(it, "complete", first)
        if last == "return":
            report(it, "return", first)
        before = contents()

        refused(
            shop,
            cancel(shop, it),
            before,
            "order_not_cancelable_any_longer",
            "Order A-1 or parts of it are already shipped.",
        )
        assert status(shop, it) == {"cancelable": False, "canceled": False, "is_safe": True}

    def test_at_a_dc_is_not_cancelled_unless_the_tenant_allows_it(self, shop: Shop) -> None:
        LocationFactory(tenant=shop.tenant, code="DC01", type="dc")
        it = captured(shop)
        before = contents()

        message = (
            f"Item {it.items.get().uuid} was routed to DC01 (type: dc), cancellations are not "
            "allowed from this type of location."
        )
        refused(shop, cancel(shop, it), before, "order_not_cancelable_any_longer", message)
        assert status(shop, it) == {"cancelable": False, "canceled": False, "is_safe": False}

        shop.set(keys.CANCELLATION_ALLOWED_FROM, ["dc"])
        assert status(shop, it) == {"cancelable": True, "canceled": False, "is_safe": False}
        assert cancel(shop, it).status_code == 200

    def test_at_a_store_is_not_cancelled_where_only_dcs_allow_it(self, shop: Shop) -> None:
        LocationFactory(tenant=shop.tenant, code="S1", type="store")
        it = captured(shop)
        assert status(shop, it) == {"cancelable": True, "canceled": False, "is_safe": True}

        shop.set(keys.CANCELLATION_ALLOWED_FROM, ["dc"])

        assert "routed to S1 (type: store)" in problem(cancel(shop, it))[2]

    def test_that_waits_may_be_cancelled_wherever_it_would_have_gone(self, shop: Shop) -> None:
        LocationFactory(tenant=shop.tenant, code="DC01", type="dc")
        it = captured(shop, grace_period=60)

        assert cancel(shop, it).status_code == 200

    def test_in_conflict_may_be_cancelled(self, shop: Shop) -> None:
        LocationFactory(tenant=shop.tenant, code="DC01", type="dc")
        it = captured(shop)
        report(it, "reject", it.items.get())

        assert cancel(shop, it).status_code == 200
        assert statuses(it) == ["closed", "cancelled"]

    def test_that_is_being_packed_is_cancelable_but_not_safely(self, shop: Shop) -> None:
        LocationFactory(tenant=shop.tenant, code="S1", type="store")
        it = captured(shop)
        report(it, "packing", it.items.get())

        assert status(shop, it) == {"cancelable": True, "canceled": False, "is_safe": False}
        cancel(shop, it)
        assert status(shop, it)["is_safe"] is True

    def test_handed_to_the_external_oms_is_closed(self, shop: Shop) -> None:
        it = captured(shop, grace_period=60)
        shop.set(keys.EXTERNAL_OMS, {"enabled": True})
        grace = Hold.objects.get().uuid
        hold_actions.release(
            tenant=it.tenant, reference="A-1", hold=grace, reason="x", actor="test"
        )
        assert statuses(it) == ["closed", "captured"]

        assert problem(cancel(shop, it))[2] == "Order A-1 is already closed."

    def test_of_another_tenant_is_a_404_without_a_body(self, shop: Shop) -> None:
        it, stranger = captured(shop), Shop()
        before = contents()

        for answer in (
            cancel(stranger, it),
            cancel(shop, Order(uuid=uuid4())),
            stranger.ask("GET", f"/v0/orders/{it.uuid}/cancel", id_type="internal"),
        ):
            assert (answer.status_code, answer.content) == (404, b"")
        assert contents() == before

    @pytest.mark.parametrize(
        "reason", ["", "   ", None, 5, [], "x" * 4097, "a\0b", "a\x1bb", "a\x7fb", "\t", "\n\r\n"]
    )
    def test_X1_wants_a_reason(self, shop: Shop, reason: Any) -> None:
        it = captured(shop)
        before = contents()

        answer = cancel(shop, it, {"reason": reason})

        assert answer.status_code == 400
        assert problem(answer)[1] == "bad_request"
        assert contents() == before

    def test_says_what_is_missing_in_the_documented_words(self, shop: Shop) -> None:
        assert problem(cancel(shop, captured(shop), {})) == (
            400,
            "bad_request",
            "Validation of cancel order request failed with error: "
            "'reason' is a required property.",
        )

    @pytest.mark.parametrize("note", [{}, [], 5, True, "x" * 100_000])
    def test_X2_takes_only_text_for_a_note(self, shop: Shop, note: Any) -> None:
        it = captured(shop)
        before = contents()

        assert cancel(shop, it, {"reason": "x", "note": note}).status_code == 400
        assert contents() == before

    @pytest.mark.parametrize("query", [{}, {"id_type": ""}, {"id_type": "INTERNAL"}])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_X3_wants_an_id_type(self, shop: Shop, method: str, query: dict[str, str]) -> None:
        it = captured(shop)
        before = contents()

        answer = shop.ask(method, f"/v0/orders/{it.uuid}/cancel", BODY, **query)

        assert problem(answer)[:2] == (400, "bad_request")
        assert contents() == before


class TestAPreorderedItem:
    def test_is_cancelled_wherever_it_is_while_the_others_go_on(self, shop: Shop) -> None:
        LocationFactory(tenant=shop.tenant, code="DC01", type="dc")
        it = captured(shop, item(is_preorder=True), item())
        ahead = it.items.get(position=0)

        answer = cancel_item(shop, it, ahead.uuid)

        assert (answer.status_code, answer.content) == (200, b"")
        assert statuses(it) == ["open", "cancelled", "in_fulfillment"]
        event = Event.objects.get(name="order.items_cancelled")
        assert event.payload == {
            "id": str(it.uuid),
            "items": [
                {
                    "id": str(ahead.uuid),
                    "product_id": "SKU-1",
                    "fulfillment_location_id": "DC01",
                    "cancellation_reason": "cancellation_request",
                }
            ],
        }
        assert verbs(it)[-1] == "items_cancelled"

    def test_leaves_the_grace_period_to_the_items_that_still_wait(self, shop: Shop) -> None:
        it = captured(shop, item(is_preorder=True), item(), grace_period=60)

        cancel_item(shop, it, it.items.get(position=0).uuid)

        assert statuses(it) == ["on_hold", "cancelled", "pending"]
        assert Hold.objects.get().released_at is None

    def test_ends_the_order_when_it_was_the_last(self, shop: Shop) -> None:
        it = captured(shop, *items(2, is_preorder=True), grace_period=60)
        first, second = it.items.order_by("position")

        cancel_item(shop, it, first.uuid)
        cancel_item(shop, it, second.uuid)

        assert statuses(it) == ["closed", "cancelled", "cancelled"]
        assert published_events() == ["order.created", "order.items_cancelled", "order.cancelled"]
        assert Hold.objects.get().released_at is not None

    def test_completes_the_order_when_the_others_have_left(self, shop: Shop) -> None:
        it = captured(shop, item(is_preorder=True), item())
        ahead, other = it.items.order_by("position")
        report(it, "complete", other)

        cancel_item(shop, it, ahead.uuid)

        assert statuses(it) == ["closed", "cancelled", "complete"]
        assert published_events()[-2:] == ["order.items_cancelled", "order.completed"]

    def test_is_not_cancelled_twice_nor_after_it_left(self, shop: Shop) -> None:
        it = captured(shop, *items(2, is_preorder=True))
        cancelled, left = it.items.order_by("position")
        cancel_item(shop, it, cancelled.uuid)
        report(it, "complete", left)
        before = contents()

        for ended in (cancelled, left):
            refused(
                shop,
                cancel_item(shop, it, ended.uuid),
                before,
                "item_not_cancelable_any_longer",
                f"Item {ended.uuid} for order A-1 cannot be cancelled any longer.",
            )

    def test_is_one_that_was_marked_so(self, shop: Shop) -> None:
        it = captured(shop)
        before, uuid = contents(), it.items.get().uuid

        refused(
            shop,
            cancel_item(shop, it, uuid),
            before,
            "not_preordered",
            f"Item {uuid} is not pre-ordered.",
        )

    def test_of_another_order_or_tenant_is_a_404_without_a_body(self, shop: Shop) -> None:
        it = captured(shop, item(is_preorder=True))
        other = stored(shop.captured(order(item(is_preorder=True))))
        stranger = Shop()
        before = contents()

        for answer in (
            cancel_item(shop, it, other.items.get().uuid),
            cancel_item(stranger, it, it.items.get().uuid),
            cancel_item(shop, it, uuid4()),
        ):
            assert (answer.status_code, answer.content) == (404, b"")
        assert contents() == before

    @pytest.mark.parametrize("uuid", ["abc", "5", "{x}", "0" * 32])
    def test_is_named_by_uuids(self, shop: Shop, uuid: str) -> None:
        it = captured(shop, item(is_preorder=True))
        before = contents()

        assert problem(cancel_item(shop, it, uuid))[:2] == (400, "bad_request")
        path = f"/v0/orders/{uuid}/items/{it.items.get().uuid}/cancel"
        assert problem(shop.ask("POST", path, id_type="internal"))[:2] == (400, "bad_request")
        assert problem(shop.ask("POST", path))[:2] == (400, "bad_request")
        assert contents() == before

    def test_can_be_named_with_the_callers_order_id_and_any_body(self, shop: Shop) -> None:
        it = captured(shop, item(is_preorder=True))
        path = f"/v0/orders/A-1/items/{it.items.get().uuid}/cancel"

        assert shop.ask("POST", path, {"x": 1}, id_type="external").status_code == 200

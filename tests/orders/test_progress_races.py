"""Several who cancel, route, report or number one order at once: one does, the others are told.

Each race waits where an order's holds are looked at, which is inside its lock: without the lock
all would meet there, and all would go on from what they saw.
"""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.db.models.functions import Now

from configuration.models import Tenant
from orders.lifecycle import TransitionNotAllowed
from orders.models import Order
from orders.services import cancellation
from orders.services.cancellation import ItemNotCancelable, NotCancelable
from orders.services.fulfillment import reports as fulfillment_reports
from orders.services.fulfillment import serials
from orders.services.fulfillment.reports import Report
from orders.services.fulfillment.serials import ItemCancelled, Serial
from orders.services.holds import due as due_holds
from orders.services.reading import queries
from tests.orders.racing import alone, at_once, meet
from tests.orders.shop import Shop, item, items, order, stored
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _alone() -> Any:
    with alone():
        yield


@pytest.fixture
def shop() -> Shop:
    return Shop()


def captured(shop: Shop, *bodies: dict[str, Any], **members: Any) -> Order:
    return stored(shop.captured(order(*bodies, **members)))


def cancel(tenant: Tenant, it: Order) -> None:
    cancellation.cancel(
        tenant=tenant,
        reference=str(it.uuid),
        id_type="internal",
        reason="x",
        note=None,
        actor="test",
    )


def kinds(outcomes: list[Any]) -> Counter[Any]:
    return Counter(type(outcome) for outcome in outcomes)


def events(name: str) -> int:
    return Event.objects.filter(name=name).count()


def test_of_those_who_cancel_at_once_one_does(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    it = captured(shop, grace_period=60)
    meet(monkeypatch, queries, "documents", number=50)

    outcomes = at_once([partial(cancel, shop.tenant, it)] * 50)

    assert kinds(outcomes) == {type(None): 1, NotCancelable: 49}
    assert events("order.cancelled") == 1
    assert it.timeline.filter(verb="cancelled").count() == 1


def test_an_order_is_not_cancelled_and_routed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    it = captured(shop, grace_period=60)
    it.holds.update(due_at=Now())
    meet(monkeypatch, queries, "documents")

    outcomes = at_once([due_holds.release_due, partial(cancel, shop.tenant, it)])

    # Nothing is at a location, so what was routed first may be cancelled after; never before.
    details = list(it.timeline.order_by("version").values_list("verb", flat=True))
    assert outcomes[1] is None
    assert details.count("released") == 1
    assert "routed" not in details or details.index("routed") < details.index("cancelled")
    it.refresh_from_db()
    assert (it.status, it.items.get().status) == ("closed", "cancelled")


def test_of_those_who_cancel_an_item_at_once_one_does(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = captured(shop, item(is_preorder=True), item())
    cancel_item = partial(
        cancellation.cancel_item,
        tenant=shop.tenant,
        reference=str(it.uuid),
        id_type="internal",
        item=it.items.get(position=0).uuid,
        actor="test",
    )
    meet(monkeypatch, queries, "documents", number=20)

    outcomes = at_once([cancel_item] * 20)

    assert kinds(outcomes) == {type(None): 1, ItemNotCancelable: 19}
    assert events("order.items_cancelled") == 1


def test_an_order_is_not_cancelled_and_complete(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = captured(shop)
    complete = partial(
        fulfillment_reports.report,
        tenant=shop.tenant,
        reference=str(it.uuid),
        action="complete",
        reports=[Report(it.items.get().uuid)],
        actor="test",
    )
    meet(monkeypatch, queries, "documents")

    outcomes = at_once([complete, partial(cancel, shop.tenant, it)])

    [refusal] = [o for o in outcomes if isinstance(o, NotCancelable | TransitionNotAllowed)]
    ended = "order.completed" if isinstance(refusal, NotCancelable) else "order.cancelled"
    assert events("order.completed") + events("order.cancelled") == events(ended) == 1


def test_the_last_two_items_end_the_order_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    it = captured(shop, *items(2))
    acts = [
        partial(
            fulfillment_reports.report,
            tenant=shop.tenant,
            reference=str(it.uuid),
            action="complete",
            reports=[Report(i.uuid)],
            actor="test",
        )
        for i in it.items.all()
    ]
    meet(monkeypatch, queries, "documents")

    at_once(acts)

    it.refresh_from_db()
    assert it.status == "closed"
    assert events("order.completed") == 1


def test_R10_serial_numbers_in_opposite_order_do_not_deadlock(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = captured(shop, *(item(product_id=f"SKU-{n}") for n in range(3)))
    uuids = [i.uuid for i in it.items.order_by("position")]
    acts = [
        partial(
            serials.attach,
            tenant=shop.tenant,
            order=str(it.uuid),
            serials=[Serial(uuid, number) for uuid in named],
            actor=number,
        )
        for number, named in (("A", uuids), ("B", uuids[::-1]))
    ]
    meet(monkeypatch, queries, "documents")

    assert at_once(acts) == [None, None]

    entries = it.timeline.filter(verb="serial_numbers_added").order_by("version")
    assert sorted(e.actor for e in entries) == ["A", "B"]
    last = entries.last()
    assert last is not None
    assert {i.serial_number for i in it.items.all()} == {last.actor}
    assert events("order.serial_numbers_added") == 2


def test_an_item_is_not_cancelled_and_then_given_a_serial_number(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = captured(shop, item(is_preorder=True), item())
    named = it.items.get(position=0)
    attach = partial(
        serials.attach,
        tenant=shop.tenant,
        order=str(it.uuid),
        serials=[Serial(named.uuid, "A")],
        actor="test",
    )
    cancel_item = partial(
        cancellation.cancel_item,
        tenant=shop.tenant,
        reference=str(it.uuid),
        id_type="internal",
        item=named.uuid,
        actor="test",
    )
    meet(monkeypatch, queries, "documents")

    refusal, cancelled = at_once([attach, cancel_item])

    assert cancelled is None
    details = list(it.timeline.order_by("version").values_list("verb", flat=True))
    named.refresh_from_db()
    if refusal is None:
        assert details[-2:] == ["serial_numbers_added", "items_cancelled"]
        assert named.serial_number == "A"
    else:
        assert isinstance(refusal, ItemCancelled)
        assert "serial_numbers_added" not in details
        assert named.serial_number == ""

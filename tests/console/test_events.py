"""The outbox in the console: found by order and name, page by page, of one's own tenant only."""

from typing import Any

import pytest
from django.urls import reverse

from tests.console.people import signed_in
from tests.factories import TenantFactory
from tests.orders.shop import Shop, order, stored
from webhooks.admin import events
from webhooks.models import Event

pytestmark = pytest.mark.django_db
LIST = "/console/webhooks/event/"
XSS = "<script>alert(1)</script>"


@pytest.fixture
def shop() -> Shop:
    return Shop()


def shown(answer: Any) -> list[int]:
    assert answer.status_code == 200
    return [event.pk for event in answer.context["events"]]


def change(event: Event) -> str:
    return reverse("admin:webhooks_event_change", args=[event.pk])


def test_are_listed_newest_first_and_found_by_order_and_name(shop):
    one, other = (stored(shop.captured(order())) for _ in range(2))
    browser = signed_in("supervisor", shop.tenant)
    newest_first = Event.objects.order_by("-pk")

    assert shown(browser.get(LIST)) == [event.pk for event in newest_first]
    assert shown(browser.get(LIST, {"order": str(one.uuid)})) == [
        event.pk for event in newest_first.filter(subject=one.uuid)
    ]
    name = newest_first.filter(subject=other.uuid)[0].name
    assert shown(browser.get(LIST, {"name": name})) == [
        event.pk for event in newest_first.filter(name=name)
    ]
    assert shown(browser.get(LIST, {"order": "no uuid"})) == []


def test_are_walked_page_by_page_without_losing_one(shop, monkeypatch):
    monkeypatch.setattr(events, "PAGE", 2)
    monkeypatch.setattr(events, "WINDOW", 5)
    for _ in range(4):
        shop.captured(order())
    browser = signed_in("supervisor", shop.tenant)

    event_keys, query = [], {}
    for _ in range(20):
        page = browser.get(LIST, query)
        event_keys += shown(page)
        if page.context["older"] is None:
            break
        query = {"before": page.context["older"]}

    assert event_keys == list(Event.objects.order_by("-pk").values_list("pk", flat=True))


def test_show_what_they_will_say_and_never_run_it(shop):
    shop.captured(order(external_id=XSS))
    event = Event.objects.get(name="order.created")

    text = signed_in("supervisor", shop.tenant).get(change(event)).content.decode()

    assert "&lt;script&gt;alert(1)" in text
    assert XSS not in text


def test_that_say_a_lot_are_cut(shop, monkeypatch):
    monkeypatch.setattr(events, "LONGEST_SHOWN", 20)
    shop.captured(order())

    page = signed_in("supervisor", shop.tenant).get(change(Event.objects.all()[0]))

    assert "… cut here" in page.content.decode()


def test_of_another_tenant_are_neither_listed_nor_found(shop):
    shop.captured(order())
    event = Event.objects.all()[0]
    browser = signed_in("admin", TenantFactory())

    assert shown(browser.get(LIST)) == []
    assert shown(browser.get(LIST, {"order": str(event.subject)})) == []
    theirs, absent = browser.get(change(event)), browser.get(change(Event(pk=event.pk + 999)))
    assert (theirs.status_code, theirs.headers.get("Location")) == (
        absent.status_code,
        absent.headers.get("Location"),
    )


def test_are_not_for_support(shop):
    shop.captured(order())
    browser = signed_in("support", shop.tenant)

    assert browser.get(LIST).status_code == 403
    assert browser.get(change(Event.objects.all()[0])).status_code == 403


def test_cannot_be_changed_by_anybody(shop):
    shop.captured(order())
    event = Event.objects.all()[0]
    browser = signed_in("operator")

    assert browser.post(change(event), {"name": "x"}).status_code == 403
    assert browser.get(f"{LIST}add/").status_code == 403
    assert browser.post(f"{LIST}{event.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "query", ["before=-1", "before=99999999999999999999", "name=%00", "order=%00", "before=%C2%B2"]
)
def test_bear_any_question(shop, query):
    assert signed_in("supervisor", shop.tenant).get(f"{LIST}?{query}").status_code == 200

"""People keep views of the list under names of their own; nobody else sees or changes them."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from orders.models import SavedView
from orders.services.console import saved_views
from tests.console.people import person, signed_in
from tests.orders.shop import Shop

pytestmark = pytest.mark.django_db
LIST = "/console/orders/order/"


@pytest.fixture
def browser() -> Any:
    return signed_in("support", Shop().tenant)


def keep(browser: Any, name: str, **query: str) -> Any:
    return browser.post(f"{LIST}views/save/", {"name": name}, query_params=query)


def shown(browser: Any, **query: str) -> dict[str, tuple[str, bool]]:
    """The views above the list: name → what it asks, and whether it is the one that is shown."""
    answer = browser.get(LIST, query_params=query)
    return {view.text: (view.query, view.is_current) for view in answer.context["views"]}


def test_what_support_looks_at_all_day_is_there_from_the_beginning(browser):
    assert (
        shown(browser, hold="big_order").items()
        >= {
            "All": ("", False),
            "Waiting for approval": ("hold=big_order", True),
            "Grace ends within the hour": ("due=yes", False),
            "Conflicts": ("conflict=yes", False),
        }.items()
    )
    assert "Placed today" in shown(browser)


def test_a_view_asks_again_what_was_asked_when_it_was_saved(browser):
    answer = keep(browser, "Berlin", store="BER01", q="SKU-1", status="")

    assert answer.headers["Location"] == f"{LIST}?store=BER01&q=SKU-1"
    assert shown(browser)["Berlin"] == ("store=BER01&q=SKU-1", False)
    assert shown(browser, q="SKU-1", store="BER01")["Berlin"] == ("store=BER01&q=SKU-1", True)


def test_a_view_saved_again_is_replaced(browser):
    keep(browser, "Mine", store="BER01")
    keep(browser, "Mine", store="TYO01")

    assert shown(browser)["Mine"] == ("store=TYO01", False)
    assert SavedView.objects.count() == 1


def test_a_view_is_its_owners_alone(browser):
    keep(browser, "Mine", store="BER01")
    owner = SavedView.objects.get().owner
    colleague = signed_in("admin", owner.membership.tenant)

    assert "Mine" not in shown(colleague)
    colleague.post(f"{LIST}views/forget/", {"name": "Mine"})
    assert SavedView.objects.filter(owner=owner, name="Mine").exists()


def test_a_view_is_forgotten(browser):
    keep(browser, "Mine", store="BER01")

    browser.post(f"{LIST}views/forget/", {"name": "Mine"})
    browser.post(f"{LIST}views/forget/", {"name": "Mine"})

    assert "Mine" not in shown(browser)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\0b"])
def test_a_view_needs_a_name(browser, name):
    answer = browser.post(f"{LIST}views/save/?store=BER01", {"name": name}, follow=True)

    assert "A view needs a name" in answer.content.decode()
    assert not SavedView.objects.exists()


def test_a_view_asks_only_what_can_be_asked(browser):
    assert keep(browser, "Mine", status="sold").status_code == 302
    assert keep(browser, "Mine", customer_email__contains="a").status_code == 400
    assert not SavedView.objects.exists()


def test_nobody_keeps_more_views_than_fit_beside_a_list(browser, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 2)
    for name in ("one", "two"):
        keep(browser, name, store="BER01")

    refused = browser.post(f"{LIST}views/save/?store=X", {"name": "three"}, follow=True)
    keep(browser, "two", store="TYO01")

    assert "remove one first" in refused.content.decode()
    assert {view.name: view.query for view in SavedView.objects.all()} == {
        "one": "store=BER01",
        "two": "store=TYO01",
    }


@pytest.mark.parametrize(
    ("what", "query", "status"),
    [
        ("forget", {"name": "Mine"}, 405),
        ("save", {"name": "Other"}, 400),
        ("save", {"store": "TYO01"}, 302),
    ],
)
def test_nothing_changes_by_looking(browser, what, query, status):
    keep(browser, "Mine", store="BER01")

    assert browser.get(f"{LIST}views/{what}/", query).status_code == status
    assert SavedView.objects.count() == 1


def test_the_name_is_shown_as_text(browser):
    keep(browser, "<script>alert(1)</script>", store="BER01")

    text = browser.get(LIST).content.decode()

    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text


def test_the_database_keeps_names_apart():
    owner = person("support", Shop().tenant)
    saved_views.save(owner=owner, name="Mine", query="")

    for name in ("Mine", ""):
        with pytest.raises(IntegrityError), transaction.atomic():
            SavedView.objects.create(owner=owner, name=name, query="")

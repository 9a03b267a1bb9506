"""Ages and names of people, worded alike on every page of the console."""

import datetime as dt

import pytest
from django.template import Context, Template

from configuration import keys
from configuration.models import Setting
from configuration.services import write
from ordermgmt.console import wording
from tests.console.people import signed_in
from tests.orders.shop import Shop

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording, "now", lambda: NOW)


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize(
    ("away", "words"),
    [
        ({}, "now"),
        ({"milliseconds": -999}, "now"),
        ({"milliseconds": 999}, "now"),
        ({"seconds": -1}, "1 s ago"),
        ({"seconds": -59.9}, "59 s ago"),
        ({"minutes": -1}, "1 min ago"),
        ({"minutes": -59, "seconds": -59}, "59 min ago"),
        ({"hours": -1}, "1 h ago"),
        ({"hours": -23.9}, "23 h ago"),
        ({"days": -1}, "1 d ago"),
        ({"days": -31}, "31 d ago"),
        ({"days": -32}, "2026-01-28"),
        ({"seconds": 20}, "in 20 s"),
        ({"minutes": 14.5}, "in 14 min"),
        ({"hours": 2}, "in 2 h"),
        ({"days": 30}, "in 30 d"),
        ({"days": 32}, "2026-04-02"),
    ],
)
def test_how_long_ago_or_until_when(away: dict[str, float], words: str) -> None:
    assert wording.relative(NOW + dt.timedelta(**away)) == words


@pytest.mark.usefixtures("noon")
def test_templates_say_it_alike_with_the_exact_time_in_the_title() -> None:
    at = NOW - dt.timedelta(minutes=5)

    details = Template("{% load console %}{{ at|moment }}").render(Context({"at": at}))

    assert details == wording.moment(at)
    assert ">5 min ago</time>" in details
    assert 'title="2026-03-01 11:55:00 UTC"' in details
    assert 'datetime="2026-03-01T11:55:00+00:00"' in details


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("client:web-shop", "client web-shop"),
        ("staff:ada", "ada"),
        ("staff:ada:{0}", "ada:{0}"),
        ("task:orders.release_due_holds", "the clock"),
        ("command:demo", "the demo"),
        ("cli:config", "the command line"),
        ("someone {0} else", "someone {0} else"),
        ("moon:ada", "moon:ada"),
    ],
)
def test_who_did_it(actor: str, words: str) -> None:
    assert wording.who(actor) == words


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["", "big_sales_order/"])
def test_a_setting_tells_who_set_it_as_people_say_it(page: str) -> None:
    shop = Shop()
    key = keys.BIG_SALES_ORDER
    write(shop.tenant, key, key.parse({"soft_limit_for_big_orders": 7}), actor="command:demo")
    browser = signed_in("admin", shop.tenant)

    details = browser.get(f"/console/configuration/setting/{shop.tenant.slug}/{page}")

    assert "by the demo" in details.content.decode()
    assert "command:demo" not in details.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize("page", ["", "big_sales_order/"])
def test_a_setting_tells_its_time_like_an_order_does(page: str) -> None:
    shop = Shop()
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 7})
    Setting.objects.update(updated_at=NOW - dt.timedelta(seconds=7))
    browser = signed_in("admin", shop.tenant)

    details = browser.get(f"/console/configuration/setting/{shop.tenant.slug}/{page}")

    assert ">7 s ago</time>" in details.content.decode()

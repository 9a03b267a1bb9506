"""Typed text outlives a session that ended, for its author and nobody else."""

import re
import time
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django_otp import DEVICE_ID_SESSION_KEY
from structlog.testing import capture_logs

from configuration import keys
from configuration.models import Location, Membership, Setting
from ordermgmt.console import typed
from ordermgmt.models import SecondFactor
from orders.models import BulkJob, Order, OrderNote, SavedView
from tests.console.agent import LIST, Agent, act
from tests.orders.shop import Shop, contents, order, stored

pytestmark = pytest.mark.django_db
REASON = "Ada Byron moves to 12 Elm Street; <b>ask</b> her"
NOTE = "She called at noon:\n“keep the gift note”"
SETTINGS = "/console/configuration/setting"
LOCATIONS = "/console/configuration/location/"


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def the_order(shop: Shop) -> Order:
    return stored(shop.captured(order(grace_period=900)))


def fields(page: Any, holding: str) -> dict[str, Any]:
    """What a browser would send of the form of a page that has this field."""
    [form] = [
        form
        for form in re.findall(r"<form.*?</form>", page.content.decode(), re.DOTALL)
        if f'name="{holding}"' in form
    ]
    results: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        name, value = attributes.get("name"), unescape(attributes.get("value", ""))
        if attributes.get("type") == "checkbox" and not re.search(r" checked\b(?!:)", tag):
            continue
        if name:
            results.setdefault(name, []).append(value)
    for name, text in re.findall(
        r'<textarea[^>]*name="(\w+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL
    ):
        results[name] = unescape(text)
    for name, options in re.findall(r'<select[^>]*name="(\w+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"[^>]*selected', options)
        results[name] = unescape(chosen[1]) if chosen else ""
    return results


def end(browser: Browser, how: str) -> None:
    if how == "idle":
        session = browser.session
        session["seen"] = int(time.time()) - 3600
        session.save()
    else:
        browser.cookies.pop("console")


def again(browser: Browser, person: User) -> None:
    """Sign in anew, in the same browser."""
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    phone = SecondFactor.objects.filter(user=person).first()
    if phone is None:
        phone = SecondFactor.objects.create(user=person, name="phone", confirmed=True)
    session, now = browser.session, int(time.time())
    session.update({DEVICE_ID_SESSION_KEY: phone.persistent_id, "since": now, "seen": now})
    session.save()


def colleague(shop: Shop) -> User:
    new_order = User.objects.create_user("eve@acme", is_staff=True)
    new_order.groups.set([Group.objects.get(name="support")])
    Membership.objects.create(user=new_order, tenant=shop.tenant)
    return new_order


def wanted(answer: Any) -> str:
    """Where the sign-in page leads afterwards."""
    assert answer.status_code == 302
    assert answer.url.startswith("/console/login/?next=")
    return answer.url.partition("next=")[2]


@pytest.mark.parametrize("how", ["idle", "gone"])
class TestAForm:
    def test_of_a_reason_is_offered_again(self, shop, the_order, how):
        agent, before = Agent(shop), contents()
        form_data = fields(agent.get(act(the_order, "cancel")), "reason") | {
            "reason": REASON,
            "note": NOTE,
        }
        end(agent.browser, how)

        with capture_logs() as logged:
            answer = agent.post(act(the_order, "cancel"), **form_data)
        assert wanted(answer) == act(the_order, "cancel")
        assert "Elm Street" not in answer.url + str(logged) + str(answer.headers)
        again(agent.browser, agent.person)
        page = agent.get(act(the_order, "cancel"))

        results = fields(page, "reason")
        assert (results["reason"], results["note"]) == ([REASON], NOTE)
        assert "You had to sign in again" in page.content.decode()
        assert contents() == before
        assert agent.post(act(the_order, "cancel"), **results).status_code == 302
        assert the_order.timeline.filter(verb="cancelled").get().facts["reason"] == REASON

    def test_is_offered_once(self, shop, the_order, how):
        agent = Agent(shop)
        form_data = fields(agent.get(act(the_order, "hold")), "reason") | {"reason": REASON}
        end(agent.browser, how)
        agent.post(act(the_order, "hold"), **form_data)
        again(agent.browser, agent.person)
        agent.get(act(the_order, "hold"))

        assert fields(agent.get(act(the_order, "hold")), "reason")["reason"] == [""]

    def test_of_a_note_is_offered_again(self, shop, the_order, how):
        agent = Agent(shop)
        form_data = fields(agent.get(f"{LIST}{the_order.pk}/change/"), "text") | {"text": NOTE}
        end(agent.browser, how)

        address = wanted(agent.post(act(the_order, "note"), **form_data))
        again(agent.browser, agent.person)

        assert fields(agent.browser.get(address), "text")["text"] == NOTE
        assert not OrderNote.objects.exists()

    def test_of_many_orders_is_offered_again(self, shop, the_order, how):
        agent = Agent(shop)
        ticked = {"_selected_action": [the_order.pk], "action": "cancel_orders", "index": 0}
        form_data = fields(agent.post(LIST, **ticked), "reason") | {
            "reason": REASON,
            "note": NOTE,
        }
        end(agent.browser, how)

        address = wanted(agent.post(f"{LIST}together/cancel/", **form_data))
        again(agent.browser, agent.person)
        page = agent.browser.get(address)

        results = fields(page, "reason")
        assert (results["reason"], results["note"], results["orders"]) == (
            [REASON],
            NOTE,
            [str(the_order.pk)],
        )
        assert "Cancel: 1 order" in page.content.decode()
        assert not BulkJob.objects.exists()
        agent.post(address, **results)
        assert BulkJob.objects.get().reason == REASON

    def test_of_a_setting_is_offered_again_but_for_its_secret(self, shop, how):
        agent = Agent(shop, "admin")
        address = f"{SETTINGS}/{shop.tenant.slug}/external_order_webhook/"
        page = agent.get(address)
        [secret] = re.findall(r'<input type="password" name="(\w+)"', page.content.decode())
        typed_in = {"url": "https://oms.example.com/x", secret: "s3cret-word"}
        form_data = fields(page, "url") | typed_in
        end(agent.browser, how)

        assert wanted(agent.post(address, **form_data)) == address
        stored_text = str([row.get_decoded() for row in Session.objects.all()])
        assert "oms.example.com" not in stored_text
        again(agent.browser, agent.person)
        page = agent.get(address)

        assert fields(page, "url")["url"] == ["https://oms.example.com/x"]
        assert "s3cret-word" not in page.content.decode()
        assert not Setting.objects.filter(key="external_order_webhook").exists()

    def test_of_a_setting_with_choices_is_offered_again(self, shop, how):
        agent = Agent(shop, "admin")
        address = f"{SETTINGS}/{shop.tenant.slug}/{keys.CANCELLATION_ALLOWED_FROM.name}/"
        form_data = fields(agent.get(address), "value")
        before = form_data["value"]
        form_data["value"] = before[:1] if len(before) > 1 else [*before, "dc"]
        end(agent.browser, how)

        agent.post(address, **form_data)
        again(agent.browser, agent.person)

        assert fields(agent.get(address), "value")["value"] == form_data["value"]

    def test_of_a_new_location_is_offered_again(self, shop, how):
        agent = Agent(shop, "admin")
        form_data = fields(agent.get(f"{LOCATIONS}add/"), "code") | {
            "code": "PAR01",
            "name": "Paris",
        }
        end(agent.browser, how)

        address = wanted(agent.post(f"{LOCATIONS}add/", **form_data))
        again(agent.browser, agent.person)

        results = fields(agent.browser.get(address), "code")
        assert (results["code"], results["name"]) == (["PAR01"], ["Paris"])
        assert not Location.objects.exists()

    def test_of_a_view_to_save_is_offered_again(self, shop, the_order, how):
        agent = Agent(shop)
        form_data = fields(agent.get(LIST, status="open"), "name") | {"name": "Mine to do"}
        end(agent.browser, how)

        address = wanted(agent.post(f"{LIST}views/save/?status=open", **form_data))
        again(agent.browser, agent.person)
        page = agent.browser.get(
            unescape(address.replace("%3F", "?").replace("%3D", "=")), follow=True
        )

        assert fields(page, "name")["name"] == ["Mine to do"]
        assert not SavedView.objects.exists()

    def test_to_try_an_external_oms_is_offered_again(self, shop, how):
        agent = Agent(shop, "admin")
        address = f"/console/webhooks/externaloms/{shop.tenant.slug}/"
        form_data = fields(agent.get(address), "consumer_email") | {"order": "X-9"}
        end(agent.browser, how)

        agent.post(address, **form_data)
        again(agent.browser, agent.person)

        assert fields(agent.get(address), "order")["order"] == ["X-9"]


class TestAFormThatIsTooOld:
    """Its token is of another sign-in; a browser says which site it was sent from."""

    OWN = {"Origin": "http://testserver"}

    def browser(self, shop: Shop) -> tuple[Agent, Browser]:
        agent = Agent(shop)
        strict = Browser(enforce_csrf_checks=True)
        strict.cookies = agent.browser.cookies
        return agent, strict

    def test_is_offered_again_at_once(self, shop, the_order):
        agent, strict = self.browser(shop)
        form_data = fields(agent.get(act(the_order, "hold")), "reason") | {"reason": REASON}
        strict.cookies.pop("console-form")

        answer = strict.post(act(the_order, "hold"), form_data, headers=self.OWN)

        assert (answer.status_code, answer["Location"]) == (302, act(the_order, "hold"))
        page = strict.get(answer["Location"])
        assert fields(page, "reason")["reason"] == [REASON]
        assert not the_order.timeline.filter(actor=agent.actor).exists()

    @pytest.mark.parametrize(
        "headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
    )
    def test_of_another_site_is_not_kept(self, shop, the_order, headers):
        agent, strict = self.browser(shop)
        form_data = fields(agent.get(act(the_order, "hold")), "reason") | {"reason": REASON}
        strict.cookies.pop("console-form")

        answer = strict.post(act(the_order, "hold"), form_data, headers=headers)

        assert answer.status_code == 403
        assert fields(agent.get(act(the_order, "hold")), "reason")["reason"] == [""]

    def test_of_a_colleague_is_refused(self, shop, the_order):
        agent, strict = self.browser(shop)
        form_data = fields(agent.get(act(the_order, "hold")), "reason") | {"reason": REASON}
        again(strict, colleague(shop))
        strict.cookies.pop("console-form", None)

        answer = strict.post(act(the_order, "hold"), form_data, headers=self.OWN)

        assert answer.status_code == 403
        assert fields(strict.get(act(the_order, "hold")), "reason")["reason"] == [""]


class TestNobodyElse:
    def left(self, shop: Shop, the_order: Order) -> Agent:
        """Somebody's browser whose typed text waits for their sign-in."""
        agent = Agent(shop)
        form_data = fields(agent.get(act(the_order, "hold")), "reason") | {"reason": REASON}
        end(agent.browser, "idle")
        assert agent.post(act(the_order, "hold"), **form_data).status_code == 302
        return agent

    def test_who_signs_in_there_reads_it(self, shop, the_order):
        agent = self.left(shop, the_order)
        eve = colleague(shop)

        again(agent.browser, eve)
        page = agent.get(act(the_order, "hold"))

        assert "Elm Street" not in page.content.decode()
        assert fields(page, "reason")["reason"] == [""]
        assert typed.KEY not in agent.browser.session
        again(agent.browser, agent.person)
        assert "Elm Street" not in agent.get(act(the_order, "hold")).content.decode()

    def test_reads_it_in_the_database(self, shop, the_order):
        self.left(shop, the_order)

        for row in Session.objects.all():
            assert "Elm" not in str(row.get_decoded())

    def test_moves_it_to_another_page_or_person(self, shop, the_order):
        agent = self.left(shop, the_order)
        eve = colleague(shop)
        again(agent.browser, eve)
        session = agent.browser.session
        session[typed.KEY] = [entry | {"owner": eve.pk} for entry in session[typed.KEY]]
        session.save()

        assert "Elm Street" not in agent.get(act(the_order, "hold")).content.decode()

    def test_has_it_kept_without_a_mark_that_is_ours(self, shop, the_order):
        agent = Agent(shop)
        form_data = fields(agent.get(act(the_order, "hold")), "reason") | {"reason": REASON}
        strangers, sessions = Browser(), Session.objects.count()
        for mark in (
            "",
            "1",
            "x:y:z",
            form_data[typed.FIELD][0] + "x",
            form_data[typed.FIELD][0][::-1],
        ):
            strangers.post(act(the_order, "hold"), form_data | {typed.FIELD: mark})

        assert Session.objects.count() == sessions
        assert "console" not in strangers.cookies

    def test_gets_it_after_a_while(self, shop, the_order, monkeypatch):
        agent = self.left(shop, the_order)
        again(agent.browser, agent.person)
        later = time.time() + typed.KEPT_FOR + 1
        monkeypatch.setattr(typed, "now", lambda: later)

        assert fields(agent.get(act(the_order, "hold")), "reason")["reason"] == [""]

    def test_fills_the_database_with_it(self, shop, the_order):
        agent = Agent(shop)
        form_data = fields(agent.get(act(the_order, "hold")), "reason")
        end(agent.browser, "gone")
        agent.post(act(the_order, "hold"), **form_data | {"reason": "x" * (typed.LARGEST + 1)})
        assert not agent.browser.session.get(typed.KEY)
        for number in range(10):
            agent.post(
                act(the_order, "hold").replace("hold", f"x{number}"),
                **form_data | {"reason": "x"},
            )

        assert len(agent.browser.session[typed.KEY]) == typed.MOST

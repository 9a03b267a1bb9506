"""Actions on an order's page: possible and permitted ones only, confirmed before they run."""

import re
from unittest.mock import patch

import pytest

from configuration import keys
from ordermgmt.console.roles import ROLES
from orders.admin.buttons import BUTTONS
from orders.models import Hold, Order, OrderNote, TimelineEntry
from orders.services import cancellation
from orders.services.fulfillment import reports as fulfillment_reports
from orders.services.holds import actions as hold_actions
from tests.console.agent import LIST, Agent, act, heard
from tests.factories import LocationFactory
from tests.orders.shop import Shop, contents, item, order

pytestmark = pytest.mark.django_db

# How an order stands → the buttons that are possible then, and on what.
POSSIBLE = {
    "in grace": {"hold", "cancel", "note", "extend:grace", "release:grace"},
    "grace over": {"hold", "cancel", "note", "release:grace"},
    "big": {"hold", "cancel", "note", "approve:big_order"},
    "held by support": {"cancel", "note", "release:support"},
    "all holds": {
        *("cancel", "note", "extend:grace"),
        *("release:grace", "release:support", "approve:big_order"),
    },
    "open at a store": {"hold", "cancel", "note"},
    "open at a dc": {"hold", "note"},
    "conflict": {"hold", "cancel", "note"},
    "pre-ordered": {"hold", "cancel", "note", "cancel-item"},
    "cancelled": {"note"},
    "partly shipped": {"hold", "note"},
    "complete": {"note"},
}
ALLOWED = {
    "support": {"hold", "release", "extend", "cancel", "cancel-item", "note"},
    "supervisor": {"hold", "release", "extend", "cancel", "cancel-item", "note", "approve"},
    "admin": {"hold", "release", "extend", "cancel", "cancel-item", "note", "approve"},
}


@pytest.fixture
def shop():
    shop = Shop()
    LocationFactory(tenant=shop.tenant, code="S1", type="store", country_codes=["DE"])
    LocationFactory(tenant=shop.tenant, code="D1", type="dc", country_codes=["US"])
    return shop


def stand(shop, how):
    """An order that stands so."""
    country = {"open at a dc": "US", "conflict": "FR"}.get(how, "DE")
    body = {"external_id": "A-1", "shipping_address": {"country_code": country}}
    its_items = [item(), item()]
    match how:
        case "in grace" | "grace over" | "all holds":
            body["grace_period"] = 900
        case "complete":
            body["is_fulfilled"] = True
    if how in ("big", "all holds"):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
    if how == "pre-ordered":
        its_items[0]["is_preorder"] = True
    shop.captured(order(*its_items, **body))
    stored_order = Order.objects.get(external_id="A-1")
    whole = {"tenant": shop.tenant, "reference": "A-1"}
    match how:
        case "grace over":
            Hold.objects.update(placed_at="2020-01-01T00:00:00Z", due_at="2020-01-01T00:15:00Z")
        case "held by support" | "all holds":
            hold_actions.place(**whole, reason="look", actor="staff:eve")
        case "cancelled":
            cancellation.cancel(**whole, id_type="any", reason="x", note=None, actor="a")
        case "partly shipped":
            fulfillment_reports.report(
                **whole,
                action="complete",
                reports=[fulfillment_reports.Report(stored_order.items.first().uuid)],
                actor="wms",
            )
    stored_order.refresh_from_db()
    return stored_order


def shown(the_order, page):
    """The buttons a page has, as `POSSIBLE` writes them."""
    names = {str(hold.uuid): hold.kind for hold in the_order.holds.all()}
    results = set()
    for name, on in re.findall(
        rf'"{LIST}{the_order.pk}/([a-z-]+)/(?:([0-9a-f-]{{36}})/)?now/"', page
    ):
        results.add(f"{name}:{names[on]}" if on in names else name)
    return results


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("how", POSSIBLE)
def test_only_what_is_possible_and_permitted_is_offered_and_done(shop, how, role):
    stored_order = stand(shop, how)
    agent = Agent(shop, role)

    offered = shown(stored_order, agent.page(stored_order))

    possible = {name for name in POSSIBLE[how] if name.partition(":")[0] in ALLOWED[role]}
    assert offered == possible
    for name, on in candidates(stored_order):
        is_allowed = name in ALLOWED[role]
        full = f"{name}:{on.kind}" if isinstance(on, Hold) else name
        page = agent.get(act(stored_order, name, on))
        if not is_allowed:
            before = contents()
            assert page.status_code == 403
            assert agent.do(stored_order, name, on, reason="x").status_code == 403
            assert contents() == before
        elif full in possible:
            if name == "cancel-item" and not on.is_preorder:
                assert page.status_code == 302
            else:
                assert page.status_code == 200
                assert "<form" in page.content.decode()
        else:
            assert page.status_code == 302
            assert len(heard(agent.browser)) == 1


def candidates(the_order):
    """Every button on everything of an order it could be about."""
    yield from ((name, None) for name in ("hold", "cancel", "note"))
    for hold in the_order.holds.all():
        if hold.kind == "big_order":
            yield "approve", hold
        else:
            yield "release", hold
        if hold.kind == "grace":
            yield "extend", hold
    yield from (("cancel-item", one) for one in the_order.items.all())


def test_the_matrix_knows_every_button():
    assert {name for names in ALLOWED.values() for name in names} == set(BUTTONS)
    assert {name.partition(":")[0] for names in POSSIBLE.values() for name in names} == set(BUTTONS)


def test_asking_changes_nothing(shop):
    stored_order, agent = stand(shop, "all holds"), Agent(shop, "supervisor")
    before = contents()

    for name, on in candidates(stored_order):
        agent.get(act(stored_order, name, on))

    assert contents() == before


class TestDoing:
    """Each through the service, in the person's name, told in a sentence."""

    def done(self, agent, the_order, name, on=None, **fields):
        answer = agent.do(the_order, name, on, **fields)
        assert (answer.status_code, answer["Location"]) == (
            302,
            f"{LIST}{the_order.pk}/change/",
        )
        the_order.refresh_from_db()
        [sentence] = heard(agent.browser)
        return sentence

    def last(self, the_order):
        return the_order.timeline.order_by("-version").first()

    def test_hold(self, shop):
        stored_order, agent = stand(shop, "open at a store"), Agent(shop)
        page = agent.get(act(stored_order, "hold")).content.decode()
        assert "2 items at S1 will wait again" in page

        details = self.done(agent, stored_order, "hold", reason="address is wrong")

        assert details == "The order is on hold until somebody releases it."
        assert stored_order.status == "on_hold"
        assert self.last(stored_order).actor == agent.actor
        assert self.last(stored_order).facts["reason"] == "address is wrong"

    def test_release_of_the_last_hold_lets_the_order_go_on(self, shop):
        stored_order, agent = stand(shop, "held by support"), Agent(shop)
        hold = stored_order.holds.get()
        page = agent.get(act(stored_order, "release", hold)).content.decode()
        assert "Nothing else holds the order" in page

        details = self.done(agent, stored_order, "release", hold, reason="fine")

        assert details == (
            "The support hold has ended. Nothing holds the order any longer: it is open."
        )
        assert TimelineEntry.objects.get(verb="released").facts["reason"] == "fine"

    def test_approval_of_an_order_that_still_waits(self, shop):
        stored_order, agent = stand(shop, "all holds"), Agent(shop, "supervisor")
        hold = stored_order.holds.get(kind="big_order")
        page = agent.get(act(stored_order, "approve", hold)).content.decode()
        assert "The order still waits afterwards: grace period and support hold." in page

        details = self.done(agent, stored_order, "approve", hold, reason="good customer")

        assert details == (
            "The big-order hold has ended. The order still waits: grace period and support hold."
        )
        assert stored_order.status == "on_hold"

    def test_who_may_release_may_not_approve(self, shop):
        stored_order, agent = stand(shop, "big"), Agent(shop, "support")
        before = contents()

        answer = agent.do(stored_order, "release", stored_order.holds.get(), reason="x")

        assert answer.status_code == 302
        assert "deleted" in heard(agent.browser)[0]
        assert contents() == before

    def test_extend(self, shop):
        stored_order, agent = stand(shop, "in grace"), Agent(shop)
        before = stored_order.holds.get().due_at

        details = self.done(agent, stored_order, "extend", stored_order.holds.get())

        after = stored_order.holds.get().due_at
        assert (after - before).total_seconds() == 900
        assert (
            details
            == f"The grace period is 15 minutes longer: it ends {after:%Y-%m-%d %H:%M:%S} UTC."
        )

    def test_cancel(self, shop):
        stored_order, agent = stand(shop, "in grace"), Agent(shop)
        page = agent.get(act(stored_order, "cancel")).content.decode()
        for body in ("2 items will be cancelled for good: SKU-1", "22.00 EUR", "grace period"):
            assert body in page

        details = self.done(
            agent, stored_order, "cancel", reason="changed her mind", note="called twice"
        )

        assert details == "The order and its 2 items were cancelled."
        assert stored_order.status == "closed"
        facts = TimelineEntry.objects.get(verb="cancelled").facts
        assert (facts["reason"], facts["note"]) == ("changed her mind", "called twice")

    def test_cancelling_what_somebody_may_be_handling_is_warned_of(self, shop):
        shop.set(keys.CANCELLATION_ALLOWED_FROM, ["store", "dc"])
        stored_order = stand(shop, "open at a dc")

        assert (
            "Somebody may be handling it"
            in Agent(shop).get(act(stored_order, "cancel")).content.decode()
        )

    def test_cancel_an_item(self, shop):
        stored_order, agent = stand(shop, "pre-ordered"), Agent(shop)
        one = stored_order.items.get(is_preorder=True)

        details = self.done(agent, stored_order, "cancel-item", one)

        assert details == "SKU-1 is cancelled."
        assert set(stored_order.items.values_list("status", flat=True)) == {
            "cancelled",
            "in_fulfillment",
        }

    def test_note(self, shop):
        stored_order, agent = stand(shop, "cancelled"), Agent(shop)

        details = self.done(agent, stored_order, "note", text="She called.\r\nAnd again.")

        assert details == "The note was added."
        note = OrderNote.objects.get()
        assert note.text == "She called.\nAnd again."
        assert note.source == agent.person.get_username()
        assert "She called." in agent.page(stored_order)

    def test_why_not_is_told_in_the_services_words(self, shop):
        stored_order, agent = stand(shop, "open at a dc"), Agent(shop)
        before = contents()
        assert "cancellations are not allowed from this type of location" in agent.page(
            stored_order
        )

        details = self.done(agent, stored_order, "cancel", reason="x")

        assert "cancellations are not allowed from this type of location" in details
        assert contents() == before

    def test_a_note_with_a_card_number_is_refused(self, shop):
        stored_order, agent = stand(shop, "in grace"), Agent(shop)
        before = contents()

        details = self.done(agent, stored_order, "note", text="paid by 4111 1111 1111 1111")

        assert details == "A note must not hold a card number."
        assert contents() == before


class TestAsking:
    @pytest.mark.parametrize(
        "form_fields",
        [
            {"reason": ""},
            {"reason": "   "},
            {"reason": "a\nb"},
            {"reason": "a\x00b"},
            {"reason": "x" * 1025},
            {"reason": "x", "expected_version": ""},
            {"reason": "x", "expected_version": "one"},
            {"reason": "x", "expected_version": "-1"},
            {"reason": "x", "expected_version": "9" * 40},
        ],
    )
    def test_what_makes_no_sense_is_asked_again(self, shop, form_fields):
        stored_order, agent = stand(shop, "in grace"), Agent(shop)
        before = contents()

        answer = agent.do(stored_order, "hold", **form_fields)

        assert answer.status_code == 200
        assert 'role="alert"' in answer.content.decode()
        assert contents() == before

    def test_without_a_token_nothing_is_done(self, shop):
        stored_order, agent = stand(shop, "in grace"), Agent(shop)
        before = contents()
        agent.browser.handler.enforce_csrf_checks = True

        assert agent.do(stored_order, "hold", reason="x").status_code == 403
        assert contents() == before


class TestStaleForms:
    """Who decided by an order that is no longer so is refused, and shown what changed."""

    @pytest.mark.parametrize("name", ["hold", "cancel", "extend", "release", "cancel-item"])
    def test_a_stale_form_is_refused_and_told_what_changed(self, shop, name):
        stored_order, agent = stand(shop, "in grace"), Agent(shop)
        on = {
            "extend": stored_order.holds.get(),
            "release": stored_order.holds.get(),
            "cancel-item": stored_order.items.first(),
        }.get(name)
        expected_version = stored_order.version
        hold_actions.extend_grace(
            tenant=shop.tenant, reference="A-1", id_type="external", actor="client:app"
        )
        before = contents()

        answer = agent.do(
            stored_order, name, on, reason="moves house", expected_version=expected_version
        )

        page = answer.content.decode()
        assert answer.status_code == 409
        assert "The order has changed since you looked at it" in page
        assert "The grace period was extended" in page
        assert "client app" in page
        assert "The order was captured" not in page
        assert contents() == before
        if name != "cancel-item":  # asked again, by the order as it is now
            assert f'name="expected_version" value="{expected_version + 1}"' in page
        if name in ("hold", "cancel", "release"):  # with what was written
            assert 'name="reason" value="moves house"' in page

    def test_a_form_from_the_future_is_refused_too(self, shop):
        stored_order, agent = stand(shop, "in grace"), Agent(shop)
        before = contents()

        answer = agent.do(
            stored_order, "hold", reason="x", expected_version=stored_order.version + 1
        )

        assert answer.status_code == 409
        assert "The order has changed since you looked at it" in answer.content.decode()
        assert contents() == before

    def test_pressing_twice_does_it_once(self, shop):
        stored_order, agent = stand(shop, "in grace"), Agent(shop)
        hold, expected_version = stored_order.holds.get(), stored_order.version

        answers = [
            agent.do(stored_order, "extend", hold, expected_version=expected_version).status_code
            for _ in range(2)
        ]

        assert answers == [302, 409]
        assert TimelineEntry.objects.filter(verb="extended").count() == 1

    def test_what_changes_between_the_look_and_the_lock_is_seen_too(self, shop):
        stored_order, agent = stand(shop, "in grace"), Agent(shop)
        original = hold_actions.place

        def late(**fields):
            with patch.object(hold_actions, "place", original):
                hold_actions.extend_grace(
                    tenant=shop.tenant, reference="A-1", id_type="external", actor="client:app"
                )
            return original(**fields)

        with patch.object(hold_actions, "place", late):
            answer = agent.do(stored_order, "hold", reason="x")

        assert answer.status_code == 409
        assert not Hold.objects.filter(kind="support").exists()

    def test_a_note_overwrites_nothing_and_is_taken(self, shop):
        stored_order, agent = stand(shop, "in grace"), Agent(shop)

        assert agent.do(stored_order, "note", text="hello", expected_version=1).status_code == 302
        assert OrderNote.objects.count() == 1

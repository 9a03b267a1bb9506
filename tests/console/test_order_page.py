"""The page of one order: all that support needs to know of it, and nothing of anybody else's."""

import re
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from configuration import keys
from orders.models import Hold, Item, Order, TimelineEntry
from orders.services import notes
from orders.services.fulfillment import serials
from orders.services.holds import actions as hold_actions
from tests.console.agent import LIST, Agent, act, address, heard
from tests.factories import LocationFactory
from tests.orders.shop import Shop, contents, item, items, order

pytestmark = pytest.mark.django_db
BAD = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}"


class Elements(HTMLParser):
    """Which elements and attributes a page has, as a browser reads it."""

    def __init__(self, page):
        super().__init__()
        self.names, self.attributes = set(), set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        is_ours = tag == "script" and dict(attrs).get("src", "").startswith("/static/")
        self.names |= set() if is_ours else {tag}
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture
def shop():
    shop = Shop()
    LocationFactory(tenant=shop.tenant, code="S1", name="High Street", type="store")
    return shop


def captured(shop, /, *its_items, **members):
    shop.captured(order(*its_items, **{"external_id": "A-1"} | members))
    return Order.objects.latest("id")


def test_it_tells_the_whole_order(shop):
    who = {"name": "Ada Byron", "email": "ada@example.com"}
    where = {
        "first_name": "Ada",
        "last_name": "Byron",
        "address_line_1": "1 Main Street",
        "city": "London",
        "zip_code": "N1",
        "country_code": "GB",
        "phone": "020 7946 0000",
    }
    paid = {
        "type": "captured",
        "amount": 17,
        "method": "credit_card",
        "processor": "adyen",
        "processed_at": "2024-05-01T12:00:00Z",
        "correlation_ref": "PSP-1",
    }
    stored_order = captured(
        shop,
        item(product_id="SKU-9", product_attributes={"name": "Kate Dress", "size": "M"}),
        customer=who,
        shipping_address=where,
        payments=[paid],
        shipments=[{"price": 5, "tax": 1}],
        extended_attributes=[{"name": "gift", "value": "birthday"}],
    )
    serials.attach(
        tenant=shop.tenant,
        order=str(stored_order.uuid),
        serials=[serials.Serial(stored_order.items.get().uuid, "SN-77")],
        actor="test",
    )

    page = Agent(shop).page(stored_order)

    for body in (
        *(stored_order.number, "A-1", "Open", "17.00 EUR", "Ada Byron", "ada@example.com"),
        *("1 Main Street", "N1 London", "020 7946 0000", "Ships to", "SKU-9", "Kate Dress, M"),
        *("In fulfillment", "S1", "High Street", "SN-77", "PSP-1", "adyen", "birthday"),
        *("The order was captured: 1 item, 17.00 EUR.", "order.created", "order.opened"),
        *("1 item went to S1.", "Serial numbers were attached: SN-77."),
        f"{LIST}?q=ada%40example.com",
    ):
        assert body in page, body


def test_it_says_what_the_order_waits_for_and_until_when(shop):
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})
    stored_order = captured(shop, *items(2), grace_period=900)
    due = stored_order.holds.get(kind="grace").due_at

    page = Agent(shop).page(stored_order)

    assert re.search(rf'<time datetime="{re.escape(due.isoformat())}"[^>]* data-countdown>in', page)
    assert "2 items are more than 1" in page
    assert "It waits for its grace period of 15 min." in page
    assert "Grace period of 15 min\n" in page


def test_a_grace_period_is_told_as_long_as_it_is_by_now(shop):
    stored_order = captured(shop, grace_period=900)
    agent = Agent(shop)
    agent.do(stored_order, "extend", on=stored_order.holds.get())

    listed = agent.get(LIST).content.decode()
    page = agent.page(stored_order)

    assert "Grace period of 30 min, until" in listed
    assert "Grace period of 30 min\n" in page
    assert "900 s" not in listed + page


@pytest.mark.parametrize("query", [{}, {"before": 3}, {"items_from": 1}])
def test_however_large_the_order_the_queries_are_as_many(shop, query):
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1000})
    small = captured(shop, external_id="small")
    large = captured(
        shop, *items(150, extended_attributes=[{"name": "a", "value": "b"}]), external_id="large"
    )
    for n in range(40):
        notes.add(
            tenant=shop.tenant,
            order=large.uuid,
            draft=notes.Draft(f"note {n}", "ada", "user", None),
            actor="staff:ada",
        )
    agent = Agent(shop)
    agent.page(small)

    questions = []
    for stored_order in (small, large):
        with CaptureQueriesContext(connection) as queries:
            agent.page(stored_order, **query)
        questions.append(len(queries))

    assert questions[0] == questions[1]
    assert questions[0] <= 18, [q["sql"][:100] for q in queries]


def test_of_many_items_and_happenings_it_shows_some_and_the_way_to_the_rest(shop):
    stored_order = captured(shop, *(item(product_id=f"SKU-{n:03}") for n in range(250)))
    for n in range(40):
        hold_actions.place(
            tenant=shop.tenant, reference="A-1", reason=f"look {n}", actor="staff:ada"
        )
        hold = stored_order.holds.get(released_at=None, kind="support")
        hold_actions.release(
            tenant=shop.tenant, reference="A-1", hold=hold.uuid, reason=f"fine {n}", actor="s"
        )
    agent = Agent(shop)

    first, last = agent.page(stored_order), agent.page(stored_order, items_from=200)

    assert "100 of 250" in first
    assert "SKU-099" in first
    assert "SKU-100" not in first
    assert "?items_from=100#" in first
    assert "SKU-249" in last
    assert "SKU-100" not in last

    versions, page, before = [], first, None
    while True:
        versions += re.findall(r"(?:Put on hold: look|The support hold ended: fine) (\d+)", page)
        match = re.search(r"\?before=(\d+)#", page)
        if not match:
            break
        before = int(match[1])
        page = agent.page(stored_order, before=before)
    assert versions == [str(n) for n in reversed(range(40)) for _ in range(2)]
    assert "The order was captured" in page


def test_a_fat_order_makes_a_page_that_can_be_read(shop):
    fat = [{"name": f"n{n}", "value": "v" * 8000} for n in range(100)]
    stored_order = captured(
        shop, *items(6, extended_attributes=fat), extended_attributes=fat, grace_period=60
    )
    assert sum(len(str(i.attributes)) for i in stored_order.items.all()) > 4_500_000

    page = Agent(shop).page(stored_order)

    assert len(page) < 300_000
    assert "(8,000 characters)" in page
    assert "40 of 100 are shown" in page


def test_nothing_that_is_stored_can_run(shop):
    name = BAD[:60]
    stored_order = captured(
        shop,
        item(
            product_id=name,
            external_item_id=name,
            is_preorder=True,
            product_attributes={"name": BAD, "size": BAD, "color": BAD},
            external_identifier={name: BAD},
            extended_attributes=[{"name": BAD, "value": BAD}],
            tax_class=BAD,
        ),
        external_id=name.replace("/", "|"),
        shop=BAD,
        channel_name=name,
        store_id=BAD,
        associate_id=BAD,
        customer={"id": BAD, "name": BAD, "language": "<b"},
        shipping_address={
            "country_code": "DE",
            "first_name": name,
            "last_name": name,
            "address_line_1": BAD,
            "city": name,
            "zip_code": "<i>",
            "phone": BAD,
            "note": BAD,
        },
        payments=[
            {
                "type": "captured",
                "amount": 17,
                "method": "<b>card",
                "processor": "<b>psp",
                "wallet": name,
                "processed_at": "2024-05-01T12:00:00Z",
                "correlation_ref": BAD,
            }
        ],
        shipments=[{"price": 5, "tax": 1, "shipping_option": {}, "service_level_identifier": name}],
        extended_attributes=[{"name": BAD, "value": BAD}],
        exemption_number=BAD,
        tax_exempt=True,
        gift_wrapping={"message": BAD, "price": {"net": 0, "tax": 0, "gross": 0}},
        grace_period=900,
    )
    draft = notes.Draft(BAD, BAD, BAD, [BAD])
    notes.add(tenant=shop.tenant, order=stored_order.uuid, draft=draft, actor=f"client:{BAD}")
    hold_actions.place(
        tenant=shop.tenant, reference=str(stored_order.uuid), reason=BAD, actor=f"staff:{BAD}"
    )
    Item.objects.update(
        serial_number=BAD,
        location_code=BAD,
        conflict_reason=BAD[:64],
        tracking_code=BAD,
        carrier=name,
    )
    Order.objects.update(customer_email=f"{BAD}@x")
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            tenant=shop.tenant,
            order=stored_order,
            version=900 + n,
            actor=BAD,
            verb=verb,
            facts=facts,
        )
        for n, (verb, facts) in enumerate(
            [
                ("cancelled", {"reason": BAD, "note": BAD, "rule": BAD, "config": {BAD: BAD}}),
                ("routed", {"location": BAD, "country": BAD, "asked_for": BAD}),
                ("serial_numbers_added", {"items": {BAD: BAD}, "replaced": [BAD]}),
                ("items_rejected", {"location": BAD, "reasons": [BAD]}),
                (BAD[:40], {}),
            ]
        )
    )
    agent = Agent(shop)
    pages = [agent.page(stored_order)]
    for name, on in (
        *((name, None) for name in ("hold", "cancel", "note")),
        *(("release", hold) for hold in stored_order.holds.all()),
        ("extend", stored_order.holds.get(kind="grace")),
        ("cancel-item", stored_order.items.get()),
    ):
        pages.append(agent.browser.get(act(stored_order, name, on), follow=True).content.decode())
    pages.append(agent.do(stored_order, "hold", reason=BAD + "\n").content.decode())
    agent.do(stored_order, "cancel", reason=BAD, note=BAD)
    pages.append(agent.page(stored_order))

    for page in pages:
        _, mark, ours = page.partition('<div class="order-page')
        elements = Elements(mark + ours)
        assert elements.names.isdisjoint({"script", "img", "b", "i", "<b"} if mark else ())
        assert not [name for name in elements.attributes if name.startswith(("on", "style"))]
        assert "<script>alert" not in page
    assert pages[0].count("&lt;script&gt;alert(1)") > 30


class TestBorders:
    @pytest.fixture
    def foreign(self, shop):
        other = Shop()
        other.captured(order(external_id="B-1", grace_period=900, customer={"name": "Eve"}))
        return Order.objects.get(external_id="B-1")

    def paths(self, the_order):
        hold = the_order.holds.first() or Hold(uuid=uuid4())
        one = the_order.items.first() or Item(uuid=uuid4())
        yield from (
            address(the_order),
            f"{LIST}{the_order.pk}/history/",
            f"{LIST}{the_order.pk}/",
        )
        yield from (act(the_order, name) for name in ("hold", "cancel", "note"))
        yield from (act(the_order, name, hold) for name in ("extend", "release", "approve"))
        yield act(the_order, "cancel-item", one)

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_anothers_order_cannot_be_told_from_none(self, shop, foreign, method):
        agent, absent = Agent(shop, "supervisor"), Order(pk=10**12)
        before = contents()

        for theirs, none in zip(self.paths(foreign), self.paths(absent), strict=True):
            answers = []
            for path, key in ((theirs, foreign.pk), (none, absent.pk)):
                body = (
                    {"expected_version": 1, "reason": "x", "text": "x"} if method == "post" else {}
                )
                answer = getattr(agent.browser, method)(path, body)
                messages = [m.replace(str(key), "N") for m in heard(agent.browser)]
                answers.append(
                    (
                        answer.status_code,
                        answer.get("Location", "").replace(str(key), "N"),
                        messages,
                    )
                )
                assert "Eve" not in answer.content.decode()
            assert answers[0] == answers[1]
        assert contents() == before

    def test_a_hold_or_item_of_another_order_is_none(self, shop, foreign):
        stored_order = captured(shop, item(is_preorder=True), grace_period=900)
        agent, before = Agent(shop, "supervisor"), contents()

        for name, on in (
            ("release", foreign.holds.get()),
            ("extend", foreign.holds.get()),
            ("cancel-item", foreign.items.get()),
            ("release", Hold(uuid=uuid4())),
            ("unheard-of", None),
            ("release", None),
            ("hold", stored_order.holds.get()),
        ):
            assert agent.do(stored_order, name, on, reason="x").status_code == 302
            assert "perhaps it was deleted" in " ".join(heard(agent.browser)).lower()
        assert contents() == before

    @pytest.mark.parametrize(
        "key", ["0", "-1", "abc", "9" * 30, "1%00", "١", "%2e%2e", "1_0", "1e3", "'"]
    )
    def test_a_key_that_cannot_be_is_none(self, shop, key):
        captured(shop)
        agent = Agent(shop)
        for path in (f"{LIST}{key}/change/", f"{LIST}{key}/history/", f"{LIST}{key}/hold/now/"):
            assert agent.get(path).status_code in (302, 400, 404)

    @pytest.mark.parametrize("value", ["-1", "x", "9" * 40, "", "\0", "1.5", "٣", "99999"])
    def test_a_place_that_cannot_be_is_the_beginning(self, shop, value):
        stored_order = captured(shop)

        assert "SKU-1" in Agent(shop).page(stored_order, items_from=value, before=value)

    def test_an_operator_sees_every_tenants(self, shop, foreign):
        operator = Agent(None)

        for stored_order in (captured(shop), foreign):
            assert stored_order.number in operator.page(stored_order)

    def test_who_may_not_read_orders_is_refused(self, shop):
        stored_order, agent = captured(shop), Agent(shop)
        agent.person.groups.clear()

        assert agent.get(address(stored_order)).status_code == 403
        assert agent.get(act(stored_order, "hold")).status_code == 403

    def test_the_page_cannot_be_posted_to(self, shop):
        stored_order, before = captured(shop), contents()
        agent = Agent(shop, "admin")

        assert agent.post(address(stored_order), number="X", _save="1").status_code == 405
        for path in (f"{LIST}{stored_order.pk}/delete/", f"{LIST}add/"):
            assert agent.post(path, post="yes").status_code in (403, 404)
        assert contents() == before

    def test_its_history_is_its_timeline(self, shop):
        stored_order = captured(shop)

        answer = Agent(shop).get(f"{LIST}{stored_order.pk}/history/")

        assert (answer.status_code, answer["Location"]) == (
            302,
            f"{address(stored_order)}#timeline",
        )


def test_a_shipment_without_items_is_shown_with_its_price(shop):
    ids = [str(uuid4()), str(uuid4())]
    boxes = [{"id": ids[0], "price": 7}, {"id": ids[1], "price": 5}]
    page = Agent(shop).page(captured(shop, item(shipment_id=ids[1]), shipments=boxes))

    assert re.search(r"<td>1<span[^>]*>0 items</span></td>", page)
    assert re.search(r"<td>2<span[^>]*>1 item</span></td>", page)
    assert "7.00 EUR" in page


def test_price_details_that_do_not_add_up_are_shown(shop):
    lines = [{"amount": 50, "name": "T"}]
    shop.tenant.lenient_price_details = True
    shop.tenant.save()
    marked = captured(shop, item(product_id="SKU-9", tax_lines=lines))
    page = Agent(shop).page(marked)

    assert "Price details that do not add up" in page
    assert "Item SKU-9: the tax lines add up to 50.00 EUR, the tax is 1.00 EUR" in page


def test_price_details_that_agree_are_not_mentioned(shop):
    page = Agent(shop).page(captured(shop))

    assert "do not add up" not in page

"""The list of orders answers what support asks, of one's own tenant only, at the same cost."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from bench import loading
from configuration import keys
from orders.admin import filters, paging
from orders.models import Hold, Item, Order
from orders.services.holds import actions as hold_actions
from tests.console.people import signed_in
from tests.factories import LocationFactory
from tests.orders.shop import Shop, items, order, stored

pytestmark = pytest.mark.django_db
LIST = "/console/orders/order/"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def browser(shop: Shop) -> Any:
    return signed_in("support", shop.tenant)


def captured(shop: Shop, *units: Any, country: str = "US", **fields: Any) -> Order:
    address = {"shipping_address": {"country_code": country}}
    return stored(shop.captured(order(*units, **address | fields)))


def ask(browser: Any, **query: Any) -> Any:
    return browser.get(LIST, query_params=query)


def listed(browser: Any, **query: Any) -> list[str]:
    """The numbers of the orders on the page, in their order."""
    answer = ask(browser, **query)
    assert answer.status_code == 200, answer.headers
    return [row.number for row in answer.context["rows"]]


def at(minutes: int) -> str:
    """So many minutes ago, as captures say it."""
    return (now() - dt.timedelta(minutes=minutes)).isoformat()


class TestWhatARowShows:
    def test_who_bought_what_where_for_how_much(self, shop, browser):
        captured(
            shop,
            *items(2),
            external_id="WEB-77",
            customer={"name": "Grace Hopper", "email": "grace@example.com"},
            store_id="NY5AVE",
        )

        text = ask(browser).content.decode()

        for page_text in ("WEB-77", "Grace Hopper", "grace@example.com", "NY5AVE", "22.00 EUR"):
            assert page_text in text

    def test_why_it_waits_and_until_when(self, shop, browser):
        new_order = captured(shop, grace_period=3600)
        hold_actions.place(
            tenant=shop.tenant, reference=str(new_order.uuid), reason="Ask first", actor="staff:x"
        )

        text = ask(browser).content.decode()

        assert "Grace ends in 59 min" in text
        assert "Support" in text
        assert "Ask first" in text

    def test_that_items_are_in_conflict(self, shop, browser):
        LocationFactory(tenant=shop.tenant, country_codes=["DE"])
        captured(shop, *items(2), grace_period=0)

        assert "2 in conflict" in ask(browser).content.decode()

    def test_who_fulfills_it(self, shop, browser):
        LocationFactory(tenant=shop.tenant, code="DC-EAST", type="dc")
        captured(shop, grace_period=0)

        assert "DC-EAST" in ask(browser).content.decode()

    def test_nothing_that_is_stored_is_markup(self, shop, browser):
        new_order = captured(shop, grace_period=3600)
        texts = [f.name for f in Order._meta.fields if f.name in _FREE_TEXTS]
        Order.objects.update(
            **{name: HOSTILE[: Order._meta.get_field(name).max_length] for name in texts},
            details={"customer": {"name": HOSTILE, "email": HOSTILE}},
        )
        Item.objects.update(location_code=HOSTILE, product_id=HOSTILE[:64])
        Hold.objects.update(reason=HOSTILE)
        LocationFactory(tenant=shop.tenant, code=HOSTILE, name=HOSTILE)

        text = ask(browser).content.decode()

        assert len(texts) == len(_FREE_TEXTS)
        assert str(new_order.pk) in text
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text
        assert "onerror=alert(2)&gt;" in text
        assert "<img src=x" not in text

    def test_a_document_of_megabytes_stays_away(self, shop, browser):
        captured(shop)
        Order.objects.update(details={"customer": {"name": "Grace"}, "much": "x" * 5_000_000})

        answer = ask(browser)

        assert "Grace" in answer.content.decode()
        assert len(answer.content) < 200_000


_FREE_TEXTS = {
    "number",
    "external_id",
    "channel_name",
    "shop",
    "shop_locale",
    "store_id",
    "associate_id",
    "customer_id",
    "customer_email",
    "fulfillment_type",
}


class TestAnOtherTenant:
    def test_is_nowhere(self, shop, browser):
        other = Shop()
        theirs = captured(
            other, external_id="THEIRS", customer={"name": "X", "email": "x@example.com"}
        )
        own = captured(shop)

        assert listed(browser) == [own.number]
        names = (theirs.number, "THEIRS", str(theirs.uuid), "x@example.com", "SKU-1")
        for name in names[1:-1]:
            assert listed(browser, q=name) == []
        for query in ({"hold": "grace"}, {"conflict": "yes"}, {"status": "open"}):
            assert theirs.external_id not in ask(browser, **query).content.decode()

    def test_is_not_to_be_chosen_but_by_an_operator(self, shop, browser):
        other = Shop()
        own, theirs = captured(shop), captured(other)

        assert listed(browser, tenant=other.tenant.slug) == [own.number]
        operator = signed_in("operator")
        assert len(listed(operator)) == 2
        slugs = {shop.tenant.slug, other.tenant.slug}
        assert {row.also for row in ask(operator).context["rows"]} == slugs
        assert listed(operator, tenant=other.tenant.slug) == [theirs.number]
        assert ask(operator, tenant="nobody").status_code == 302

    def test_has_places_nobody_else_is_told(self, shop, browser):
        LocationFactory(tenant=shop.tenant, code="OURS")
        LocationFactory(tenant=Shop().tenant, code="THEIRS")

        text = ask(browser).content.decode()

        assert "OURS" in text
        assert "THEIRS" not in text


class TestFilters:
    @pytest.fixture
    def orders(self, shop) -> dict[str, str]:
        """One order of each kind: name → number."""
        LocationFactory(tenant=shop.tenant, code="DC-EAST", type="dc", country_codes=["US"])
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 3})
        held = captured(shop, placed_at=at(10), grace_period=0, channel_type="mobile")
        hold_actions.place(
            tenant=shop.tenant, reference=str(held.uuid), reason="Ask first", actor="staff:x"
        )
        new_order = {
            "graced": captured(shop, placed_at=at(20), grace_period=600),
            "later": captured(shop, placed_at=at(30), grace_period=7200),
            "big": captured(shop, *items(4), placed_at=at(40), grace_period=0),
            "held": held,
            "open": captured(shop, placed_at=at(50), grace_period=0),
            "conflict": captured(shop, placed_at=at(60), grace_period=0, country="AU"),
            "old": captured(shop, placed_at="2024-05-01T12:00:00Z", grace_period=0),
            "sold": captured(
                shop,
                *items(1, fulfillment_group_type="IN_STORE_HANDOVER"),
                placed_at=at(70),
                channel_type="store",
                store_id="NY5AVE",
            ),
        }
        external = captured(shop, placed_at=at(80), grace_period=0)
        Item.objects.filter(order=external).update(status="captured")
        Order.objects.filter(pk=external.pk).update(status="closed")
        return {name: one.number for name, one in (new_order | {"external": external}).items()}

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"status": "on_hold"}, "held graced later big"),
            ({"status": "open"}, "open conflict old"),
            ({"status": "closed"}, "sold external"),
            ({"status": "failed"}, ""),
            ({"hold": "grace"}, "graced later"),
            ({"hold": "support"}, "held"),
            ({"hold": "big_order"}, "big"),
            ({"due": "yes"}, "graced"),
            ({"conflict": "yes"}, "conflict"),
            ({"channel": "mobile"}, "held"),
            ({"channel": "store"}, "sold"),
            ({"store": "NY5AVE"}, "sold"),
            ({"store": "nowhere"}, ""),
            ({"location": "DC-EAST"}, "open external old"),
            ({"units": 4}, "big"),
            ({"units": 5}, ""),
            ({"external": "yes"}, "external"),
            ({"placed": "2024"}, "old"),
            ({"placed": "2024-05"}, "old"),
            ({"placed": "2024-05-01"}, "old"),
            ({"placed": "2024-04"}, ""),
            ({"since": "2024-05-01", "until": "2024-05-01"}, "old"),
            ({"since": "2024-05-02", "until": "2024-06-01"}, ""),
            ({"until": "2024-04-30"}, ""),
            ({"status": "on_hold", "hold": "grace", "due": "yes"}, "graced"),
            ({"channel": "store", "units": 1}, "sold"),
            ({"status": "open", "location": "DC-EAST", "placed": "2024"}, "old"),
        ],
        ids=str,
    )
    def test_let_through_what_is_asked(self, orders, browser, query, expected):
        assert listed(browser, **query) == [orders[name] for name in expected.split()]

    def test_forget_a_conflict_that_was_solved(self, shop, browser):
        LocationFactory(tenant=shop.tenant, country_codes=["DE"])
        new_order = captured(shop, grace_period=0)
        assert listed(browser, conflict="yes") == [new_order.number]

        hold_actions.place(
            tenant=shop.tenant, reference=str(new_order.uuid), reason="x", actor="staff:x"
        )

        assert listed(browser, conflict="yes") == []

    def test_are_named_each_with_a_way_to_ask_less(self, shop, browser):
        answer = ask(browser, status="on_hold", hold="grace")

        assert [(chip.text, chip.query) for chip in answer.context["chips"]] == [
            ("Status: On hold", "hold=grace"),
            ("Held by: Grace period", "status=on_hold"),
        ]

    def test_lead_from_years_to_months_to_days(self, browser):
        def periods(**query: Any) -> list[str]:
            return [link.text for link in ask(browser, **query).context["periods"]]

        assert periods()[0] == f"{now():%Y}"
        assert periods(placed="2024") == [f"2024-{month:02}" for month in range(1, 13)]
        assert periods(placed="2024-02")[-1] == "2024-02-29"
        assert periods(placed="2024-02-29") == []


class TestPages:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch) -> None:
        monkeypatch.setattr(paging.read, "__kwdefaults__", paging.read.__kwdefaults__ | {"size": 3})

    @pytest.fixture
    def numbers(self, shop) -> list[str]:
        """Eight orders, newest first; two of them were placed at the same moment."""
        minutes = [1, 2, 3, 4, 4, 5, 6, 7]
        moment = now()
        new_orders = [
            captured(shop, placed_at=(moment - dt.timedelta(minutes=m)).isoformat())
            for m in minutes
        ]
        new_orders[3:5] = [new_orders[4], new_orders[3]]
        return [one.number for one in new_orders]

    def test_are_walked_to_the_end_and_back(self, browser, numbers):
        pages, addresses, query = [], [], ""
        while True:
            answer = browser.get(f"{LIST}?{query}")
            page = answer.context["cl"]
            pages.append([row.number for row in answer.context["rows"]])
            if not page.older:
                break
            query = page.older_address
        assert pages == [numbers[:3], numbers[3:6], numbers[6:]]

        back = []
        while page.newer:
            addresses.append(page.newer_address)
            answer = browser.get(f"{LIST}?{page.newer_address}")
            page = answer.context["cl"]
            back.append([row.number for row in answer.context["rows"]])
        assert back == [numbers[3:6], numbers[:3]]

    def range_text(self, answer: Any) -> str:
        """What the page says about how many there are."""
        nav = re.search(r'<nav class="list-pages.*?</nav>', answer.content.decode(), re.DOTALL)[0]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", nav.split("</span>")[0])).strip()

    def page_ranges(self, browser: Any, **query: Any) -> list[str]:
        """What each page says, from the first to the last and back to the first."""
        answer = ask(browser, **query)
        results = [self.range_text(answer)]
        for way in ("older", "newer"):
            while getattr(answer.context["cl"], way):
                address = getattr(answer.context["cl"], f"{way}_address")
                answer = browser.get(f"{LIST}?{address}")
                results.append(self.range_text(answer))
        return results

    @pytest.mark.parametrize(
        "query", [{}, {"status": "open"}, {"q": "SKU-1"}, {"since": "2001-01-01"}], ids=str
    )
    def test_say_which_of_how_many_they_show(self, browser, numbers, query):
        assert self.page_ranges(browser, **query) == [
            "1–3 of 8 orders",
            "4–6 of 8 orders",
            "7–8 of 8 orders",
            "4–6 of 8 orders",
            "1–3 of 8 orders",
        ]

    def test_say_no_number_beyond_what_is_counted(self, browser, numbers, monkeypatch):
        monkeypatch.setattr(paging, "COUNTED", 4)

        assert self.page_ranges(browser)[:3] == [
            "1–3 of more than 4 orders",
            "4–6 of more than 4 orders",
            "2 orders, older than the first 4",
        ]

    def test_of_one_page_say_how_many(self, browser, numbers):
        assert self.range_text(ask(browser, q=numbers[0] + "x")) == "0 orders"
        assert self.range_text(ask(browser, placed=f"{now():%Y}", hold="grace")) == "0 orders"

    def test_of_several_tenants_are_counted_together(self, shop, numbers):
        other = Shop()
        captured(other)

        assert self.page_ranges(signed_in("operator"))[:2] == ["1–3 of 9 orders", "4–6 of 9 orders"]

    def test_of_a_window_say_how_far_was_counted(self, browser, numbers, monkeypatch):
        monkeypatch.setattr(paging, "WINDOW", 5)

        first, second, *_ = self.page_ranges(browser, channel="web")

        assert re.fullmatch(r"1–3 of 5 orders placed since \d{4}-\d\d-\d\d \d\d:\d\d UTC", first)
        assert re.fullmatch(r"3 orders; how many match in all is not counted", second)

    def test_of_a_window_that_holds_all_say_how_many(self, browser, numbers):
        assert self.page_ranges(browser, channel="web")[0] == "1–3 of 8 orders"

    def test_cost_as_many_statements_as_the_only_page(self, browser, numbers):
        for query in ({}, {"status": "open"}, {"channel": "web"}):
            ask(browser, **query)
            with CaptureQueriesContext(connection) as several:
                ask(browser, **query)
            with CaptureQueriesContext(connection) as one:
                ask(browser, placed=f"{now():%Y}", **query)
            assert len(several) == len(one), query

    def test_keep_what_is_asked(self, shop, browser, numbers):
        page = ask(browser, channel="web").context["cl"]

        assert page.older_address.startswith("channel=web&after=")
        assert len(listed(browser, channel="web")) == 3

    def test_neither_repeat_nor_lose_one_when_orders_arrive(self, shop, browser, numbers):
        page = ask(browser).context["cl"]

        captured(shop, placed_at=at(0))

        answer = browser.get(f"{LIST}?{page.older_address}")
        assert [row.number for row in answer.context["rows"]] == numbers[3:6]

    def test_of_what_may_match_nothing_look_at_so_many_and_go_on_from_there(
        self, shop, browser, numbers, monkeypatch
    ):
        monkeypatch.setattr(paging, "WINDOW", 2)
        Order.objects.filter(number__in=[numbers[0], numbers[7]]).update(store_id="NY5AVE")
        numbers_listed, query, pages = [], "store=NY5AVE", 0
        while True:
            answer = browser.get(f"{LIST}?{query}")
            page = answer.context["cl"]
            numbers_listed += [row.number for row in answer.context["rows"]]
            pages += 1
            if not page.older:
                break
            assert page.looked_until is not None
            assert "Look further back" in answer.content.decode()
            query = page.older_address

        assert numbers_listed == [numbers[0], numbers[7]]
        assert pages > 3

    def test_of_a_window_are_walked_back_too(self, browser, numbers, monkeypatch):
        monkeypatch.setattr(paging, "WINDOW", 2)
        Order.objects.filter(number=numbers[0]).update(store_id="NY5AVE")
        query, numbers_listed = (
            f"store=NY5AVE&before={paging.Cursor(now() - dt.timedelta(days=1), 0)}",
            [],
        )
        while query:
            answer = browser.get(f"{LIST}?{query}")
            page = answer.context["cl"]
            assert page.looked_until is None or not page.newer
            numbers_listed += [row.number for row in answer.context["rows"]]
            query = page.newer_address if page.newer else ""

        assert numbers_listed == [numbers[0]]

    def test_that_are_empty_say_what_to_do(self, browser):
        assert "No orders yet" in ask(browser).content.decode()
        assert "Nothing is called “zzz”" in ask(browser, q="zzz").content.decode()
        assert "No order is like that now" in ask(browser, hold="grace").content.decode()


class TestAnOddAddress:
    @pytest.mark.parametrize(
        "query",
        [
            {"q": "x" * 10_000},
            {"q": "\0"},
            {"q": "%"},
            {"q": "%00"},
            {"q": "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")},
            {"o": "999"},
            {"e": "1"},
            {"_popup": "1"},
            {"_facets": "1"},
            {"all": ""},
            {"p": "-1"},
            {"p": "1000000000"},
        ],
        ids=lambda query: str(query)[:40],
    )
    def test_is_answered(self, shop, browser, query):
        captured(shop)

        assert ask(browser, **query).status_code == 200

    @pytest.mark.parametrize(
        "query",
        [
            {"status": "sold"},
            {"hold": "\0"},
            {"store": "a\0b"},
            {"units": "-1"},
            {"units": "9" * 40},
            {"placed": "2024-13"},
            {"placed": "0000"},
            {"placed": "last week"},
            {"since": "2024-02-30"},
            {"until": "9999-12-31"},
            {"after": "yesterday"},
            {"after": "1." + "9" * 30},
            {"before": "\0"},
        ],
        ids=lambda query: str(query)[:40],
    )
    def test_is_led_back_to_the_whole_list(self, shop, browser, query):
        captured(shop)

        answer = ask(browser, **query)

        assert (answer.status_code, answer.headers["Location"]) == (302, f"{LIST}?e=1")
        assert "could not be understood" in browser.get(f"{LIST}?e=1").content.decode()

    @pytest.mark.parametrize(
        "query",
        [
            {"tenant__pseudonym_key__startswith": "a"},
            {"customer_email__icontains": "a"},
            {"number": "NS00000001"},
            {"status__in": "open"},
        ],
        ids=str,
    )
    def test_cannot_filter_by_what_is_not_offered(self, shop, browser, query):
        assert ask(browser, **query).status_code == 400

    def test_names_no_orders_to_act_on(self, shop, browser):
        for key in ("abc", "-1", "1.5", "\0"):
            answer = browser.post(
                LIST, {"action": "export_orders", "index": "0", "_selected_action": key}
            )
            assert answer.status_code == 400


class TestCost:
    def test_is_the_same_for_one_order_and_for_a_page_of_them(self, shop, browser):
        """The tenant, the orders, their holds, what their items say, views and places."""

        def own_queries(**query: Any) -> list[str]:
            with CaptureQueriesContext(connection) as question:
                assert ask(browser, **query).status_code == 200
            return [q["sql"] for q in question if "orders_" in q["sql"] or "location" in q["sql"]]

        queries = ({}, {"status": "on_hold"}, {"hold": "grace"}, {"q": "SKU-1"}, {"store": "X"})
        captured(shop, grace_period=600), captured(shop, grace_period=600)
        few = [len(own_queries(**query)) for query in queries]
        for _ in range(10):
            captured(shop, *items(3), grace_period=600)

        assert [len(own_queries(**query)) for query in queries] == few
        assert max(few) <= 6

    def test_counts_nothing(self, shop, browser):
        captured(shop)

        with CaptureQueriesContext(connection) as question:
            ask(browser)

        counting = re.compile(r"count\(", re.IGNORECASE)
        assert [
            q["sql"] for q in question if counting.search(q["sql"]) and "GROUP BY" not in q["sql"]
        ] == []

    def test_reads_orders_along_indexes_whatever_is_asked(self, shop, browser):
        """With sequential scans forbidden, PostgreSQL uses one only where it has no other way."""
        sample = captured(shop, grace_period=600)
        loading.load(shop.tenant, sample.uuid, first=0, count=2_000, customer=lambda n: f"C-{n}")
        question = {
            "status": "open",
            "outcome": "partly_cancelled",
            "hold": "support",
            "due": "yes",
            "conflict": "yes",
            "channel": "store",
            "store": "NY5AVE",
            "location": "DC-EAST",
            "units": "20",
            "external": "yes",
            "since": "2024-01-01",
            "until": "2024-12-31",
            "placed": "2024-05",
            "after": str(paging.cursor_of(sample)),
        }
        assert set(question) >= set(filters.BY_NAME)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE orders_order, orders_item, orders_hold")
            cursor.execute("SET LOCAL enable_seqscan = off")
        for query in ({}, *({name: value} for name, value in question.items())):
            with CaptureQueriesContext(connection) as queries:
                assert ask(browser, **query).status_code == 200
            statements = [q["sql"] for q in queries if "orders_order" in q["sql"]]
            assert statements
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN {statement}")
                    plan = "\n".join(line for (line,) in cursor.fetchall())
                assert "Seq Scan on orders_" not in plan, (query, plan)

"""The console's first page: what it counts is what its lists show, of one's own tenant only."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from configuration import keys
from orders.admin.plot import plot
from orders.models import Order
from orders.services.console import overview
from orders.services.holds import actions as hold_actions
from tests.console.people import signed_in
from tests.factories import LocationFactory, TenantFactory
from tests.orders.shop import Shop, items, order, stored
from webhooks.models import Event, ExternalOms

pytestmark = pytest.mark.django_db
HOME = "/console/"
XSS = "<script>alert(1)</script>"


@pytest.fixture
def shop() -> Shop:
    return Shop()


def captured(shop: Shop, *units: Any, country: str = "US", **fields: Any) -> Order:
    address = {"shipping_address": {"country_code": country}}
    return stored(shop.captured(order(*units, **address | fields)))


def busy(shop: Shop) -> None:
    """Orders of every kind that waits, and one that does not."""
    LocationFactory(tenant=shop.tenant, type="dc", country_codes=["US"])
    captured(shop)
    captured(shop, country="AU")  # nobody can fulfill it
    shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 2})
    captured(shop, *items(3))
    shop.set(keys.ON_HOLD_TIMER_DURATION, 1800)
    captured(shop)
    captured(shop)
    shop.set(keys.ON_HOLD_TIMER_DURATION, 7200)
    held = captured(shop)
    hold_actions.place(
        tenant=shop.tenant, reference=str(held.uuid), reason="asked", actor="staff:x"
    )


def tiles(page: Any) -> dict[str, tuple[str, str]]:
    text = [*page.context["waiting"], *page.context["statuses"]]
    return {tile["label"]: (str(tile["count"]), tile["url"]) for tile in text}


class TestTiles:
    def test_count_what_waits_and_link_to_a_list_of_just_that(self, shop):
        busy(shop)
        browser = signed_in("support", shop.tenant)

        text = tiles(browser.get(HOME))

        assert {label: count for label, (count, _) in text.items()} == {
            "Grace ends within the hour": "2",
            "In their grace period": "3",
            "Big orders to approve": "1",
            "Held by support": "1",
            "In conflict": "1",
            "On hold": "4",
            "Open": "2",
            "Closed": "0",
        }
        for label, (count, url) in text.items():
            rows = browser.get(url, follow=True).context.get("rows")
            assert rows is None or len(rows) == int(count), label  # one alone is shown whole

    def test_say_since_when(self, shop):
        busy(shop)
        text = signed_in("support", shop.tenant).get(HOME).content.decode()

        assert re.search(r"first <time[^>]*>in (30|29) min", text)
        assert re.search(r"oldest placed <time[^>]*>2024-05-01</time>", text)

    def test_count_no_further_than_matters(self, shop):
        one = captured(shop)
        Order.objects.filter(pk=one.pk).update(status="closed")
        one.refresh_from_db()
        rows = []
        for number in range(overview.MOST):
            row = Order.objects.get(pk=one.pk) if not rows else rows[0]
            values = {f.attname: getattr(row, f.attname) for f in Order._meta.concrete_fields}
            values |= {"id": None, "number": f"X{number}", "external_id": f"X{number}"}
            values["uuid"] = f"00000000-0000-4000-8000-{number:012d}"
            rows.append(Order(**values))
        Order.objects.bulk_create(rows)

        counts = overview.counts([shop.tenant])[shop.tenant.pk]

        assert str(counts["status:closed"]) == "1,000+"
        assert "1,000+" in signed_in("support", shop.tenant).get(HOME).content.decode()

    def test_of_another_tenant_are_not_counted(self, shop):
        busy(shop)

        text = tiles(signed_in("admin", TenantFactory()).get(HOME))

        assert {count for count, _ in text.values()} == {"0"}


class TestPlot:
    def test_shows_today_beside_the_same_day_of_last_week(self, shop):
        today = now().replace(hour=0, minute=0, second=0, microsecond=0)
        moments = [today, today, today - dt.timedelta(days=7) + dt.timedelta(hours=5)]
        moments += [today - dt.timedelta(days=1), today - dt.timedelta(days=6)]
        for moment in moments:
            captured(shop, placed_at=moment.isoformat())

        hours = overview.hours(shop.tenant)

        assert (hours.day, hours.hour) == (today, now().hour)
        assert hours.today == [2, *[0] * 23]
        assert hours.last_week == [*[0] * 5, 1, *[0] * 18]

    def test_is_drawn_and_told_in_words_and_as_a_table(self, shop):
        today = now().replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(5):
            captured(shop, placed_at=today.isoformat())
        text = signed_in("support", shop.tenant).get(HOME).content.decode()

        drawn = re.search(r"<svg.*?</svg>", text, re.DOTALL)[0]
        details = re.sub(r"\s+", " ", text)

        heights = [float(h) for h in re.findall(r'"dashboard-today"[^>]* height="([\d.]+)"', drawn)]
        assert heights == [180.0, *[0.0] * 23]
        assert "5 orders placed today." in details
        assert '<th scope="row">0:00</th><td>5</td><td>0</td>' in details

    def test_of_a_quiet_day_is_low(self):
        quiet = overview.Hours(now(), 3, [1, *[0] * 23], [0] * 24)

        drawn = plot(quiet)

        assert (drawn.bars[0].today_height, drawn.most) == (45, 4)
        assert drawn.sentence.startswith("1 orders placed today. Until 03:00 it was 1, and 0 last")


class TestOtherSystems:
    def test_are_told_by_what_is_known(self, shop):
        browser = signed_in("support", shop.tenant)
        assert "None waits" in browser.get(HOME).content.decode()
        captured(shop)

        text = browser.get(HOME).content.decode()
        assert "Kept, not delivered yet" in text
        assert "Never asked" in text

        late = captured(shop, placed_at="2001-05-01T12:00:00Z")  # and captured only now
        Event.objects.exclude(subject=late.uuid).update(published_at="2024-05-01T12:00:00Z")
        text = browser.get(HOME).content.decode()
        assert re.search(r"the oldest is from <time[^>]*>2024-05-01</time>", text)

        ExternalOms.objects.create(
            tenant=shop.tenant,
            failures=5,
            rests_until=now() + dt.timedelta(seconds=30),
            last_error="timeout",
            last_error_text=f"No answer {XSS}",
            last_error_at=now(),
        )
        text = browser.get(HOME).content.decode()
        assert "Resting: No answer &lt;script&gt;" in text
        assert XSS not in text


class TestOperator:
    def test_sees_every_tenant_and_then_one(self, shop):
        busy(shop)
        TenantFactory(slug="quiet", name=XSS)
        browser = signed_in("operator")

        page = browser.get(HOME)

        assert XSS not in page.content.decode()
        rows = {row["tenant"].slug: row for row in page.context["tenants"]}
        assert set(rows) == {"quiet", shop.tenant.slug}
        one = browser.get(rows[shop.tenant.slug]["url"])
        assert tiles(one)["On hold"] == (
            "4",
            f"/console/orders/order/?status=on_hold&tenant={shop.tenant.slug}",
        )
        assert len(browser.get(tiles(one)["On hold"][1]).context["rows"]) == 4

    @pytest.mark.parametrize("slug", ["nobody", "%00", "x" * 5000])
    def test_is_told_that_there_is_no_such_tenant(self, slug):
        assert signed_in("operator").get(f"{HOME}?tenant={slug}").status_code == 404

    def test_alone_may_choose(self, shop):
        busy(shop)
        mine = TenantFactory()

        page = signed_in("admin", mine).get(f"{HOME}?tenant={shop.tenant.slug}")

        assert page.context["tenant"] == mine


class TestCost:
    def queries(self, browser: Any) -> int:
        """Those of the page itself: not who is asking, and may they."""
        with CaptureQueriesContext(connection) as ran:
            assert browser.get(HOME).status_code == 200
        ours = re.compile(r'(FROM|JOIN) "?(orders_|webhooks_|configuration_tenant)')
        return sum(
            bool(ours.search(query["sql"])) and "membership" not in query["sql"]
            for query in ran.captured_queries
        )

    @pytest.mark.parametrize("role", ["support", "operator"])
    def test_is_the_same_for_few_and_many(self, shop, role):
        browser = signed_in(role, None if role == "operator" else shop.tenant)
        self.queries(browser)
        few = self.queries(browser)
        busy(shop)
        TenantFactory()

        assert self.queries(browser) == few + (role == "support")  # there are events to ask for
        assert few <= 8

    def test_is_that_of_indexes(self, shop):
        busy(shop)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            for statement, existing in (
                (overview._COUNTS, [[shop.tenant.pk]]),
                (overview._HOURS, [shop.tenant.pk]),
            ):
                cursor.execute(f"EXPLAIN {statement}", existing)
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert "Seq Scan on orders_" not in plan, plan

"""Orders leave as CSV that every reader understands and no spreadsheet executes."""

import csv
import gc
import io
import tracemalloc
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from structlog.testing import capture_logs

from bench import loading
from ordermgmt import waiting
from orders.admin import export, paging
from orders.models import Item, Order
from tests.console.desk import heard
from tests.console.people import signed_in
from tests.orders.shop import Shop, items, order, stored

pytestmark = pytest.mark.django_db
LIST = "/console/orders/order/"


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def browser(shop: Shop) -> Any:
    return signed_in("support", shop.tenant)


def captured(shop: Shop, *units: Any, **said: Any) -> Order:
    return stored(shop.captured(order(*units, **said)))


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(answer), newline=""), strict=True))


def exported(browser: Any, form: str = "orders", **query: str) -> Any:
    return browser.post(f"{LIST}export/", {"form": form}, query_params=query)


class TestOrders:
    def test_are_one_row_each(self, shop, browser):
        made = captured(
            shop,
            *items(2),
            external_id="WEB-77",
            grace_period=600,
            customer={"name": "Grace Hopper", "email": "grace@example.com"},
        )

        [row] = rows(exported(browser))

        assert (
            row.items()
            >= {
                "tenant": shop.tenant.slug,
                "number": made.number,
                "external_id": "WEB-77",
                "id": str(made.uuid),
                "status": "on_hold",
                "holds": "grace",
                "placed_at": "2024-05-01T12:00:00+00:00",
                "customer_name": "Grace Hopper",
                "customer_email": "grace@example.com",
                "units": "2",
                "currency": "EUR",
                "total": "22.0000",
            }.items()
        )

    def test_are_those_that_are_asked_for_on_whatever_page(self, shop, browser, monkeypatch):
        monkeypatch.setattr(export, "BATCH", 2)
        monkeypatch.setattr(paging, "WINDOW", 2)
        made = [
            captured(shop, placed_at=f"2024-05-0{day}T12:00:00Z", channel_type=channel)
            for day, channel in enumerate(("web", "mobile", "web", "mobile", "web"), 1)
        ]

        def numbers(**query: str) -> list[str]:
            return [row["number"] for row in rows(exported(browser, **query))]

        newest = [one.number for one in reversed(made)]
        assert numbers() == newest
        assert numbers(channel="web") == newest[::2]
        assert numbers(q=made[1].number) == [made[1].number]
        assert numbers(placed="2024-05-03") == [made[2].number]
        assert numbers(store="nowhere") == []

    def test_are_those_that_are_selected(self, shop, browser):
        made = [captured(shop) for _ in range(3)]
        theirs = captured(Shop())

        def numbers(**said: Any) -> set[str]:
            chosen = [made[0].pk, made[2].pk, theirs.pk]
            said = {"action": "export_orders", "index": 0, "_selected_action": chosen} | said
            return {row["number"] for row in rows(browser.post(LIST, said))}

        assert numbers() == {made[0].number, made[2].number}
        assert numbers(select_across=1) == {one.number for one in made}


class TestItems:
    def test_are_one_row_each_with_their_order(self, shop, browser):
        made = captured(shop, *items(2))
        other = captured(shop, placed_at="2024-04-01T12:00:00Z")

        found = rows(exported(browser, "items"))

        assert [(row["order_number"], row["position"]) for row in found] == [
            (made.number, "1"),
            (made.number, "2"),
            (other.number, "1"),
        ]
        assert found[0]["gross"] == "11.0000"
        assert found[0]["product_id"] == "SKU-1"

    def test_can_be_those_of_selected_orders(self, shop, browser):
        made = captured(shop, *items(2))
        captured(shop)

        said = {"action": "export_items", "index": 0, "_selected_action": made.pk}
        assert {row["order_number"] for row in rows(browser.post(LIST, said))} == {made.number}


class TestTheForm:
    def test_is_that_of_rfc_4180_in_utf_8(self, shop, browser):
        captured(shop, customer={"name": 'Ünal, "Bob"\r\nJr.', "email": "a@example.com"})

        answer = exported(browser)
        lines = text(answer)

        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="orders.csv"'
        assert '"Ünal, ""Bob""\r\nJr."' in lines
        assert lines.endswith("\r\n")
        assert lines.startswith("tenant,number,external_id,")

    @pytest.mark.parametrize(
        "first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
    )
    def test_has_no_formula_whoever_wrote_it(self, shop, browser, first):
        evil = f"{first}HYPERLINK(1)"
        captured(shop)
        Order.objects.update(
            external_id=evil,
            channel_name=evil,
            store_id=evil,
            customer_email=evil,
            details={"customer": {"name": evil}},
        )
        Item.objects.update(product_id=evil, serial_number=evil, tracking_code=evil, carrier=evil)

        cells = [
            cell
            for form in ("orders", "items")
            for row in rows(exported(browser, form))
            for cell in row.values()
        ]

        assert cells.count(f"'{evil}") == 5 + 1 + 4
        assert not [cell for cell in cells if cell.startswith(first)]

    def test_a_cell_that_begins_with_nul_is_no_formula_either(self):
        assert export._cell("\0=1") == "'\0=1"


class TestWho:
    @pytest.mark.parametrize("form", ["orders", "items"])
    def test_sees_nobody_elses(self, shop, browser, form):
        captured(Shop())

        assert rows(exported(browser, form)) == []

    def test_may_not_export_is_refused_and_not_offered(self, shop, browser):
        Group.objects.get(name="support").permissions.remove(
            Permission.objects.get(codename="export_order")
        )
        made = captured(shop)

        assert exported(browser).status_code == 403
        said = {"action": "export_orders", "index": 0, "_selected_action": made.pk}
        assert browser.post(LIST, said).status_code == 302
        assert "Export orders" not in browser.get(LIST).content.decode()

    def test_only_looks_gets_nothing(self, shop, browser):
        assert browser.get(f"{LIST}export/").status_code == 405

    def test_asks_for_another_form_is_refused(self, browser):
        assert exported(browser, "passwords").status_code == 400
        assert exported(browser, status="sold").status_code == 302

    def test_took_what_away_is_written_down_without_whom_they_searched(self, shop, browser):
        captured(shop, customer={"name": "X", "email": "x@example.com"})

        with capture_logs() as said:
            text(exported(browser, channel="web", q="x@example.com"))

        [line] = [line for line in said if line["event"] == "export"]
        person = User.objects.get()
        assert line["actor"] == f"staff:{person.username}"
        assert (line["tenants"], line["form"], line["rows"]) == ([shop.tenant.slug], "orders", 1)
        assert line["asked"].startswith("channel=web")
        assert "example.com" not in str(line)

    def test_goes_away_in_the_middle_is_written_down_too(self, shop, browser, monkeypatch):
        monkeypatch.setattr(export, "BATCH", 1)
        for _ in range(3):
            captured(shop)

        answer = exported(browser)
        with capture_logs() as said:
            next(answer.streaming_content), next(answer.streaming_content)
            answer.close()

        assert [line["rows"] for line in said if line["event"] == "export"] == [1]


def test_memory_does_not_grow_with_the_number_of_orders(shop, browser, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 50)
    sample = captured(shop)

    def peak() -> int:
        """The most memory at once, beyond what was there before."""
        answer = exported(browser)
        tracemalloc.start()
        try:
            number = sum(part.count(b"\r\n") for part in answer.streaming_content)
            assert number == Order.objects.count() + 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    loading.load(shop.tenant, sample.uuid, first=0, count=200, customer=lambda _: "C-1")
    peak()  # what is kept for good, is kept now
    few = peak()
    loading.load(shop.tenant, sample.uuid, first=200, count=2_000, customer=lambda _: "C-1")

    assert peak() < 1.5 * few


class TestSlowReaders:
    """Each holds a thread of the web server to its end, so there are only so many."""

    def test_one_tenants_take_half_of_the_places_and_leave_some_to_others(self, shop, browser):
        captured(shop)
        running = [exported(browser) for _ in range(waiting.ASIDE // 2)]
        assert {answer.status_code for answer in running} == {200}

        refused = exported(browser, status="open")

        assert refused.status_code == 302
        assert refused.url == f"{LIST}?status=open"
        assert heard(browser) == ["Too many downloads are running. Try again when one has ended."]
        other = Shop()
        assert exported(signed_in("support", other.tenant)).status_code == 200

    @pytest.mark.parametrize("end", ["read", "lost"])
    def test_a_place_is_free_again_however_a_download_ends(self, shop, browser, end):
        captured(shop)
        for _ in range(2 * waiting.ASIDE):
            answer = exported(browser)
            assert answer.status_code == 200
            if end == "read":
                text(answer)
            del answer
            gc.collect()  # Django's test client ties a knot

        assert not waiting._waiting

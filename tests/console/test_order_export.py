"""Orders leave as CSV that every reader understands and no spreadsheet executes."""

import csv
import gc
import io
import re
import tracemalloc
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from structlog.testing import capture_logs

from bench import loading
from ordermgmt.http import outbound_waits
from orders.admin import export, export_columns, paging
from orders.models import Item, Order
from orders.services import cancellation
from tests.console.agent import heard
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


def captured(shop: Shop, *units: Any, **fields: Any) -> Order:
    return stored(shop.captured(order(*units, **fields)))


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(answer), newline=""), strict=True))


def exported(browser: Any, form: str = "orders", **query: str) -> Any:
    return browser.post(f"{LIST}export/", {"form": form}, query_params=query)


class TestOrders:
    def test_are_one_row_each(self, shop, browser):
        new_order = captured(
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
                "number": new_order.number,
                "external_id": "WEB-77",
                "id": str(new_order.uuid),
                "status": "on_hold",
                "holds": "grace",
                "outcome": "",
                "placed_at_utc": "2024-05-01 12:00:00",
                "customer_name": "Grace Hopper",
                "customer_email": "grace@example.com",
                "units": "2",
                "currency": "EUR",
                "total": "22.00",
                "remaining_total": "22.00",
            }.items()
        )

    def test_are_those_that_are_asked_for_on_whatever_page(self, shop, browser, monkeypatch):
        monkeypatch.setattr(export, "BATCH", 2)
        monkeypatch.setattr(paging, "WINDOW", 2)
        new_orders = [
            captured(shop, placed_at=f"2024-05-0{day}T12:00:00Z", channel_type=channel)
            for day, channel in enumerate(("web", "mobile", "web", "mobile", "web"), 1)
        ]

        def numbers(**query: str) -> list[str]:
            return [row["number"] for row in rows(exported(browser, **query))]

        newest = [one.number for one in reversed(new_orders)]
        assert numbers() == newest
        assert numbers(channel="web") == newest[::2]
        assert numbers(q=new_orders[1].number) == [new_orders[1].number]
        assert numbers(placed="2024-05-03") == [new_orders[2].number]
        assert numbers(store="nowhere") == []

    def test_are_those_that_are_selected(self, shop, browser):
        new_orders = [captured(shop) for _ in range(3)]
        theirs = captured(Shop())

        def numbers(**fields: Any) -> set[str]:
            chosen = [new_orders[0].pk, new_orders[2].pk, theirs.pk]
            fields = {"action": "export_orders", "index": 0, "_selected_action": chosen} | fields
            return {row["number"] for row in rows(browser.post(LIST, fields))}

        assert numbers() == {new_orders[0].number, new_orders[2].number}
        assert numbers(select_across=1) == {one.number for one in new_orders}


class TestItems:
    def test_are_one_row_each_with_their_order(self, shop, browser):
        new_order = captured(shop, *items(2))
        other = captured(shop, placed_at="2024-04-01T12:00:00Z")

        results = rows(exported(browser, "items"))

        assert [(row["order_number"], row["position"]) for row in results] == [
            (new_order.number, "1"),
            (new_order.number, "2"),
            (other.number, "1"),
        ]
        assert results[0]["gross"] == "11.00"
        assert results[0]["product_id"] == "SKU-1"

    def test_can_be_those_of_selected_orders(self, shop, browser):
        new_order = captured(shop, *items(2))
        captured(shop)

        body = {"action": "export_items", "index": 0, "_selected_action": new_order.pk}
        assert {row["order_number"] for row in rows(browser.post(LIST, body))} == {new_order.number}


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
        assert export_columns.cell("\0=1") == "'\0=1"


WHERE = {
    "first_name": "Ada",
    "last_name": "Byron",
    "address_line_1": "1 Main Street",
    "city": "Dresden",
    "zip_code": "01067",
    "country_code": "DE",
    "phone": "0351123456",
}
WHO = {"id": "C-1", "name": "Ada Byron", "email": "ada@example.com"}
PAID = {
    "type": "captured",
    "amount": 11,
    "method": "credit_card",
    "processor": "adyen",
    "processed_at": "2024-05-01T12:00:00Z",
    "correlation_ref": "00PSP-1",
}


class TestWhatASpreadsheetReads:
    @pytest.mark.parametrize(
        ("currency", "price", "total"),
        [
            ("JPY", {"net": 1000, "tax": 100, "gross": 1100}, "1100"),
            ("EUR", {"net": 1000, "tax": 79.2, "gross": 1079.2}, "1079.20"),
            ("KWD", {"net": 10, "tax": 0.125, "gross": 10.125}, "10.125"),
        ],
    )
    def test_amounts_have_their_currencys_decimals(self, shop, browser, currency, price, total):
        captured(shop, *items(1, price=price), currency=currency)

        [one], [unit] = rows(exported(browser)), rows(exported(browser, "items"))

        assert (one["total"], one["gross"], unit["gross"]) == (total, total, total)

    @pytest.mark.parametrize(
        "text",
        [
            "00123",
            "01067",
            "0123456789012345",
            " 007",
            "4006381333931",
            "1E5",
            "12e-3",
            "3-4",
            "1/2",
            "12.5.",
            "2024-05-01",
            "12:30",
            "MAR1",
            "Sept-2",
            "1-Dec",
            "5%",
            " =1",
        ],
    )
    def test_text_that_it_would_turn_into_something_else_stays_text(self, shop, browser, text):
        captured(shop)
        Order.objects.update(external_id=text, store_id=text)
        Item.objects.update(product_id=text)

        [one], [unit] = rows(exported(browser)), rows(exported(browser, "items"))

        assert {one["external_id"], one["store_id"], unit["product_id"]} == {f"'{text}"}

    @pytest.mark.parametrize(
        "text", ["12345", "WEB-77", "SKU-1", "020 7946 0000", "NY5AVE", "Mara", "3-A", "0", "0x1"]
    )
    def test_text_that_it_leaves_alone_is_as_it_was(self, shop, browser, text):
        captured(shop)
        Order.objects.update(external_id=text)

        [one] = rows(exported(browser))

        assert one["external_id"] == text

    def test_what_became_of_an_order_and_what_remains(self, shop, browser):
        new_order = captured(shop, *items(2))
        Item.objects.filter(order=new_order, position=0).update(status="cancelled")

        [one] = rows(exported(browser))

        assert (one["status"], one["outcome"]) == ("open", "partly_cancelled")
        assert (one["total"], one["remaining_total"]) == ("22.00", "11.00")


class TestColumns:
    def chosen(self, browser: Any, *columns: str, form: str = "orders", **fields: Any) -> Any:
        return browser.post(f"{LIST}export/", {"form": form, "columns": columns} | fields)

    @pytest.fixture
    def example(self, shop) -> Order:
        stored_order = captured(
            shop,
            customer=WHO,
            shipping_address=WHERE,
            billing_address=WHERE | {"last_name": "Lovelace"},
            payments=[PAID],
        )
        cancellation.cancel(
            tenant=shop.tenant,
            reference=str(stored_order.uuid),
            id_type="internal",
            reason="=She changed her mind",
            note="Twice",
            actor="staff:x",
        )
        return stored_order

    COLUMNS = (
        *("number", "shipping_first_name", "shipping_zip_code", "shipping_phone"),
        *("billing_last_name", "payments", "payment_references", "cancellation_reason"),
        *("cancellation_note", "customer_email"),
    )

    def test_are_those_that_are_chosen_in_their_order(self, shop, browser, example):
        answer = self.chosen(browser, *reversed(self.COLUMNS))

        [one] = rows(answer)
        assert list(one) == [c.name for c in export.FORMS["orders"].columns if c.name in one]
        assert one == {
            "number": example.number,
            "customer_email": "ada@example.com",
            "shipping_first_name": "Ada",
            "shipping_zip_code": "'01067",
            "shipping_phone": "'0351123456",
            "billing_last_name": "Lovelace",
            "payments": "captured credit_card adyen 11.00 EUR",
            "payment_references": "00PSP-1",
            "cancellation_reason": "'=She changed her mind",
            "cancellation_note": "Twice",
        }

    def test_of_an_item_may_be_its_orders(self, browser, example):
        [one] = rows(
            self.chosen(browser, "product_id", "shipping_city", "cancellation_reason", form="items")
        )

        assert one == {
            "product_id": "SKU-1",
            "shipping_city": "Dresden",
            "cancellation_reason": "'=She changed her mind",
        }

    def test_are_offered_on_a_page_of_their_own(self, browser, example):
        assert (
            "choose/orders/?status=closed" in browser.get(f"{LIST}?status=closed").content.decode()
        )

        page = browser.get(f"{LIST}export/choose/orders/?status=closed").content.decode()

        for column in export.FORMS["orders"].columns:
            box = re.search(rf'<input[^>]*value="{column.name}"[^>]*>', page)[0]
            assert bool(re.search(r" checked\b(?!:)", box)) == column.is_usual
        assert f'action="{LIST}export/?status=closed"' in page

    def test_that_are_not_chosen_are_the_usual_ones(self, browser, example):
        [one] = rows(exported(browser))

        assert "shipping_zip_code" not in one
        assert set(one) == {c.name for c in export.FORMS["orders"].columns if c.is_usual}

    def test_can_be_chosen_for_selected_orders(self, shop, browser, example):
        other = captured(shop)
        ticked = {
            "action": "choose_order_columns",
            "index": 0,
            "_selected_action": [example.pk],
        }

        page = browser.post(LIST, ticked).content.decode()

        assert other.pk != example.pk
        [keys] = re.findall(r'name="orders" value="([\d,]*)"', page)
        [one] = rows(self.chosen(browser, "number", orders=keys))
        assert one == {"number": example.number}

    @pytest.mark.parametrize("choice", [{"columns": ["password"]}, {"orders": "1;2"}])
    def test_that_are_none_are_refused(self, browser, example, choice):
        assert browser.post(f"{LIST}export/", {"form": "orders"} | choice).status_code == 400

    def test_of_a_form_that_is_none_are_refused(self, browser):
        assert browser.get(f"{LIST}export/choose/passwords/").status_code == 404

    def test_that_are_personal_are_tokens_where_the_tenant_wants_that(self):
        shop = Shop(uses_pii_tokens=True)
        new_order = captured(shop, customer=WHO, shipping_address=WHERE, billing_address=WHERE)
        browser = signed_in("support", shop.tenant)
        personal = [c.name for c in export.FORMS["orders"].columns if c.is_personal]

        for form in ("orders", "items"):
            names = [c.name for c in export.FORMS[form].columns if c.is_personal]
            [one] = rows(self.chosen(browser, *names, form=form))
            for secret in (*WHO.values(), "Byron", "1 Main Street", "0351123456"):
                assert secret not in one.values()
        [one] = rows(self.chosen(browser, *personal))
        details = shop.order(new_order.uuid)

        address = details["shipping_address"]
        assert one["customer_name"] == details["customer"]["name"]
        assert one["customer_email"] == details["customer"]["email"]
        assert one["customer_id"] == details["customer"]["id"]
        for name in ("first_name", "last_name", "address_line_1", "phone"):
            assert one[f"shipping_{name}"] == address[name]
        assert one["shipping_second_name"] == ""

    def test_are_written_down(self, browser, example):
        with capture_logs() as body:
            text(self.chosen(browser, "number", "shipping_phone"))

        [line] = [line for line in body if line["event"] == "export"]
        assert line["columns"] == ["number", "shipping_phone"]

    def test_need_the_permission(self, shop, browser, example):
        Group.objects.get(name="support").permissions.remove(
            Permission.objects.get(codename="export_order")
        )

        assert browser.get(f"{LIST}export/choose/orders/").status_code == 403


class TestWho:
    @pytest.mark.parametrize("form", ["orders", "items"])
    def test_sees_nobody_elses(self, shop, browser, form):
        captured(Shop())

        assert rows(exported(browser, form)) == []

    def test_may_not_export_is_refused_and_not_offered(self, shop, browser):
        Group.objects.get(name="support").permissions.remove(
            Permission.objects.get(codename="export_order")
        )
        new_order = captured(shop)

        assert exported(browser).status_code == 403
        body = {"action": "export_orders", "index": 0, "_selected_action": new_order.pk}
        assert browser.post(LIST, body).status_code == 302
        assert "Export orders" not in browser.get(LIST).content.decode()

    def test_only_looks_gets_nothing(self, shop, browser):
        assert browser.get(f"{LIST}export/").status_code == 405

    def test_asks_for_another_form_is_refused(self, browser):
        assert exported(browser, "passwords").status_code == 400
        assert exported(browser, status="sold").status_code == 302

    def test_took_what_away_is_written_down_without_whom_they_searched(self, shop, browser):
        captured(shop, customer={"name": "X", "email": "x@example.com"})

        with capture_logs() as body:
            text(exported(browser, channel="web", q="x@example.com"))

        [line] = [line for line in body if line["event"] == "export"]
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
        with capture_logs() as body:
            next(answer.streaming_content), next(answer.streaming_content)
            answer.close()

        assert [line["rows"] for line in body if line["event"] == "export"] == [1]


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
        running = [exported(browser) for _ in range(outbound_waits.OUTBOUND_WAITS // 2)]
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
        for _ in range(2 * outbound_waits.OUTBOUND_WAITS):
            answer = exported(browser)
            assert answer.status_code == 200
            if end == "read":
                text(answer)
            del answer
            gc.collect()  # Django's test client ties a knot

        assert not outbound_waits._waiting

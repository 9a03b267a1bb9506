"""Finding orders, a few or one, in a real browser on a running stack, and taking them away."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser.conftest import PHONE
from tests.e2e.stack import Stack
from tests.e2e.test_durability import Shop

SignIn = Callable[..., Page]
LIST = "/console/orders/order/"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
MANY = 55  # more than a page


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Shop:
    """A shop with more orders than a page shows, and some of their own kind."""
    shop = Shop(stack, "finding")
    for number in range(MANY):
        captured(shop, f"many-{number:02}", grace_period=0, channel_type="mobile")
    captured(shop, "waits-1", grace_period=3600)
    captured(
        shop,
        "hostile-1",
        customer={"name": HOSTILE, "email": "hostile@example.com"},
        channel_name=HOSTILE,
        grace_period=3600,
    )
    return shop


def captured(shop: Shop, name: str, **fields: Any) -> None:
    price = {"net": 10, "tax": 1, "gross": 11}
    serial = {"serial_number": f"SN-{name}"}
    body = {
        "external_id": name,
        "currency": "EUR",
        "items": [{"product_id": "SKU-1", "price": price, "external_identifier": serial}],
        "customer": {"name": "Ada Byron", "email": f"{name}@example.com"},
    }
    status, answer = shop.capture(body | fields)
    assert status == 200, answer


@pytest.fixture
def page(signed_in_as: SignIn, shop: Shop) -> Page:
    page = signed_in_as("support", tenant="finding")
    page.goto(LIST)
    return page


def rows(page: Page) -> Any:
    return page.locator("#result_list tbody tr")


@pytest.mark.parametrize("words", ["WAITS-1@example.com", "SN-waits-1", "waits-1"])
def test_an_order_is_found_by_what_the_caller_has_at_hand(page: Page, words: str) -> None:
    page.get_by_role("searchbox").first.fill(words)
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/order/\d+/change/"))
    expect(page.get_by_text("waits-1@example.com")).to_be_visible()


def test_nobody_of_another_tenant_finds_it(signed_in_as: SignIn, shop: Shop) -> None:
    page = signed_in_as("support", tenant="demo")

    for words in ("waits-1@example.com", "SN-waits-1", "waits-1"):
        page.goto(f"{LIST}?q={words}")
        expect(page.get_by_role("heading", name=f"Nothing is called “{words}”")).to_be_visible()


def test_filters_are_asked_named_and_taken_back(page: Page) -> None:
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Held by").select_option(label="Grace period")
    page.get_by_role("button", name="Apply").click()

    expect(rows(page)).to_have_count(2)
    expect(page.get_by_text(re.compile("Grace ends in 5. min")).first).to_be_visible()
    page.get_by_title("Ask without this").click()
    expect(rows(page)).to_have_count(50)


def test_pages_are_walked(page: Page) -> None:
    first = rows(page).first.inner_text()
    page.get_by_role("link", name="Older →").click()
    expect(rows(page)).to_have_count(MANY + 2 - 50)
    page.get_by_role("link", name="← Newer").click()
    expect(rows(page)).to_have_count(50)
    assert rows(page).first.inner_text().split("\n")[0] == first.split("\n")[0]


def test_a_view_is_saved_and_forgotten(page: Page) -> None:
    page.goto(f"{LIST}?channel=mobile")
    page.get_by_text("Save this view").click()
    page.get_by_label("Name of the view").fill("From phones")
    page.get_by_role("button", name="Save", exact=True).click()

    view = page.get_by_role("link", name="From phones")
    expect(view).to_have_attribute("aria-current", "page")
    page.goto(LIST)
    view.click()
    expect(page.get_by_title("Ask without this")).to_have_text(re.compile("Channel: Mobile app"))
    page.get_by_role("button", name="Forget the view From phones").click()
    expect(view).to_have_count(0)


def test_what_is_asked_for_is_taken_away_whole(page: Page, tmp_path: Path) -> None:
    page.goto(f"{LIST}?channel=mobile")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export orders").click()

    file = tmp_path / "orders.csv"
    download.value.save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        results = [row["external_id"] for row in csv.DictReader(opened, strict=True)]
    assert sorted(results) == [f"many-{number:02}" for number in range(MANY)]


def test_what_is_selected_is_counted_and_taken_away(page: Page, tmp_path: Path) -> None:
    page.goto(f"{LIST}?hold=grace")
    page.get_by_label(re.compile("Select order")).first.check()
    expect(page.locator(".action-counter")).to_have_text("1 of 2 selected")
    page.locator("select[name=action]").select_option("export_items")
    with page.expect_download() as download:
        page.get_by_role("button", name="Run").click()

    file = tmp_path / "items.csv"
    download.value.save_as(file)
    assert len(file.read_text(encoding="utf-8-sig").splitlines()) == 2


def test_nothing_that_is_stored_runs(page: Page) -> None:
    """A dialog or a violation of the policy would fail the test."""
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(f"{LIST}?q=hostile@example.com&channel=web")

    expect(page.get_by_text(HOSTILE)).to_be_visible()


def test_it_is_used_with_a_thumb(signed_in_as: SignIn, shop: Shop) -> None:
    page = signed_in_as("support", tenant="finding", viewport=PHONE)
    page.goto(LIST)

    expect(rows(page)).to_have_count(50)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    rows(page).first.get_by_role("link").click()
    page.wait_for_url(re.compile(r"/order/\d+/change/"))

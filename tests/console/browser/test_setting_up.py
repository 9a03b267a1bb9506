"""An admin sets a tenant up, and a supervisor sees how the day goes, in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser.conftest import PHONE
from tests.e2e.stack import Stack

SignIn = Callable[..., Page]
SETTINGS = "/console/configuration/setting/"


@pytest.fixture(scope="module")
def tenant(stack: Stack) -> str:
    """One that has nothing set yet."""
    stack.manage("tenant", "create", "fresh", "--name", "Fresh & Co")
    return "fresh"


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()


def test_a_setting_is_changed_and_its_history_tells(signed_in_as: SignIn, tenant: str) -> None:
    page = signed_in_as("admin", tenant=tenant)
    page.goto(SETTINGS)
    page.get_by_role("link", name="The size of big orders").click()

    for limit in ("-1", "12", "30"):
        page.get_by_label("Soft limit for big orders").fill(limit)
        save(page)

    expect(page.get_by_text("Saved.")).to_be_visible()
    history = page.get_by_role("listitem").filter(has_text="e2e-admin@fresh, version")
    expect(history).to_have_count(2)  # nobody can set it below 0
    expect(history.first).to_contain_text("12 → 30")


def test_a_form_opened_before_somebody_elses_change_is_refused(
    signed_in_as: SignIn, tenant: str
) -> None:
    one, other = (signed_in_as("admin", tenant=tenant) for _ in range(2))
    at = f"{SETTINGS}{tenant}/on_hold_timer_duration/"
    for page in (one, other):
        page.goto(at)
    for page, seconds in ((one, "900"), (other, "60")):
        page.get_by_label("Seconds").fill(seconds)
        save(page)

    expect(one.get_by_text("900 seconds (15 min)").first).to_be_visible()
    expect(other.get_by_text("It was changed meanwhile")).to_be_visible()
    other.goto(at)
    expect(other.get_by_label("Seconds")).to_have_value("900")


def test_numbers_are_previewed_while_one_types_and_set_for_good(
    signed_in_as: SignIn, tenant: str
) -> None:
    page = signed_in_as("admin", tenant=tenant)
    page.goto(f"{SETTINGS}{tenant}/sales_order_generator_sequence/")
    numbers = page.get_by_role("status")
    expect(numbers).to_contain_text("000000001")

    page.get_by_label("Prefix").fill("FR-")
    page.get_by_label("Size").fill("5")
    expect(numbers).to_contain_text("FR-00001 FR-00002")
    save(page)
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_label("Set this for good").check()
    save(page)

    expect(page.get_by_text("It was set for good")).to_be_visible()
    expect(page.get_by_label("Prefix")).to_be_disabled()
    expect(page.get_by_label("Size")).to_be_enabled()
    expect(page.get_by_role("status")).to_contain_text("FR-00001")


def test_a_clients_secret_is_shown_once(signed_in_as: SignIn, tenant: str) -> None:
    page = signed_in_as("admin", tenant=tenant)
    page.goto("/console/configuration/client/add/")
    page.get_by_label("Name").fill("web-shop")
    page.get_by_label("orders:read").check()
    page.get_by_role("button", name="Add client").click()
    first = page.locator("#client-secret").inner_text()
    assert len(first) >= 43

    page.get_by_role("link", name="I have kept it").click()
    expect(page.get_by_role("heading", name="web-shop", exact=True)).to_be_visible()
    assert first not in page.content()

    page.goto("/console/configuration/client/")
    page.get_by_role("link", name="web-shop").click()
    page.get_by_role("link", name="Rotate the secret").click()
    page.get_by_role("button", name="Rotate the secret").click()
    assert page.locator("#client-secret").inner_text() not in ("", first)


def test_a_location_is_made_on_a_phone(signed_in_as: SignIn, tenant: str) -> None:
    page = signed_in_as("admin", tenant=tenant, viewport=PHONE)
    page.goto("/console/configuration/location/add/")
    for label, words in {"Code": "DC1", "Name": "Depot"}.items():
        page.get_by_label(label, exact=False).first.fill(words)
    page.get_by_label("Serves countries").select_option(label=["Germany", "Austria"])
    page.get_by_label("Type").select_option("dc")
    page.get_by_role("button", name="Add location").click()

    expect(page.get_by_text("Made DC1.")).to_be_visible()
    expect(page.get_by_label("Serves countries")).to_have_values(["AT", "DE"])
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]


def test_every_number_of_the_first_page_is_that_of_the_list_behind_it(
    signed_in_as: SignIn,
) -> None:
    page = signed_in_as("supervisor")
    page.goto("/console/")
    expect(page.get_by_role("img", name="Orders placed in each hour")).to_be_visible()
    tiles = page.locator(".dashboard-tile:has(.dashboard-number)")
    text = [
        (int(tile.locator(".dashboard-number").inner_text()), tile.get_attribute("href"))
        for tile in tiles.all()
    ]
    assert len(text) >= 8

    for count, address in text:
        page.goto(str(address))
        if re.search(r"/change/", page.url):
            assert count == 1
        elif count <= 50:  # what fits one page
            expect(page.locator("#result_list tbody tr:visible")).to_have_count(count)


def test_a_day_is_told_without_seeing_it(signed_in_as: SignIn) -> None:
    page = signed_in_as("supervisor")
    page.goto("/console/")

    page.get_by_text("As a table").click()

    expect(page.get_by_role("rowheader", name="23:00")).to_be_visible()

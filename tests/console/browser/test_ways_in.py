"""Getting into the console in a browser: enrollment, codes, demo, pages for what goes wrong."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.console.browser.conftest import (
    PHONE,
    code_of,
    enroll,
    fill_in_code,
    fill_in_password,
)
from tests.e2e.stack import Stack

NewPage = Callable[..., Page]


def test_a_newcomer_enrolls_a_phone_and_needs_it_from_then_on(
    stack: Stack, new_page: NewPage
) -> None:
    new_order = stack.manage_json(
        "staff", "create", "new@demo", "--tenant", "demo", "--role", "support"
    )
    first = new_page()
    fill_in_password(first, "new@demo", new_order["password"])
    expect(first.locator(".c-qr svg")).to_be_visible()
    first.goto("/console/orders/order/")
    expect(first.get_by_role("heading", name="Enroll your phone")).to_be_visible()
    first.goto("/console/")
    secret = enroll(first)

    second = new_page(viewport=PHONE)
    fill_in_password(second, "new@demo", new_order["password"])
    fill_in_code(second, "000000")
    expect(second.get_by_text("This code is wrong")).to_be_visible()
    fill_in_code(second, code_of(secret, later=1))
    second.wait_for_url(re.compile("/console/$"))

    second.get_by_role("button", name="Open the navigation").click()
    second.get_by_role("button", name="new@demo").click()
    second.get_by_role("button", name="Log out").click()
    expect(second.get_by_role("heading", name="Signed out")).to_be_visible()


def test_the_demos_password_is_enough(stack: Stack, page: Page) -> None:
    record = json.loads((stack.data_dir / "demo.json").read_text())

    fill_in_password(page, "supervisor@demo", record["password"])

    page.wait_for_url(re.compile("/console/$"))
    assert record["password"] in stack.output()


def test_a_wrong_password_says_so_and_keeps_the_name(page: Page, faults: list[str]) -> None:
    fill_in_password(page, "nobody@demo", "not the password")

    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    expect(page.get_by_label("Username")).to_have_value("nobody@demo")


def test_an_absent_page_leads_back(signed_in_as: Callable[..., Page], faults: list[str]) -> None:
    page = signed_in_as("support")
    page.goto("/console/not/there/")

    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    [complaint] = faults
    assert "404" in complaint
    faults.clear()
    page.get_by_role("link", name="To the console").click()
    page.wait_for_url(re.compile("/console/$"))


def test_an_admin_lets_somebody_in(signed_in_as: Callable[..., Page], new_page: NewPage) -> None:
    page = signed_in_as("admin")
    page.goto("/console/")
    page.get_by_role("link", name="Staff").click()
    page.get_by_role("link", name="Add person").click()
    page.get_by_label("Username").fill("eve@demo")
    page.get_by_label("Role").select_option("supervisor")
    page.get_by_role("button", name="Add person").click()
    password = page.locator("#password").inner_text()

    other = new_page()
    fill_in_password(other, "eve@demo", password)

    expect(other.get_by_role("heading", name="Enroll your phone")).to_be_visible()

"""The main pages shut nobody out, by axe-core, in the light and in the dark; and by keyboard."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.console.browser.conftest import (
    PHONE,
    code_of,
    fill_in_code,
    fill_in_password,
)
from tests.console.browser.pages import ORDERS, VIEWS, View
from tests.e2e.stack import Stack

NewPage = Callable[..., Page]


def complaints(page: Page) -> list[str]:
    """What axe-core finds in both themes, however grave."""
    results = []
    page.emulate_media(reduced_motion="reduce")
    for theme in ("light", "dark"):
        page.evaluate(
            "dark => document.documentElement.classList.toggle('dark', dark)", theme == "dark"
        )
        results += [f"{theme}: {words}" for words in _violations(page)]
    return results


def _violations(page: Page) -> list[str]:
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{violation['id']} {node['target']} {node['html'][:200]}\n{node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


def test_what_shuts_people_out_is_found(page: Page) -> None:
    page.goto("/console/")
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")

    assert ["label" in words for words in complaints(page)] == [True, True]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_page_shuts_nobody_out_and_fits_a_phone(
    view: View, signed_in_as: NewPage, new_page: NewPage
) -> None:
    page = signed_in_as(view.role) if view.role else new_page()
    view.open(page)

    results = complaints(page)

    assert not results, "\n\n".join(results)
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_way_in_shuts_nobody_out(stack: Stack, new_page: NewPage) -> None:
    name = "axe@demo"
    new_order = stack.manage_json("staff", "create", name, "--tenant", "demo", "--role", "support")
    page = new_page()
    fill_in_password(page, name, new_order["password"])
    results = complaints(page)
    secret = page.locator(".c-secret").inner_text()
    fill_in_code(page, code_of(secret), button="Enroll")
    results += complaints(page)
    page.context.clear_cookies()
    fill_in_password(page, name, new_order["password"])
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    results += complaints(page)

    assert not results, "\n\n".join(results)


def test_an_order_is_found_and_held_by_keyboard_alone(signed_in_as: NewPage) -> None:
    page = signed_in_as("support")
    page.goto(ORDERS)
    page.locator("#searchbar").focus()
    page.keyboard.type("DEMO-0288")
    page.keyboard.press("Enter")
    hold = page.get_by_role("link", name="Put on hold")
    expect(hold).to_be_visible()
    for _ in range(80):
        page.keyboard.press("Tab")
        if hold.evaluate("link => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")

    expect(page.get_by_text("The order is on hold until somebody releases it.")).to_be_visible()

"""The daily work of customer care, in a real browser on a running stack."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser.conftest import (
    PHONE,
    code_of,
    enroll,
    fill_in_code,
    fill_in_password,
)
from tests.e2e.stack import Stack
from tests.e2e.test_durability import Shop

SignIn = Callable[..., Page]
LIST = "/console/orders/order/"


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Shop:
    shop = Shop(stack, "care")
    limit = json.dumps({"soft_limit_for_big_orders": 3})
    stack.manage("config", "set", "care", "big_sales_order", limit)
    return shop


def captured(shop: Shop, name: str, *, items: int = 2, **fields: Any) -> None:
    price = {"net": 10, "tax": 1, "gross": 11}
    body = {
        "external_id": name,
        "currency": "EUR",
        "items": [{"product_id": f"SKU-{n}", "price": price} for n in range(items)],
        "customer": {"name": "Ada Byron", "email": f"{name}@example.com"},
    }
    status, answer = shop.capture(body | fields)
    assert status == 200, answer


def find(page: Page, words: str) -> None:
    """Ask the list for the only order that has it."""
    page.goto(LIST)
    page.get_by_role("searchbox").first.fill(words)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/order/\d+/change/"))


def press(page: Page, button: str, **fields: str) -> None:
    """Press a button of the page and answer what it asks."""
    page.get_by_role("link", name=button, exact=True).click()
    for label, words in fields.items():
        page.get_by_label(re.compile(label, re.IGNORECASE)).fill(words)
    page.get_by_role("button", name=button).click()


def test_support_takes_a_call(signed_in_as: SignIn, shop: Shop) -> None:
    captured(shop, "call-1", grace_period=3600)
    page = signed_in_as("support", tenant="care")

    find(page, "call-1@example.com")
    expect(page.get_by_text("Ada Byron")).to_be_visible()
    countdown = page.locator("time[data-countdown]")
    expect(countdown).to_have_text(re.compile(r"in 0:5\d:\d\d"))
    before = countdown.inner_text()
    expect(countdown).not_to_have_text(before)

    press(page, "Extend by 15 min")
    expect(page.get_by_text("The grace period is 15 minutes longer")).to_be_visible()
    expect(countdown).to_have_text(re.compile(r"in 1:1\d:\d\d"))

    press(page, "Put on hold", reason="She moves house")
    expect(page.get_by_text("The order is on hold until somebody releases it.")).to_be_visible()

    held = page.locator(".hold").filter(has_text="She moves house")
    held.get_by_role("link", name="Release").click()
    page.get_by_label("Reason").fill("The address is right")
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("The order still waits: grace period.")).to_be_visible()

    page.get_by_label("New note").fill("She will call again.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".note")).to_contain_text("She will call again.")

    press(page, "Cancel order", reason="She changed her mind", note="Asked twice")
    expect(page.get_by_text("The order and its 2 items were cancelled.")).to_be_visible()
    happened = page.locator(".timeline")
    expect(happened).to_contain_text("She changed her mind (Asked twice).")
    expect(happened).to_contain_text("order.cancelled")
    expect(page.get_by_role("link", name="Put on hold")).to_have_count(0)


def test_a_reason_outlives_the_session(
    stack: Stack, new_page: Callable[..., Page], shop: Shop
) -> None:
    captured(shop, "typed-1", grace_period=3600)
    new_order = stack.manage_json(
        "staff", "create", "t@care", "--tenant", "care", "--role", "support"
    )
    page = new_page()
    fill_in_password(page, "t@care", new_order["password"])
    secret = enroll(page)
    find(page, "typed-1")
    page.get_by_role("link", name="Cancel order").click()
    page.get_by_label("Reason").fill("She moves house")
    page.get_by_label("Note").fill("Twice:\n“please”")
    page.context.clear_cookies(name="console")

    page.get_by_role("button", name="Cancel order").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "moves" not in page.url
    page.get_by_label("Username").fill("t@care")
    page.get_by_label("Password").fill(new_order["password"])
    page.get_by_role("button", name="Sign in").click()
    fill_in_code(page, code_of(secret, later=1))

    expect(page.get_by_text("Your text is back in the form")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("She moves house")
    expect(page.get_by_label("Note")).to_have_value("Twice:\n“please”")
    page.get_by_role("button", name="Cancel order").click()
    expect(page.locator(".timeline")).to_contain_text("She moves house")


def test_only_a_supervisor_approves_a_big_order(signed_in_as: SignIn, shop: Shop) -> None:
    captured(shop, "big-1", items=4)
    support = signed_in_as("support", tenant="care")
    find(support, "big-1")
    expect(support.get_by_text("4 items are more than 3").first).to_be_visible()
    expect(support.get_by_role("link", name="Approve")).to_have_count(0)

    boss = signed_in_as("supervisor", tenant="care")
    find(boss, "big-1")
    press(boss, "Approve", reason="A school")

    expect(boss.get_by_text("Nothing holds the order any longer: it is open.")).to_be_visible()


@pytest.fixture
def refused(faults: list[str]) -> Iterator[None]:
    """Chromium notes the 409 of a refused form as an error; it is what the test is about."""
    yield
    faults[:] = [fault for fault in faults if "409" not in fault]


@pytest.mark.usefixtures("refused")
def test_a_form_that_waited_too_long_is_refused(signed_in_as: SignIn, shop: Shop) -> None:
    captured(shop, "stale-1", grace_period=3600)
    slow, quick = (signed_in_as("support", tenant="care") for _ in range(2))
    find(slow, "stale-1")
    slow.get_by_role("link", name="Cancel order").click()
    find(quick, "stale-1")
    press(quick, "Put on hold", reason="Wait for her call")

    slow.get_by_label("Reason").fill("Too late")
    slow.get_by_role("button", name="Cancel order").click()

    expect(slow.get_by_role("alert")).to_contain_text("The order has changed")
    expect(slow.get_by_role("alert")).to_contain_text("Wait for her call")
    slow.get_by_role("link", name="Look at the order as it is now").click()
    expect(slow.locator(".holds")).to_contain_text("Wait for her call")


def test_many_orders_are_held_and_reported(signed_in_as: SignIn, shop: Shop) -> None:
    for n in range(6):
        captured(shop, f"many-{n}", grace_period=3600, customer={"email": "many@example.com"})
    page = signed_in_as("supervisor", tenant="care")
    page.goto(f"{LIST}?q=many@example.com")
    expect(page.locator("input.action-select")).to_have_count(6)

    for box in page.locator("input.action-select").all():
        box.check()
    page.locator("select[name=action]").select_option("hold_orders")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="Put on hold: 6 orders")).to_be_visible()
    page.get_by_label("Reason").fill("Recall")
    page.get_by_role("button", name="Put on hold").click()

    expect(page.get_by_text("All is over.")).to_be_visible(timeout=20_000)
    expect(page.locator(".report tbody tr")).to_have_count(6)
    expect(page.locator(".report")).to_contain_text("Put on hold: Recall.")


def test_the_page_fits_a_phone(signed_in_as: SignIn, shop: Shop) -> None:
    captured(shop, "phone-1", items=3, grace_period=3600)
    page = signed_in_as("support", tenant="care", viewport=PHONE)

    find(page, "phone-1")

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_in_viewport()

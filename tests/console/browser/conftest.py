"""A running stack, its people, and pages that fail a test for whatever the browser complains of.

    def test_it(signed_in_as) -> None:
        page = signed_in_as("support")               # of the demo tenant; or tenant="acme"
        page.goto("/console/orders/order/")

`faults` is what the browser complained of in this test; a test that provokes an error page says so
by `faults.clear()`, after it looked.
"""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from django_otp.oath import totp
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.console.browser import chromium
from tests.e2e.stack import Stack, running_stack

WIDE: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
# Said aloud, or chromium would report only some of them on the console.
TELL_VIOLATIONS: Final = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """`./run up` with the demo tenant, ready."""
    with running_stack() as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium.running() as started:
        yield started


@pytest.fixture
def faults() -> Iterator[list[str]]:
    """Violations, errors on the console and failed requests of every page of this test."""
    results: list[str] = []
    yield results
    assert not results, "\n".join(results)


@pytest.fixture
def new_page(stack: Stack, browser: Browser, faults: list[str]) -> Iterator[Callable[..., Page]]:
    """A page in a context of its own, with what options Playwright's new_context has."""
    opened: list[BrowserContext] = []

    def make(**options: Any) -> Page:
        context = browser.new_context(base_url=stack.url, **{"viewport": WIDE, **options})
        opened.append(context)
        context.set_default_timeout(10_000)
        context.add_init_script(TELL_VIOLATIONS)
        context.on("page", lambda page: _watch(page, faults))
        return context.new_page()

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page of nobody who signed in."""
    return new_page()


@pytest.fixture(scope="package")
def sessions() -> dict[tuple[str, str], Any]:
    """Who signed in already, and the cookies they got: each signs in once a run."""
    return {}


@pytest.fixture
def signed_in_as(
    stack: Stack, new_page: Callable[..., Page], sessions: dict[tuple[str, str], Any]
) -> Callable[..., Page]:
    """A page of a person of this role and tenant, who is made when first needed."""

    def sign_in(role: str, *, tenant: str = "demo", **options: Any) -> Page:
        if (role, tenant) not in sessions:
            name = f"e2e-{role}@{tenant}"
            new_order = stack.manage_json(
                "staff", "create", name, "--tenant", tenant, "--role", role
            )
            page = new_page()
            fill_in_password(page, name, new_order["password"])
            enroll(page)
            sessions[role, tenant] = page.context.storage_state()
        return new_page(storage_state=sessions[role, tenant], **options)

    return sign_in


def fill_in_password(page: Page, username: str, password: str) -> None:
    """The form everybody meets first."""
    page.goto("/console/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def enroll(page: Page) -> str:
    """What is asked at the first sign-in; the secret that makes the phone's codes."""
    secret = page.locator(".c-secret").inner_text()
    fill_in_code(page, code_of(secret), button="Enroll")
    page.get_by_role("link", name="I kept them").click()
    page.wait_for_url(re.compile("/console/$"))
    return secret


def fill_in_code(page: Page, code: str, *, button: str = "Continue") -> None:
    page.get_by_role("textbox", name="Code").fill(code)
    page.get_by_role("button", name=button).click()


def code_of(secret: str, *, later: int = 0) -> str:
    """What a phone shows now, or so many half minutes later."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return f"{totp(key, drift=later):06}"


def _watch(page: Page, faults: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            faults.append(f"{page.url}: {message.text}")

    def on_failure(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left meanwhile
            faults.append(f"{request.method} {request.url}: {request.failure}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on("requestfailed", on_failure)

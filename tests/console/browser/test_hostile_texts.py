"""Whatever is stored cannot hurt who looks at it: every page of a tenant whose texts all try."""

import json
import re
from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.console.browser.hostility import HOSTILE
from tests.console.browser.pages import ORDERS
from tests.e2e.stack import Stack
from tests.e2e.test_durability import Shop

SignIn = Callable[..., Page]
CONFIGURATION: Final = "/console/configuration/"
MOST_PAGES: Final = 60
KEYS: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")


@pytest.fixture(scope="module")
def spoiled(stack: Stack) -> list[str]:
    """A tenant with an order, a note, a hold and a location, all of whose texts are hostile."""
    shop = Shop(stack, "hostile")
    stack.manage("location", "put", "S1", "--tenant", "hostile", "--type", "store")
    name = {"first_name": HOSTILE[:64], "address_line_1": HOSTILE, "country_code": "DE"}
    price = {"net": 10, "tax": 1, "gross": 11}
    attributes = {HOSTILE: HOSTILE, "name": HOSTILE}
    status, answer = shop.capture(
        {
            "external_id": "hostile-1",
            "currency": "EUR",
            "grace_period": 3600,
            "channel_name": HOSTILE[:64],
            "customer": {"name": HOSTILE, "email": "eve@example.com"},
            "items": [
                {"product_id": HOSTILE[:64], "price": price, "product_attributes": attributes}
            ],
            "shipping_address": name,
            "billing_address": name,
        }
    )
    assert status == 200, answer
    code = "from tests.console.browser.hostility import spoil; spoil('hostile')"
    details: dict[str, list[str]] = json.loads(stack.manage("shell", "-v", "0", "-c", code))
    # What is only ever added to was told by somebody of a hostile name.
    assert set(details["refused"]) == {"settingchange.author", "timelineentry.actor"}
    return details["spoiled"]


def test_hostile_texts_are_shown_and_do_nothing(signed_in_as: SignIn, spoiled: list[str]) -> None:
    assert {"order.external_id", "item.product_id", "tenant.name"} <= set(spoiled)
    page = signed_in_as("admin", tenant="hostile")
    opened: list[str] = []

    def note(dialog: Dialog) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)

    pages_seen = crawl(page, "/console/")

    assert not opened
    one = (f"{ORDERS}*/change/", f"{ORDERS}*/cancel/now/", f"{CONFIGURATION}location/*/change/")
    assert {"/console/", ORDERS, *one} <= pages_seen, sorted(pages_seen)
    page.goto(ORDERS)
    expect(page.get_by_text(HOSTILE, exact=False).first).to_be_visible()


def crawl(page: Page, first: str) -> set[str]:
    """Look at every page that links lead to, one of each kind; their kinds."""
    waiting, pages_seen = [first], set[str]()
    while waiting and len(pages_seen) < MOST_PAGES:
        address = waiting.pop(0)
        kind = KEYS.sub("*", address)
        if kind in pages_seen:
            continue
        pages_seen.add(kind)
        page.goto(address)
        waiting += page.evaluate(
            """() => [...document.links]
                .filter(link => link.origin === location.origin)
                .map(link => link.pathname)
                .filter(path => path.startsWith('/console/'))"""
        )
    return pages_seen

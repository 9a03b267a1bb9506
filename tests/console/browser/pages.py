"""The console's main pages: who looks at each, and how they get there. For pictures and for axe."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

ORDERS: Final = "/console/orders/order/"
SETTINGS: Final = "/console/configuration/setting/demo/"
TOLD_MOST: Final = "DEMO-0287"  # the demo's order of which most can be told


@dataclass(frozen=True, slots=True)
class View:
    """One page. Without a role nobody is signed in."""

    name: str
    open: Callable[[Page], object]
    role: str | None = "admin"
    is_also_dark: bool = False


def _at(address: str) -> Callable[[Page], object]:
    return lambda page: page.goto(address)


def _order(page: Page) -> None:
    page.goto(f"{ORDERS}?q={TOLD_MOST}")
    page.wait_for_url(re.compile(r"/order/\d+/change/"))


def _cancel(page: Page) -> None:
    _order(page)
    page.get_by_role("link", name="Cancel order").click()


def _job(page: Page) -> None:
    """Hold what customer care would: everything one customer has ordered."""
    page.goto(f"{ORDERS}?q=katherine.coleman@example.com")
    page.get_by_label("Select all orders of this page").check()
    page.locator("select[name=action]").select_option("hold_orders")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Reason").fill("Her account was taken over; waiting for her call")
    page.get_by_role("button", name="Put on hold").click()
    page.get_by_text("All is over.").wait_for(timeout=60_000)


VIEWS: Final = (
    View("sign-in", _at("/console/"), role=None),
    View("today", _at("/console/"), is_also_dark=True),
    View("orders", _at(ORDERS), is_also_dark=True),
    View("orders-found", _at(f"{ORDERS}?q=radia.joy@example.com&status=on_hold")),
    View("orders-columns", _at(f"{ORDERS}export/choose/orders/")),
    View("orders-none", _at(f"{ORDERS}?q=nobody@example.com")),
    View("order", _order, is_also_dark=True),
    View("order-cancel", _cancel),
    View("job", _job),
    View("events", _at("/console/webhooks/event/")),
    View("settings", _at(SETTINGS)),
    View("setting-sequence", _at(f"{SETTINGS}sales_order_generator_sequence/")),
    View("setting-webhook", _at(f"{SETTINGS}external_order_webhook/")),
    View("locations", _at("/console/configuration/location/")),
    View("service-levels", _at("/console/configuration/servicelevel/")),
    View("clients", _at("/console/configuration/client/")),
    View("people", _at("/console/configuration/membership/")),
    View("external-oms", _at("/console/webhooks/externaloms/demo/")),
)

"""The frame of every page in a browser under the strict CSP: theme, navigation, forms."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

SignIn = Callable[..., Page]


def test_pages_load_without_a_complaint(signed_in_as: SignIn) -> None:
    page = signed_in_as("admin")

    for address in ("/console/", "/console/orders/order/", "/console/password_change/"):
        page.goto(address)
        expect(page.locator("h1")).not_to_be_empty()


def test_the_theme_is_chosen_and_remembered(signed_in_as: SignIn) -> None:
    page = signed_in_as("support")
    page.goto("/console/")
    expect(page.locator("html")).not_to_have_class("dark")

    page.get_by_role("button", name="e2e-support").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_class("dark")
    page.reload()
    expect(page.locator("html")).to_have_class("dark")

    page.get_by_role("button", name="e2e-support").click()
    page.get_by_role("button", name="Light").click()
    expect(page.locator("html")).not_to_have_class("dark")


def test_the_navigation_is_hidden_and_stays_hidden(signed_in_as: SignIn) -> None:
    page = signed_in_as("support")
    page.goto("/console/")
    navigation = page.locator("#nav-sidebar")
    expect(navigation).to_be_visible()

    page.get_by_role("button", name="Show or hide the navigation").click()
    expect(navigation).to_be_hidden()
    page.reload()
    expect(navigation).to_be_hidden()

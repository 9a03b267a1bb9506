"""Devices somebody signed in on before: others' guesses from the same address close no door."""

from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import totp

from configuration.services import staff
from tests.console.test_ways_in import FACTOR, LOGIN, enrolled, with_password
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db

NAME, PASSWORD = "ada@acme", "a long enough phrase"
COOKIE = configured.DEVICE_COOKIE_NAME


@pytest.fixture(autouse=True)
def few_failures(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.FAILURES_FROM_ONE_ADDRESS = 7


@pytest.fixture
def ada() -> User:
    new_order = staff.create(
        tenant=TenantFactory(), username=NAME, role="support", password=PASSWORD
    )
    return new_order.membership.user


def add(name: str, *, needs_second_factor: bool = True) -> None:
    staff.create(
        tenant=TenantFactory(),
        username=name,
        role="support",
        password=PASSWORD,
        needs_second_factor=needs_second_factor,
    )


def sign_in(browser: Client, name: str = NAME, password: str = PASSWORD) -> int:
    """Send the first form again, as somebody who was signed out."""
    browser.cookies.pop("console", None)
    return browser.post(LOGIN, {"username": name, "password": password}).status_code


def close_the_address() -> None:
    for n in range(8):
        sign_in(Client(), f"somebody-{n}", "guess")


@pytest.fixture
def known(ada: User) -> Client:
    browser = with_password()
    enrolled(browser)
    return browser


def test_a_device_that_signed_in_gets_in_from_an_address_that_is_closed(known: Client) -> None:
    close_the_address()

    assert sign_in(Client()) == 429
    assert sign_in(known) == 302


def test_guesses_at_the_name_from_the_same_address_do_not_keep_it_out(known: Client) -> None:
    for n in range(6):
        sign_in(Client(), NAME, f"guess {n}")

    assert sign_in(Client()) == 429
    assert sign_in(known) == 302


def test_its_own_guesses_do(known: Client) -> None:
    limit = configured.AXES_FAILURE_LIMIT
    answers = [sign_in(known, NAME, f"guess {n}") for n in range(limit + 1)]

    assert answers == [200] * (limit - 1) + [429] * 2
    assert sign_in(known) == 429
    assert sign_in(Client()) == 302  # the address did nothing


def test_it_is_known_for_who_signed_in_on_it_only(known: Client) -> None:
    add("bob@acme")
    close_the_address()

    assert sign_in(known, "bob@acme") == 429
    assert sign_in(known, "nobody", "guess") == 429


def test_it_may_be_several_peoples(known: Client) -> None:
    add("bob@acme", needs_second_factor=False)
    assert sign_in(known, "bob@acme") == 302
    close_the_address()

    assert sign_in(known, "bob@acme") == 302
    assert sign_in(known) == 302


def test_a_password_alone_makes_no_device_known(ada: User) -> None:
    browser = with_password()
    assert COOKIE not in browser.cookies

    browser.post(FACTOR, {"code": "123456"})
    sign_in(browser, NAME, "guess")

    assert COOKIE not in browser.cookies


def test_the_code_at_a_later_sign_in_makes_one_known(ada: User) -> None:
    key, _ = enrolled(with_password())
    browser = with_password()
    assert COOKIE not in browser.cookies

    browser.post(FACTOR, {"code": f"{totp(key, drift=1):06}"})
    close_the_address()

    assert sign_in(browser) == 302


def test_a_forged_or_old_cookie_is_none(known: Client, monkeypatch: Any) -> None:
    cookie = known.cookies[COOKIE].value
    close_the_address()

    for forged in ("", "x", cookie[:-1], f"{cookie}x", known.cookies["console"].value):
        thief = Client()
        thief.cookies[COOKIE] = forged
        assert sign_in(thief) == 429
    monkeypatch.setattr("ordermgmt.console.guessing.KNOWN_FOR", -1)
    assert sign_in(known) == 429


def test_the_cookie_is_for_the_console_and_no_script(known: Client) -> None:
    cookie = known.cookies[COOKIE]

    assert (cookie["path"], cookie["samesite"]) == ("/console/", "Lax")
    assert cookie["httponly"]
    assert cookie["max-age"] == 180 * 24 * 3600
    assert NAME not in cookie.value

"""Getting into the console: a password, then a code, each good once; AD10, AD12, S15–S18."""

import os
import re
import subprocess
import sys
import time
from base64 import b32decode
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import totp

from configuration import checks
from configuration.models import Membership, Tenant
from configuration.services import staff, tenants
from ordermgmt.models import SecondFactor
from tests.console.people import signed_in
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db

LOGIN = "/console/login/"
FACTOR = "/console/second-factor/"
NAME, PASSWORD = "ada@acme", "a long enough phrase"


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Any) -> None:
    """A real one takes its time on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def acme() -> Tenant:
    return TenantFactory(slug="acme")


@pytest.fixture
def ada(acme: Tenant) -> User:
    """Somebody who never signed in."""
    new_order = staff.create(tenant=acme, username=NAME, role="support", password=PASSWORD)
    return new_order.membership.user


def with_password(password: str = PASSWORD, name: str = NAME, next: str = "/console/") -> Client:
    """A browser that sent the first form; what it was answered is `.answer`."""
    client: Any = Client()
    form = {"username": name, "password": password, "next": next}
    client.answer = client.post(LOGIN, form)
    return client


def key_of(page: Any) -> bytes:
    """What the phone would be enrolled by."""
    return b32decode(re.search(r"c-secret[^>]*>([A-Z2-7]+)<", page.content.decode())[1])


def enrolled(client: Client) -> tuple[bytes, list[str]]:
    """Enroll a phone: its key, and the recovery codes."""
    key = key_of(client.get(FACTOR))
    page = client.post(FACTOR, {"code": f"{totp(key):06}"})
    assert page.status_code == 200, page.content
    return key, re.findall(r"<li>([a-z2-9-]{19})</li>", page.content.decode())


def is_in(client: Client) -> bool:
    return client.get("/console/").status_code == 200


def test_nobody_reaches_anything_but_enrollment_by_a_password_alone(ada: User) -> None:
    client = with_password()

    for address in ("/console/", "/console/orders/order/", "/console/password_change/"):
        answer = client.get(address, follow=True)
        assert answer.redirect_chain[-1][0].startswith(FACTOR)
        assert answer.context["title"] == "Enroll your phone"
    assert client.post("/console/orders/order/", {}).status_code == 302


def test_a_phone_is_enrolled_at_the_first_sign_in_and_asked_at_the_next(ada: User) -> None:
    client = with_password(next="/console/orders/order/")
    key, codes = enrolled(client)
    assert is_in(client)
    assert len(set(codes)) == 10

    again = with_password()
    assert not is_in(again)
    assert again.get(FACTOR).context["title"] == "Your code"
    soon = f"{totp(key, drift=1):06}"
    answer = again.post(FACTOR, {"code": soon, "next": "/console/orders/order/"})
    assert answer.url == "/console/orders/order/"
    assert is_in(again)


def test_the_page_that_showed_recovery_codes_does_not_show_them_again(ada: User) -> None:
    client = with_password()
    _, codes = enrolled(client)

    assert client.get(FACTOR).status_code == 302
    assert client.post(FACTOR, {"code": "123456"}).status_code == 302
    stored = SecondFactor.objects.get(user=ada)
    assert not {codes[0], codes[0].replace("-", "")} & set(stored.recovery_codes)


def test_a_wrong_code_enrolls_nothing(ada: User) -> None:
    client = with_password()
    key = key_of(client.get(FACTOR))
    wrong = f"{(totp(key) + 1) % 1_000_000:06}"

    assert b"not the code" in client.post(FACTOR, {"code": wrong}).content

    assert not SecondFactor.objects.filter(user=ada, confirmed=True).exists()
    assert key_of(client.get(FACTOR)) == key


def test_a_code_used_twice_fails(ada: User) -> None:
    key, _ = enrolled(with_password())
    code = f"{totp(key, drift=1):06}"
    first, second = with_password(), with_password()

    first.post(FACTOR, {"code": code})
    answer = second.post(FACTOR, {"code": code})

    assert is_in(first)
    assert b"wrong, or was used before" in answer.content
    assert not is_in(second)


def test_a_recovery_code_opens_once(ada: User) -> None:
    _, codes = enrolled(with_password())
    first, second = with_password(), with_password()

    first.post(FACTOR, {"code": codes[3].upper().replace("-", " ")})
    second.post(FACTOR, {"code": codes[3]})

    assert is_in(first)
    assert not is_in(second)
    second.post(FACTOR, {"code": codes[4]})
    assert is_in(second)


def test_wrong_codes_cost_time_but_never_the_account(ada: User) -> None:
    _, codes = enrolled(with_password())
    client = with_password()
    for guess in range(4):
        client.post(FACTOR, {"code": f"no-{guess}"})

    answer = client.post(FACTOR, {"code": codes[0]})
    assert b"Too many wrong codes" in answer.content
    assert not is_in(client)

    SecondFactor.objects.update(failures=1000)  # and the wait is as long as it gets
    answer = client.post(FACTOR, {"code": codes[0]})
    assert int(re.search(rb"again in (\d+) s", answer.content)[1]) <= 300
    SecondFactor.objects.update(failed_at="2026-01-01T00:00Z")
    client.post(FACTOR, {"code": codes[0]})
    assert is_in(client)


def test_a_reset_second_factor_ends_what_it_opened(ada: User) -> None:
    client = with_password()
    enrolled(client)

    staff.reset_second_factor(NAME)

    assert not is_in(client)
    assert client.get(FACTOR).context["title"] == "Enroll your phone"


def test_what_the_database_keeps_of_a_second_factor_opens_nothing(ada: User) -> None:
    key, codes = enrolled(with_password())
    record = SecondFactor.objects.filter(user=ada).values().get()

    assert key.hex() not in str(record)
    assert not any(code in str(record) for code in codes)


@pytest.mark.parametrize(
    "next", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_AD10_nobody_is_sent_elsewhere(ada: User, next: str) -> None:
    client: Any = with_password(next=next)
    assert client.answer.url == "/console/"
    key, _ = enrolled(client)

    again = with_password()
    code = f"{totp(key, drift=1):06}"
    answer = again.post(FACTOR, {"code": code, "next": next})

    assert answer.url == "/console/"


def test_AD12_a_session_known_before_signing_in_opens_nothing(ada: User) -> None:
    """Its key changes with the password, and with the code."""
    client = Client()
    client.get(LOGIN)
    session = client.session
    session["planted"] = True
    session.save()
    keys = [session.session_key]
    client.post(LOGIN, {"username": NAME, "password": PASSWORD})
    keys.append(client.session.session_key)
    enrolled(client)
    keys.append(client.session.session_key)

    assert len(set(keys)) == 3
    for old in keys[:2]:
        thief = Client()
        thief.cookies["console"] = old
        assert not is_in(thief)


def test_AD12_a_new_password_ends_other_sessions(ada: User) -> None:
    here, there = with_password(), with_password()
    _, codes = enrolled(here)
    there.post(FACTOR, {"code": codes[0]})
    assert is_in(there)

    form = {"old_password": PASSWORD}
    new = "another long phrase"
    here.post("/console/password_change/", form | {"new_password1": new, "new_password2": new})

    assert is_in(here)
    assert not is_in(there)
    assert with_password(new).answer.status_code == 302


def test_AD12_who_is_switched_off_is_out_at_once(ada: User) -> None:
    client = with_password()
    enrolled(client)

    staff.switch(NAME, is_active=False)

    assert not is_in(client)
    assert with_password().answer.status_code == 200
    staff.switch(NAME, is_active=True)
    assert with_password().answer.status_code == 302


def test_a_suspended_tenants_people_are_out_at_once(acme: Tenant) -> None:
    client = signed_in("support", acme)
    assert is_in(client)

    tenants.update(acme.slug, is_active=False)

    assert not is_in(client)


def test_a_session_ends_when_nobody_is_seen_for_half_an_hour(acme: Tenant) -> None:
    client = signed_in("support", acme)
    age(client, seen=29 * 60)
    assert is_in(client)

    age(client, seen=31 * 60)

    assert not is_in(client)


def test_a_session_ends_after_twelve_hours_of_work(acme: Tenant) -> None:
    client = signed_in("support", acme)
    age(client, since=11 * 3600)
    assert is_in(client)

    age(client, since=12 * 3600 + 1)

    assert not is_in(client)


def age(client: Client, **seconds: int) -> None:
    session = client.session
    session.update({name: int(time.time()) - ago for name, ago in seconds.items()})
    session.save()


def test_signing_out_takes_a_post_and_ends_the_session(acme: Tenant) -> None:
    client = signed_in("support", acme)
    stolen = Client()
    stolen.cookies["console"] = client.cookies["console"].value

    assert client.get("/console/logout/").status_code == 405
    client.post("/console/logout/")

    assert not is_in(client)
    assert not is_in(stolen)


def test_AD2_no_form_is_taken_without_its_token_or_from_elsewhere(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    form = {"username": NAME, "password": PASSWORD}
    answer = client.post(LOGIN, form)
    assert answer.status_code == 403
    assert b"This page has expired" in answer.content

    page = client.get(LOGIN)
    form["csrfmiddlewaretoken"] = re.search(
        r'csrfmiddlewaretoken" value="(\w+)"', page.content.decode()
    )[1]
    assert client.post(LOGIN, form, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post(LOGIN, form, headers={"Origin": "http://testserver"}).status_code == 302


def test_S15_cookies_are_for_the_console_and_nobody_elses_script(ada: User) -> None:
    client = with_password()

    for name in ("console", "console-form"):
        client.get(FACTOR)
        cookie = client.cookies[name]
        assert cookie["path"] == "/console/"
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


def test_S15_over_https_nobody_else_can_set_a_cookie() -> None:
    """The prefix makes browsers refuse them from other hosts, paths and plain http."""
    environ_now = subprocess.run(
        [
            sys.executable,
            "-c",
            "from ordermgmt import settings as s; print(s.SESSION_COOKIE_NAME,"
            " s.SESSION_COOKIE_PATH, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_NAME,"
            " s.CSRF_COOKIE_PATH, s.CSRF_COOKIE_SECURE)",
        ],
        cwd=settings.BASE_DIR,
        env=os.environ | {"CONSOLE_HTTPS": "true"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert environ_now.stdout.split() == [
        "__Host-console",
        "/",
        "True",
        "__Host-console-form",
        "/",
        "True",
    ]


def test_an_operator_sees_every_tenant_and_enrolls_like_anybody(acme: Tenant) -> None:
    User.objects.create_superuser("root", password=PASSWORD)
    client = with_password(name="root")
    assert not is_in(client)

    enrolled(client)

    assert is_in(client)
    assert b"acme" in client.get("/console/configuration/tenant/").content


def test_somebody_without_a_tenant_gets_nowhere() -> None:
    User.objects.create_user("lost", password=PASSWORD, is_staff=True)
    client = with_password(name="lost")

    answer = client.get("/console/", follow=True)

    assert answer.redirect_chain[-1][0].startswith(LOGIN)
    assert b"no tenant to work for" in answer.content


def test_the_demos_people_get_in_without_a_phone(acme: Tenant) -> None:
    staff.create(
        tenant=acme, username=NAME, role="admin", password=PASSWORD, needs_second_factor=False
    )

    assert is_in(with_password())
    [warning] = checks.everybody_needs_a_second_factor(None)
    assert NAME in warning.msg
    staff.switch(NAME, is_active=False)
    assert not checks.everybody_needs_a_second_factor(None)


@pytest.mark.parametrize("password", ["fourteen chars", "1qaz2wsx3edc4rfv", "ada.lovelace@acm3"])
def test_S18_easy_passwords_are_refused(acme: Tenant, password: str) -> None:
    with pytest.raises(staff.BadPerson):
        staff.create(tenant=acme, username="ada.lovelace@acme", role="support", password=password)

    assert not Membership.objects.exists()


def test_the_console_is_found_without_its_slash() -> None:
    assert Client().get("/console").url == "/console/"


def test_errors_are_pages_in_the_console_and_envelopes_elsewhere(acme: Tenant) -> None:
    client = signed_in("support", acme)

    page = client.get("/console/nothing/here/")
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert b"There is nothing here" in page.content
    assert page["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert client.get("/nothing")["Content-Type"] == "application/problem+json"


def test_one_role_says_what_the_navigation_shows(acme: Tenant) -> None:
    for role, text in {"support": False, "admin": True}.items():
        page = signed_in(role, acme).get("/console/").content
        assert (b"/console/configuration/client/" in page) is text

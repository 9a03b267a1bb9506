"""Guessing passwords: it costs the guesser's address, and nobody else; AD1, S17."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from configuration.services import staff
from ordermgmt.console import guessing
from tests.factories import TenantFactory

LOGIN = "/console/login/"
NAME, PASSWORD = "ada@acme", "a long enough phrase"
LIMIT = settings.AXES_FAILURE_LIMIT


@pytest.fixture
def ada(db: None) -> None:
    staff.create(tenant=TenantFactory(), username=NAME, role="support", password=PASSWORD)


def attempt(password: str, *, name: str = NAME, address: str = "192.0.2.1") -> HttpResponse:
    return Client(REMOTE_ADDR=address).post(LOGIN, {"username": name, "password": password})


@pytest.mark.usefixtures("ada")
def test_AD1_an_address_that_guesses_waits_and_nobody_else_does() -> None:
    answers = [attempt(f"guess {n}").status_code for n in range(20)]

    assert answers == [200] * (LIMIT - 1) + [429] * (20 - LIMIT + 1)
    assert attempt(PASSWORD).status_code == 429
    assert attempt(PASSWORD, address="192.0.2.2").status_code == 302


@pytest.mark.usefixtures("ada")
def test_the_log_tells_from_where_and_no_names(caplog: Any) -> None:
    """Some type their password where the name belongs."""
    attempt("guess", name="my password by mistake", address="192.0.2.77")

    assert "192.0.2.77" in caplog.text
    assert "by mistake" not in caplog.text
    assert "guess" not in caplog.text.replace("guessing", "")


@pytest.mark.usefixtures("ada")
def test_the_wait_ends_however_often_one_tries_meanwhile() -> None:
    for n in range(LIMIT + 3):
        attempt(f"guess {n}")

    began = AccessAttempt.objects.get().attempt_time
    assert began <= timezone.now()
    past = timezone.now() - settings.AXES_COOLOFF_TIME - timedelta(seconds=1)
    AccessAttempt.objects.update(attempt_time=past)

    assert attempt(PASSWORD).status_code == 302


@pytest.mark.usefixtures("ada")
def test_an_address_that_tries_many_names_waits(settings: Any) -> None:
    settings.FAILURES_FROM_ONE_ADDRESS = 6

    answers = [attempt("guess", name=f"somebody-{n}").status_code for n in range(8)]

    assert answers == [200] * 6 + [429] * 2
    assert attempt(PASSWORD).status_code == 429
    assert attempt(PASSWORD, address="192.0.2.2").status_code == 302


@pytest.mark.usefixtures("ada")
def test_AD1_an_unknown_name_is_refused_in_the_same_words_and_time() -> None:
    def asked(name: str, address: str) -> tuple[str, float]:
        began = time.perf_counter()
        answer = attempt("guess", name=name, address=address)
        error = answer.context["form"].non_field_errors()[0]
        return str(error), time.perf_counter() - began

    existing = [asked(NAME, f"192.0.2.{n}") for n in range(1, 6)]
    unknown = [asked("nobody", f"192.0.2.{n}") for n in range(1, 6)]

    assert {words for words, _ in existing} == {words for words, _ in unknown}
    slow, fast = (statistics.median(took for _, took in asks) for asks in (existing, unknown))
    assert 0.5 < slow / fast < 2


@pytest.mark.django_db(transaction=True)
def test_S17_many_at_once_do_not_pass_uncounted() -> None:
    staff.create(tenant=TenantFactory(), username=NAME, role="support", password=PASSWORD)

    def one(n: int) -> int:
        try:
            return attempt(f"guess {n}").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as many:
        answers = list(many.map(one, range(50)))

    assert answers.count(200) < LIMIT
    assert set(answers) == {200, 429}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        (2, "10.0.0.1, 203.0.113.9, 192.0.2.7", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
    ],
)
def test_an_address_is_what_our_own_proxies_saw(
    proxies: int, forwarded: str, address: str, rf: Any, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": forwarded})

    assert guessing.address_of(request) == address

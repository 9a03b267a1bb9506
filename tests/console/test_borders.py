"""Every address of the console, from its own list of them: who gets an answer, and who does not."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver

from configuration.models import Tenant
from ordermgmt.models import SecondFactor
from orders.models import Order
from tests.console.people import signed_in
from tests.factories import TenantFactory
from tests.orders.shop import Shop, order

# What one may ask before one is in: the way in, and words for scripts that are the same for all.
OPEN: Final = {"admin:login", "admin:second_factor", "admin:jsi18n", "admin:logout"}
# By the name of an argument; any other is a row's id.
SAMPLES: Final = {"step": "off", "key": "big_sales_order", "slug": "acme"}
REGULAR: Final = {"(?P<app_label>": "orders/", "(?P<url>": "nothing/here"}


def addresses(
    row: str = "1", patterns: Any = None, prefix: str = "/console/"
) -> Iterator[tuple[str, str]]:
    """Name and address of each page, over the row of this id where it is over one."""
    for pattern in admin.site.urls[0] if patterns is None else patterns:
        address = prefix + filled(pattern, row)
        if isinstance(pattern, URLResolver):
            yield from addresses(row, pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern):
            yield f"admin:{pattern.name}", address


def filled(pattern: Any, row: str) -> str:
    """The pattern's text, with a sample in the place of each argument."""
    route = str(pattern.pattern).lstrip("^").rstrip("$")
    for beginning, sample in REGULAR.items():
        if route.startswith(beginning):
            return sample
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: SAMPLES.get(match[1], row), route)


PAGES: Final = sorted({(name, address) for name, address in addresses() if name not in OPEN})


@pytest.fixture
def acme(db: None) -> Tenant:
    return TenantFactory(slug="acme")


def test_there_are_pages_to_try() -> None:
    names = {name for name, _ in PAGES}

    assert len(PAGES) > 40
    assert {"admin:index", "admin:orders_order_changelist", "admin:password_change"} <= names
    assert not [address for _, address in PAGES if set("<>()?") & set(address)]


@pytest.mark.django_db
def test_nobody_gets_an_answer_without_signing_in() -> None:
    client = Client()

    for name, address in PAGES:
        for ask in (client.get, client.post):
            answer = ask(address)
            assert answer.status_code == 302, (name, answer.status_code)
            assert answer.url.startswith("/console/login/"), name


def test_S16_a_password_alone_gets_no_answer_but_enrollment(acme: Tenant) -> None:
    client = signed_in("admin", acme)
    SecondFactor.objects.all().delete()

    for name, address in PAGES:
        for ask in (client.get, client.post):
            answer = ask(address)
            assert answer.status_code == 302, (name, answer.status_code)
            assert answer.url.startswith("/console/login/"), name


@pytest.mark.parametrize("role", ["support", "supervisor", "admin"])
def test_another_tenants_rows_are_answered_like_absent_ones(role: str, acme: Tenant) -> None:
    """Rows of one shop, asked for by staff of another: whatever page, whatever the method."""
    number = Shop().captured(order())["number"]
    pk = Order.objects.get(number=number).pk
    stranger = signed_in(role, acme)
    pages = zip(addresses(str(pk)), addresses(str(pk + 10_000)), strict=True)
    tried = 0

    for (name, there), (_, nowhere) in pages:
        if name.startswith("admin:orders_order_") and there != nowhere:
            tried += 1
            for ask in (stranger.get, stranger.post):
                assert outcome(ask(there), pk) == outcome(ask(nowhere), pk + 10_000), name
    assert tried >= 3


def outcome(answer: Any, pk: int) -> tuple[int, str]:
    """What the answer says, but for the id that was asked for."""
    return answer.status_code, answer.headers.get("Location", "").replace(str(pk), "…")


@pytest.mark.parametrize("role", ["support", "supervisor", "admin"])
def test_no_page_fails_whoever_asks(role: str, acme: Tenant) -> None:
    """With ids of nothing: a refusal, an absence or a page, never a failure."""
    client = signed_in(role, acme)
    client.raise_request_exception = False

    for name, address in PAGES:
        for ask in (client.get, client.post):
            if name == "admin:password_change" and ask == client.post:
                continue
            assert ask(address).status_code < 500, name


@pytest.mark.parametrize(
    "query",
    [
        "q=" + "x" * 10_000,
        "q=%00",
        "q=%25",
        "q=%C3%28",
        "o=999",
        "o=-1.2.3",
        "tenant__pseudonym_key__startswith=a",
        "user__password__startswith=p",
        "client_secret__startswith=p",
        "e=1",
        "_popup=1",
        "p=-1",
        "p=1000000000",
        "all=",
        "_facets=True",
    ],
)
def test_AD3_no_query_makes_a_list_fail_or_tell(query: str, acme: Tenant) -> None:
    client = signed_in("admin", acme)
    client.raise_request_exception = False
    lists = [address for name, address in PAGES if name.endswith("_changelist")]

    for address in lists:
        answer = client.get(f"{address}?{query}")
        assert answer.status_code in (200, 302, 400), (address, answer.status_code)
        if "startswith" in query:
            assert answer.status_code != 200 or b"password" not in answer.content

"""Filters of the console's lists: the declared look-ups of a page and no others."""

from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

from configuration.models import Client
from tests.console.people import signed_in
from tests.factories import ClientFactory, LocationFactory, TenantFactory

pytestmark = pytest.mark.django_db

PAGES = list(admin.site._registry.values())


def at(page: Any) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")


def test_the_secret_of_a_client_is_not_guessed_by_filters() -> None:
    client = ClientFactory()
    browser = signed_in("supervisor", client.tenant)
    stored = Client.objects.get().client_secret

    answers = {
        browser.get(at(admin.site._registry[Client]), {lookup: value}).status_code
        for lookup, value in {
            "client_secret": stored,
            "client_secret__startswith": stored[:9],
            "client_secret__regex": "^.{3}a",
            "client_secret__gt": "a",
            "tenant__pseudonym_key__startswith": "v",
            "tenant__pseudonym_key": "v",
            "user__password__startswith": "p",
            "scopes__contains": "x",
            "is_active__in": "1",
            "name__regex": ".",
            "nothing": "1",
        }.items()
    }

    assert answers == {400}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.model_name)
def test_no_table_is_filtered_by_what_its_page_does_not_declare(page: Any) -> None:
    """Also a page that is made later: what is allowed is what it lists."""
    declared = {str(name) for name in page.list_filter}
    request = None

    for field in page.opts.get_fields(include_hidden=True):
        for lookup in ("", "__startswith", "__gt", "__regex", "__in", "__isnull", "__exact"):
            name = f"{field.name}{lookup}"
            fits = field.name in declared and lookup in ("", "__isnull", "__exact")
            assert page.lookup_allowed(name, "1", request) is fits, name


def test_declared_filters_work() -> None:
    client = ClientFactory(name="here")
    browser = signed_in("supervisor", client.tenant)
    page = admin.site._registry[Client]

    active = browser.get(at(page), {"is_active__exact": "1", "q": "he", "o": "1", "p": "1"})
    off = browser.get(at(page), {"is_active__exact": "0"})

    assert [row.name for row in active.context["cl"].result_list] == ["here"]
    assert not off.context["cl"].result_list


def test_declared_choices_work() -> None:
    tenant = TenantFactory()
    for kind in ("store", "dc"):
        LocationFactory(tenant=tenant, type=kind)
    browser = signed_in("supervisor", tenant)

    answer = browser.get("/console/configuration/location/", {"type__exact": "dc"})

    assert [row.type for row in answer.context["cl"].result_list] == ["dc"]

"""People are let in, lifted, helped and kept out by admins of their tenant and nobody else; AD9."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from configuration.models import Membership, Tenant
from configuration.services import staff
from tests.console.people import person, signed_in
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db

PEOPLE = "/console/configuration/membership/"


@pytest.fixture
def acme() -> Tenant:
    return TenantFactory(slug="acme")


@pytest.fixture
def ada(acme: Tenant) -> Membership:
    return Membership.objects.get(user=person("support", acme))


def page_of(member: Membership, step: str = "change") -> str:
    return f"{PEOPLE}{member.pk}/{step}/"


def state() -> list[Any]:
    """All that these pages can change."""
    people = User.objects.order_by("pk").values_list(
        "username", "password", "is_active", "is_superuser"
    )
    return [*people, *User.groups.through.objects.order_by("pk").values_list("user", "group")]


def password_in(page: Any) -> str:
    return re.search(r'id="password">([^<]+)<', page.content.decode())[1]


def test_an_admin_lets_somebody_in_who_is_told_a_password_once(acme: Tenant) -> None:
    admin = signed_in("admin", acme)

    page = admin.post(
        f"{PEOPLE}add/", {"username": "bob@acme", "role": "support", "expected_version": 0}
    )

    password = password_in(page)
    new_order = Membership.objects.get(user__username="bob@acme")
    assert (new_order.tenant, staff.role_of(new_order), new_order.needs_second_factor) == (
        acme,
        "support",
        True,
    )
    assert new_order.user.check_password(password)
    assert not new_order.user.is_superuser
    assert password not in admin.get(page_of(new_order)).content.decode()
    form = {"username": "bob@acme", "password": password}
    assert Client().post("/console/login/", form).status_code == 302


def test_an_admin_changes_a_role_and_the_history_tells(acme: Tenant, ada: Membership) -> None:
    admin = signed_in("admin", acme)

    admin.post(page_of(ada), {"role": "supervisor", "expected_version": 1})

    assert staff.role_of(staff.of_tenant(acme).get(pk=ada.pk)) == "supervisor"
    assert "support → supervisor" in admin.get(page_of(ada)).content.decode()


def test_help_is_given_only_when_it_is_confirmed(acme: Tenant, ada: Membership) -> None:
    admin = signed_in("admin", acme)
    before = state()
    for step in ("password", "off"):
        assert admin.get(page_of(ada, step)).status_code == 200
    assert admin.get(page_of(ada, "phone")).status_code == 404  # there is none to forget
    assert state() == before

    password = password_in(admin.post(page_of(ada, "password")))
    admin.post(page_of(ada, "off"))

    ada.user.refresh_from_db()
    assert ada.user.check_password(password)
    assert not ada.user.is_active


def test_a_lost_phone_is_forgotten(acme: Tenant) -> None:
    admin = signed_in("admin", acme)
    client = signed_in("support", acme)
    member = Membership.objects.get(user__username="support@acme")

    admin.post(page_of(member, "phone"))

    assert client.get("/console/").status_code == 302


@pytest.mark.parametrize("role", ["support", "supervisor"])
def test_AD9_nobody_else_sees_or_changes_people(acme: Tenant, ada: Membership, role: str) -> None:
    User.objects.filter(pk=ada.user_id).update(username="ada@acme")
    client = signed_in(role, acme)
    before = state()

    question = [
        PEOPLE,
        f"{PEOPLE}add/",
        *(page_of(ada, step) for step in ("change", "password", "off")),
    ]
    form = {"username": "x@acme", "role": "admin", "expected_version": 1, "is_superuser": "on"}

    assert {client.get(address).status_code for address in question} == {403}
    assert {client.post(address, form).status_code for address in question} == {403}
    assert state() == before


def test_another_tenants_people_are_answered_like_nobody(acme: Tenant, ada: Membership) -> None:
    stranger = signed_in("admin", TenantFactory(slug="other"))
    before = state()
    there = [page_of(ada, step) for step in ("change", "password", "off")]
    nowhere = [address.replace(str(ada.pk), str(ada.pk + 1000)) for address in there]

    for address, absent in zip(there, nowhere, strict=True):
        for ask in (stranger.get, stranger.post):
            assert ask(address).status_code == ask(absent).status_code == 404
    assert "acme" not in stranger.get(PEOPLE).content.decode()
    assert state() == before


def test_AD9_a_crafted_form_gives_nothing_more_than_a_role(acme: Tenant, ada: Membership) -> None:
    admin = signed_in("admin", acme)
    other = TenantFactory(slug="other")
    crafted = {"is_superuser": "on", "tenant": other.pk, "user": 1, "needs_second_factor": ""}

    admin.post(page_of(ada), crafted | {"role": "supervisor", "expected_version": 1})
    refused = admin.post(page_of(ada), crafted | {"role": "operator", "expected_version": 1})

    ada.refresh_from_db()
    assert refused.status_code == 200
    assert (ada.tenant, ada.needs_second_factor, ada.user.is_superuser) == (acme, True, False)


def test_nobody_changes_themselves(acme: Tenant) -> None:
    admin = signed_in("admin", acme)
    self = Membership.objects.get(user__username="admin@acme")
    before = state()

    assert admin.get(page_of(self)).status_code == 200
    for step in ("change", "off", "password"):
        assert (
            admin.post(page_of(self, step), {"role": "support", "expected_version": 1}).status_code
            == 403
        )
    assert state() == before


def test_operators_are_nobodys_people(acme: Tenant) -> None:
    admin = signed_in("admin", acme)
    root = User.objects.create_superuser("root")
    member = Membership.objects.create(user=root, tenant=acme)

    assert admin.get(page_of(member)).status_code == 404
    assert admin.post(page_of(member, "password")).status_code == 404
    with pytest.raises(staff.PersonNotFound):
        staff.change_password("root", tenant=acme)


def test_a_list_costs_the_same_for_many(acme: Tenant, django_assert_max_num_queries: Any) -> None:
    admin = signed_in("admin", acme)
    for n in range(8):
        staff.create(
            tenant=acme, username=f"p{n}@acme", role="support", password=f"a phrase of {n} words"
        )

    with django_assert_max_num_queries(14):
        page = admin.get(PEOPLE)

    assert page.content.decode().count("p7@acme") == 1

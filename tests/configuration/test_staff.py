"""Tests of `manage.py staff`."""

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from configuration.models import Membership
from configuration.services import sealing, staff
from ordermgmt.console import second_factor
from ordermgmt.models import SecondFactor
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db
ADA = "ada@acme"


def run_json(*words: str) -> Any:
    out = StringIO()
    call_command("staff", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def account() -> Any:
    TenantFactory(slug="acme")
    return run_json("create", ADA, "--tenant", "acme", "--role", "support")


def test_somebody_is_made_with_a_password_of_ours(account: Any) -> None:
    person = User.objects.get(username=ADA)

    assert {name: account[name] for name in ("tenant", "role", "active", "second_factor")} == {
        "tenant": "acme",
        "role": "support",
        "active": True,
        "second_factor": "to enroll",
    }
    assert person.check_password(account["password"])
    assert (person.is_staff, person.is_superuser) == (True, False)


def test_lists_tell_neither_passwords_nor_other_tenants(account: Any) -> None:
    TenantFactory(slug="other")
    run_json("create", "bob@other", "--tenant", "other", "--role", "admin")

    assert [one["username"] for one in run_json("list")] == [ADA, "bob@other"]
    [one] = run_json("list", "--tenant", "acme")
    assert one.keys() == account.keys() - {"password"}


def test_a_role_replaces_the_one_before(account: Any) -> None:
    assert run_json("role", ADA, "--role", "supervisor")["role"] == "supervisor"

    assert [group.name for group in User.objects.get(username=ADA).groups.all()] == ["supervisor"]


def test_a_new_password_replaces_the_old_one(account: Any) -> None:
    again = run_json("password", ADA)

    person = User.objects.get(username=ADA)
    assert person.check_password(again["password"])
    assert not person.check_password(account["password"])


def test_a_phone_is_forgotten(account: Any) -> None:
    person = User.objects.get(username=ADA)
    second_factor.offer(person)
    SecondFactor.objects.update(confirmed=True)
    assert run_json("list")[0]["second_factor"] == "enrolled"

    assert run_json("reset-second-factor", ADA)["second_factor"] == "to enroll"


def test_somebody_is_kept_out_and_let_in(account: Any) -> None:
    assert run_json("off", ADA)["active"] is False
    assert run_json("on", ADA)["active"] is True


@pytest.mark.parametrize(
    "words",
    [
        ("create", ADA, "--tenant", "acme", "--role", "admin"),
        ("create", "\x07bell", "--tenant", "acme", "--role", "admin"),
        ("create", " ", "--tenant", "acme", "--role", "admin"),
        ("create", "bob@acme", "--tenant", "nowhere", "--role", "admin"),
        ("create", "bob@acme", "--tenant", "acme", "--role", "operator"),
        ("password", "bob@acme"),
        ("off", "bob@acme"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    words: tuple[str, ...], account: Any
) -> None:
    before = list(User.objects.values())

    with pytest.raises(CommandError):
        run_json(*words)

    assert list(User.objects.values()) == before
    assert Membership.objects.count() == 1


def test_a_tenants_admin_reaches_no_other_tenants_people(account: Any) -> None:
    other = TenantFactory(slug="other")

    for act in (staff.change_password, staff.reset_second_factor):
        with pytest.raises(staff.PersonNotFound):
            act(ADA, tenant=other)
    with pytest.raises(staff.PersonNotFound):
        staff.switch(ADA, is_active=False, tenant=other)
    with pytest.raises(staff.PersonNotFound):
        staff.change_role(ADA, role="admin", tenant=other)


def test_a_phones_key_is_sealed_anew_with_all_other_secrets(account: Any, settings: Any) -> None:
    person = User.objects.get(username=ADA)
    before = second_factor.offer(person).secret
    newest = "newer:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    settings.ENCRYPTION_KEYS = [newest, *settings.ENCRYPTION_KEYS]

    resealed = {row.label: row.reseal() for row in sealing.stored()}

    assert resealed[f"{ADA}: second factor"] is True
    settings.ENCRYPTION_KEYS = [newest]
    assert second_factor.offer(person).secret == before

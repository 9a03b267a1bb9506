"""People who work in the console: one tenant and one role each, made and kept out by name.

Whoever acts for a tenant gives it, and finds only its people; an operator gives none.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from psycopg import errors as pg

from configuration.models import Membership, Tenant
from ordermgmt.console import second_factor
from ordermgmt.console.roles import ROLES
from ordermgmt.errors import Conflict, Invalid, NotFound

_PASSWORD_BYTES: Final = 15  # 20 characters
_LONGEST_NAME: Final = 150


class PersonNotFound(NotFound):
    code = "person_not_found"


class PersonExists(Conflict):
    code = "person_exists"


class BadPerson(Invalid):
    code = "bad_person"


@dataclass(frozen=True, slots=True)
class WithPassword:
    """Somebody and a password, which can be shown now and never again."""

    membership: Membership
    password: str


def of_tenant(tenant: Tenant | None = None) -> QuerySet[Membership]:
    """The people of a tenant, or of all, with names and roles; operators are nobody's people."""
    found = Membership.objects.filter(user__is_superuser=False).select_related("user", "tenant")
    found = found.prefetch_related("user__groups").order_by("tenant__slug", "user__username")
    return found if tenant is None else found.filter(tenant=tenant)


def role_of(membership: Membership) -> str:
    """The role's name; empty for somebody who may nothing."""
    return " and ".join(sorted(group.name for group in membership.user.groups.all()))


def create(
    *,
    tenant: Tenant,
    username: str,
    role: str,
    password: str | None = None,
    needs_second_factor: bool = True,
) -> WithPassword:
    """Somebody new, with the password given or one of ours; their first sign-in enrolls a phone."""
    if not username.isprintable() or not 0 < len(username.strip()) <= _LONGEST_NAME:
        raise BadPerson(f"A name is 1 to {_LONGEST_NAME} printable characters.")
    person = User(username=username.strip(), is_staff=True)
    chosen = _acceptable(password, person)
    person.password = make_password(chosen)
    try:
        with transaction.atomic():
            person.save()
            _give(person, role)
            membership = Membership.objects.create(
                user=person, tenant=tenant, needs_second_factor=needs_second_factor
            )
    except IntegrityError as failure:
        if isinstance(failure.__cause__, pg.UniqueViolation):
            raise PersonExists(f"There is somebody named {username} already.") from None
        raise
    return WithPassword(membership, chosen)


@transaction.atomic
def change_role(username: str, *, role: str, tenant: Tenant | None = None) -> Membership:
    """Let somebody do what the role may, and nothing else, from their next click on."""
    membership = _locked(username, tenant)
    _give(membership.user, role)
    return membership


@transaction.atomic
def change_password(
    username: str, *, password: str | None = None, tenant: Tenant | None = None
) -> WithPassword:
    """The password given, or one of ours; whoever signed in by the old one is signed out."""
    membership = _locked(username, tenant)
    chosen = _acceptable(password, membership.user)
    membership.user.password = make_password(chosen)
    membership.user.save(update_fields=["password"])
    return WithPassword(membership, chosen)


@transaction.atomic
def reset_second_factor(username: str, *, tenant: Tenant | None = None) -> Membership:
    """Forget a lost phone and its recovery codes: the next sign-in enrolls another."""
    membership = _locked(username, tenant)
    second_factor.forget(membership.user)
    return membership


@transaction.atomic
def switch(username: str, *, is_active: bool, tenant: Tenant | None = None) -> Membership:
    """Let somebody in again, or keep them out, from their next click on."""
    membership = _locked(username, tenant)
    membership.user.is_active = is_active
    membership.user.save(update_fields=["is_active"])
    return membership


def _locked(username: str, tenant: Tenant | None) -> Membership:
    found = of_tenant(tenant).select_for_update(of=("self", "user"))
    try:
        return found.get(user__username=username)
    except Membership.DoesNotExist:
        raise PersonNotFound(f"There is nobody named {ascii(username)[:80]}.") from None


def _give(person: Any, role: str) -> None:
    if role not in ROLES:
        raise BadPerson(f"A role is one of {', '.join(ROLES)}.")
    person.groups.set([Group.objects.get(name=role)])


def _acceptable(password: str | None, person: Any) -> str:
    if password is None:
        return secrets.token_urlsafe(_PASSWORD_BYTES)
    try:
        validate_password(password, person)
    except ValidationError as refusal:
        raise BadPerson(" ".join(refusal.messages)) from None
    return password

"""Staff accounts of the console, each with one tenant and one role.

Callers that act for a tenant pass it and reach only its accounts; operators pass none.
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
    """A staff account and its password, which can be shown only now."""

    membership: Membership
    password: str


def of_tenant(tenant: Tenant | None = None) -> QuerySet[Membership]:
    """Return the staff of a tenant or of all tenants, with names and roles, without operators."""
    staff = Membership.objects.filter(user__is_superuser=False).select_related("user", "tenant")
    staff = staff.prefetch_related("user__groups").order_by("tenant__slug", "user__username")
    return staff if tenant is None else staff.filter(tenant=tenant)


def role_of(membership: Membership) -> str:
    """Return the name of the role, empty for an account without one."""
    return " and ".join(sorted(group.name for group in membership.user.groups.all()))


def create(
    *,
    tenant: Tenant,
    username: str,
    role: str,
    password: str | None = None,
    needs_second_factor: bool = True,
) -> WithPassword:
    """Return a new account with this or a generated password; its first sign-in enrolls a phone.

    Raises `BadPerson` for an invalid name, role or password, and `PersonExists`.
    """
    if not username.isprintable() or not 0 < len(username.strip()) <= _LONGEST_NAME:
        raise BadPerson(f"A name is 1 to {_LONGEST_NAME} printable characters.")
    person = User(username=username.strip(), is_staff=True)
    new_password = _checked_password(password, person)
    person.password = make_password(new_password)
    try:
        with transaction.atomic():
            person.save()
            _set_role(person, role)
            membership = Membership.objects.create(
                user=person, tenant=tenant, needs_second_factor=needs_second_factor
            )
    except IntegrityError as failure:
        if isinstance(failure.__cause__, pg.UniqueViolation):
            raise PersonExists(f"There is somebody named {username} already.") from None
        raise
    return WithPassword(membership, new_password)


@transaction.atomic
def change_role(username: str, *, role: str, tenant: Tenant | None = None) -> Membership:
    """Replace the role of an account, from its next request on."""
    membership = _locked(username, tenant)
    _set_role(membership.user, role)
    return membership


@transaction.atomic
def change_password(
    username: str, *, password: str | None = None, tenant: Tenant | None = None
) -> WithPassword:
    """Set this or a generated password, and end all sessions of the account."""
    membership = _locked(username, tenant)
    new_password = _checked_password(password, membership.user)
    membership.user.password = make_password(new_password)
    membership.user.save(update_fields=["password"])
    return WithPassword(membership, new_password)


@transaction.atomic
def reset_second_factor(username: str, *, tenant: Tenant | None = None) -> Membership:
    """Delete the second factor and its recovery codes; the next sign-in enrolls a new phone."""
    membership = _locked(username, tenant)
    second_factor.forget(membership.user)
    return membership


@transaction.atomic
def switch(username: str, *, is_active: bool, tenant: Tenant | None = None) -> Membership:
    """Activate or deactivate an account, from its next request on."""
    membership = _locked(username, tenant)
    membership.user.is_active = is_active
    membership.user.save(update_fields=["is_active"])
    return membership


def _locked(username: str, tenant: Tenant | None) -> Membership:
    rows = of_tenant(tenant).select_for_update(of=("self", "user"))
    try:
        return rows.get(user__username=username)
    except Membership.DoesNotExist:
        raise PersonNotFound(f"There is nobody named {ascii(username)[:80]}.") from None


def _set_role(person: Any, role: str) -> None:
    if role not in ROLES:
        raise BadPerson(f"A role is one of {', '.join(ROLES)}.")
    person.groups.set([Group.objects.get(name=role)])


def _checked_password(password: str | None, person: Any) -> str:
    if password is None:
        return secrets.token_urlsafe(_PASSWORD_BYTES)
    try:
        validate_password(password, person)
    except ValidationError as refusal:
        raise BadPerson(" ".join(refusal.messages)) from None
    return password

"""People of the console for its tests: made of a role, and signed in."""

import time

from django.contrib.auth.models import Group, User
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY

from configuration.models import Membership, Tenant
from ordermgmt.models import SecondFactor


def person(role: str, tenant: Tenant | None) -> User:
    """Someone of that role in that tenant; `operator` is of none."""
    where = tenant.slug if tenant else "everywhere"
    if role == "operator":
        return User.objects.create_superuser(f"{role}@{where}")
    made = User.objects.create_user(f"{role}@{where}", is_staff=True)
    made.groups.set([Group.objects.get(name=role)])
    Membership.objects.create(user=made, tenant=tenant)
    return made


def signed_in(role: str, tenant: Tenant | None = None) -> Client:
    """A browser of such a person, without the pages."""
    client = Client()
    enter(client, person(role, tenant))
    return client


def enter(client: Client, user: User) -> None:
    """Past both factors."""
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    phone = SecondFactor.objects.create(user=user, name="phone", confirmed=True)
    session = client.session
    now = int(time.time())
    session.update({DEVICE_ID_SESSION_KEY: phone.persistent_id, "since": now, "seen": now})
    session.save()

"""People of the console for its tests: made of a role, and signed in."""

from django.contrib.auth.models import Group, User
from django.test import Client

from configuration.models import Membership, Tenant


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
    client.force_login(person(role, tenant), backend="django.contrib.auth.backends.ModelBackend")
    return client

"""Groups of the database are what the table of roles says."""

import pytest
from django.contrib.auth.models import Group

from ordermgmt.console.roles import ROLES

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ROLES)
def test_a_group_may_do_what_the_table_says(role: str) -> None:
    """If this fails, the table changed without a migration that calls `roles.write`."""
    allowed = Group.objects.get(name=role).permissions.select_related("content_type")

    assert {f"{one.content_type.app_label}.{one.codename}" for one in allowed} == ROLES[role]


def test_every_role_may_do_what_the_one_before_it_may() -> None:
    support, supervisor, admin = ROLES.values()

    assert support < supervisor < admin


def test_no_role_may_write_rows_of_orders_past_the_services() -> None:
    allowed = set().union(*ROLES.values())

    assert not {
        name
        for name in allowed
        if name.startswith("orders.")
        and name.split(".")[1].split("_")[0] in ("add", "change", "delete")
    }

"""Deployment checks of staff accounts, for `manage.py check --deploy`."""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db.utils import DatabaseError

from configuration.models import Membership


@register(Tags.security, deploy=True)
def everybody_needs_a_second_factor(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Return a warning for each active account that may sign in without a second factor.

    Only the demo creates such accounts, because it prints their passwords.
    """
    try:
        memberships = Membership.objects.filter(needs_second_factor=False, user__is_active=True)
        names = list(memberships.values_list("user__username", flat=True))
    except DatabaseError:
        return []  # no database or no migrations yet, which /readyz reports
    return [
        Warning(
            f"{name} signs in to the console by a password alone.",
            hint=f"./run manage staff off {name}; `up --no-demo` makes no such people.",
            id="configuration.W001",
        )
        for name in names
    ]

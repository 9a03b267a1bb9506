"""What people of each role may do in the console: the table behind the groups of that name.

A migration of the last app of the arrow writes the groups. Whoever changes the table adds another
one that calls `write`; a test compares groups and table.
"""

from typing import Any, Final

from django.apps import AppConfig, apps
from django.contrib.auth.management import create_permissions

_ORDERS_READ: Final = frozenset(
    f"orders.view_{name}"
    for name in (
        "order",
        "item",
        "shipment",
        "hold",
        "timelineentry",
        "ordernote",
        "savedview",
        "bulkjob",
        "bulkjoborder",
    )
)
_CONFIGURATION: Final = frozenset({"tenant", "client", "location", "servicelevel", "setting"})

SUPPORT: Final = _ORDERS_READ | {
    f"orders.{verb}_order" for verb in ("hold", "release", "extend", "cancel", "note", "export")
}
SUPERVISOR: Final = (
    SUPPORT
    | {"orders.approve_order", "configuration.view_settingchange"}
    | {f"configuration.view_{name}" for name in _CONFIGURATION}
    | {"webhooks.view_event", "webhooks.view_externaloms"}
)
ADMIN: Final = (
    SUPERVISOR
    | {f"configuration.change_{name}" for name in _CONFIGURATION}
    | {f"configuration.add_{name}" for name in ("client", "location", "servicelevel")}
    | {f"configuration.{verb}_membership" for verb in ("view", "add", "change")}
)

ROLES: Final = {"support": SUPPORT, "supervisor": SUPERVISOR, "admin": ADMIN}


def write(state: Any, schema_editor: Any) -> None:
    """For `RunPython`: a group for each role, with what the table allows of what exists by now."""
    for app in apps.get_app_configs():
        _make_permissions(app, state)
    known = {
        f"{row.content_type.app_label}.{row.codename}": row
        for row in state.get_model("auth", "Permission").objects.select_related("content_type")
    }
    for name, allowed in ROLES.items():
        group, _ = state.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.set([known[name] for name in sorted(allowed & known.keys())])


def _make_permissions(app: AppConfig, state: Any) -> None:
    """Django makes them when all migrations have run, which is too late for a group."""
    if app.label in state.app_configs:
        create_permissions(app, verbosity=0, apps=state)

"""Roles of the console: the permissions of the group of each role.

A migration of the last app in the import order writes the groups. A change of the table needs a new
migration that calls `write`; a test compares groups and table.
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
    """Create or update a group for each role, with its permissions that exist; for `RunPython`."""
    for app in apps.get_app_configs():
        _make_permissions(app, state)
    permissions = {
        f"{row.content_type.app_label}.{row.codename}": row
        for row in state.get_model("auth", "Permission").objects.select_related("content_type")
    }
    for name, allowed in ROLES.items():
        group, _ = state.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.set([permissions[name] for name in sorted(allowed & permissions.keys())])


def _make_permissions(app: AppConfig, state: Any) -> None:
    """Create an app's permissions, because Django does so only after all migrations."""
    if app.label in state.app_configs:
        create_permissions(app, verbosity=0, apps=state)

"""Navigation of the console: a table of its pages with their permissions."""

from typing import Any, Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


class Entry(NamedTuple):
    """A page in the navigation, hidden from people without its permission."""

    title: str
    icon: str
    page: str
    permission: str


GROUPS: Final[dict[str, tuple[Entry, ...]]] = {
    "": (
        Entry(title="Today", icon="monitoring", page="index", permission="orders.view_order"),
        Entry(
            title="Orders",
            icon="package_2",
            page="orders_order_changelist",
            permission="orders.view_order",
        ),
        Entry(
            title="Bulk jobs",
            icon="library_add_check",
            page="orders_bulkjob_changelist",
            permission="orders.view_bulkjob",
        ),
        Entry(
            title="Events",
            icon="outbox",
            page="webhooks_event_changelist",
            permission="webhooks.view_event",
        ),
    ),
    "Configuration": (
        Entry(
            title="Settings",
            icon="tune",
            page="configuration_setting_changelist",
            permission="configuration.view_setting",
        ),
        Entry(
            title="Locations",
            icon="warehouse",
            page="configuration_location_changelist",
            permission="configuration.view_location",
        ),
        Entry(
            title="Service levels",
            icon="local_shipping",
            page="configuration_servicelevel_changelist",
            permission="configuration.view_servicelevel",
        ),
        Entry(
            title="Clients",
            icon="key",
            page="configuration_client_changelist",
            permission="configuration.view_client",
        ),
        Entry(
            title="External OMS",
            icon="swap_horiz",
            page="webhooks_externaloms_changelist",
            permission="webhooks.view_externaloms",
        ),
        Entry(
            title="Staff",
            icon="group",
            page="configuration_membership_changelist",
            permission="configuration.view_membership",
        ),
        Entry(
            title="Tenants",
            icon="storefront",
            page="configuration_tenant_changelist",
            permission="configuration.view_tenant",
        ),
    ),
}


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of pages that this person may see; unfold's SIDEBAR."""
    visible = []
    for title, entries in GROUPS.items():
        items = [_item(request, entry) for entry in entries if _is_shown(request, entry)]
        visible.append({"title": title, "items": items, "separator": bool(title)})
    return visible


def environment(request: HttpRequest) -> tuple[str, str] | None:
    """Return the label of this installation and its color; unfold's ENVIRONMENT."""
    label = settings.ENVIRONMENT_LABEL
    return (label, "warning") if label else None


def _is_shown(request: HttpRequest, entry: Entry) -> bool:
    return bool(_address(entry)) and bool(request.user.has_perm(entry.permission))


def _address(entry: Entry) -> str:
    try:
        return reverse(f"admin:{entry.page}")
    except NoReverseMatch:
        return ""


def _item(request: HttpRequest, entry: Entry) -> dict[str, Any]:
    address = _address(entry)
    here = request.path == address or (entry.page != "index" and request.path.startswith(address))
    return {"title": entry.title, "icon": entry.icon, "link": address, "active": here}

"""What the console's navigation shows: the pages a person may see, in the order they are needed."""

from typing import Any, Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


class Entry(NamedTuple):
    """A page in the navigation; whoever lacks the permission does not see it."""

    title: str
    icon: str
    page: str
    permission: str


GROUPS: Final[dict[str, tuple[Entry, ...]]] = {
    "": (
        Entry("Today", "monitoring", "index", "orders.view_order"),
        Entry("Orders", "package_2", "orders_order_changelist", "orders.view_order"),
        Entry("Bulk jobs", "library_add_check", "orders_bulkjob_changelist", "orders.view_bulkjob"),
        Entry("Events", "outbox", "webhooks_event_changelist", "webhooks.view_event"),
    ),
    "Configuration": (
        Entry("Settings", "tune", "configuration_setting_changelist", "configuration.view_setting"),
        Entry(
            "Locations",
            "warehouse",
            "configuration_location_changelist",
            "configuration.view_location",
        ),
        Entry(
            "Service levels",
            "local_shipping",
            "configuration_servicelevel_changelist",
            "configuration.view_servicelevel",
        ),
        Entry("Clients", "key", "configuration_client_changelist", "configuration.view_client"),
        Entry(
            "External OMS",
            "swap_horiz",
            "webhooks_externaloms_changelist",
            "webhooks.view_externaloms",
        ),
        Entry(
            "People",
            "group",
            "configuration_membership_changelist",
            "configuration.view_membership",
        ),
        Entry(
            "Tenants", "storefront", "configuration_tenant_changelist", "configuration.view_tenant"
        ),
    ),
}


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """For unfold's SIDEBAR: what there is and this person may see."""
    shown = []
    for title, entries in GROUPS.items():
        items = [_item(request, entry) for entry in entries if _is_shown(request, entry)]
        shown.append({"title": title, "items": items, "separator": bool(title)})
    return shown


def environment(request: HttpRequest) -> tuple[str, str] | None:
    """For unfold's ENVIRONMENT: which installation this is, so that nobody takes it for another."""
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

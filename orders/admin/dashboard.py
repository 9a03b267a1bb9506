"""The console's first page: what happened today, what waits for somebody, how other systems do.

Every number links to the list of what it counts, asked by the names of `orders.admin.filters`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from configuration.models import Tenant
from configuration.services import numbering
from configuration.services.tenants import folded
from ordermgmt.console.scoping import tenant_id_of
from ordermgmt.console.wording import moment
from orders.admin.plot import plot
from orders.lifecycle import HoldKind, OrderStatus
from orders.models import Order
from orders.services.console import overview
from webhooks import services as webhooks

TENANTS: Final = 50  # that an operator sees at once
FIRST: Final = 50  # orders, among whose events the oldest is


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of `overview.COUNTED`, the list it links to, and what its time means."""

    label: str
    counts: str
    asks: Mapping[str, str]
    first: str = ""
    calls: bool = False  # for somebody, unless it is 0
    rare: bool = False  # and not shown when it is 0


STATUSES: Final = tuple(
    Tile(
        status.label,
        f"status:{status}",
        {"status": status.value},
        first="oldest placed {}" if status in (OrderStatus.ON_HOLD, OrderStatus.OPEN) else "",
        rare=status in (OrderStatus.FAILED, OrderStatus.CREATED_FOR_BLIND_RETURN),
    )
    for status in OrderStatus
)
WAITING: Final = (
    Tile("Grace ends within the hour", "due", {"due": "yes"}, first="first {}"),
    Tile("In their grace period", "hold:grace", {"hold": HoldKind.GRACE.value}, "oldest {}"),
    Tile(
        "Big orders to approve",
        "hold:big_order",
        {"hold": HoldKind.BIG_ORDER.value},
        "oldest {}",
        calls=True,
    ),
    Tile("Held by support", "hold:support", {"hold": HoldKind.SUPPORT.value}, "oldest {}"),
    Tile("In conflict", "conflict", {"conflict": "yes"}, calls=True),
)


def today(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The index page's context, for unfold's DASHBOARD_CALLBACK."""
    if not request.user.has_perm("orders.view_order"):
        return context
    tenant_id = tenant_id_of(request.user)
    slug = request.GET.get("tenant", "")
    if tenant_id is None and not slug:
        return context | _all_tenants()
    asked = {"slug": folded(slug)} if tenant_id is None else {"pk": tenant_id}
    tenant = Tenant.objects.filter(**asked).first() if "\0" not in slug else None
    if tenant is None:
        raise Http404("There is no such tenant.")
    return context | _of_tenant(tenant, named={} if tenant_id else {"tenant": tenant.slug})


def _of_tenant(tenant: Tenant, named: dict[str, str]) -> dict[str, Any]:
    found = overview.counts([tenant])[tenant.pk]
    hours = overview.hours(tenant)
    return {
        "tenant": tenant,
        "warnings": numbering.warnings(tenant),
        "plot": plot(hours),
        "placed_url": _list({"placed": f"{hours.day:%Y-%m-%d}"} | named),
        "waiting": _shown(WAITING, found, named),
        "statuses": _shown(STATUSES, found, named),
        "outcomes": _outcomes(tenant, named),
        "systems": [_events(tenant), _external_oms(tenant)],
    }


def _outcomes(tenant: Tenant, named: dict[str, str]) -> list[dict[str, Any]]:
    """What became of the newest closed orders, each with a link to the list of those."""
    closed = {"status": OrderStatus.CLOSED.value}
    return [
        {
            "text": f"{number:,} {outcome.label.lower()}",
            "url": _list(closed | {"outcome": outcome.value} | named),
        }
        for outcome, number in sorted(overview.outcomes(tenant).items(), key=lambda row: -row[1])
    ]


def _all_tenants() -> dict[str, Any]:
    """The same numbers of many tenants, for an operator to choose one."""
    tenants = list(Tenant.objects.order_by("slug")[: TENANTS + 1])
    counts = overview.counts(tenants[:TENANTS])
    columns = tuple(tile for tile in (*WAITING, *STATUSES) if not tile.rare)
    return {
        "tenants": [
            {
                "tenant": tenant,
                "url": f"{reverse('admin:index')}?{urlencode({'tenant': tenant.slug})}",
                "tiles": _shown(columns, counts[tenant.pk], {"tenant": tenant.slug}),
            }
            for tenant in tenants[:TENANTS]
        ],
        "has_more_tenants": len(tenants) > TENANTS,
    }


def _shown(
    tiles: tuple[Tile, ...], found: Mapping[str, overview.Count], named: dict[str, str]
) -> list[dict[str, Any]]:
    return [
        {
            "label": tile.label,
            "count": count,
            "url": _list({**tile.asks, **named}),
            "first": _first(tile, count),
            "calls": tile.calls and count.number > 0,
        }
        for tile in tiles
        if (count := found[tile.counts]).number or not tile.rare
    ]


def _first(tile: Tile, count: overview.Count) -> tuple[str, SafeString] | None:
    """The words before the time, and the time, of the first that was counted."""
    if not tile.first or count.first is None:
        return None
    return tile.first.removesuffix(" {}"), moment(count.first)


def _list(asked: Mapping[str, str]) -> str:
    return f"{reverse('admin:orders_order_changelist')}?{urlencode(asked)}"


def _events(tenant: Tenant) -> dict[str, Any]:
    """Nothing delivers events yet, so the oldest is about one of the first orders.

    One of several, for an order may be captured long after it was placed.
    """
    first = Order.objects.filter(tenant=tenant).order_by("placed_at", "pk")
    since = webhooks.waiting_since(tenant, list(first.values_list("uuid", flat=True)[:FIRST]))
    return {
        "label": "Events",
        "state": "Kept, not delivered yet" if since else "None waits",
        "at": since and ("the oldest is from", moment(since)),
        "url": f"{reverse('admin:webhooks_event_changelist')}",
    }


def _external_oms(tenant: Tenant) -> dict[str, Any]:
    told: dict[str, Any] = {
        "label": "External OMS",
        "url": reverse("admin:webhooks_externaloms_change", args=[tenant.slug]),
    }
    known = webhooks.oms_health.states(tenant)
    if not known:
        return told | {"state": "Never asked"}
    [health] = known
    if health.state == "well":
        answered = health.last_success_at
        return told | {"state": "Answers", "at": answered and ("last", moment(answered))}
    failed = health.last_error_at
    return told | {
        "state": f"{health.state.capitalize()}: {health.last_error_text or health.last_error}",
        "at": failed and ("failed", moment(failed)),
        "calls": True,
    }

"""Dashboard of the console: orders placed today, orders waiting, and the state of other systems.

Every number links to the list of the orders it counts, filtered by names of `orders.admin.filters`.
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

TENANTS: Final = 50  # shown to an operator at once
FIRST: Final = 50  # orders searched for the oldest event


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of `overview.COUNTED`, the list it links to, and the meaning of its time."""

    label: str
    counts: str
    query: Mapping[str, str]
    first: str = ""
    needs_action: bool = False  # highlighted unless it is 0
    is_rare: bool = False  # hidden when it is 0


STATUSES: Final = tuple(
    Tile(
        label=status.label,
        counts=f"status:{status}",
        query={"status": status.value},
        first="oldest placed {}" if status in (OrderStatus.ON_HOLD, OrderStatus.OPEN) else "",
        is_rare=status in (OrderStatus.FAILED, OrderStatus.CREATED_FOR_BLIND_RETURN),
    )
    for status in OrderStatus
)
WAITING: Final = (
    Tile(
        label="Grace ends within the hour",
        counts="due",
        query={"due": "yes"},
        first="first {}",
    ),
    Tile(
        label="In their grace period",
        counts="hold:grace",
        query={"hold": HoldKind.GRACE.value},
        first="oldest {}",
    ),
    Tile(
        label="Big orders to approve",
        counts="hold:big_order",
        query={"hold": HoldKind.BIG_ORDER.value},
        first="oldest {}",
        needs_action=True,
    ),
    Tile(
        label="Held by support",
        counts="hold:support",
        query={"hold": HoldKind.SUPPORT.value},
        first="oldest {}",
    ),
    Tile(label="In conflict", counts="conflict", query={"conflict": "yes"}, needs_action=True),
)


def today(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the index page; unfold's DASHBOARD_CALLBACK."""
    if not request.user.has_perm("orders.view_order"):
        return context
    tenant_id = tenant_id_of(request.user)
    slug = request.GET.get("tenant", "")
    if tenant_id is None and not slug:
        return context | _all_tenants()
    lookup = {"slug": folded(slug)} if tenant_id is None else {"pk": tenant_id}
    tenant = Tenant.objects.filter(**lookup).first() if "\0" not in slug else None
    if tenant is None:
        raise Http404("There is no such tenant.")
    return context | _of_tenant(tenant, named={} if tenant_id else {"tenant": tenant.slug})


def _of_tenant(tenant: Tenant, named: dict[str, str]) -> dict[str, Any]:
    counts = overview.counts([tenant])[tenant.pk]
    hours = overview.hours(tenant)
    return {
        "tenant": tenant,
        "warnings": numbering.warnings(tenant),
        "plot": plot(hours),
        "placed_url": _list({"placed": f"{hours.day:%Y-%m-%d}"} | named),
        "waiting": _tiles(WAITING, counts, named),
        "statuses": _tiles(STATUSES, counts, named),
        "outcomes": _outcomes(tenant, named),
        "systems": [_events(tenant), _external_oms(tenant)],
    }


def _outcomes(tenant: Tenant, named: dict[str, str]) -> list[dict[str, Any]]:
    """Return the number of newest closed orders by outcome, each with a link to their list."""
    closed = {"status": OrderStatus.CLOSED.value}
    return [
        {
            "text": f"{number:,} {outcome.label.lower()}",
            "url": _list(closed | {"outcome": outcome.value} | named),
        }
        for outcome, number in sorted(overview.outcomes(tenant).items(), key=lambda row: -row[1])
    ]


def _all_tenants() -> dict[str, Any]:
    """Return the same numbers of many tenants, for an operator to choose one."""
    tenants = list(Tenant.objects.order_by("slug")[: TENANTS + 1])
    counts = overview.counts(tenants[:TENANTS])
    columns = tuple(tile for tile in (*WAITING, *STATUSES) if not tile.is_rare)
    return {
        "tenants": [
            {
                "tenant": tenant,
                "url": f"{reverse('admin:index')}?{urlencode({'tenant': tenant.slug})}",
                "tiles": _tiles(columns, counts[tenant.pk], {"tenant": tenant.slug}),
            }
            for tenant in tenants[:TENANTS]
        ],
        "has_more_tenants": len(tenants) > TENANTS,
    }


def _tiles(
    tiles: tuple[Tile, ...], counts: Mapping[str, overview.Count], named: dict[str, str]
) -> list[dict[str, Any]]:
    return [
        {
            "label": tile.label,
            "count": count,
            "url": _list({**tile.query, **named}),
            "first": _first(tile, count),
            "needs_action": tile.needs_action and count.number > 0,
        }
        for tile in tiles
        if (count := counts[tile.counts]).number or not tile.is_rare
    ]


def _first(tile: Tile, count: overview.Count) -> tuple[str, SafeString] | None:
    """Return the label and the time of the first order counted."""
    if not tile.first or count.first is None:
        return None
    return tile.first.removesuffix(" {}"), moment(count.first)


def _list(query: Mapping[str, str]) -> str:
    return f"{reverse('admin:orders_order_changelist')}?{urlencode(query)}"


def _events(tenant: Tenant) -> dict[str, Any]:
    """Return the tile of the outbox, with the age of its oldest event.

    Events are not delivered yet, so the oldest one belongs to one of the first orders. Several are
    searched, because an order may be captured long after it was placed.
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
    tile: dict[str, Any] = {
        "label": "External OMS",
        "url": reverse("admin:webhooks_externaloms_change", args=[tenant.slug]),
    }
    states = webhooks.oms_health.states(tenant)
    if not states:
        return tile | {"state": "Never asked"}
    [health] = states
    if health.state == "well":
        answered = health.last_success_at
        return tile | {"state": "Answers", "at": answered and ("last", moment(answered))}
    failed = health.last_error_at
    return tile | {
        "state": f"{health.state.capitalize()}: {health.last_error_text or health.last_error}",
        "at": failed and ("failed", moment(failed)),
        "needs_action": True,
    }

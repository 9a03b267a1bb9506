"""A retailer's year: any number of orders shipped, sold in stores, cancelled or waiting.

Of each kind the application captures a few and takes them through their life; `loading` copies
those. The copies differ in when they were placed, who bought them, what, and with which serials.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import connection

from bench import loading
from configuration import keys, services
from configuration.models import Location, Tenant
from configuration.services import locations, service_levels
from orders.api import capture_models
from orders.models import Hold, Item, Order
from orders.services import cancellation
from orders.services.capture import capture
from orders.services.fulfillment import reports as fulfillment_reports
from orders.services.holds import actions as hold_actions

ACTOR: Final = "command:bench"
PRODUCTS: Final = 5_000  # the first of them is in one order of twelve
ORDERS_EACH: Final = 5  # of a customer
UNITS: Final = (1, 2, 3)
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
SETTINGS: Final[dict[str, Any]] = {
    # The copies' numbers, and above them those of the few that are captured.
    "sales_order_generator_sequence": {"prefix": "L", "size": 9, "start": 900_000_001, "step": 1},
    "big_sales_order": {"soft_limit_for_big_orders": 20},
    "on_hold_timer_duration": _HOUR,
}
_HASH: Final = "(hashint8(n.number * 31 + x.place) & 2147483647) / 2147483648.0"
DIFFERS: Final[loading.Differs] = {
    Order: {
        "placed_at": "now() - make_interval(secs => %(span)s"
        " * (1 - (n.number - %(start)s)::float8 / %(all)s))",
        "captured_at": "now() - make_interval(secs => %(span)s"
        " * (1 - (n.number - %(start)s)::float8 / %(all)s))",
        "customer_email": "lower(n.customer) || '@example.com'",
        "details": "jsonb_set(x.details, '{customer}', x.details->'customer' || jsonb_build_object("
        "'name', 'Customer ' || n.customer, 'email', lower(n.customer) || '@example.com'))",
    },
    Item: {
        "product_id": f"'SKU-' || lpad((floor({PRODUCTS} * power({_HASH}, 3)))::int::text, 5, '0')",
        "serial_number": "CASE WHEN x.status = 'complete' AND (n.number + x.place) %% 10 = 0"
        " THEN 'SN-' || n.number || '-' || x.place ELSE '' END",
    },
    Hold: {
        "due_at": "CASE WHEN x.due_at IS NOT NULL AND x.released_at IS NULL THEN"
        " now() + make_interval(secs => 600 + n.number %% 6000) ELSE x.due_at END"
    },
}


@dataclass(frozen=True)
class Life:
    """A kind of order: which share of all they are, when they were bought, and what happened."""

    name: str
    share: float
    span: float  # seconds: bought at most so long ago
    happens: Callable[[Tenant, Order], None] = lambda tenant, order: None
    members: dict[str, Any] = field(default_factory=dict)  # beside those of every order
    units: tuple[int, ...] = UNITS


def _route(tenant: Tenant, order: Order) -> None:
    [grace] = Hold.objects.filter(tenant=tenant, order=order)
    hold_actions.release(
        tenant=tenant,
        reference=str(order.uuid),
        hold=grace.uuid,
        reason="Its time is over",
        actor=ACTOR,
    )


def _complete(tenant: Tenant, order: Order) -> None:
    _route(tenant, order)
    _report(tenant, order, "complete")


def _return(tenant: Tenant, order: Order) -> None:
    _complete(tenant, order)
    _report(tenant, order, "return")


def _report(tenant: Tenant, order: Order, action: fulfillment_reports.Action) -> None:
    items = Item.objects.filter(tenant=tenant, order=order).order_by("position")
    fulfillment_reports.report(
        tenant=tenant,
        reference=str(order.uuid),
        action=action,
        reports=[fulfillment_reports.Report(item.uuid) for item in items],
        actor=ACTOR,
    )


def _cancel(tenant: Tenant, order: Order) -> None:
    cancellation.cancel(
        tenant=tenant,
        reference=str(order.uuid),
        id_type="internal",
        reason=cancellation.REASON,
        note=None,
        actor=ACTOR,
    )


def _hold(tenant: Tenant, order: Order) -> None:
    hold_actions.place(
        tenant=tenant, reference=str(order.uuid), reason="Address unclear", actor=ACTOR
    )


_IN_STORE: Final = {"channel_type": "store", "store_id": "NY5AVE"}
LIVES: Final = (
    Life("shipped", 0.78, 365 * _DAY, _complete),
    Life("sold in a store", 0.1, 365 * _DAY, members=_IN_STORE),
    Life("cancelled", 0.05, 365 * _DAY, _cancel),
    Life("returned", 0.03, 365 * _DAY, _return),
    Life("in fulfillment", 0.02, 7 * _DAY, _route),
    Life("in conflict", 0.002, 30 * _DAY, _route, {"country": "AU"}),
    Life("held by support", 0.002, 7 * _DAY, _hold),
    Life("waiting for approval", 0.001, 2 * _DAY, members={"grace_period": 0}, units=(21,)),
    Life("in grace", 0.015, _HOUR),
)


def settle_tenant(tenant: Tenant) -> None:
    """Configure the tenant for the first captures."""
    for code, kind in (("DC-EAST", "dc"), ("NY5AVE", "store")):
        if not Location.objects.filter(tenant=tenant, code=code).exists():
            locations.put(tenant=tenant, code=code, type=kind, country_codes=["US"])
    service_levels.put(tenant=tenant, identifier="standard")
    for name, value in SETTINGS.items():
        key = keys.find(name)
        services.write(tenant, key, key.parse(value), actor=ACTOR)


def populate(
    tenant: Tenant,
    orders: int,
    *,
    first: int = 1,
    lines: int = 1,
    advance: Callable[[int], object] = lambda orders: None,
) -> int:
    """Load about this number of orders from number `first` on; return the next number.

    `advance` hears how many more there are. On several `lines` at once it takes less time; it
    takes a batch's memory for each, whatever the number.
    """
    customers = max(1, orders // ORDERS_EACH)

    def copy(life: Life, sample: UUID, start: int, count: int) -> None:
        loading.load(
            tenant,
            sample,
            first=start,
            count=count,
            customer=lambda number: f"C-{number * 7919 % customers}",
            advance=advance,
            differs=DIFFERS,
            values={"span": life.span, "start": start, "all": count},
        )

    kinds = []
    for life in LIVES:
        for units in life.units:
            count = max(1, round(orders * life.share / len(life.units)))
            kinds.append((life, _sample(tenant, life, units, first), first, count))
            first += count
    if lines == 1:
        for kind in kinds:
            copy(*kind)
    else:
        with ThreadPoolExecutor(lines) as executor:
            list(executor.map(_apart(copy), *zip(*kinds, strict=True)))
    return first


def _apart(copy: Callable[..., None]) -> Callable[..., None]:
    """On a line of its own, which is closed behind it."""

    def apart(*kind: Any) -> None:
        try:
            copy(*kind)
        finally:
            connection.close()

    return apart


def _sample(tenant: Tenant, life: Life, units: int, number: int) -> UUID:
    """Return one order of this kind, captured and led through its life by the services."""
    body = _body(dict(life.members), units, f"SAMPLE-{life.name}-{units}-{number}")
    new = capture_models.parse(body).draft()
    order = capture(tenant=tenant, new=new, actor=ACTOR).document.order
    life.happens(tenant, order)
    return order.uuid


def _body(members: dict[str, Any], units: int, name: str) -> dict[str, Any]:
    address = {
        "first_name": "Grace",
        "last_name": "Hopper",
        "address_line_1": "1 Navy Way",
        "city": "Raleigh",
        "zip_code": "27587",
        "country_code": members.pop("country", "US"),
    }
    price = {"base": Decimal(80), "discount": 0, "net": 80, "tax": Decimal("6.4")}
    items = [
        {"product_id": "SKU-1", "price": price | {"gross": Decimal("86.4")}} for _ in range(units)
    ]
    body = {
        "external_id": name,
        "currency": "USD",
        "shop": "storefront-catalog-en",
        "shop_locale": "en-US",
        "channel_type": "web",
        "channel_name": "webshop",
        "customer": {"name": "Grace Hopper", "email": "grace@example.com"},
        "items": items,
    }
    if members.get("channel_type") == "store":
        for item in items:
            item["fulfillment_group_type"] = "IN_STORE_HANDOVER"
    else:
        option = {"service_level_identifier": "standard", "price": 10, "tax": Decimal("0.8")}
        body |= {"shipping_address": address, "shipments": [{"shipping_option": option}]}
    return body | members

"""Responses with orders of both systems, for tenants with an external OMS.

See docs/contract.md, Reading.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from configuration.models import Tenant
from configuration.services import pseudonyms
from orders.api import rendering
from orders.models import Item
from orders.services.reading import personal_data
from orders.services.reading.federation import Page
from orders.services.reading.queries import Document
from webhooks.services import ExternalOrder, ExternalOrderDetail

# The webhook's statuses → our own: docs/contract.md, Statuses.
STATUSES: Final = {"pending": "on_hold", "in_fulfillment": "open", "complete": "closed"}
FULFILLMENT_TYPES: Final = {"same_day": "same_day_delivery"}
_PERSONAL: Final = {
    "customer": personal_data.CUSTOMER,
    "shipping_address": personal_data.ADDRESS,
    "billing_address": personal_data.ADDRESS,
}


def detail(
    order: Document | ExternalOrderDetail, tenant: Tenant, *, version2: bool
) -> dict[str, Any]:
    """Return all of an order. The OMS's own `placed_at` passes unchanged in both versions."""
    if isinstance(order, Document):
        return rendering.detail(order, tenant, version2=version2)
    return _external_order(order, tenant) | {"tax_exempt": False}


def history(page: Page, tenant: Tenant) -> dict[str, Any]:
    """Return a page of a history, version 2."""
    return {
        "pagination_info": {
            "count": len(page.orders),
            "offset": page.offset,
            "total": page.total,
        },
        "orders": [
            rendering.history_entry(order, tenant)
            if isinstance(order, Document)
            else _entry(order, page.customer, tenant)
            for order in page.orders
        ],
    }


def whole_history(page: Page) -> dict[str, Any]:
    """Return a history without pages, version 1."""
    return {
        "orders": [
            _own_entry_v1(order) if isinstance(order, Document) else _entry_v1(order)
            for order in page.orders
        ]
    }


def _entry(order: ExternalOrder, customer: Mapping[str, str], tenant: Tenant) -> dict[str, Any]:
    entry = _external_order(order, tenant)
    email = entry.pop("customer", {}).get("email", customer["email"])
    for name in ("catalog", "tax_method"):
        entry.pop(name, None)
    for item in entry["items"]:
        del item["origin_id"]
        item["extended_attributes"] = []  # the webhook has none
    return entry | {
        "extended_attributes": [],
        "channel": {"type": entry.pop("channel_type")},
        "customer": {"id": customer["id"], "email": email},
    }


def _entry_v1(order: ExternalOrder) -> dict[str, Any]:
    entry = order.model_dump(exclude_none=True, exclude={"customer", "tax_method"})
    entry["fulfillment_type"] = FULFILLMENT_TYPES.get(
        order.fulfillment_type, order.fulfillment_type
    )
    for item in entry["items"]:
        item.pop("discounts", None)
        item.pop("product_id", None)
        item["price"].pop("base", None)
    return entry


def _own_entry_v1(document: Document) -> dict[str, Any]:
    order = document.order
    return {
        "id": order.external_id_as_sent,
        "origin": "newstore",
        "origin_id": order.uuid,
        "channel_type": rendering.CHANNELS[order.channel_type],
        "placed_at": rendering.moment(order.placed_at, version2=False),
        "status": order.status,
        "currency": order.currency,
        "fulfillment_type": order.fulfillment_type,
        "catalog": order.shop,
        "items": [_own_item_v1(item) for item in document.items],
    }


def _own_item_v1(item: Item) -> dict[str, Any]:
    entry = rendering.history_item(item)
    del entry["price"]["base"]  # version 1 has no such member
    names = ("id", "status", "price", "product_attributes", "external_identifier")
    return {"origin_id": item.uuid} | {name: entry[name] for name in names}


def _external_order(order: ExternalOrder, tenant: Tenant) -> dict[str, Any]:
    """Return an order of the OMS in our form, with tokens if the tenant uses them."""
    members = order.model_dump(exclude_none=True)
    members["status"] = STATUSES[order.status]
    members["fulfillment_type"] = FULFILLMENT_TYPES.get(
        order.fulfillment_type, order.fulfillment_type
    )
    for item in members["items"]:
        _add_base(item["price"], tax_method=order.tax_method)
    if tenant.uses_pii_tokens:
        profile = pseudonyms.customer_key(tenant, members.get("customer", {}).get("id", order.id))
        for part, names in _PERSONAL.items():
            if part in members:
                members[part] |= _tokens(members[part], names, profile, tenant)
    return members


def _add_base(price: dict[str, Any], *, tax_method: str | None) -> None:
    """Set the price before discounts if the OMS leaves it out."""
    after = price["gross" if tax_method == "vat_included" else "net"]
    price.setdefault("base", after + price["discount"])


def _tokens(
    values: dict[str, str], names: Iterable[str], profile: UUID, tenant: Tenant
) -> dict[str, str]:
    """Return tokens for the personal values that the OMS did not replace by tokens itself."""
    return {
        name: pseudonyms.token(tenant, profile, name, values[name])
        for name in names
        if name in values and not pseudonyms.is_token(values[name])
    }

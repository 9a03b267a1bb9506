"""Orders of both systems as they leave us, where a tenant has an external OMS: contract §b."""

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

# The webhook's words → those of our own orders, which mean the same (contract §b.3, C-9).
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
    """Return an order whole. The OMS's own `placed_at` passes unchanged in both versions."""
    if isinstance(order, Document):
        return rendering.detail(order, tenant, version2=version2)
    return _told(order, tenant) | {"tax_exempt": False}


def history(page: Page, tenant: Tenant) -> dict[str, Any]:
    """A page of a history, version 2: contract §b.2."""
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
    """A history without pages, version 1: contract §b.2, C-8."""
    return {
        "orders": [
            _own_entry_v1(order) if isinstance(order, Document) else _entry_v1(order)
            for order in page.orders
        ]
    }


def _entry(order: ExternalOrder, customer: Mapping[str, str], tenant: Tenant) -> dict[str, Any]:
    told = _told(order, tenant)
    email = told.pop("customer", {}).get("email", customer["email"])
    for name in ("catalog", "tax_method"):
        told.pop(name, None)
    for item in told["items"]:
        del item["origin_id"]
        item["extended_attributes"] = []  # the webhook's contract knows none
    return told | {
        "extended_attributes": [],
        "channel": {"type": told.pop("channel_type")},
        "customer": {"id": customer["id"], "email": email},
    }


def _entry_v1(order: ExternalOrder) -> dict[str, Any]:
    told = order.model_dump(exclude_none=True, exclude={"customer", "tax_method"})
    told["fulfillment_type"] = FULFILLMENT_TYPES.get(order.fulfillment_type, order.fulfillment_type)
    for item in told["items"]:
        item.pop("discounts", None)
        item.pop("product_id", None)
        item["price"].pop("base", None)
    return told


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
    told = rendering.history_item(item)
    del told["price"]["base"]  # version 1 has no such member
    kept = ("id", "status", "price", "product_attributes", "external_identifier")
    return {"origin_id": item.uuid} | {name: told[name] for name in kept}


def _told(order: ExternalOrder, tenant: Tenant) -> dict[str, Any]:
    """What the OMS said, in our words; of people, tokens only for tenants that ask for it."""
    told = order.model_dump(exclude_none=True)
    told["status"] = STATUSES[order.status]
    told["fulfillment_type"] = FULFILLMENT_TYPES.get(order.fulfillment_type, order.fulfillment_type)
    for item in told["items"]:
        _add_base(item["price"], tax_method=order.tax_method)
    if tenant.uses_pii_tokens:
        profile = pseudonyms.customer_key(tenant, told.get("customer", {}).get("id", order.id))
        for part, names in _PERSONAL.items():
            if part in told:
                told[part] |= _tokens(told[part], names, profile, tenant)
    return told


def _add_base(price: dict[str, Any], *, tax_method: str | None) -> None:
    """Set the price before discounts where the OMS does not say it."""
    after = price["gross" if tax_method == "vat_included" else "net"]
    price.setdefault("base", after + price["discount"])


def _tokens(
    said: dict[str, str], names: Iterable[str], profile: UUID, tenant: Tenant
) -> dict[str, str]:
    """Tokens for what is personal; the OMS should have made them, and what it forgot, we do."""
    return {
        name: pseudonyms.token(tenant, profile, name, said[name])
        for name in names
        if name in said and not pseudonyms.is_token(said[name])
    }

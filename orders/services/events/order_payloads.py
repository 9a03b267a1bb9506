"""Payloads of the events about orders."""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

from ordermgmt.money import ZERO
from ordermgmt.values.timestamps import timestamp
from orders.models import Item, Order, PriceMethod, Shipment

# The shipping method of items that the customer takes along in the store.
HANDOVER: Final = "in_store_handover"


def order_event(
    order: Order, items: Sequence[Item], shipments: Sequence[Shipment], *, item_status: str
) -> dict[str, Any]:
    """Return the payload of `order.created` and `order.opened`: the whole order as it is now."""
    details = order.details
    customer = details.get("customer", {})
    wrapping = details.get("gift_wrapping", {}).get("price", {})
    wrapping_tax, wrapping_net = wrapping.get("tax", ZERO), wrapping.get("net", ZERO)
    shipping_tax = sum((s.tax for s in shipments), ZERO)
    payload_items = [_item(item, item_status) for item in items]
    if wrapping:
        payload_items.append(_gift_wrapping(order, wrapping, item_status))
    is_tax_excluded = order.price_method == PriceMethod.TAX_EXCLUDED
    payload = {
        "id": order.uuid,
        "external_id": order.external_id_as_sent,
        "created_at": moment(order.captured_at),
        "placed_at": moment(order.placed_at),
        "channel_type": order.channel_type,
        "channel": order.channel_name or order.store_id or order.shop,
        "is_exchange": bool(details.get("is_exchange")),
        "is_historical": bool(details.get("is_historical")),
        "price_method": order.price_method,
        "subtotal": sum((i.base for i in items), ZERO)
        + (wrapping_net if is_tax_excluded else order.gift_wrapping),
        "discount_total": order.discount + sum((s.discount for s in shipments), ZERO),
        "shipping_total": sum((s.base for s in shipments), ZERO),
        "shipping_tax": shipping_tax,
        "tax_total": order.tax + shipping_tax + wrapping_tax,
        "grand_total": order.total,
        "currency": order.currency,
        "tax_exempt": bool(details.get("tax_exempt")),
        "associate_id": order.associate_id or None,
        "demand_location_id": order.store_id or None,
        "customer_id": order.customer_id or None,
        "customer_email": customer.get("email", ""),
        "external_customer_id": details.get("external_customer_id"),
        "billing_address": _address(details.get("billing_address"), order.uuid, "billing"),
        "shipping_address": _address(details.get("shipping_address"), order.uuid, "shipping"),
        "extended_attributes": details.get("extended_attributes"),
        "items": payload_items,
    }
    return {name: value for name, value in payload.items() if value is not None}


def captured(order: Order, items: Sequence[Item]) -> dict[str, Any]:
    """Return the payload of `order.captured`: the items that were confirmed."""
    return {
        "id": order.uuid,
        "external_id": order.external_id_as_sent,
        "items": [{"id": i.uuid, "product_id": i.product_id} for i in items],
    }


def completed(order: Order, items: Sequence[Item]) -> dict[str, Any]:
    """Return the payload of `order.completed`."""
    capture_type = "pos" if order.channel_type == "store" else "injection"
    return {
        "id": order.uuid,
        "capture_type": capture_type,
        "items": [_completed_item(i) for i in items],
    }


def cancelled(order: Order, items: Sequence[Item], reason: str) -> dict[str, Any]:
    """Return the payload of `order.cancelled`, for a public reason."""
    return completed(order, items) | {"cancellation_reason": reason}


def items_on_hold(order: Order, items: Sequence[Item], revision: int) -> dict[str, Any]:
    """Return the payload of `order.items_on_hold`: items that could not be routed."""
    return {
        "id": order.uuid,
        "external_id": order.external_id_as_sent,
        "revision": revision,
        "items": [
            {"id": i.uuid, "product_id": i.product_id, "reason": i.conflict_reason} for i in items
        ],
    }


def items_cancelled(order: Order, items: Sequence[Item], reason: str) -> dict[str, Any]:
    """Return the payload of `order.items_cancelled`: some items of an order, not all."""
    return {
        "id": order.uuid,
        "items": [
            {
                "id": i.uuid,
                "product_id": i.product_id,
                "fulfillment_location_id": i.location_code,
                "cancellation_reason": reason,
            }
            for i in items
        ],
    }


def serial_numbers_added(order: Order, items: Sequence[Item], revision: int) -> dict[str, Any]:
    """Return the payload of `order.serial_numbers_added`.

    `items` are those with a new serial number or product code.
    """
    return {
        "id": order.uuid,
        "revision": revision,
        "items": [
            {"id": i.uuid, "serial_number": i.serial_number} | ({"epc": i.epc} if i.epc else {})
            for i in items
        ],
    }


def gift_wrapping_id(order: Order) -> UUID:
    """Return the id of the gift wrapping, which is priced like an item but is no row."""
    return uuid5(order.uuid, "gift-wrapping")


def moment(at: dt.datetime) -> str:
    """Return a time in the format of events: UTC, milliseconds, Z."""
    return timestamp(at, timespec="milliseconds")


def _item(item: Item, status: str) -> dict[str, Any]:
    details = item.details
    discounts = details.get("discounts", ())
    payload = {
        "id": item.uuid,
        "item_type": "product",
        "product_id": item.product_id,
        "list_price": item.base,
        "pricebook_price": details.get("price_catalog", item.base),
        "item_discounts": _discount_total(discounts, "item"),
        "order_discounts": _discount_total(discounts, "order"),
        "tax": item.tax,
        "tax_class": details.get("tax_class"),
        "tax_provider_details": [
            {"name": t.get("name", ""), "amount": t["amount"], "rate": t.get("rate", 0)}
            for t in details.get("tax_lines", ())
        ],
        "quantity": 1,
        "status": status,
        "fulfillment_location_id": item.location_code or None,
        "shipping_service_level": item.shipment.service_level if item.shipment else None,
        "shipping_method": shipping_method(item),
        "is_preorder": item.is_preorder,
        "extended_attributes": item.attributes or None,
        "external_identifiers": details.get("external_identifier", {})
        | ({"external_item_id": item.external_item_id} if item.external_item_id else {})
        | ({"serial_number": item.serial_number} if item.serial_number else {})
        | ({"epc": item.epc} if item.epc else {}),
    }
    return {name: value for name, value in payload.items() if value is not None}


def _gift_wrapping(order: Order, price: dict[str, Any], status: str) -> dict[str, Any]:
    is_tax_excluded = order.price_method == PriceMethod.TAX_EXCLUDED
    return {
        "id": gift_wrapping_id(order),
        "item_type": "gift-wrapping",
        "list_price": price["net"] if is_tax_excluded else price["gross"],
        "item_discounts": ZERO,
        "order_discounts": ZERO,
        "tax": price["tax"],
        "quantity": 1,
        "status": status,
    }


def _completed_item(item: Item) -> dict[str, Any]:
    return {
        "id": item.uuid,
        "product_id": item.product_id,
        "quantity": 1,
        "status": item.status,
        "fulfillment_location_id": item.location_code,
        "shipping_service_level": item.shipment.service_level if item.shipment else "",
        "shipping_method": shipping_method(item),
    }


def shipping_method(item: Item) -> str:
    """Return the public name of the item's shipping method."""
    if item.is_in_store:
        return HANDOVER
    return item.shipment.shipping_method if item.shipment else "traditional_carrier"


def _discount_total(discounts: Iterable[dict[str, Any]], level: str) -> Decimal:
    return sum((Decimal(d["price_adjustment"]) for d in discounts if d["level"] == level), ZERO)


def _address(address: dict[str, Any] | None, order: UUID, role: str) -> dict[str, Any] | None:
    if address is None:
        return None
    fields = {k: v for k, v in address.items() if k != "country_code"}
    return fields | {
        "id": uuid5(order, f"{role}-address"),
        "country": address.get("country_code", ""),
        "last_name": address.get("last_name", ""),
        "address_line_1": address.get("address_line_1", ""),
    }

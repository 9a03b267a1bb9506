"""Responses with our own orders, in both versions: docs/contract.md, Reading."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from configuration.models import Tenant
from configuration.services.pseudonyms import token
from ordermgmt.values.timestamps import timestamp
from orders.models import Item, Order, PriceMethod, Shipment
from orders.services.events.order_payloads import shipping_method
from orders.services.reading import personal_data
from orders.services.reading.queries import Document

# The read model has two channel types, so a mobile app is shown as web.
CHANNELS: Final = {"store": "store", "web": "web", "mobile": "web"}
_TAX_METHODS: Final = {
    PriceMethod.TAX_EXCLUDED.value: "vat_excluded",
    PriceMethod.TAX_INCLUDED.value: "vat_included",
}
_ADDRESS: Final = (
    "title",
    "suffix",
    "salutation",
    "first_name",
    "second_name",
    "last_name",
    "phone",
    "address_line_1",
    "address_line_2",
    "zip_code",
    "city",
    "province",
    "state",
    "country_code",
    "note",
)


# The history has every member of an address except an absent note.
_UNKNOWN_ADDRESS: Final = dict.fromkeys(name for name in _ADDRESS if name != "note")


def detail(document: Document, tenant: Tenant, *, version2: bool) -> dict[str, Any]:
    """Return all of an order. The versions differ only in the format of `placed_at`."""
    order, details = document.order, document.order.details
    members = {
        "id": order.external_id_as_sent,
        "origin": "newstore",
        "origin_id": order.uuid,
        "channel_type": CHANNELS[order.channel_type],
        "placed_at": moment(order.placed_at, version2=version2),
        "status": order.status,
        "currency": order.currency,
        "fulfillment_type": order.fulfillment_type,
        "store_id": order.store_id or None,
        "associate_id": order.associate_id or None,
        "shop_locale": order.shop_locale,
        "catalog": order.shop,
        "is_offline": bool(details.get("is_offline")),
        "tax_exempt": bool(details.get("tax_exempt")),
        "exemption_class": details.get("exemption_class"),
        "exemption_number": details.get("exemption_number"),
        "tax_method": _TAX_METHODS[order.price_method],
        "customer": _customer(order, tenant),
        "shipping_address": _address(order, "shipping_address", tenant),
        "billing_address": _address(order, "billing_address", tenant),
        "items": [_item(item) for item in document.items],
        "shipments": [_shipment(shipment) for shipment in document.shipments] or None,
        "fulfillments": _fulfillments(document.items) or None,
        "gift_wrapping": _gift_wrapping(details.get("gift_wrapping")),
        "totals": _totals(order),
        "extended_attributes": details.get("extended_attributes"),
        "notification_blacklist": details.get("notification_blacklist"),
    }
    return {name: value for name, value in members.items() if value is not None}


def history_entry(document: Document, tenant: Tenant) -> dict[str, Any]:
    """Return an order in a customer's history, version 2."""
    order, details = document.order, document.order.details
    customer = _customer(order, tenant) or {}
    address = _address(order, "shipping_address", tenant)
    members = {
        "id": order.external_id_as_sent,
        "origin": "newstore",
        "origin_id": order.uuid,
        "channel": {
            "id": order.channel_name or order.store_id or order.shop,
            "type": CHANNELS[order.channel_type],
        },
        "placed_at": moment(order.placed_at, version2=True),
        "status": order.status,
        "currency": order.currency,
        "fulfillment_type": order.fulfillment_type,
        "items": [history_item(item) for item in document.items],
        "customer": {"id": customer.get("id", ""), "email": customer.get("email", "")},
        "tax_information": {
            "is_exempt": bool(details.get("tax_exempt")),
            "method": _TAX_METHODS[order.price_method],
        },
        "totals": _totals(order),
        "extended_attributes": details.get("extended_attributes") or [],
        "shop": {"id": order.shop, "locale": order.shop_locale},
        "is_offline": bool(details.get("is_offline")),
        "is_historical": bool(details.get("is_historical")),
    }
    return members | ({"shipping_address": _UNKNOWN_ADDRESS | address} if address else {})


def moment(at: dt.datetime, *, version2: bool) -> str:
    """Return a time in UTC; version 1 prints no zone, version 2 prints Z."""
    return timestamp(at, has_zone=version2)


def _totals(order: Order) -> dict[str, Any]:
    return {
        "gross": order.gross,
        "net": order.net,
        "tax": order.tax,
        "discount": order.discount,
        "shipping": order.shipping,
        "gift_wrapping": order.gift_wrapping,
        "total": order.total,
    }


def _item(item: Item) -> dict[str, Any]:
    details = item.details
    members = {
        "id": item.uuid,
        "origin_id": item.uuid,
        "status": item.status,
        "fulfillment_group_type": "IN_STORE_HANDOVER" if item.is_in_store else "SHIPPING",
        "shipping_method": shipping_method(item),
        "price_catalog": details.get("price_catalog"),
        "price": {
            "base": item.base,
            "net": item.net,
            "tax": item.tax,
            "gross": item.gross,
            "discount": item.discount,
        },
        "tax_lines": details.get("tax_lines"),
        "tax_class": details.get("tax_class"),
        "product_id": item.product_id,
        "product_attributes": _product(item),
        "external_identifier": _identifiers(item),
        "discounts": details.get("discounts"),
        "extended_attributes": item.attributes or None,
        "addon_parent_item_id": details.get("addon_parent_item_id"),
    }
    return {name: value for name, value in members.items() if value is not None}


def history_item(item: Item) -> dict[str, Any]:
    """Return an item in a customer's history, version 2."""
    return {
        "id": item.uuid,
        "status": item.status,
        "price": {
            "base": item.base,
            "gross": item.gross,
            "net": item.net,
            "tax": item.tax,
            "discount": item.discount,
        },
        "product_attributes": _product(item),
        "external_identifier": _identifiers(item),
        "product_id": item.product_id,
        "extended_attributes": item.attributes or [],
    }


def _product(item: Item) -> dict[str, Any]:
    """Return the product; its id replaces a missing name, which the contract requires."""
    return {"name": item.product_id} | item.details.get("product_attributes", {})


def _identifiers(item: Item) -> dict[str, Any]:
    identifiers = dict(item.details.get("external_identifier", {}))
    if item.external_item_id:
        identifiers["external_item_id"] = item.external_item_id
    if item.serial_number:
        identifiers["serial_number"] = item.serial_number
    if item.epc:
        identifiers["epc"] = item.epc["code"]
    return identifiers


def _shipment(shipment: Shipment) -> dict[str, Any]:
    members = {
        "id": shipment.uuid,
        "price": {
            "base": shipment.base,
            "gross": shipment.gross,
            "net": shipment.net,
            "tax": shipment.tax,
            "discount": shipment.discount,
        },
        "tax_lines": shipment.details.get("tax_lines"),
        "discounts": shipment.details.get("discounts"),
    }
    return {name: value for name, value in members.items() if value is not None}


def _fulfillments(items: Iterable[Item]) -> list[dict[str, Any]]:
    by_location: dict[str, list[UUID]] = {}
    for item in items:
        if item.location_code:
            by_location.setdefault(item.location_code, []).append(item.uuid)
    return [{"item_ids": uuids} for uuids in by_location.values()]


def _gift_wrapping(wrapping: dict[str, Any] | None) -> dict[str, Any] | None:
    if wrapping is None:
        return None
    members = dict(wrapping)
    code = members.pop("tax_code", None)
    members["price"] = members["price"] | ({"tax_code": code} if code else {})
    return members


def _customer(order: Order, tenant: Tenant) -> dict[str, Any] | None:
    customer = dict(order.details.get("customer", {}))
    if order.customer_id:
        customer["id"] = order.customer_id
    if tenant.uses_pii_tokens:
        customer |= _tokens(customer, personal_data.CUSTOMER, order, tenant)
    return customer or None


def _address(order: Order, kind: str, tenant: Tenant) -> dict[str, Any] | None:
    address: dict[str, Any] | None = order.details.get(kind)
    if address is None:
        return None
    members: dict[str, Any] = {name: address[name] for name in _ADDRESS if name in address}
    if tenant.uses_pii_tokens:
        members |= _tokens(members, personal_data.ADDRESS, order, tenant)
    return members


def _tokens(
    values: dict[str, Any], names: Iterable[str], order: Order, tenant: Tenant
) -> dict[str, str]:
    """Return tokens for the personal values; those of one customer share their first half."""
    profile = order.customer_key or order.uuid
    return {name: token(tenant, profile, name, values[name]) for name in names if values.get(name)}

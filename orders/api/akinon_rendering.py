"""Orders in Akinon's form: docs/contract.md, Akinon.

Akinon's status codes grow with progress, so an order has the lowest code of its items that are not
cancelled. An unknown value is null; an unknown id or amount is 0.
"""

import hashlib
import ipaddress
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from configuration.models import Tenant
from ordermgmt.money import ZERO
from ordermgmt.values.timestamps import timestamp
from orders.lifecycle import HoldKind, ItemStatus
from orders.models import Item, Order, Shipment
from orders.services.confirmation import Account
from orders.services.events.order_payloads import shipping_method

CANCELED: Final = 100
REVIEWED: Final = 350
PACKED: Final = 450
HANDED_OVER: Final = 550
STATUSES: Final[dict[str, int]] = {
    ItemStatus.PENDING: 200,  # waiting; 350 confirmation_waiting during a review
    ItemStatus.ON_HOLD: 400,  # approved; no location yet
    ItemStatus.IN_FULFILLMENT: 400,  # approved; 450 preparing once it is packed
    ItemStatus.CAPTURED: 400,  # approved: the external OMS has it
    ItemStatus.COMPLETE: 500,  # shipped; 550 delivered when handed over in the store
    ItemStatus.RETURNED: 600,  # refunded
    ItemStatus.CANCELLED: CANCELED,
}
_REVIEWS: Final = {HoldKind.BIG_ORDER, HoldKind.SUPPORT}
_DELIVERIES: Final = {
    "same_day_delivery": "same_day",
    "in_store_pick_up": "retail_store",
    "in_store_handover": "retail_store",
}
_CLIENTS: Final = {"store": "instore"}  # any other is Akinon's `default`
_BIN: Final = re.compile(r"\d{6}", re.ASCII)


def rendered(account: Account, tenant: Tenant) -> dict[str, Any]:
    """Return all members of Akinon's `Order`."""
    order, items = account.document.order, account.document.items
    status = order_status(items, account.holds)
    channel = order.channel_name or order.store_id or order.shop
    return (
        {
            "pk": order.pk,
            "number": order.number,
            "channel": _id(tenant, "channel", channel),
            "customer": order.customer_key.int >> 97 or 1 if order.customer_key else 0,
            "date_placed": timestamp(order.placed_at),
            "is_send": any(
                item.location_code or item.status == ItemStatus.CAPTURED for item in items
            ),
            "cancellation_info": _cancellation(items, account.cancellation),
            "cancel_status": "cancelled" if status == CANCELED else None,
            "external_status": status,
            "client_type": _CLIENTS.get(order.channel_type, "default"),
            "status": str(status),
            "currency": order.currency.lower(),
            "created_date": timestamp(order.captured_at),
            "modified_date": timestamp(account.changed_at),
        }
        | _paid(order, tenant)
        | _amounts(order, items, account.document.shipments)
        | _shipping(items, account.document.shipments, tenant)
        | _extras(order, tenant)
        | {
            "invoice_date": None,
            "e_archive_url": None,
            "extra_field": {
                "uuid": order.uuid,
                "external_id": order.external_id_as_sent,
                "channel": channel,
                "customer": order.customer_key,
                "order_items": [_item(item, account.holds) for item in items],
            },
        }
    )


def item_status(item: Item, holds: frozenset[str]) -> int:
    """Return the status code of one item."""
    if item.status == ItemStatus.PENDING and holds & _REVIEWS:
        return REVIEWED
    if item.status == ItemStatus.IN_FULFILLMENT and item.is_packing:
        return PACKED
    if item.status == ItemStatus.COMPLETE and item.is_in_store:
        return HANDED_OVER
    return STATUSES[item.status]


def order_status(items: Sequence[Item], holds: frozenset[str]) -> int:
    """Return the status code of an order, derived from its items."""
    live = [item for item in items if item.status != ItemStatus.CANCELLED]
    return min((item_status(item, holds) for item in live), default=CANCELED)


def _paid(order: Order, tenant: Tenant) -> dict[str, Any]:
    """Return the payment members, taken from the first payment and its metadata."""
    payment: dict[str, Any] = next(iter(order.details.get("payments") or ()), {})
    facts = payment.get("metadata") or {}
    first_digits = str(facts.get("bin_number") or facts.get("bin") or "")
    count = facts.get("installment_count")
    count = count if type(count) is int and 0 < count < 1000 else None
    slug = payment.get("method") or None
    processor = payment.get("processor")
    return {
        "payment_option": _id(tenant, "payment_option", slug),
        "payment_option_slug": slug,
        "bin_number": first_digits if _BIN.fullmatch(first_digits) else None,
        "installment": count or 0,
        "installment_count": count,
        "installment_interest_amount": ZERO,
        "checkout_provider_id": _id(tenant, "provider", processor) if processor else None,
    }


def _amounts(order: Order, items: Sequence[Item], shipments: Sequence[Shipment]) -> dict[str, Any]:
    returned = [item for item in items if item.status == ItemStatus.RETURNED]
    net = sum((shipment.net for shipment in shipments), ZERO)
    tax = sum((shipment.tax for shipment in shipments), ZERO)
    rate = (100 * tax / net).quantize(Decimal("0.01")) if net else None
    return {
        "amount": order.total,
        "discount_amount": order.discount + sum((s.discount for s in shipments), ZERO),
        "shipping_amount": order.shipping,
        "shipping_tax_rate": rate,
        "shipping_interest_amount": ZERO,
        "refund_amount": sum((item.gross for item in returned), ZERO),
        "discount_refund_amount": sum((item.discount for item in returned), ZERO),
        "shipping_refund_amount": ZERO,
    }


def _shipping(
    items: Sequence[Item], shipments: Sequence[Shipment], tenant: Tenant
) -> dict[str, Any]:
    """Return the shipping members, taken from the first item with a tracking code."""
    shipped = next((item for item in items if item.tracking_code), None)
    carrier = shipped.carrier if shipped else ""
    return {
        "cargo_company": _id(tenant, "carrier", carrier),
        "shipping_company": carrier or None,
        "tracking_number": shipped.tracking_code if shipped else None,
        "carrier_shipping_code": shipped.tracking_code if shipped else None,
        "defined_tracking_url": None,
        "delivery_type": _DELIVERIES.get(shipping_method(items[0])) if items else None,
        "shipping_option_slug": shipments[0].service_level or None if shipments else None,
    }


def _extras(order: Order, tenant: Tenant) -> dict[str, Any]:
    """Return the members with the customer's and the shop's remarks."""
    details = order.details
    wrapping = details.get("gift_wrapping")
    attributes = {a["name"]: a["value"] for a in details.get("extended_attributes") or ()}
    language = details.get("customer", {}).get("language") or order.shop_locale[:2]
    return {
        "has_gift_box": wrapping is not None,
        "gift_box_note": (wrapping or {}).get("message"),
        "language_code": language or None,
        "notes": (details.get("shipping_address") or {}).get("note"),
        # An IP address is personal data too.
        "remote_addr": None if tenant.uses_pii_tokens else _ipv4(details.get("ip_address")),
        "segment": attributes.get("segment"),
        "invoice_number": attributes.get("invoice_number"),
    }


def _item(item: Item, holds: frozenset[str]) -> dict[str, Any]:
    return {
        "pk": item.pk,
        "status": str(item_status(item, holds)),
        "product_id": item.product_id,
        "external_item_id": item.external_item_id,
        "is_captured": item.confirmed_at is not None,
        "attributes": {a["name"]: a["value"] for a in item.attributes},
    }


def _cancellation(items: Sequence[Item], facts: Any) -> dict[str, Any]:
    cancelled = [item.pk for item in items if item.status == ItemStatus.CANCELLED]
    if not cancelled:
        return {}
    reason = facts.get("reason")
    return ({"reason": reason} if reason else {}) | {"order_items": cancelled}


def _id(tenant: Tenant, kind: str, name: str | None) -> int:
    """Return a stable number for a name: 31 bits, so that it fits a signed 32-bit integer."""
    if not name:
        return 0
    digest = hashlib.sha256(f"{tenant.uuid}:{kind}:{name}".encode()).digest()
    return int.from_bytes(digest[:4]) >> 1 or 1


def _ipv4(text: str | None) -> str | None:
    try:
        return str(ipaddress.IPv4Address(text or ""))
    except ValueError:
        return None

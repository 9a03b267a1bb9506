"""Unsaved model instances of a new order, before its amounts are checked."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from configuration.models import Tenant
from configuration.services.policy import Policy
from configuration.services.pseudonyms import customer_id_for, customer_key
from ordermgmt.database import prepared_sql
from ordermgmt.database.fields import as_stored
from orders.lifecycle import ItemStatus, OrderStatus
from orders.models import Item, Order, PriceMethod, Shipment
from orders.services.capture import identity
from orders.services.capture.draft import IN_STORE_HANDOVER, NewItem, NewOrder, NewShipment
from orders.services.events.order_payloads import HANDOVER, shipping_method

FULFILLMENT_TYPES: Final = {
    "traditional_carrier": "traditional",
    "same_day_delivery": "same_day_delivery",
    "in_store_pick_up": "in_store_pickup",
    "in_store_handover": "in_store_purchase",
}


def new_order(new: NewOrder, tenant: Tenant) -> Order:
    """Return the unsaved order without its totals; the tenant's defaults fill what is missing."""
    customer = new.details.get("customer", {})
    customer_id = customer_id_for(
        tenant, customer, external_id=new.details.get("external_customer_id")
    )
    now = datetime.now(UTC)
    columns: dict[str, Any] = {
        "channel_type": "web",
        "shop": tenant.shop,
        "shop_locale": tenant.shop_locale,
        "price_method": PriceMethod.TAX_EXCLUDED,
        "placed_at": now,
    } | new.columns
    details = identity.snapshot(new, columns["price_method"])
    if new.name != new.external_id:
        details[Order.EXTERNAL_ID_AS_SENT] = new.external_id
    return prepared_sql.unsaved(
        Order,
        captured_at=now,  # replaced by the database's clock on insert
        tenant_id=tenant.pk,
        uuid=identity.order_uuid(new, tenant.uuid),
        external_id=new.name or "",
        status=OrderStatus.ON_HOLD,
        version=0,  # incremented by every row of the timeline
        customer_id=customer_id,
        customer_key=customer_key(tenant, customer_id) if customer_id else None,
        customer_email=customer.get("email", ""),
        details=as_stored(details),
        **columns,
    )


def shipments_of(
    new: Sequence[NewShipment], order: Order, policy: Policy, uuids: Sequence[UUID], first: int = 0
) -> list[Shipment]:
    """Return unsaved shipments, numbered from `first`, with the methods of their service levels."""
    built = []
    for position, (uuid, shipment) in enumerate(zip(uuids, new, strict=True), first):
        price = shipment.price.under(order.price_method)
        level = policy.service_levels.get(shipment.service_level)
        if shipment.service_level == IN_STORE_HANDOVER:
            method = HANDOVER
        else:
            method = level.shipping_type if level else "traditional_carrier"
        built.append(
            prepared_sql.unsaved(
                Shipment,
                tenant_id=order.tenant_id,
                uuid=uuid,
                position=position,
                service_level=shipment.service_level,
                shipping_method=method,
                strategy=shipment.strategy,
                location_code=shipment.location_code,
                base=price.base,
                net=price.net,
                tax=price.tax,
                gross=price.gross,
                discount=price.discount,
                details=as_stored(shipment.details),
            )
        )
    return built


def items_of(
    new: Sequence[NewItem],
    order: Order,
    shipments: Sequence[Shipment],
    uuids: Sequence[UUID],
    first: int = 0,
) -> list[Item]:
    """Return unsaved, pending items, numbered from `first`."""
    built = []
    for position, (uuid, item) in enumerate(zip(uuids, new, strict=True), first):
        price = item.price.under(order.price_method)
        shipment = shipments[item.shipment] if item.shipment is not None else None
        in_store = shipment is not None and shipment.shipping_method == HANDOVER
        instance = prepared_sql.unsaved(
            Item,
            tenant_id=order.tenant_id,
            uuid=uuid,
            position=position,
            external_item_id=item.external_item_id,
            product_id=item.product_id,
            status=ItemStatus.PENDING,
            is_in_store=item.is_in_store or in_store,
            is_preorder=item.is_preorder,
            serial_number=item.details.get("external_identifier", {}).get("serial_number", ""),
            base=price.base,
            net=price.net,
            tax=price.tax,
            gross=price.gross,
            discount=price.discount,
            details=as_stored(item.details),
            attributes=item.details.get("extended_attributes", []),
        )
        instance.shipment = shipment
        built.append(instance)
    return built


def fulfillment_type(items: Sequence[Item]) -> str:
    """Return the fulfillment type of an order; that of a mixed cart is `multiple`."""
    types = {FULFILLMENT_TYPES[shipping_method(item)] for item in items}
    return types.pop() if len(types) == 1 else "multiple"

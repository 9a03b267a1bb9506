"""What an external OMS's orders look like when they are read: contract §b.1 and §b.2."""

from typing import Literal

from pydantic import Field, RootModel

from ordermgmt.http.wire import InstantText, Number, Wire
from orders.api.order_models import (
    AddressOut,
    Attribute,
    CustomerOut,
    FulfillmentType,
    FullPriceOut,
    HistoryCustomerOut,
    HistoryOrder,
    Method,
    OrderDetail,
    OrderDetailV2,
    PaginationInfo,
    PriceOut,
    ProductOut,
)
from orders.lifecycle import ItemStatus

ExternalItemStatus = Literal["pending", "in_fulfillment", "complete", "cancelled", "returned"]


class ExternalDiscountOut(Wire):
    level: Literal["item", "order"]
    type: Literal["fixed", "percentage"]
    value: Number
    price_adjustment: Number


class SharedExternalItem(Wire):
    id: str
    """Whatever the OMS calls it."""
    status: ExternalItemStatus
    price: FullPriceOut
    product_attributes: ProductOut
    external_identifier: dict[str, str]
    product_id: str | None = None
    discounts: list[ExternalDiscountOut] | None = None


class ExternalHistoryItem(SharedExternalItem):
    extended_attributes: list[Attribute]
    """Always empty."""


class ExternalItemOut(SharedExternalItem):
    origin_id: str


class ExternalTotalsOut(Wire):
    gross: Number
    net: Number
    tax: Number
    discount: Number
    shipping: Number
    total: Number


class PaymentOut(Wire):
    category: Literal["payment", "refund"]
    amount: Number
    currency: str
    method: Literal["gift_card", "credit_card", "cash"]
    payment_information: str | None = None


class ExternalDetail(Wire):
    """An order of the tenant's external OMS, whole, in our words."""

    id: str
    origin: Literal["newstore", "external"]
    """Where it was placed: here or there."""
    origin_id: str
    """Our id of an order placed here, else the same as `id`."""
    channel_type: Literal["store", "web"]
    placed_at: str
    """Printed as the OMS does."""
    status: Literal["on_hold", "open", "closed"]
    currency: str
    fulfillment_type: FulfillmentType
    items: list[ExternalItemOut]
    totals: ExternalTotalsOut
    tax_exempt: Literal[False]
    payment_history: list[PaymentOut] | None = None
    customer: CustomerOut | None = None
    shipping_address: AddressOut | None = None
    billing_address: AddressOut | None = None
    store_id: str | None = None
    shop_locale: str | None = None
    catalog: str | None = None
    is_offline: bool | None = None
    tax_method: Method | None = None


class ExternalDetailV2(ExternalDetail):
    """An order of the tenant's external OMS, whole, in our words (version 2)."""

    placed_at: InstantText
    """UTC."""


class ExternalChannel(Wire):
    type: Literal["store", "web"]


class ExternalHistoryOrder(Wire):
    id: str
    origin: Literal["newstore", "external"]
    origin_id: str
    channel: ExternalChannel
    placed_at: InstantText
    status: Literal["on_hold", "open", "closed"]
    currency: str
    fulfillment_type: FulfillmentType
    items: list[ExternalHistoryItem]
    customer: HistoryCustomerOut
    extended_attributes: list[Attribute]
    """Always empty."""


class HistoryItemV1(Wire):
    id: str
    origin_id: str
    status: ItemStatus = Field(strict=False)
    price: PriceOut
    product_attributes: ProductOut
    external_identifier: dict[str, str]


class HistoryOrderV1(Wire):
    id: str
    origin: Literal["newstore", "external"]
    origin_id: str
    channel_type: Literal["store", "web"]
    placed_at: str
    status: Literal[
        "on_hold",
        "open",
        "closed",
        "failed",
        "created_for_blind_return",
        "pending",
        "in_fulfillment",
        "complete",
    ]
    """Of the OMS's orders in its own words: pending, in_fulfillment, complete."""
    currency: str
    fulfillment_type: FulfillmentType
    items: list[HistoryItemV1]
    catalog: str | None = None


class AnyOrder(RootModel[OrderDetail | ExternalDetail]):
    """One of ours, or one of the tenant's external OMS."""


class AnyOrderV2(RootModel[OrderDetailV2 | ExternalDetailV2]):
    """One of ours, or one of the tenant's external OMS (version 2)."""


class OrderHistory(Wire):
    """A page of a customer's orders, newest `placed_at` first (version 2)."""

    pagination_info: PaginationInfo
    orders: list[HistoryOrder | ExternalHistoryOrder]


class OrderHistoryV1(Wire):
    """Version 1: the newest 100; empty for tenants without an external OMS, as documented."""

    orders: list[HistoryOrderV1]

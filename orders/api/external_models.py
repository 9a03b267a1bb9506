"""Wire models of an external OMS's orders: docs/contract.md, External order webhook."""

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
    """The OMS's id of the item."""
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
    """All of an order of the tenant's external OMS, in the form of our own orders."""

    id: str
    origin: Literal["newstore", "external"]
    """The system in which the order was placed."""
    origin_id: str
    """Our UUID of an order that was placed with us; otherwise the same as `id`."""
    channel_type: Literal["store", "web"]
    placed_at: str
    """In the OMS's own format."""
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
    """All of an order of the tenant's external OMS, in the form of our own orders (version 2)."""

    placed_at: InstantText
    """In UTC."""


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
    """An order of the OMS has one of the OMS's statuses: pending, in_fulfillment, complete."""
    currency: str
    fulfillment_type: FulfillmentType
    items: list[HistoryItemV1]
    catalog: str | None = None


class AnyOrder(RootModel[OrderDetail | ExternalDetail]):
    """An order of ours, or of the tenant's external OMS."""


class AnyOrderV2(RootModel[OrderDetailV2 | ExternalDetailV2]):
    """An order of ours, or of the tenant's external OMS (version 2)."""


class OrderHistory(Wire):
    """A page of a customer's orders, sorted by `placed_at` from newest to oldest (version 2)."""

    pagination_info: PaginationInfo
    orders: list[HistoryOrder | ExternalHistoryOrder]


class OrderHistoryV1(Wire):
    """The newest 100 orders (version 1). The list is empty for tenants without an external OMS."""

    orders: list[HistoryOrderV1]

"""Wire models of our own orders: docs/contract.md, Reading."""

from typing import Literal

from pydantic import Field

from ordermgmt.http.wire import InstantText, Int32, Number, Uuid, Wire
from orders.lifecycle import ItemStatus, OrderStatus

FulfillmentType = Literal[
    "traditional", "same_day_delivery", "in_store_pickup", "in_store_purchase", "multiple"
]
Method = Literal["vat_included", "vat_excluded"]


class Attribute(Wire):
    name: str
    value: str


class TaxLineOut(Wire):
    amount: Number
    rate: Number | None = None
    """A ratio or a percentage, as the caller of the capture counted it."""
    name: str | None = None
    country_code: str | None = None


class DiscountOut(Wire):
    level: Literal["item", "order"]
    type: Literal["fixed", "percentage"]
    value: Number
    price_adjustment: Number
    """The amount taken off."""
    reason: str | None = None
    coupon_code: str | None = None
    promotion_uuid: str | None = None
    external_ref: str | None = None


class PriceOut(Wire):
    net: Number
    """After discounts, before tax."""
    tax: Number
    gross: Number
    """`net + tax`."""
    discount: Number
    """The amount taken off `base`."""


class FullPriceOut(PriceOut):
    base: Number
    """Before discounts."""


class ProductOut(Wire):
    name: str
    """The product id if the product has no name."""
    size: str | None = None
    color: str | None = None
    image_url: str | None = None
    additional_variant_1: str | None = None
    additional_variant_2: str | None = None


class SharedItemOut(Wire):
    """The members that an item has both in an order's detail and in a history."""

    id: Uuid
    status: ItemStatus = Field(strict=False)
    price: FullPriceOut
    product_attributes: ProductOut
    external_identifier: dict[str, str]
    """The item's ids in other systems: external_item_id, serial_number, sku, upc …"""
    product_id: str


class HistoryItemOut(SharedItemOut):
    extended_attributes: list[Attribute]


class ItemOut(SharedItemOut):
    """One unit of one product."""

    origin_id: Uuid
    extended_attributes: list[Attribute] | None = None
    price_catalog: Number | None = None
    tax_lines: list[TaxLineOut] | None = None
    tax_class: str | None = None
    discounts: list[DiscountOut] | None = None
    fulfillment_group_type: Literal["SHIPPING", "IN_STORE_HANDOVER"]
    shipping_method: str
    addon_parent_item_id: str | None = None


class CustomerOut(Wire):
    id: str | None = None
    name: str | None = None
    email: str | None = None
    language: str | None = None


class AddressOut(Wire):
    """An address. Personal members are tokens for tenants that use tokens."""

    title: str | None = None
    suffix: str | None = None
    salutation: str | None = None
    first_name: str | None = None
    second_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    address_line_1: str | None = None
    address_line_2: str | None = None
    zip_code: str | None = None
    city: str | None = None
    province: str | None = None
    state: str | None = None
    country_code: str
    note: str | None = None


class HistoryAddressOut(Wire):
    """An address with all members; unknown ones are null.

    Personal members are tokens for tenants that use tokens."""

    title: str | None
    suffix: str | None
    salutation: str | None
    first_name: str | None
    second_name: str | None
    last_name: str | None
    phone: str | None
    address_line_1: str | None
    address_line_2: str | None
    zip_code: str | None
    city: str | None
    province: str | None
    state: str | None
    country_code: str
    note: str | None = None
    """Left out if there is none."""


class ShipmentOut(Wire):
    id: Uuid
    price: FullPriceOut
    tax_lines: list[TaxLineOut] | None = None
    discounts: list[DiscountOut] | None = None


class FulfillmentOut(Wire):
    item_ids: list[Uuid]


class WrappingPriceOut(Wire):
    net: Number
    tax: Number
    gross: Number
    tax_code: str | None = None


class GiftWrappingOut(Wire):
    message: str | None = None
    price: WrappingPriceOut
    tax_lines: list[TaxLineOut] | None = None


class TotalsOut(Wire):
    gross: Number
    """The sum over all items, with tax."""
    net: Number
    """The sum over all items, after discounts and before tax."""
    tax: Number
    """The sum over all items."""
    discount: Number
    """The sum taken off the items."""
    shipping: Number
    """The price of shipping, with tax."""
    gift_wrapping: Number
    """The price of gift wrapping, with tax."""
    total: Number
    """The amount the customer pays: `gross + shipping + gift_wrapping`."""


class OrderDetail(Wire):
    """All of an order."""

    id: str
    """The external id; the order's number if the caller sent none."""
    origin: Literal["newstore"]
    origin_id: Uuid
    """Our UUID."""
    channel_type: Literal["store", "web"]
    placed_at: str
    """In UTC, without a zone."""
    status: OrderStatus = Field(strict=False)
    currency: str
    fulfillment_type: FulfillmentType
    items: list[ItemOut]
    totals: TotalsOut
    store_id: str | None = None
    associate_id: str | None = None
    shop_locale: str
    catalog: str
    """The shop."""
    customer: CustomerOut | None = None
    shipping_address: AddressOut | None = None
    billing_address: AddressOut | None = None
    is_offline: bool
    tax_exempt: bool
    exemption_class: str | None = None
    exemption_number: str | None = None
    tax_method: Method
    gift_wrapping: GiftWrappingOut | None = None
    shipments: list[ShipmentOut] | None = None
    fulfillments: list[FulfillmentOut] | None = None
    extended_attributes: list[Attribute] | None = None
    notification_blacklist: list[str] | None = None


class OrderDetailV2(OrderDetail):
    """All of an order (version 2)."""

    placed_at: InstantText
    """In UTC."""


class CapturedOrder(OrderDetail):
    """The stored order with all its ids."""

    external_id: str
    """The same as `id`."""
    number: str
    """The order number from the tenant's sequence."""


class CapturedOrderV2(CapturedOrder):
    """The stored order with all its ids (version 2)."""

    placed_at: InstantText
    """In UTC."""


class ChannelOut(Wire):
    id: str
    type: Literal["store", "web"]


class HistoryCustomerOut(Wire):
    id: str
    email: str


class TaxInformationOut(Wire):
    is_exempt: bool
    method: Method


class ShopOut(Wire):
    id: str
    locale: str


class HistoryOrder(Wire):
    id: str
    origin: Literal["newstore"]
    origin_id: Uuid
    channel: ChannelOut
    placed_at: InstantText
    status: OrderStatus = Field(strict=False)
    currency: str
    fulfillment_type: FulfillmentType
    items: list[HistoryItemOut]
    customer: HistoryCustomerOut
    tax_information: TaxInformationOut | None = None
    totals: TotalsOut | None = None
    extended_attributes: list[Attribute]
    shipping_address: HistoryAddressOut | None = None
    shop: ShopOut | None = None
    is_offline: bool | None = None
    is_historical: bool | None = None


class PaginationInfo(Wire):
    count: Int32
    """The number of orders on this page."""
    offset: Int32
    total: Int32
    """The number of all orders of this customer."""

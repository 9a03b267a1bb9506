"""What an order looks like when it is read: the schemas of contract §b.1 and §b.2."""

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
    """As the writer counted it, ratio or percent."""
    name: str | None = None
    country_code: str | None = None


class DiscountOut(Wire):
    level: Literal["item", "order"]
    type: Literal["fixed", "percentage"]
    value: Number
    price_adjustment: Number
    """The money taken off."""
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
    """Money taken off `base`."""


class FullPriceOut(PriceOut):
    base: Number
    """Before discounts."""


class ProductOut(Wire):
    name: str
    """The product id, where nobody gave a name."""
    size: str | None = None
    color: str | None = None
    image_url: str | None = None
    additional_variant_1: str | None = None
    additional_variant_2: str | None = None


class SharedItemOut(Wire):
    """An item, in the detail and in a history."""

    id: Uuid
    status: ItemStatus = Field(strict=False)
    price: FullPriceOut
    product_attributes: ProductOut
    external_identifier: dict[str, str]
    """What others call it: external_item_id, serial_number, sku, upc …"""
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
    """Personal parts are tokens for tenants that ask for them."""

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
    """Each part is there, and null if it is not known; personal ones may be tokens."""

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
    """Left out where there is none."""


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
    """Items."""
    net: Number
    """Items."""
    tax: Number
    """Items."""
    discount: Number
    """Taken off the items."""
    shipping: Number
    """With tax."""
    gift_wrapping: Number
    """With tax."""
    total: Number
    """What the customer pays: `gross + shipping + gift_wrapping`."""


class OrderDetail(Wire):
    """An order, whole."""

    id: str
    """The caller's id; the order's number where the caller gave none."""
    origin: Literal["newstore"]
    origin_id: Uuid
    """Our id."""
    channel_type: Literal["store", "web"]
    placed_at: str
    """UTC, printed without a zone."""
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
    """An order, whole (version 2)."""

    placed_at: InstantText
    """UTC."""


class CapturedOrder(OrderDetail):
    """The order as it is stored, with all it is called by."""

    external_id: str
    """The same as `id`."""
    number: str
    """Drawn from the tenant's sequence."""


class CapturedOrderV2(CapturedOrder):
    """The order as it is stored, with all it is called by (version 2)."""

    placed_at: InstantText
    """UTC."""


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
    """Orders on this page."""
    offset: Int32
    total: Int32
    """Orders of this customer."""

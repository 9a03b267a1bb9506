"""What a capture looks like on the wire: both vocabularies of contract §a.3.1, and what they mean.

`draft()` says it in the domain's words (`orders.services.capture.draft`). Nulls and
absent keys are the same: not said.
"""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    Discriminator,
    Field,
    PlainSerializer,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ordermgmt.money import ZERO
from ordermgmt.wire import Instant, Uuid, Wire
from orders.api.fields import (
    Amount,
    Country,
    Currency,
    Email,
    GracePeriod,
    Identifier,
    IpAddress,
    Locale,
    LongIdentifier,
    Name,
    OrderName,
    Phone,
    PlacedAt,
    Positive,
    Quantity,
    Rate,
    Text32,
    Text64,
    Text128,
    Text256,
    Text1024,
    Zip,
)
from orders.services.capture.draft import (
    IN_STORE_HANDOVER,
    AnyPrice,
    NewItem,
    NewOrder,
    NewShipment,
    PartialPrice,
    Price,
    Quote,
)

MOST_ITEMS = 20_000
MOST_SHIPMENTS = 10  # contract C-1


ImageUrl = Annotated[str, StringConstraints(max_length=2000, pattern=r"^(https?://[^\s@\\]+)?$")]
OfferToken = Annotated[str, StringConstraints(min_length=1, max_length=8192)]


def _wrong(words: str) -> PydanticCustomError:
    return PydanticCustomError("rule", words)


class TaxLine(Wire):
    amount: Amount
    rate: Rate | None = None
    """As the writer counts it, ratio or percent; returned as it came."""
    name: Text64 | None = None
    country_code: Annotated[str, StringConstraints(max_length=2)] | None = None


class Discount(Wire):
    """A discount in the read model's form."""

    level: Literal["item", "order"]
    type: Literal["fixed", "percentage"]
    value: Amount
    price_adjustment: Amount
    """The money it takes off."""
    reason: Text1024 | None = None
    coupon_code: Text64 | None = None
    promotion_uuid: Text64 | None = None

    @model_validator(mode="after")
    def _at_most_everything(self) -> Self:
        if self.type == "percentage" and self.value > 100:
            raise _wrong("the discount is more than 100 percent")
        return self


class InjectedDiscount(Wire):
    """A discount in the injection's form."""

    discount_ref: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    type: Literal["fixed", "percentage"]
    original_value: Amount
    price_adjustment: Amount
    coupon_code: Text64 | None = None
    description: Text1024 | None = None

    @model_validator(mode="after")
    def _at_most_everything(self) -> Self:
        if self.type == "percentage" and self.original_value > 100:
            raise _wrong("the discount is more than 100 percent")
        return self

    def said(self, level: str) -> dict[str, Any]:
        """The same in the read model's form."""
        told = {
            "level": level,
            "type": self.type,
            "value": self.original_value,
            "price_adjustment": self.price_adjustment,
            "reason": self.description,
            "coupon_code": self.coupon_code,
            "external_ref": self.discount_ref,
        }
        return {name: value for name, value in told.items() if value not in (None, "")}


class ReadPrice(Wire):
    """A price in the read model's form: `gross = net + tax`, `net` after the discount."""

    net: Amount
    tax: Amount
    gross: Amount
    discount: Amount | None = None
    base: Amount | None = None
    """Before the discount."""


class InjectedPrice(Wire):
    """A price in the injection's form; `item_price` is with or without tax by `price_method`."""

    item_price: Amount
    item_list_price: Amount | None = None
    item_tax_lines: Annotated[list[TaxLine], Field(max_length=100)] = Field(default_factory=list)
    item_discount_info: Annotated[list[InjectedDiscount], Field(max_length=1)] | None = None
    item_order_discount_info: Annotated[list[InjectedDiscount], Field(max_length=1)] | None = None
    pricebook: Text64 | None = None
    group_ref: Text64 | None = None

    def discounts(self) -> list[dict[str, Any]]:
        return [d.said("item") for d in self.item_discount_info or ()] + [
            d.said("order") for d in self.item_order_discount_info or ()
        ]


def _price_form(value: Any) -> str:
    return "injection" if isinstance(value, dict) and "item_price" in value else "read_model"


ItemPrice = Annotated[
    Annotated[InjectedPrice, Tag("injection")] | Annotated[ReadPrice, Tag("read_model")],
    Discriminator(_price_form),
]


class ExtendedAttribute(Wire):
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    value: Annotated[str, StringConstraints(max_length=8192)]


def _named_once(attributes: list[ExtendedAttribute]) -> list[ExtendedAttribute]:
    if len({a.name for a in attributes}) != len(attributes):
        raise _wrong("a name is used twice")
    return attributes


Attributes = Annotated[list[ExtendedAttribute], Field(max_length=100), AfterValidator(_named_once)]


class ProductAttributes(Wire):
    name: Text256 | None = None
    size: Text256 | None = None
    color: Text256 | None = None
    image_url: ImageUrl | None = None
    additional_variant_1: Text256 | None = None
    additional_variant_2: Text256 | None = None


class WrappingPrice(Wire):
    net: Amount
    tax: Amount
    gross: Amount
    tax_code: Text256 | None = None


class GiftWrapping(Wire):
    message: Annotated[str, StringConstraints(max_length=512)] | None = None
    price: WrappingPrice
    tax_lines: Annotated[list[TaxLine], Field(max_length=100)] | None = None


class InjectedGiftWrapping(Wire):
    message: Annotated[str, StringConstraints(max_length=512)] | None = None
    item_price: Amount = ZERO
    item_tax_lines: Annotated[list[TaxLine], Field(max_length=100)] = Field(default_factory=list)
    tax_class: Text256 | None = None


class ItemIn(Wire):
    """One unit of one product; send the element once for each unit."""

    id: Uuid | None = Field(
        default=None, validation_alias=AliasChoices("id", "sales_order_item_uuid")
    )
    external_item_id: Identifier | None = None
    product_id: Identifier
    price: ItemPrice
    quantity: Quantity | None = None
    discounts: Annotated[list[Discount], Field(max_length=20)] | None = None
    tax_lines: Annotated[list[TaxLine], Field(max_length=100)] | None = None
    tax_class: Text256 | None = None
    price_catalog: Amount | None = None
    product_attributes: ProductAttributes | None = None
    external_identifier: (
        Annotated[
            dict[
                Annotated[str, StringConstraints(min_length=1, max_length=100)],
                Annotated[str, StringConstraints(max_length=256)],
            ],
            Field(max_length=100),
        ]
        | None
    ) = None
    extended_attributes: Attributes | None = None
    is_preorder: bool | None = None
    addon_parent_item_id: Uuid | None = None
    fulfillment_group_type: Literal["SHIPPING", "IN_STORE_HANDOVER"] | None = None
    gift_wrapping: InjectedGiftWrapping | None = None
    shipment_id: Uuid | None = None
    """Which shipment it travels with, where there are several."""

    def draft(self, shipment: int | None) -> NewItem:
        price, details = self._price()
        parts = {
            "price_catalog": self.price_catalog,
            "tax_class": self.tax_class,
            "external_identifier": self.external_identifier,
            "fulfillment_group_type": self.fulfillment_group_type,
            "addon_parent_item_id": self.addon_parent_item_id and str(self.addon_parent_item_id),
            "product_attributes": _said(self.product_attributes, empty=False),
            "extended_attributes": _listed(self.extended_attributes),
        }
        return NewItem(
            product_id=self.product_id,
            price=price,
            id=self.id,
            external_item_id=self.external_item_id or "",
            shipment=shipment,
            is_in_store=self.fulfillment_group_type == IN_STORE_HANDOVER,
            is_preorder=bool(self.is_preorder),
            details=details | {name: value for name, value in parts.items() if value},
        )

    def _price(self) -> tuple[AnyPrice, dict[str, Any]]:
        price = self.price
        if isinstance(price, InjectedPrice):
            discounts = price.discounts()
            quote = Quote(
                base=price.item_price,
                tax=sum((line.amount for line in price.item_tax_lines), ZERO),
                discount=_taken_off(discounts),
            )
            catalog, lines = price.item_list_price, price.item_tax_lines
            details = {
                "price_catalog": catalog,
                "tax_lines": _listed(lines),
                "discounts": discounts,
                "pricebook": price.pricebook,
                "group_ref": price.group_ref,
            }
            return quote, {k: v for k, v in details.items() if v not in (None, [], "")}
        discounts = _listed(self.discounts)
        taken = _taken_off(discounts) if price.discount is None else price.discount
        details = {"tax_lines": _listed(self.tax_lines), "discounts": discounts}
        partial = PartialPrice(price.net, price.tax, price.gross, taken, price.base)
        return partial, {k: v for k, v in details.items() if v}


class RoutingStrategy(Wire):
    strategy: Literal["default", "prerouted", "external"] = "default"
    fulfillment_node_id: LongIdentifier | None = None

    @model_validator(mode="after")
    def _prerouted_to(self) -> Self:
        if self.strategy == "prerouted" and not self.fulfillment_node_id:
            raise _wrong("'fulfillment_node_id' is a required property")
        return self


class ShippingOption(Wire):
    service_level_identifier: Identifier | None = None
    shipping_offer_token: (
        Annotated[str, StringConstraints(min_length=1, max_length=8192)] | None
    ) = None
    price: Amount = ZERO
    tax: Amount = ZERO
    discount_info: Annotated[list[InjectedDiscount], Field(max_length=1)] | None = None
    routing_strategy: RoutingStrategy | None = None


class ShipmentIn(Wire):
    """Items that travel together. Its price: a `shipping_option`, or an object, or a number."""

    id: Uuid | None = None
    shipping_option: ShippingOption | None = None
    price: ReadPrice | Amount | None = None
    tax: Amount | None = None
    tax_lines: Annotated[list[TaxLine], Field(max_length=100)] | None = None
    discounts: Annotated[list[Discount], Field(max_length=20)] | None = None
    service_level_identifier: Identifier | None = None
    routing_strategy: RoutingStrategy | None = None

    def draft(self) -> NewShipment:
        option = self.shipping_option or ShippingOption()
        routing = self.routing_strategy or option.routing_strategy or RoutingStrategy()
        price, discounts = self._price(option)
        parts = {
            "tax_lines": _listed(self.tax_lines),
            "discounts": discounts,
            "shipping_offer_token": option.shipping_offer_token,
        }
        return NewShipment(
            price=price,
            id=self.id,
            service_level=self.service_level_identifier or option.service_level_identifier or "",
            strategy=routing.strategy,
            location_code=routing.fulfillment_node_id or "",
            details={name: value for name, value in parts.items() if value},
        )

    def _price(self, option: ShippingOption) -> tuple[AnyPrice, list[dict[str, Any]]]:
        discounts = _listed(self.discounts) or [d.said("order") for d in option.discount_info or ()]
        taken = _taken_off(discounts)
        if isinstance(self.price, ReadPrice):
            price = self.price
            taken = taken if price.discount is None else price.discount
            return PartialPrice(price.net, price.tax, price.gross, taken, price.base), discounts
        if self.price is not None:
            return Quote(self.price, self.tax or ZERO, taken), discounts
        return Quote(option.price, option.tax, taken), discounts


class ShipmentWithItems(ShipmentIn):
    """A shipment in the injection's form."""

    items: Annotated[list[ItemIn], Field(min_length=1, max_length=MOST_ITEMS)]


class Address(Wire):
    country_code: Country = Field(validation_alias=AliasChoices("country_code", "country"))
    address_line_1: Text256 | None = None
    address_line_2: Text256 | None = None
    city: Text64 | None = None
    first_name: Text64 | None = None
    second_name: Text64 | None = None
    last_name: Text64 | None = None
    phone: Phone | None = None
    salutation: Text32 | None = None
    state: Text32 | None = None
    province: Text32 | None = None
    suffix: Text32 | None = None
    title: Text32 | None = None
    zip_code: Zip | None = None
    note: Text1024 | None = None


class Customer(Wire):
    id: LongIdentifier | None = None
    name: Text128 | None = None
    email: Email | None = None
    language: Annotated[str, StringConstraints(max_length=2)] | None = None


def _utc_text(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat()


class Payment(Wire):
    type: Literal["authorized", "captured"]
    amount: Positive
    method: Identifier
    processed_at: Annotated[Instant, PlainSerializer(_utc_text, return_type=str)]
    processor: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    correlation_ref: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    wallet: Text64 | None = None
    metadata: Annotated[dict[str, Any], Field(max_length=100)] | None = None


class OrderFields(Wire):
    """All of a capture but its items and shipments."""

    id: Uuid | None = Field(default=None, validation_alias=AliasChoices("id", "sales_order_uuid"))
    external_id: OrderName | None = Field(
        default=None, validation_alias=AliasChoices("external_id", "sales_order_external_id")
    )
    currency: Currency | None = None
    """Required for a new order."""
    shop: Name | None = None
    shop_locale: Locale | None = None
    channel_type: Literal["web", "mobile", "store"] | None = None
    channel_name: Text64 | None = Field(
        default=None, validation_alias=AliasChoices("channel_name", "channel")
    )
    store_id: Text256 | None = None
    associate_id: Text256 | None = None
    placed_at: PlacedAt | None = None
    price_method: Literal["tax_excluded", "tax_included"] | None = None
    tax_method: Literal["vat_excluded", "vat_included"] | None = None
    """Another word for `price_method`."""
    customer: Customer | None = None
    customer_name: Text128 | None = None
    customer_email: Email | None = None
    customer_language: Annotated[str, StringConstraints(max_length=2)] | None = None
    consumer_uuid: LongIdentifier | None = None
    external_customer_id: Text256 | None = Field(
        default=None, validation_alias=AliasChoices("external_customer_id", "external_consumer_id")
    )
    shipping_address: Address | None = None
    billing_address: Address | None = None
    gift_wrapping: GiftWrapping | None = None
    payments: Annotated[list[Payment], Field(max_length=40)] | None = None
    extended_attributes: Attributes | None = None
    notification_blacklist: Annotated[list[Text128], Field(max_length=100)] | None = None
    is_preconfirmed: bool | None = None
    is_fulfilled: bool | None = None
    is_offline: bool | None = None
    is_historical: bool | None = None
    is_exchange: bool | None = None
    tax_exempt: bool | None = None
    exemption_class: Text256 | None = None
    exemption_number: Text256 | None = None
    ip_address: IpAddress | None = None
    grace_period: GracePeriod | None = None
    """Seconds to wait before routing; 0 routes at once. Our extension."""

    def _order(self, items: list[NewItem], shipments: list[NewShipment]) -> NewOrder:
        method = self.price_method or {
            "vat_excluded": "tax_excluded",
            "vat_included": "tax_included",
        }.get(self.tax_method or "")
        said = {name: getattr(self, name) for name in _COLUMNS} | {"price_method": method}
        details = {name: getattr(self, name) for name in _FLAGS} | {
            "customer": self._customer(),
            "shipping_address": _said(self.shipping_address),
            "billing_address": _said(self.billing_address),
            "payments": _listed(self.payments) or None,
            "extended_attributes": _listed(self.extended_attributes) or None,
        }
        wrapping, price = self._gift_wrapping()
        return NewOrder(
            items=items,
            shipments=shipments,
            id=self.id,
            external_id=self.external_id,
            said={name: value for name, value in said.items() if value is not None},
            details={name: value for name, value in details.items() if value is not None}
            | wrapping,
            gift_wrapping=price,
        )

    def _customer(self) -> dict[str, Any] | None:
        flat = {
            "id": self.consumer_uuid,
            "name": self.customer_name,
            "email": self.customer_email,
            "language": self.customer_language,
        }
        said = {name: value for name, value in flat.items() if value}
        return said | (_said(self.customer, empty=False) or {}) or None

    def _gift_wrapping(self) -> tuple[dict[str, Any], AnyPrice]:
        if wrapping := self.gift_wrapping:
            price = wrapping.price
            parts = {
                "message": wrapping.message,
                "tax_code": price.tax_code,
                "tax_lines": _listed(wrapping.tax_lines),
            }
            amounts: AnyPrice = PartialPrice(price.net, price.tax, price.gross)
        elif injected := self._first_wrapping():
            parts = {
                "message": injected.message,
                "tax_code": injected.tax_class,
                "tax_lines": _listed(injected.item_tax_lines),
            }
            tax = sum((line.amount for line in injected.item_tax_lines), ZERO)
            amounts = Quote(injected.item_price, tax)
        else:
            return {}, Price()
        return {"gift_wrapping": {k: v for k, v in parts.items() if v}}, amounts

    def _first_wrapping(self) -> InjectedGiftWrapping | None:
        """Of wrappings given with items only the first item's counts: contract §a.1.3."""
        raise NotImplementedError


class CaptureRequest(OrderFields):
    """An order to capture. `items` is all a known order needs; a new one needs `currency`, too."""

    items: Annotated[list[ItemIn], Field(min_length=1, max_length=MOST_ITEMS)]
    shipments: Annotated[list[ShipmentIn], Field(max_length=MOST_SHIPMENTS)] | None = None

    def draft(self) -> NewOrder:
        """This capture in the domain's words."""
        shipments = self.shipments or []
        places: dict[UUID | None, int | None] = {s.id: n for n, s in enumerate(shipments) if s.id}
        only = 0 if len(shipments) == 1 else None
        items = [
            item.draft(
                None
                if item.fulfillment_group_type == IN_STORE_HANDOVER
                else places.get(item.shipment_id, only)
            )
            for item in self.items
        ]
        return self._order(items, [s.draft() for s in shipments])

    @model_validator(mode="after")
    def _items_find_their_shipments(self) -> Self:
        shipments = {s.id for s in self.shipments or ()}
        for n, item in enumerate(self.items):
            if item.shipment_id and item.shipment_id not in shipments:
                raise _wrong(f"items.{n}: 'shipment_id' names no shipment of this order")
            if len(shipments) > 1 and not item.shipment_id:
                raise _wrong(f"items.{n}: 'shipment_id' is a required property")
        return self

    @model_validator(mode="after")
    def _ids_are_used_once(self) -> Self:
        _check_distinct(self.items)
        return self

    def _first_wrapping(self) -> InjectedGiftWrapping | None:
        return self.items[0].gift_wrapping


class InjectedCapture(OrderFields):
    """The same in the injection's form: the items stand inside their shipments."""

    shipments: Annotated[list[ShipmentWithItems], Field(min_length=1, max_length=MOST_SHIPMENTS)]

    def draft(self) -> NewOrder:
        """This capture in the domain's words."""
        items = [item.draft(n) for n, s in enumerate(self.shipments) for item in s.items]
        return self._order(items, [s.draft() for s in self.shipments])

    @model_validator(mode="after")
    def _ids_are_used_once(self) -> Self:
        _check_distinct([item for s in self.shipments for item in s.items])
        return self

    def _first_wrapping(self) -> InjectedGiftWrapping | None:
        return self.shipments[0].items[0].gift_wrapping


def parse(body: Any) -> CaptureRequest | InjectedCapture:
    """The capture in `body`, in the form it uses; raises `InvalidBody` in the documented words."""
    shipments = body.get("shipments") if isinstance(body, dict) else None
    injected = (
        (
            "items" not in body
            and isinstance(shipments, list)
            and any(isinstance(s, dict) and "items" in s for s in shipments)
        )
        if shipments
        else False
    )
    form = InjectedCapture if injected else CaptureRequest
    return form.check(body, operation="capture order")


_COLUMNS = (
    "currency",
    "shop",
    "shop_locale",
    "channel_type",
    "channel_name",
    "store_id",
    "associate_id",
    "placed_at",
)
_FLAGS = (
    "external_customer_id",
    "notification_blacklist",
    "is_preconfirmed",
    "is_fulfilled",
    "is_offline",
    "is_historical",
    "is_exchange",
    "tax_exempt",
    "exemption_class",
    "exemption_number",
    "ip_address",
    "grace_period",
)


def _check_distinct(items: list[ItemIn]) -> None:
    ids = [item.id for item in items if item.id]
    if len(set(ids)) != len(ids):
        raise _wrong("items: an 'id' is used twice")


def _said(model: Wire | None, *, empty: bool = True) -> dict[str, Any] | None:
    """What a part says; without empty strings where the read model wants none."""
    if model is None:
        return None
    said = model.model_dump(exclude_none=True)
    return said if empty else {name: value for name, value in said.items() if value != ""}


def _listed(models: Any) -> list[dict[str, Any]]:
    return [model.model_dump(exclude_none=True) for model in models or ()]


def _taken_off(discounts: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(d["price_adjustment"]) for d in discounts), ZERO)

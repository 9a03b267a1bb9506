"""Wire models of a captured item, with prices in both forms: docs/contract.md, Capture."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ordermgmt.http.wire import AliasedWire, Matches, Uuid, Wire
from ordermgmt.money import ZERO
from orders.api.fields import (
    Amount,
    Identifier,
    Quantity,
    Rate,
    Text64,
    Text256,
    Text1024,
)
from orders.services.capture.draft import (
    IN_STORE_HANDOVER,
    AnyPrice,
    NewItem,
    PartialPrice,
    Quote,
)

ImageUrl = Annotated[
    str,
    StringConstraints(max_length=2000),
    Matches(
        r"^(https?://[^\s@\\]+)?$",
        "the value is not an address with http or https, or it holds a space, an @ or a backslash",
    ),
]


class TaxLine(Wire):
    amount: Amount = ZERO
    """0 if the line has no amount."""
    rate: Rate | None = None
    """A ratio or a percentage, as the caller counts it; returned unchanged."""
    name: Text64 | None = None
    country_code: Annotated[str, StringConstraints(max_length=2)] | None = None


class Discount(Wire):
    """A discount in the read model's form."""

    level: Literal["item", "order"]
    type: Literal["fixed", "percentage"]
    value: Amount
    price_adjustment: Amount
    """The amount taken off."""
    reason: Text1024 | None = None
    coupon_code: Text64 | None = None
    promotion_uuid: Text64 | None = None

    @model_validator(mode="after")
    def _at_most_everything(self) -> Self:
        if self.type == "percentage" and self.value > 100:
            raise PydanticCustomError("rule", "the discount is more than 100 percent")
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
            raise PydanticCustomError("rule", "the discount is more than 100 percent")
        return self

    def to_read_model(self, level: str) -> dict[str, Any]:
        """Return the discount in the read model's form."""
        discount = {
            "level": level,
            "type": self.type,
            "value": self.original_value,
            "price_adjustment": self.price_adjustment,
            "reason": self.description,
            "coupon_code": self.coupon_code,
            "external_ref": self.discount_ref,
        }
        return {name: value for name, value in discount.items() if value not in (None, "")}


class ReadPrice(Wire):
    """A price in the read model's form: `gross = net + tax`; `net` is after the discount."""

    net: Amount
    tax: Amount
    gross: Amount
    discount: Amount | None = None
    base: Amount | None = None
    """The price before the discount."""

    def partial(self, discounts: list[dict[str, Any]]) -> PartialPrice:
        """Return the price in the domain's form, with the discounts that the item lists."""
        return PartialPrice(
            self.net, self.tax, self.gross, self.discount, self.base, total_discount(discounts)
        )


class InjectedPrice(Wire):
    """A price in the injection's form; `price_method` decides whether `item_price` includes tax."""

    item_price: Amount
    item_list_price: Amount | None = None
    item_tax_lines: Annotated[list[TaxLine], Field(max_length=100)] = Field(default_factory=list)
    item_discount_info: Annotated[list[InjectedDiscount], Field(max_length=1)] | None = None
    item_order_discount_info: Annotated[list[InjectedDiscount], Field(max_length=1)] | None = None
    pricebook: Text64 | None = None
    group_ref: Text64 | None = None

    def discounts(self) -> list[dict[str, Any]]:
        return [d.to_read_model("item") for d in self.item_discount_info or ()] + [
            d.to_read_model("order") for d in self.item_order_discount_info or ()
        ]


def _price_form(value: Any) -> str:
    """Return the form that has an amount; null is the same as absent."""
    if not isinstance(value, dict) or "item_price" not in value:
        return "read_model"
    both_null = value["item_price"] is None and value.get("net") is None
    return "injection" if both_null or value["item_price"] is not None else "read_model"


ItemPrice = Annotated[
    Annotated[InjectedPrice, Tag("injection")] | Annotated[ReadPrice, Tag("read_model")],
    Discriminator(_price_form),
]


class ExtendedAttribute(Wire):
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    value: Annotated[str, StringConstraints(max_length=8192)]


def _check_names(attributes: list[ExtendedAttribute]) -> list[ExtendedAttribute]:
    if len({a.name for a in attributes}) != len(attributes):
        raise PydanticCustomError("rule", "a name is used twice")
    return attributes


Attributes = Annotated[list[ExtendedAttribute], Field(max_length=100), AfterValidator(_check_names)]


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


class ItemIn(AliasedWire):
    """One unit of one product. Send one item for each unit."""

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
    """The item's shipment; required if the order has several."""

    def draft(self, shipment: int | None) -> NewItem:
        price, details = self._price()
        parts = {
            "price_catalog": self.price_catalog,
            "tax_class": self.tax_class,
            "external_identifier": self.external_identifier,
            "fulfillment_group_type": self.fulfillment_group_type,
            "addon_parent_item_id": self.addon_parent_item_id and str(self.addon_parent_item_id),
            "product_attributes": members(self.product_attributes, keep_empty=False),
            "extended_attributes": listed(self.extended_attributes),
        }
        return NewItem(
            product_id=self.product_id,
            price=price,
            id=self.id,
            external_item_id=self.external_item_id or "",
            shipment=shipment,
            names_shipment=self.shipment_id is not None and shipment is not None,
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
                discount=total_discount(discounts),
            )
            catalog, lines = price.item_list_price, price.item_tax_lines
            details = {
                "price_catalog": catalog,
                "tax_lines": listed(lines),
                "discounts": discounts,
                "pricebook": price.pricebook,
                "group_ref": price.group_ref,
            }
            return quote, {k: v for k, v in details.items() if v not in (None, [], "")}
        discounts = listed(self.discounts)
        details = {"tax_lines": listed(self.tax_lines), "discounts": discounts}
        return price.partial(discounts), {k: v for k, v in details.items() if v}


def members(model: Wire | None, *, keep_empty: bool = True) -> dict[str, Any] | None:
    """Return the members of a part that are not null, or None without a part.

    `keep_empty=False` leaves out empty strings, which the read model does not have.
    """
    if model is None:
        return None
    values = model.model_dump(exclude_none=True)
    return values if keep_empty else {name: v for name, v in values.items() if v != ""}


def listed(models: Any) -> list[dict[str, Any]]:
    return [model.model_dump(exclude_none=True) for model in models or ()]


def total_discount(discounts: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(d["price_adjustment"]) for d in discounts), ZERO)

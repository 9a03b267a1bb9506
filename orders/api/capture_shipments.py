"""Wire models of a captured shipment, its price and its routing: docs/contract.md, Capture."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ordermgmt.http.wire import Uuid, Wire
from ordermgmt.money import ZERO
from ordermgmt.values import names
from orders.api.capture_items import (
    Discount,
    InjectedDiscount,
    ItemIn,
    ReadPrice,
    TaxLine,
    listed,
    total_discount,
)
from orders.api.fields import (
    Amount,
    Identifier,
    LongIdentifier,
)
from orders.services.capture.draft import (
    AnyPrice,
    NewShipment,
    Quote,
)

MOST_ITEMS = 20_000


class RoutingStrategy(Wire):
    strategy: Literal["default", "prerouted", "external"] = "default"
    fulfillment_node_id: LongIdentifier | None = None

    @model_validator(mode="after")
    def _check_node(self) -> Self:
        if self.strategy == "prerouted" and not self.fulfillment_node_id:
            raise PydanticCustomError("rule", "'fulfillment_node_id' is a required property")
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
    """A group of items. Its price is in `shipping_option` or, as object or number, in `price`."""

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
            "tax_lines": listed(self.tax_lines),
            "discounts": discounts,
            "shipping_offer_token": option.shipping_offer_token,
        }
        return NewShipment(
            price=price,
            id=self.id,
            service_level=names.normal(
                self.service_level_identifier or option.service_level_identifier or ""
            ),
            strategy=routing.strategy,
            location_code=names.normal(routing.fulfillment_node_id or ""),
            details={name: value for name, value in parts.items() if value},
        )

    def _price(self, option: ShippingOption) -> tuple[AnyPrice, list[dict[str, Any]]]:
        discounts = listed(self.discounts) or [
            d.to_read_model("order") for d in option.discount_info or ()
        ]
        if isinstance(self.price, ReadPrice):
            return self.price.partial(discounts), discounts
        discount = total_discount(discounts)
        if self.price is not None:
            return Quote(self.price, self.tax or ZERO, discount, self.tax is not None), discounts
        has_tax = "tax" in option.model_fields_set
        return Quote(option.price, option.tax, discount, has_tax), discounts


class ShipmentWithItems(ShipmentIn):
    """A shipment in the injection's form."""

    items: Annotated[list[ItemIn], Field(min_length=1, max_length=MOST_ITEMS)]

"""Wire models of a capture in both forms: docs/contract.md, Capture.

`draft()` translates a body into the domain's `orders.services.capture.draft`. A null member is the
same as an absent one.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import (
    AliasChoices,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ordermgmt.http.wire import AliasedWire, Anything, Instant, Uuid, Wire
from ordermgmt.money import ZERO
from orders.api.capture_items import (
    Attributes,
    GiftWrapping,
    InjectedGiftWrapping,
    ItemIn,
    listed,
    members,
)
from orders.api.capture_shipments import MOST_ITEMS, ShipmentIn, ShipmentWithItems
from orders.api.fields import (
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

MOST_SHIPMENTS = 10
# Objects of a history entry, with the capture members that their members correspond to.
_ENTRY_OBJECTS: Final = {
    "shop": {"id": "shop", "locale": "shop_locale"},
    "channel": {"id": "channel_name", "type": "channel_type"},
    "tax_information": {"method": "tax_method", "is_exempt": "tax_exempt"},
}
_OBJECTS_WITH_ID: Final = ("shop", "channel")


class Address(AliasedWire):
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
    metadata: Annotated[dict[str, Anything], Field(max_length=100)] | None = None


class OrderFields(AliasedWire):
    """The members of a capture, without its items and shipments."""

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
    tax_method: Literal["vat_included", "vat_excluded"] | None = None
    """The read model's form of `price_method`."""
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
    """Seconds to wait before routing; 0 routes at once."""

    @model_validator(mode="before")
    @classmethod
    def _flatten_history_entry(cls, body: Any) -> Any:
        """Flatten an order in the history's form, which has objects for some members."""
        if not (isinstance(body, dict) and any(_has_id(body.get(n)) for n in _OBJECTS_WITH_ID)):
            return body
        flat = dict(body)
        for name, names in _ENTRY_OBJECTS.items():
            if isinstance(part := body.get(name), dict):
                del flat[name]
                flat = {to: part[member] for member, to in names.items() if member in part} | flat
        return flat

    def _order(
        self,
        items: list[NewItem],
        shipments: list[NewShipment],
        *,
        wrapped: InjectedGiftWrapping | None,
        nests_items: bool = False,
    ) -> NewOrder:
        """Return the order in the domain's form. `wrapped` is the wrapping of the first item."""
        method = self.price_method or {
            "vat_excluded": "tax_excluded",
            "vat_included": "tax_included",
        }.get(self.tax_method or "")
        columns = {name: getattr(self, name) for name in _COLUMNS} | {"price_method": method}
        details = {name: getattr(self, name) for name in _FLAGS} | {
            "customer": self._customer(),
            "shipping_address": members(self.shipping_address),
            "billing_address": members(self.billing_address),
            "payments": listed(self.payments) or None,
            "extended_attributes": listed(self.extended_attributes) or None,
        }
        wrapping, price = self._gift_wrapping(wrapped)
        return NewOrder(
            items=items,
            shipments=shipments,
            id=self.id,
            external_id=self.external_id,
            columns={name: value for name, value in columns.items() if value is not None},
            details={name: value for name, value in details.items() if value is not None}
            | wrapping,
            gift_wrapping=price,
            nests_items=nests_items,
        )

    def _customer(self) -> dict[str, Any] | None:
        flat = {
            "id": self.consumer_uuid,
            "name": self.customer_name,
            "email": self.customer_email,
            "language": self.customer_language,
        }
        customer = {name: value for name, value in flat.items() if value}
        return customer | (members(self.customer, keep_empty=False) or {}) or None

    def _gift_wrapping(
        self, injected: InjectedGiftWrapping | None
    ) -> tuple[dict[str, Any], AnyPrice]:
        if wrapping := self.gift_wrapping:
            price = wrapping.price
            parts = {
                "message": wrapping.message,
                "tax_code": price.tax_code,
                "tax_lines": listed(wrapping.tax_lines),
            }
            amounts: AnyPrice = PartialPrice(price.net, price.tax, price.gross)
        elif injected:
            parts = {
                "message": injected.message,
                "tax_code": injected.tax_class,
                "tax_lines": listed(injected.item_tax_lines),
            }
            tax = sum((line.amount for line in injected.item_tax_lines), ZERO)
            amounts = Quote(injected.item_price, tax)
        else:
            return {}, Price()
        return {"gift_wrapping": {k: v for k, v in parts.items() if v}}, amounts


class CaptureRequest(OrderFields):
    """An order to capture. `items` is required; a new order also needs `currency`."""

    items: Annotated[list[ItemIn], Field(min_length=1, max_length=MOST_ITEMS)]
    shipments: Annotated[list[ShipmentIn], Field(max_length=MOST_SHIPMENTS)] | None = None

    def draft(self) -> NewOrder:
        """Return this capture in the domain's form."""
        shipments = self.shipments or []
        positions: dict[UUID | None, int | None] = {
            s.id: n for n, s in enumerate(shipments) if s.id
        }
        only = 0 if len(shipments) == 1 else None
        items = [
            item.draft(positions.get(item.shipment_id, None if _is_handed_over(item) else only))
            for item in self.items
        ]
        return self._order(
            items, [s.draft() for s in shipments], wrapped=self.items[0].gift_wrapping
        )

    @model_validator(mode="after")
    def _check_shipment_ids(self) -> Self:
        shipments = {s.id for s in self.shipments or ()}
        for n, item in enumerate(self.items):
            if item.shipment_id and item.shipment_id not in shipments:
                raise PydanticCustomError(
                    "rule", f"items.{n}: 'shipment_id' names no shipment of this order"
                )
            if len(shipments) > 1 and not (item.shipment_id or _is_handed_over(item)):
                raise PydanticCustomError(
                    "rule", f"items.{n}: 'shipment_id' is a required property"
                )
        return self

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        _check_distinct("items", self.items)
        _check_distinct("shipments", self.shipments or ())
        return self


class InjectedCapture(OrderFields):
    """An order to capture in the injection's form: the items are inside their shipments."""

    shipments: Annotated[list[ShipmentWithItems], Field(min_length=1, max_length=MOST_SHIPMENTS)]

    def draft(self) -> NewOrder:
        """Return this capture in the domain's form."""
        items = [item.draft(n) for n, s in enumerate(self.shipments) for item in s.items]
        first = self.shipments[0].items[0]
        shipments = [s.draft() for s in self.shipments]
        return self._order(items, shipments, wrapped=first.gift_wrapping, nests_items=True)

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        _check_distinct("items", [item for s in self.shipments for item in s.items])
        _check_distinct("shipments", self.shipments)
        return self


def parse(body: Any) -> CaptureRequest | InjectedCapture:
    """Return the capture in the form of `body`. Raise `InvalidBody` with the documented text."""
    shipments = body.get("shipments") if isinstance(body, dict) else None
    injected = (
        (
            body.get("items") is None
            and isinstance(shipments, list)
            and any(isinstance(s, dict) and s.get("items") is not None for s in shipments)
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


def _has_id(part: Any) -> bool:
    return isinstance(part, dict) and "id" in part


def _is_handed_over(item: ItemIn) -> bool:
    """Return whether the item needs no shipment. It may still have one."""
    return item.fulfillment_group_type == IN_STORE_HANDOVER


def _check_distinct(kind: str, parts: Sequence[ItemIn | ShipmentIn]) -> None:
    ids = [part.id for part in parts if part.id]
    if len(set(ids)) != len(ids):
        raise PydanticCustomError("rule", f"{kind}: an 'id' is used twice")

"""What a capture looks like on the wire: both vocabularies of contract §a.3.1, and what they mean.

`draft()` says it in the domain's words (`orders.services.capture.draft`). Nulls and
absent keys are the same: not said.
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

from ordermgmt.http.wire import AliasedWire, Anything, Instant, Uuid, Wire
from ordermgmt.money import ZERO
from orders.api.capture_items import (
    Attributes,
    GiftWrapping,
    InjectedGiftWrapping,
    ItemIn,
    listed,
    said_by,
    wrong,
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

MOST_SHIPMENTS = 10  # contract C-1
# What are objects in a history entry, and the members of a capture that say the same.
_OF_AN_ENTRY: Final = {
    "shop": {"id": "shop", "locale": "shop_locale"},
    "channel": {"id": "channel_name", "type": "channel_type"},
    "tax_information": {"method": "tax_method", "is_exempt": "tax_exempt"},
}
_NAMED: Final = ("shop", "channel")


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
    tax_method: Literal["vat_included", "vat_excluded"] | None = None
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

    @model_validator(mode="before")
    @classmethod
    def _read_in_a_history(cls, body: Any) -> Any:
        """Take an order as a history lists it: some of its members are objects there."""
        if not (isinstance(body, dict) and any(_is_named(body.get(n)) for n in _NAMED)):
            return body
        flat = dict(body)
        for name, members in _OF_AN_ENTRY.items():
            if isinstance(part := body.get(name), dict):
                del flat[name]
                flat = {to: part[member] for member, to in members.items() if member in part} | flat
        return flat

    def _order(
        self,
        items: list[NewItem],
        shipments: list[NewShipment],
        *,
        wrapped: InjectedGiftWrapping | None,
        nests_items: bool = False,
    ) -> NewOrder:
        """The order in the domain's words; of wrappings on items only the first item's counts."""
        method = self.price_method or {
            "vat_excluded": "tax_excluded",
            "vat_included": "tax_included",
        }.get(self.tax_method or "")
        said = {name: getattr(self, name) for name in _COLUMNS} | {"price_method": method}
        details = {name: getattr(self, name) for name in _FLAGS} | {
            "customer": self._customer(),
            "shipping_address": said_by(self.shipping_address),
            "billing_address": said_by(self.billing_address),
            "payments": listed(self.payments) or None,
            "extended_attributes": listed(self.extended_attributes) or None,
        }
        wrapping, price = self._gift_wrapping(wrapped)
        return NewOrder(
            items=items,
            shipments=shipments,
            id=self.id,
            external_id=self.external_id,
            columns={name: value for name, value in said.items() if value is not None},
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
        said = {name: value for name, value in flat.items() if value}
        return said | (said_by(self.customer, empty=False) or {}) or None

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
    """An order to capture. `items` is all a known order needs; a new one needs `currency`, too."""

    items: Annotated[list[ItemIn], Field(min_length=1, max_length=MOST_ITEMS)]
    shipments: Annotated[list[ShipmentIn], Field(max_length=MOST_SHIPMENTS)] | None = None

    def draft(self) -> NewOrder:
        """This capture in the domain's words."""
        shipments = self.shipments or []
        places: dict[UUID | None, int | None] = {s.id: n for n, s in enumerate(shipments) if s.id}
        only = 0 if len(shipments) == 1 else None
        items = [
            item.draft(places.get(item.shipment_id, None if _is_handed_over(item) else only))
            for item in self.items
        ]
        return self._order(
            items, [s.draft() for s in shipments], wrapped=self.items[0].gift_wrapping
        )

    @model_validator(mode="after")
    def _items_find_their_shipments(self) -> Self:
        shipments = {s.id for s in self.shipments or ()}
        for n, item in enumerate(self.items):
            if item.shipment_id and item.shipment_id not in shipments:
                raise wrong(f"items.{n}: 'shipment_id' names no shipment of this order")
            if len(shipments) > 1 and not (item.shipment_id or _is_handed_over(item)):
                raise wrong(f"items.{n}: 'shipment_id' is a required property")
        return self

    @model_validator(mode="after")
    def _ids_are_used_once(self) -> Self:
        _check_distinct("items", self.items)
        _check_distinct("shipments", self.shipments or ())
        return self


class InjectedCapture(OrderFields):
    """The same in the injection's form: the items stand inside their shipments."""

    shipments: Annotated[list[ShipmentWithItems], Field(min_length=1, max_length=MOST_SHIPMENTS)]

    def draft(self) -> NewOrder:
        """This capture in the domain's words."""
        items = [item.draft(n) for n, s in enumerate(self.shipments) for item in s.items]
        first = self.shipments[0].items[0]
        shipments = [s.draft() for s in self.shipments]
        return self._order(items, shipments, wrapped=first.gift_wrapping, nests_items=True)

    @model_validator(mode="after")
    def _ids_are_used_once(self) -> Self:
        _check_distinct("items", [item for s in self.shipments for item in s.items])
        _check_distinct("shipments", self.shipments)
        return self


def parse(body: Any) -> CaptureRequest | InjectedCapture:
    """The capture in `body`, in the form it uses; raises `InvalidBody` in the documented words."""
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


def _is_named(part: Any) -> bool:
    return isinstance(part, dict) and "id" in part


def _is_handed_over(item: ItemIn) -> bool:
    """Whether it needs no shipment; it may name one all the same."""
    return item.fulfillment_group_type == IN_STORE_HANDOVER


def _check_distinct(kind: str, things: Sequence[ItemIn | ShipmentIn]) -> None:
    ids = [thing.id for thing in things if thing.id]
    if len(set(ids)) != len(ids):
        raise wrong(f"{kind}: an 'id' is used twice")

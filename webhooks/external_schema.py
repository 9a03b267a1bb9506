"""Schema of the answers of an external OMS (docs/contract.md, External order webhook)."""

import datetime as dt
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from ordermgmt import strict_json
from ordermgmt.http.wire import Instant, InvalidBody, Matches, Number, Wire
from ordermgmt.money import LARGEST_TOTAL, PLACES

T = TypeVar("T", bound=Wire)
_INSTANT: Final = TypeAdapter(Instant)


class BrokenAnswer(Exception):
    """An answer that breaks the contract; `faults` are pairs of JSON pointer and text."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__(faults[0][1])
        self.faults = faults


def _currency(value: str) -> str:
    if value not in PLACES:
        raise PydanticCustomError(
            "currency", "the value is not a currency code of ISO 4217 (three capitals)"
        )
    return value


def _moment(value: str) -> str:
    try:
        _INSTANT.validate_python(value).astimezone(dt.UTC)
    except OverflowError:
        raise PydanticCustomError("instant", "the value is not a 'date-time' we know") from None
    return value


def _none_if_empty(value: Any) -> Any:
    """Return None for "", because systems send it for values they do not have."""
    return None if value == "" else value


def _none_if_invalid(value: Any, validate: ValidatorFunctionWrapHandler, _: ValidationInfo) -> Any:
    """Return the value, or None if it is invalid, because the contract does not have the member."""
    try:
        return validate(value)
    except ValidationError:
        return None


Id = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Text = Annotated[str, StringConstraints(max_length=1024)]
OptionalText = Annotated[Text | None, BeforeValidator(_none_if_empty)]
Link = Annotated[
    Annotated[
        str,
        StringConstraints(max_length=2048),
        Matches(r"^https?://\S+$", "the value is not an address with http or https"),
    ]
    | None,
    BeforeValidator(_none_if_empty),
]
Amount = Annotated[Number, Field(ge=0, le=LARGEST_TOTAL, decimal_places=4)]
Currency = Annotated[str, AfterValidator(_currency)]
Moment = Annotated[str, AfterValidator(_moment)]
Extra = WrapValidator(_none_if_invalid)
# Fail fast, because a megabyte can hold 180,000 invalid elements and their report takes seconds.
Listed = Annotated[list[T], Field(fail_fast=True)]


class Price(Wire):
    gross: Amount
    net: Amount
    tax: Amount
    discount: Amount
    base: Annotated[Amount | None, Extra] = None


class Product(Wire):
    name: Annotated[Text, Field(min_length=1)]
    size: OptionalText = None
    color: OptionalText = None
    image_url: Link = None
    additional_variant_1: OptionalText = None
    additional_variant_2: OptionalText = None


class Discount(Wire):
    level: Literal["item", "order"]
    type: Literal["fixed", "percentage"]
    value: Amount
    price_adjustment: Amount


class ExternalItem(Wire):
    id: Id
    origin_id: Id
    status: Literal["pending", "in_fulfillment", "complete", "cancelled", "returned"]
    price: Price
    product_attributes: Product
    external_identifier: dict[str, Id] = {}
    discounts: Listed[Discount] | None = None
    product_id: Annotated[OptionalText, Extra] = None


def _check_unique_ids(items: list[ExternalItem]) -> list[ExternalItem]:
    if len({item.id for item in items}) < len(items):
        raise PydanticCustomError("same_id", "two items have the same id")
    return items


class Address(Wire):
    title: OptionalText = None
    suffix: OptionalText = None
    salutation: OptionalText = None
    first_name: OptionalText = None
    second_name: OptionalText = None
    last_name: OptionalText = None
    phone: OptionalText = None
    address_line_1: OptionalText = None
    address_line_2: OptionalText = None
    zip_code: OptionalText = None
    city: OptionalText = None
    province: OptionalText = None
    state: OptionalText = None
    country_code: OptionalText = None
    note: OptionalText = None


class Customer(Wire):
    id: OptionalText = None
    name: OptionalText = None
    email: OptionalText = None


class ExternalOrder(Wire):
    """An order of the external OMS, as in the list of a consumer's orders."""

    id: Id
    placed_at: Moment
    channel_type: Literal["store", "web"]
    origin: Literal["newstore", "external"]
    origin_id: Id
    status: Literal["pending", "in_fulfillment", "complete"]
    currency: Currency
    fulfillment_type: Literal[
        "traditional", "same_day", "in_store_pickup", "in_store_purchase", "multiple"
    ]
    items: Annotated[Listed[ExternalItem], AfterValidator(_check_unique_ids)]
    catalog: Annotated[OptionalText, Extra] = None
    customer: Annotated[Customer | None, Extra] = None
    tax_method: Annotated[Literal["vat_included", "vat_excluded"] | None, Extra] = None

    @property
    def at(self) -> dt.datetime:
        """Return the time at which the order was placed, in UTC."""
        return _INSTANT.validate_python(self.placed_at).astimezone(dt.UTC)


class Totals(Wire):
    gross: Amount
    net: Amount
    tax: Amount
    total: Amount
    discount: Amount
    shipping: Amount


class Payment(Wire):
    category: Literal["payment", "refund"]
    amount: Amount
    currency: Currency
    method: Literal["gift_card", "credit_card", "cash"]
    payment_information: OptionalText = None


class ExternalOrderDetail(ExternalOrder):
    """An order of the external OMS with all details; addresses are optional."""

    totals: Totals
    customer: Customer | None = None
    payment_history: Listed[Payment] | None = None
    shipping_address: Annotated[Address | None, Extra] = None
    billing_address: Annotated[Address | None, Extra] = None
    store_id: Annotated[OptionalText, Extra] = None
    shop_locale: Annotated[OptionalText, Extra] = None
    is_offline: Annotated[bool | None, Extra] = None


class ExternalOrders(Wire):
    """A consumer's orders, newest first."""

    orders: Listed[ExternalOrder]


def read(model: type[T], body: bytes) -> T:
    """Return the parsed body. Raises `BrokenAnswer` with every error in it."""
    try:
        return model.check(strict_json.loads_tolerant(body), operation="")
    except strict_json.InvalidJson as fault:
        raise BrokenAnswer([("", str(fault).partition(": ")[2].rstrip("."))]) from None
    except InvalidBody as fault:
        raise BrokenAnswer([(f["pointer"], f["message"]) for f in fault.facts["errors"]]) from None

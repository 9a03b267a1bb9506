"""What an external OMS answers, checked before anybody uses it: contract §c."""

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
    """It is not what the contract says; `faults` are JSON pointers and words, the first first."""

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


def _said(value: Any) -> Any:
    """What is said of something, or nothing: systems send "" for what they do not know."""
    return None if value == "" else value


def _if_it_fits(value: Any, validate: ValidatorFunctionWrapHandler, _: ValidationInfo) -> Any:
    """The webhook's contract does not know this member, so it cannot be wrong; only of no use."""
    try:
        return validate(value)
    except ValidationError:
        return None


Id = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Text = Annotated[str, StringConstraints(max_length=1024)]
Said = Annotated[Text | None, BeforeValidator(_said)]
Link = Annotated[
    Annotated[
        str,
        StringConstraints(max_length=2048),
        Matches(r"^https?://\S+$", "the value is not an address with http or https"),
    ]
    | None,
    BeforeValidator(_said),
]
Amount = Annotated[Number, Field(ge=0, le=LARGEST_TOTAL, decimal_places=4)]
Currency = Annotated[str, AfterValidator(_currency)]
Moment = Annotated[str, AfterValidator(_moment)]
Extra = WrapValidator(_if_it_fits)
# Up to the first element that is wrong: a megabyte of nothing else has 180,000 faults, and telling
# them all takes seconds.
Listed = Annotated[list[T], Field(fail_fast=True)]


class Price(Wire):
    gross: Amount
    net: Amount
    tax: Amount
    discount: Amount
    base: Annotated[Amount | None, Extra] = None


class Product(Wire):
    name: Annotated[Text, Field(min_length=1)]
    size: Said = None
    color: Said = None
    image_url: Link = None
    additional_variant_1: Said = None
    additional_variant_2: Said = None


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
    product_id: Annotated[Said, Extra] = None


def _apart(items: list[ExternalItem]) -> list[ExternalItem]:
    if len({item.id for item in items}) < len(items):
        raise PydanticCustomError("same_id", "two items have the same id")
    return items


class Address(Wire):
    title: Said = None
    suffix: Said = None
    salutation: Said = None
    first_name: Said = None
    second_name: Said = None
    last_name: Said = None
    phone: Said = None
    address_line_1: Said = None
    address_line_2: Said = None
    zip_code: Said = None
    city: Said = None
    province: Said = None
    state: Said = None
    country_code: Said = None
    note: Said = None


class Customer(Wire):
    id: Said = None
    name: Said = None
    email: Said = None


class ExternalOrder(Wire):
    """An order of the external OMS, as its list of a consumer's orders has it."""

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
    items: Annotated[Listed[ExternalItem], AfterValidator(_apart)]
    catalog: Annotated[Said, Extra] = None
    customer: Annotated[Customer | None, Extra] = None
    tax_method: Annotated[Literal["vat_included", "vat_excluded"] | None, Extra] = None

    @property
    def at(self) -> dt.datetime:
        """When it was placed, in UTC."""
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
    payment_information: Said = None


class ExternalOrderDetail(ExternalOrder):
    """An order of the external OMS, whole; addresses and the like where it tells them."""

    totals: Totals
    customer: Customer | None = None
    payment_history: Listed[Payment] | None = None
    shipping_address: Annotated[Address | None, Extra] = None
    billing_address: Annotated[Address | None, Extra] = None
    store_id: Annotated[Said, Extra] = None
    shop_locale: Annotated[Said, Extra] = None
    is_offline: Annotated[bool | None, Extra] = None


class ExternalOrders(Wire):
    """A consumer's orders, newest first."""

    orders: Listed[ExternalOrder]


def read(model: type[T], body: bytes) -> T:
    """The answer in `body`; raises `BrokenAnswer` with what is wrong with it."""
    try:
        return model.check(strict_json.loads_tolerant(body), operation="")
    except strict_json.InvalidJson as fault:
        raise BrokenAnswer([("", str(fault).partition(": ")[2].rstrip("."))]) from None
    except InvalidBody as fault:
        raise BrokenAnswer([(f["pointer"], f["message"]) for f in fault.facts["errors"]]) from None

"""Wire models of Akinon's capture call: docs/contract.md, Akinon."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from ordermgmt import strict_json
from ordermgmt.http.wire import Anything, InstantText, Matches, Number, Uuid, Wire
from orders.services.capture.card_numbers import holds_card_number

LARGEST_KEY: Final = 2**63 - 1
LONGEST_VALUE: Final = 8192

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


def as_text(value: Any) -> str:
    """Return an attribute's stored form: a string unchanged, any other value as JSON text."""
    return value if isinstance(value, str) else strict_json.dumps(value).decode()


def _attribute(value: Any) -> Any:
    text = as_text(value)
    if len(text) > LONGEST_VALUE:
        raise PydanticCustomError("attribute", f"the value is longer than {LONGEST_VALUE}")
    if holds_card_number(text):
        raise PydanticCustomError("card_number", "the value holds a card number")
    return value


Attribute = Annotated[Anything, AfterValidator(_attribute)]


class CaptureItem(Wire):
    pk: Annotated[int, Field(ge=1, le=LARGEST_KEY)]
    """The item's key, as our responses show it."""
    attributes: Annotated[dict[Name, Attribute], Field(max_length=100)] = Field(
        default_factory=dict
    )
    """Added to the item's extended attributes; an existing name is overwritten. Values that are not
    strings are stored as JSON text."""


def _check_distinct(items: list[CaptureItem]) -> list[CaptureItem]:
    if len({item.pk for item in items}) < len(items):
        raise PydanticCustomError("repeated", "an item is named twice")
    return items


class CaptureOrder(Wire):
    order: Annotated[
        str,
        StringConstraints(min_length=1, max_length=128),
        Matches(r"\S", "the value is blank"),
    ]
    """The order's number or external id."""
    order_items: Annotated[
        list[CaptureItem], Field(min_length=1, max_length=1000), AfterValidator(_check_distinct)
    ] = Field(default_factory=list)
    """The items to capture. Without this member, all items that can still be captured. An empty
    list is refused."""


# An id derived from a name. 31 bits are few, so two names may share an id.
Int32 = Annotated[int, Field(ge=0, le=2**31 - 1, json_schema_extra={"format": "int32"})]


class CancellationInfo(Wire):
    reason: str | None = None
    order_items: list[int] | None = None
    """The keys of the cancelled items."""


class AkinonItem(Wire):
    pk: int
    status: str
    product_id: str
    external_item_id: str
    is_captured: bool
    attributes: dict[str, str]


class Extra(Wire):
    """Members that Akinon's form does not have."""

    uuid: Uuid
    external_id: str
    channel: str
    """The name of the channel."""
    customer: Uuid | None
    """An id that is unique to the customer and holds no personal data; null without a customer."""
    order_items: list[AkinonItem]
    """The items, with the keys that capture them."""


class AkinonOrder(Wire):
    """The order in Akinon's form. An id of 0 means that there is none."""

    pk: int
    number: str
    channel: Int32
    """Derived from the channel's name, which `extra_field` has: all orders of a channel share it.
    """
    customer: Int32
    """Derived from the customer: all orders of a customer share it. Two customers may have the same
    number (an even chance among 50,000); use `extra_field.customer` to tell them apart."""
    date_placed: InstantText
    payment_option: Int32
    payment_option_slug: str | None
    bin_number: str | None
    installment: Int32
    installment_count: Int32 | None
    installment_interest_amount: Number
    cargo_company: Int32
    is_send: bool
    """True once a location or the external OMS has the order."""
    delivery_type: Literal["same_day", "next_day", "retail_store"] | None
    cancellation_info: CancellationInfo
    cancel_status: Literal["cancelled"] | None
    """`cancelled` when all items are cancelled."""
    shipping_interest_amount: Number
    external_status: Int32
    """The status as a number."""
    client_type: str
    carrier_shipping_code: str | None
    segment: str | None
    checkout_provider_id: Int32 | None
    status: Literal["100", "200", "350", "400", "450", "500", "550", "600"]
    """The status of the item with the least progress: 200 waiting, 350 held for a review, 400
    approved and assigned to a location, 450 being packed, 500 shipped, 550 handed over, 600
    returned. 100 when all items are cancelled."""
    currency: str
    amount: Number
    discount_amount: Number
    shipping_amount: Number
    shipping_tax_rate: Number | None
    """In percent."""
    refund_amount: Number
    """The gross amount of the returned items."""
    discount_refund_amount: Number
    shipping_refund_amount: Number
    invoice_number: str | None
    invoice_date: str | None
    e_archive_url: str | None
    tracking_number: str | None
    defined_tracking_url: str | None
    shipping_company: str | None
    remote_addr: str | None
    has_gift_box: bool
    gift_box_note: str | None
    language_code: str | None
    notes: str | None
    shipping_option_slug: str | None
    created_date: InstantText
    modified_date: InstantText
    extra_field: Extra

"""Configuration keys of a tenant under `/v0/config/sales_order/`, each declared once.

The contract is docs/contract.md, Configuration. Absent members of a sequence default to no prefix,
9 digits, start 1 and step 1. A sequence without any member is refused.
"""

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from configuration.registry import MASK, Key, UnknownKey, Value, masked
from ordermgmt.errors import Invalid
from ordermgmt.http import destinations
from ordermgmt.http.wire import Matches

if TYPE_CHECKING:
    from configuration.models import Tenant

LONGEST_GRACE: Final = 30 * 24 * 3600  # seconds
MOST_DIGITS: Final = 18  # the most that a PostgreSQL sequence can count
_HEADER_SAFE: Final = re.compile(rf"[!-~]{{1,1024}}|{MASK}[!-~]{{0,4}}")


def _addressable(prefix: str) -> str:
    """Raise `ValueError` for a prefix that makes numbers which cannot be part of a URL path."""
    *complete, _ = prefix.split("/")  # the counter completes the last segment
    if not {"", ".", ".."}.isdisjoint(complete):
        raise ValueError(
            "must not begin with a slash, and have none, one dot or two dots before a slash"
        )
    return prefix


class Sequence(Value):
    """The format of order numbers: a prefix, then the counter padded with zeros to `size`."""

    prefix: Annotated[
        str,
        Matches(
            r"^[A-Za-z0-9_./-]{0,16}$",
            "the value is more than 16 characters, or not A-Z a-z 0-9 - _ . /",
        ),
        Field(description="Letters, digits and - _ . /; slashes as a path has them."),
        AfterValidator(_addressable),
    ] = ""
    size: Annotated[int, Field(ge=1, le=MOST_DIGITS, description="Digits of the counter.")] = 9
    start: Annotated[int, Field(ge=1, description="The first number.")] = 1
    step: Annotated[int, Field(ge=1, description="From one number to the next.")] = 1

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"name at least one of {', '.join(type(self).model_fields)}")
        return self

    @model_validator(mode="after")
    def _fits_its_size(self) -> Self:
        largest = 10**self.size - 1
        for member in ("start", "step"):
            if getattr(self, member) > largest:
                raise ValueError(f"{member} must have at most as many digits as size says")
        return self

    @property
    def largest(self) -> int:
        return int(10**self.size - 1)

    def number(self, counter: int) -> str:
        """Return the order number of a counter, which must be at most `largest`."""
        return f"{self.prefix}{counter:0{self.size}d}"


class BigOrders(Value):
    soft_limit_for_big_orders: Annotated[
        int, Field(ge=0, le=2**31 - 1, description="An order with more items waits for approval.")
    ]


class ExternalOms(Value):
    enabled: Annotated[bool, Field(description="Another system fulfills this tenant's orders.")]


def _header_safe(api_key: str) -> str:
    if not _HEADER_SAFE.fullmatch(api_key):
        raise ValueError("must be 1 to 1024 visible ASCII characters")
    return api_key


class ExternalOrderWebhook(Value):
    url: Annotated[
        str, Field(min_length=1, json_schema_extra={"format": "uri"}, description="The base URL.")
    ]
    api_key: Annotated[
        str,
        Field(min_length=1, repr=False, description="Sent as the bearer token. Stored encrypted."),
        AfterValidator(_header_safe),
    ]
    timeout: Annotated[int, Field(ge=1, le=25, description="Seconds.")] = 15


class ApiKeyRequired(Invalid):
    """A masked key for another host, refused so that a stored key is never sent there."""

    code = "api_key_required"


def _settle_webhook(
    tenant: "Tenant", new: ExternalOrderWebhook | None, old: ExternalOrderWebhook | None
) -> ExternalOrderWebhook | None:
    """Return the webhook to store, with the stored key instead of its mask.

    Raises `BadDestination` for a URL that is not allowed, and `ApiKeyRequired`.
    """
    if new is None:
        return None
    destinations.check_url(new.url, allows_http=tenant.allows_http_webhooks)
    if not new.api_key.startswith(MASK):
        return new
    if old is None or new.api_key != masked(old.api_key):
        raise ApiKeyRequired("The api_key is a mask, but not of the stored api_key.")
    if destinations.origin(new.url) != destinations.origin(old.url):
        raise ApiKeyRequired("Another host needs the api_key itself, not its mask.")
    return new.model_copy(update={"api_key": old.api_key})


def _without_duplicates(types: list[str]) -> list[str]:
    return list(dict.fromkeys(types))


SALES_ORDER_GENERATOR_SEQUENCE: Final = Key[Sequence | None](
    name="sales_order_generator_sequence",
    label="how order numbers are made",
    help="How order numbers are made. Set once: numbers already given out must stay unique. An"
    " admin may raise `size` in the console or by command.",
    type=Sequence,
    default=None,
    unset={},
    example={"prefix": "NS", "size": 16, "start": 1, "step": 2},
    immutable=True,
    growing="size",
)
ON_HOLD_TIMER_DURATION: Final = Key[int](
    name="on_hold_timer_duration",
    label="the grace period",
    help="Seconds a new order waits before it is routed, unless its service level says otherwise.",
    type=Annotated[int, Field(ge=0, le=LONGEST_GRACE)],
    unit="seconds",
    default=0,
    example=20,
    conflicts_bare=True,
)
CANCELLATION_ALLOWED_FROM: Final = Key[list[str]](
    name="cancellation_allowed_from",
    label="where orders can still be canceled",
    help="The types of location from which a routed order can still be canceled.",
    type=Annotated[
        list[Literal["store", "dc"]],
        Field(min_length=1, max_length=100, description="A type named twice counts once."),
        AfterValidator(_without_duplicates),
    ],
    default=["store"],
    example=["store", "dc"],
    conflicts_bare=True,
)
BIG_SALES_ORDER: Final = Key[BigOrders](
    name="big_sales_order",
    label="the size of big orders",
    help="An order with more items than the soft limit is held until someone approves it.",
    type=BigOrders,
    default=BigOrders(soft_limit_for_big_orders=100),
    example={"soft_limit_for_big_orders": 300},
    conflicts_bare=True,
)
EXTERNAL_OMS: Final = Key[ExternalOms](
    name="external_oms",
    label="the external OMS switch",
    help="Whether another order management system is the primary one, and fulfills.",
    type=ExternalOms,
    default=ExternalOms(enabled=False),
    example={"enabled": True},
    answers_bare=True,
)
EXTERNAL_ORDER_WEBHOOK: Final = Key[ExternalOrderWebhook | None](
    name="external_order_webhook",
    label="the external order webhook",
    help="Where orders and purchase histories of the external OMS are asked for.",
    type=ExternalOrderWebhook,
    default=None,
    example={"url": "https://example.com/", "api_key": "API_KEY", "timeout": 20},
    secrets=("api_key",),
    settle=_settle_webhook,
    lost_race_name="external_oms",
    answers_bare=True,
)

KEYS: Final[dict[str, Key[Any]]] = {
    key.name: key
    for key in (
        EXTERNAL_OMS,
        SALES_ORDER_GENERATOR_SEQUENCE,
        ON_HOLD_TIMER_DURATION,
        CANCELLATION_ALLOWED_FROM,
        BIG_SALES_ORDER,
        EXTERNAL_ORDER_WEBHOOK,
    )
}


def find(name: str) -> Key[Any]:
    """Return the key of that name. Raises `UnknownKey` with the existing names."""
    if name not in KEYS:
        raise UnknownKey(f"There is no configuration key {ascii(name)[:80]}.", keys=list(KEYS))
    return KEYS[name]

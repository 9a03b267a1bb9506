"""Columns of exported orders and items, and the escaping of cells for spreadsheets."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final

from configuration.services.pseudonyms import token
from ordermgmt.money import PLACES
from orders.admin.excerpts import listing, mapping
from orders.services.timeline.descriptions import in_words, plain

# A spreadsheet reads a cell that begins with one of these as a formula, or skips it before one.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
_MONTH: Final = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
# A spreadsheet converts these to a number, a date or a time: it drops leading zeros, and the last
# digits of a long number.
_CONVERTED: Final = re.compile(
    rf"0\d+([.,]\d+)?|\d{{12,}}|\d+([.,]\d+)?e[+-]?\d+|\d+([.,]\d+)?\s*%"
    rf"|\d{{1,4}}[-/.]\d{{1,2}}([-/.](\d{{1,4}})?)?|\d{{1,2}}:\d\d(:\d\d)?(\s*[ap]m)?"
    rf"|{_MONTH}[-/. ]?\d{{1,4}}|\d{{1,2}}[-/. ]?{_MONTH}([-/. ]?\d{{2,4}})?",
    re.IGNORECASE | re.ASCII,
)

CANCELLATION: Final = "cancellation"  # values of `Column.needs`
SNAPSHOTS: Final = "snapshots"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. The usual ones are the default; `needs` names an additional query."""

    name: str
    value: Callable[[Any], Any]
    group: str = "Order"
    is_usual: bool = True
    is_text: bool = True
    is_personal: bool = False
    needs: str = ""

    def cell(self, row: Any) -> Any:
        """Return the row's value for the CSV file, with text escaped for spreadsheets."""
        value = self.value(row)
        if value is None:
            return ""
        return cell(value) if self.is_text else value


def cell(value: Any) -> Any:
    """Return the value, with an apostrophe before text that a spreadsheet would convert."""
    if not isinstance(value, str):
        return value
    bare = value.strip(" ")
    return f"'{value}" if bare.startswith(_FORMULA) or _CONVERTED.fullmatch(bare) else value


def _attribute(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, name)


def _amount(name: str) -> Callable[[Any], str]:
    def amount(row: Any) -> str:
        return _exact(getattr(row, name), getattr(row, "order", row).currency)

    return amount


def _exact(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency's decimals, for programs and spreadsheets."""
    return f"{amount:.{PLACES.get(currency, 2)}f}"


def _utc(name: str) -> Callable[[Any], str]:
    """Return a getter of a time in the format of spreadsheets, in UTC."""

    def time(order: Any) -> str:
        at: dt.datetime = getattr(order, name)
        return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ", "seconds")

    return time


def _personal(kind: str, value: Callable[[Any], Any]) -> Callable[[Any], str]:
    """Return a getter of personal data, or of its token if the tenant uses tokens."""

    def personal(order: Any) -> str:
        text = value(order) or ""
        if not text or not order.tenant.uses_pii_tokens:
            return text
        return token(order.tenant, order.customer_key or order.uuid, kind, text)

    return personal


def _part(snapshot: str, *names: str) -> Callable[[Any], str]:
    """Return a getter of the first of these members that an address has."""

    def part(order: Any) -> str:
        address = mapping(getattr(order, snapshot))
        return next((plain(address[name]) for name in names if address.get(name)), "")

    return part


def _payments(order: Any) -> str:
    return in_words([_payment(mapping(p), order) for p in listing(order.payments)])


def _payment(payment: Mapping[str, Any], order: Any) -> str:
    parts = [plain(payment.get(name)) for name in ("type", "method", "wallet", "processor")]
    amount = payment.get("amount")
    if isinstance(amount, int | Decimal):
        parts.append(f"{_exact(Decimal(amount), order.currency)} {order.currency}")
    return " ".join(filter(None, parts))


def _references(order: Any) -> str:
    return " ".join(plain(mapping(p).get("correlation_ref")) for p in listing(order.payments))


def _address(kind: str) -> list[Column]:
    column = partial(Column, group=f"{kind.capitalize()} address", is_usual=False, needs=SNAPSHOTS)
    snapshot = f"{kind}_address"
    personal = ("first_name", "second_name", "last_name", "address_line_1", "address_line_2")
    return [
        *(
            column(
                name=f"{kind}_{name}",
                value=_personal(name, _part(snapshot, name)),
                is_personal=True,
            )
            for name in personal
        ),
        column(name=f"{kind}_zip_code", value=_part(snapshot, "zip_code")),
        column(name=f"{kind}_city", value=_part(snapshot, "city")),
        column(name=f"{kind}_state", value=_part(snapshot, "state", "province")),
        column(name=f"{kind}_country", value=_part(snapshot, "country_code")),
        column(
            name=f"{kind}_phone",
            value=_personal("phone", _part(snapshot, "phone")),
            is_personal=True,
        ),
    ]


def _cancellation(name: str) -> Callable[[Any], str]:
    return lambda order: in_words([plain(facts.get(name)) for facts in order.cancellations])


_customer = partial(Column, group="Customer", is_personal=True)
_rare = partial(Column, is_usual=False)
_sum = partial(Column, group="Amounts", is_text=False)
_EXTRA: Final = (
    *_address("shipping"),
    *_address("billing"),
    _rare(name="payments", value=_payments, group="Payments", needs=SNAPSHOTS),
    _rare(name="payment_references", value=_references, group="Payments", needs=SNAPSHOTS),
    _rare(
        name="cancellation_reason",
        value=_cancellation("reason"),
        group="Cancellation",
        needs=CANCELLATION,
    ),
    _rare(
        name="cancellation_note",
        value=_cancellation("note"),
        group="Cancellation",
        needs=CANCELLATION,
    ),
)
_OF_CUSTOMER: Final = (
    _customer(name="customer_id", value=_personal("id", _attribute("customer_id"))),
    _customer(name="customer_name", value=_personal("name", _attribute("customer_name"))),
    _customer(name="customer_email", value=_personal("email", _attribute("customer_email"))),
)

ORDERS: Final = (
    Column(name="tenant", value=lambda order: order.tenant.slug),
    Column(name="number", value=_attribute("number")),
    Column(name="external_id", value=_attribute("external_id")),
    Column(name="id", value=lambda order: str(order.uuid)),
    Column(name="status", value=_attribute("status")),
    Column(name="outcome", value=lambda order: order.balance.outcome or ""),
    Column(name="holds", value=lambda order: " ".join(hold.kind for hold in order.active_holds)),
    Column(name="conflicts", value=_attribute("conflicts"), is_text=False),
    Column(name="placed_at_utc", value=_utc("placed_at"), is_text=False),
    Column(name="captured_at_utc", value=_utc("captured_at"), is_text=False),
    *(
        Column(name=name, value=_attribute(name))
        for name in ("channel_type", "channel_name", "shop", "store_id")
    ),
    *_OF_CUSTOMER,
    Column(name="fulfilled_by", value=lambda order: " ".join(order.places)),
    Column(name="units", value=_attribute("item_count"), is_text=False),
    Column(name="currency", value=_attribute("currency"), group="Amounts"),
    Column(name="price_method", value=_attribute("price_method"), group="Amounts"),
    *(
        _sum(name=name, value=_amount(name))
        for name in ("net", "tax", "gross", "discount", "shipping", "gift_wrapping", "total")
    ),
    _sum(
        name="remaining_total", value=lambda order: _exact(order.balance.remaining, order.currency)
    ),
    *_EXTRA,
)


def _of_order(column: Column, **changes: Any) -> Column:
    """Return a column of the item export that shows a value of the item's order."""
    return Column(
        name=changes.get("name", column.name),
        value=lambda item: column.value(item.order),
        group=column.group,
        is_usual=changes.get("is_usual", column.is_usual),
        is_text=column.is_text,
        is_personal=column.is_personal,
        needs=column.needs,
    )


_BY_NAME: Final = {column.name: column for column in ORDERS}
ITEMS: Final = (
    _of_order(_BY_NAME["tenant"]),
    _of_order(_BY_NAME["number"], name="order_number"),
    _of_order(_BY_NAME["external_id"], name="order_external_id"),
    _of_order(_BY_NAME["placed_at_utc"]),
    Column(name="position", value=lambda item: item.position + 1, group="Item", is_text=False),
    Column(name="id", value=lambda item: str(item.uuid), group="Item"),
    *(
        Column(name=name, value=_attribute(name), group="Item")
        for name in (
            "external_item_id",
            "product_id",
            "serial_number",
            "status",
            "conflict_reason",
            "location_code",
            "carrier",
            "tracking_code",
        )
    ),
    _of_order(_BY_NAME["currency"]),
    _of_order(_BY_NAME["price_method"]),
    *(_sum(name=name, value=_amount(name)) for name in ("base", "discount", "net", "tax", "gross")),
    *(_of_order(column, is_usual=False) for column in _OF_CUSTOMER),
    *(_of_order(column) for column in _EXTRA),
)

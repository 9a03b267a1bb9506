"""Columns of exported orders and items, and cells that spreadsheets leave as they are."""

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

# A spreadsheet takes a cell that begins so for a formula, or skips what precedes one.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
_MONTH: Final = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
# What it turns into another number, a date or a time: it drops the zeros before a number, and of a
# long one the last digits.
_CONVERTED: Final = re.compile(
    rf"0\d+([.,]\d+)?|\d{{12,}}|\d+([.,]\d+)?e[+-]?\d+|\d+([.,]\d+)?\s*%"
    rf"|\d{{1,4}}[-/.]\d{{1,2}}([-/.](\d{{1,4}})?)?|\d{{1,2}}:\d\d(:\d\d)?(\s*[ap]m)?"
    rf"|{_MONTH}[-/. ]?\d{{1,4}}|\d{{1,2}}[-/. ]?{_MONTH}([-/. ]?\d{{2,4}})?",
    re.IGNORECASE | re.ASCII,
)

CANCELLATION: Final = "cancellation"  # what a column needs besides the order's own columns
SNAPSHOTS: Final = "snapshots"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. The usual ones are exported unless somebody chooses; `needs` names a read."""

    name: str
    value: Callable[[Any], Any]
    group: str = "Order"
    is_usual: bool = True
    is_text: bool = True
    is_personal: bool = False
    needs: str = ""

    def cell(self, row: Any) -> Any:
        """Return the value as it is written: text so that no spreadsheet takes it for more."""
        value = self.value(row)
        if value is None:
            return ""
        return cell(value) if self.is_text else value


def cell(value: Any) -> Any:
    """Return text that stays text, with an apostrophe before what would not."""
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
    """Return an amount with its currency's decimals, as programs and spreadsheets read it."""
    return f"{amount:.{PLACES.get(currency, 2)}f}"


def _utc(name: str) -> Callable[[Any], str]:
    """Return a time as spreadsheets read it; the column's name says that it is UTC."""

    def time(order: Any) -> str:
        at: dt.datetime = getattr(order, name)
        return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ", "seconds")

    return time


def _personal(kind: str, value: Callable[[Any], Any]) -> Callable[[Any], str]:
    """Return personal data, or the token it leaves the order APIs as."""

    def personal(order: Any) -> str:
        text = value(order) or ""
        if not text or not order.tenant.uses_pii_tokens:
            return text
        return token(order.tenant, order.customer_key or order.uuid, kind, text)

    return personal


def _part(snapshot: str, *names: str) -> Callable[[Any], str]:
    """Return the first of these members that an address has."""

    def part(order: Any) -> str:
        address = mapping(getattr(order, snapshot))
        return next((plain(address[name]) for name in names if address.get(name)), "")

    return part


def _payments(order: Any) -> str:
    return in_words([_payment(mapping(p), order) for p in listing(order.payments)])


def _payment(said: Mapping[str, Any], order: Any) -> str:
    parts = [plain(said.get(name)) for name in ("type", "method", "wallet", "processor")]
    amount = said.get("amount")
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
            column(f"{kind}_{name}", _personal(name, _part(snapshot, name)), is_personal=True)
            for name in personal
        ),
        column(f"{kind}_zip_code", _part(snapshot, "zip_code")),
        column(f"{kind}_city", _part(snapshot, "city")),
        column(f"{kind}_state", _part(snapshot, "state", "province")),
        column(f"{kind}_country", _part(snapshot, "country_code")),
        column(f"{kind}_phone", _personal("phone", _part(snapshot, "phone")), is_personal=True),
    ]


def _cancellation(name: str) -> Callable[[Any], str]:
    return lambda order: in_words([plain(facts.get(name)) for facts in order.cancellations])


_customer = partial(Column, group="Customer", is_personal=True)
_rare = partial(Column, is_usual=False)
_sum = partial(Column, group="Amounts", is_text=False)
_EXTRA: Final = (
    *_address("shipping"),
    *_address("billing"),
    _rare("payments", _payments, "Payments", needs=SNAPSHOTS),
    _rare("payment_references", _references, "Payments", needs=SNAPSHOTS),
    _rare("cancellation_reason", _cancellation("reason"), "Cancellation", needs=CANCELLATION),
    _rare("cancellation_note", _cancellation("note"), "Cancellation", needs=CANCELLATION),
)
_OF_CUSTOMER: Final = (
    _customer("customer_id", _personal("id", _attribute("customer_id"))),
    _customer("customer_name", _personal("name", _attribute("customer_name"))),
    _customer("customer_email", _personal("email", _attribute("customer_email"))),
)

ORDERS: Final = (
    Column("tenant", lambda order: order.tenant.slug),
    Column("number", _attribute("number")),
    Column("external_id", _attribute("external_id")),
    Column("id", lambda order: str(order.uuid)),
    Column("status", _attribute("status")),
    Column("outcome", lambda order: order.balance.outcome or ""),
    Column("holds", lambda order: " ".join(hold.kind for hold in order.standing)),
    Column("conflicts", _attribute("conflicts"), is_text=False),
    Column("placed_at_utc", _utc("placed_at"), is_text=False),
    Column("captured_at_utc", _utc("captured_at"), is_text=False),
    *(
        Column(name, _attribute(name))
        for name in ("channel_type", "channel_name", "shop", "store_id")
    ),
    *_OF_CUSTOMER,
    Column("fulfilled_by", lambda order: " ".join(order.places)),
    Column("units", _attribute("item_count"), is_text=False),
    Column("currency", _attribute("currency"), "Amounts"),
    Column("price_method", _attribute("price_method"), "Amounts"),
    *(
        _sum(name, _amount(name))
        for name in ("net", "tax", "gross", "discount", "shipping", "gift_wrapping", "total")
    ),
    _sum("remaining_total", lambda order: _exact(order.balance.remaining, order.currency)),
    *_EXTRA,
)


def _of_order(column: Column, **changes: Any) -> Column:
    """Return a column of an item that says something of its order."""
    return Column(
        changes.get("name", column.name),
        lambda item: column.value(item.order),
        column.group,
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
    Column("position", lambda item: item.position + 1, "Item", is_text=False),
    Column("id", lambda item: str(item.uuid), "Item"),
    *(
        Column(name, _attribute(name), "Item")
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
    *(_sum(name, _amount(name)) for name in ("base", "discount", "net", "tax", "gross")),
    *(_of_order(column, is_usual=False) for column in _OF_CUSTOMER),
    *(_of_order(column) for column in _EXTRA),
)

"""What a row of the list shows of an order: one row of a table for each of its cells."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from ordermgmt.console.wording import moment
from orders.admin import labels
from orders.admin.asking import Question


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, what its cell says of an order as `change_list` read it."""

    heading: str
    cell: Callable[[Any], str]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """An order on the page."""

    key: int
    number: str
    address: str
    also: str  # what else it is called
    cells: list[tuple[Column, str]]


def _two_lines(first: str, second: str) -> SafeString:
    """What matters, and below it what explains it."""
    return format_html("<span>{}</span> <small>{}</small>", first, second)


def _state(order: Any) -> SafeString:
    marks = [labels.order_status(order.status), labels.outcome(order.balance.outcome)]
    marks += [labels.hold(hold.kind, hold.due_at, labels.why(hold)) for hold in order.standing]
    if order.conflicts:
        marks.append(labels.label(f"{order.conflicts} in conflict", "danger"))
    return format_html_join(" ", "{}", ((mark,) for mark in marks))


def _places(order: Any) -> SafeString:
    shown, more = order.places[:2], len(order.places) - 2
    return _two_lines(", ".join(shown) or "–", f"and {more} more" if more > 0 else "")


def _total(order: Any) -> SafeString:
    remaining = labels.amount(order.balance.remaining, order.currency)
    return _two_lines(
        labels.amount(order.total, order.currency),
        f"Remaining {remaining}" if order.balance.is_reduced else "",
    )


COLUMNS: Final = (
    Column("State", _state, "state"),
    Column("Placed", lambda order: moment(order.placed_at)),
    Column(
        "Customer",
        lambda order: _two_lines(order.customer_name or "–", order.customer_email),
        "text",
    ),
    Column(
        "Channel",
        lambda order: _two_lines(order.get_channel_type_display(), order.store_id or order.shop),
        "text",
    ),
    Column("Units", lambda order: str(order.item_count), "number"),
    Column("Total", _total, "number"),
    Column("Fulfilled by", _places, "text"),
)


def rows(orders: Iterable[Any], question: Question) -> Iterator[Row]:
    """The rows; each leads to its order, whose page knows the way back to what was asked."""
    back = question.address()
    query = f"?{urlencode({'_changelist_filters': back})}" if back else ""
    several = {tenant.pk: tenant.slug for tenant in question.tenants if len(question.tenants) > 1}
    for order in orders:
        external = order.external_id if order.external_id != order.number else ""
        yield Row(
            order.pk,
            order.number,
            reverse("admin:orders_order_change", args=[order.pk]) + query,
            " · ".join(filter(None, (several.get(order.tenant_id), external))),
            [(column, column.cell(order)) for column in COLUMNS],
        )

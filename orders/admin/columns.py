"""Columns of the order list: a table of headings and cell renderers."""

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
    """One column: its heading, and the renderer of its cell for an order of `change_list`."""

    heading: str
    cell: Callable[[Any], str]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """An order on the page."""

    key: int
    number: str
    address: str
    also: str  # the tenant and the external id, where they matter
    cells: list[tuple[Column, str]]


def _two_lines(first: str, second: str) -> SafeString:
    """Return a main text with an explanation below it."""
    return format_html("<span>{}</span> <small>{}</small>", first, second)


def _state(order: Any) -> SafeString:
    marks = [labels.order_status(order.status), labels.outcome(order.balance.outcome)]
    marks += [labels.hold(hold.kind, hold.due_at, labels.why(hold)) for hold in order.active_holds]
    if order.conflicts:
        marks.append(labels.label(f"{order.conflicts} in conflict", "danger"))
    return format_html_join(" ", "{}", ((mark,) for mark in marks))


def _places(order: Any) -> SafeString:
    first, more = order.places[:2], len(order.places) - 2
    return _two_lines(", ".join(first) or "–", f"and {more} more" if more > 0 else "")


def _total(order: Any) -> SafeString:
    remaining = labels.amount(order.balance.remaining, order.currency)
    return _two_lines(
        labels.amount(order.total, order.currency),
        f"Remaining {remaining}" if order.balance.is_reduced else "",
    )


COLUMNS: Final = (
    Column(heading="State", cell=_state, kind="state"),
    Column(heading="Placed", cell=lambda order: moment(order.placed_at)),
    Column(
        heading="Customer",
        cell=lambda order: _two_lines(order.customer_name or "–", order.customer_email),
        kind="text",
    ),
    Column(
        heading="Channel",
        cell=lambda order: _two_lines(
            order.get_channel_type_display(), order.store_id or order.shop
        ),
        kind="text",
    ),
    Column(heading="Units", cell=lambda order: str(order.item_count), kind="number"),
    Column(heading="Total", cell=_total, kind="number"),
    Column(heading="Fulfilled by", cell=_places, kind="text"),
)


def rows(orders: Iterable[Any], question: Question) -> Iterator[Row]:
    """Yield the rows; each links to its order, with the query that leads back to this list."""
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

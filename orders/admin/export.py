"""Export of orders as CSV (RFC 4180), streamed in batches so that memory use stays small."""

import csv
import io
from collections import defaultdict
from collections.abc import (
    Callable,
    Collection,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.db.models import F, QuerySet
from django.http import StreamingHttpResponse

from ordermgmt.http.outbound_waits import StreamedBody
from orders.admin import change_list, paging
from orders.admin.asking import TERM, Question
from orders.admin.excerpts import mapping
from orders.admin.export_columns import CANCELLATION, ITEMS, ORDERS, SNAPSHOTS, Column
from orders.models import Item, TimelineEntry

BATCH: Final = 500  # orders
EVERYBODY: Final = 0  # in place of a tenant's key, for an operator's export of several tenants
_SNAPSHOTS: Final = ("shipping_address", "billing_address", "payments")
_MARK: Final = "\ufeff"  # the byte order mark, because spreadsheets detect UTF-8 by it

log = structlog.get_logger("ordermgmt.console")


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of export: its columns, and the rows of a batch of orders."""

    columns: Sequence[Column]
    rows: Callable[[list[Any], Question], Iterable[Any]]

    def chosen(self, names: Collection[str]) -> list[Column]:
        """Return the columns of these names in table order; without names the usual columns.

        Raises `NoSuchColumn`.
        """
        if unknown := set(names) - {column.name for column in self.columns}:
            raise NoSuchColumn(", ".join(sorted(unknown)))
        return [c for c in self.columns if (c.name in names if names else c.is_usual)]


class NoSuchColumn(ValueError):
    """The export has no column of this name."""


def _orders(orders: list[Any], question: Question) -> Iterable[Any]:
    return change_list.with_facts(orders, question.tenants)


def _items(orders: list[Any], question: Question) -> Iterable[Any]:
    by_key = {order.pk: order for order in orders}
    rows = Item.objects.filter(tenant__in=question.tenants, order__in=by_key)
    items: dict[int, list[Item]] = {}
    for item in rows.defer("details", "attributes", "epc").order_by("order", "position"):
        item.order = by_key[item.order_id]
        items.setdefault(item.order_id, []).append(item)
    return (item for key in by_key for item in items.get(key, ()))


FORMS: Final = {"orders": Form(ORDERS, _orders), "items": Form(ITEMS, _items)}


def stream(
    form: str, rows: QuerySet[Any], question: Question, user: Any, columns: Sequence[Column]
) -> StreamingHttpResponse:
    """Return a response that reads its body from the database while it is sent.

    Raises `AllAreWaiting` if too many downloads are running.
    """
    tenant_key = question.tenants[0].pk if len(question.tenants) == 1 else EVERYBODY
    response = StreamingHttpResponse(
        StreamedBody(tenant_key, _text(form, rows, question, user, columns)),
        content_type="text/csv; charset=utf-8; header=present",
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{form}.csv"'
    response.headers["X-Accel-Buffering"] = "no"  # keeps nginx from buffering the body
    return response


def _text(
    form: str, rows: QuerySet[Any], question: Question, user: Any, columns: Sequence[Column]
) -> Generator[str]:
    count = 0
    try:
        yield _MARK + _lines([[column.name for column in columns]])
        for orders in _batches(rows, question, {column.needs for column in columns}):
            cells = [
                [column.cell(row) for column in columns]
                for row in FORMS[form].rows(orders, question)
            ]
            count += len(cells)
            yield _lines(cells)
    finally:  # logged for a broken download too
        log.info(
            "export",
            actor=f"staff:{user.get_username()}",
            tenants=[tenant.slug for tenant in question.tenants],
            form=form,
            asked=question.address(**{TERM: "…" if question.term else ""}),
            columns=[column.name for column in columns],
            rows=count,
        )


def _batches(
    rows: QuerySet[Any], question: Question, needs: Collection[str]
) -> Iterator[list[Any]]:
    """Yield batches, one statement each, so that no transaction stays open during a download."""
    rows = change_list.with_list_columns(rows, question.tenants).select_related("tenant")
    if SNAPSHOTS in needs:
        rows = rows.annotate(**{name: F(f"details__{name}") for name in _SNAPSHOTS})
    cursor = None
    while True:
        page = paging.read(rows, question.conditions, question.tenants, at=cursor, size=BATCH)
        if CANCELLATION in needs:
            _add_cancellations(page.rows, question)
        if page.rows:
            yield page.rows
        if (cursor := page.next) is None:
            return


def _add_cancellations(orders: list[Any], question: Question) -> None:
    """Set `cancellations` of each order to the facts of its cancellations, oldest first."""
    facts: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    entries = TimelineEntry.objects.filter(
        tenant__in=question.tenants,
        order__in=[order.pk for order in orders],
        verb__in=("cancelled", "items_cancelled"),
    )
    for key, entry in entries.order_by("order", "version").values_list("order", "facts"):
        if mapping(entry).get("reason"):
            facts[key].append(entry)
    for order in orders:
        order.cancellations = facts[order.pk]


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()

"""Orders as CSV (RFC 4180), as many as are asked for: in batches, so a million need no memory."""

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
EVERYBODY: Final = 0  # no tenant's key: what operators ask of several
_SNAPSHOTS: Final = ("shipping_address", "billing_address", "payments")
_MARK: Final = "\ufeff"  # else spreadsheets take UTF-8 for something else

log = structlog.get_logger("ordermgmt.console")


@dataclass(frozen=True, slots=True)
class Form:
    """What a row is: its columns, and the rows of a batch of orders."""

    columns: Sequence[Column]
    rows: Callable[[list[Any], Question], Iterable[Any]]

    def chosen(self, names: Collection[str]) -> list[Column]:
        """Return the columns of these names in their usual order; without names the usual ones.

        Raises `NoSuchColumn`.
        """
        if unknown := set(names) - {column.name for column in self.columns}:
            raise NoSuchColumn(", ".join(sorted(unknown)))
        return [c for c in self.columns if (c.name in names if names else c.is_usual)]


class NoSuchColumn(ValueError):
    """A column was chosen that the export does not have."""


def _orders(orders: list[Any], question: Question) -> Iterable[Any]:
    return change_list.with_facts(orders, question.tenants)


def _items(orders: list[Any], question: Question) -> Iterable[Any]:
    known = {order.pk: order for order in orders}
    rows = Item.objects.filter(tenant__in=question.tenants, order__in=known)
    found: dict[int, list[Item]] = {}
    for item in rows.defer("details", "attributes", "epc").order_by("order", "position"):
        item.order = known[item.order_id]
        found.setdefault(item.order_id, []).append(item)
    return (item for key in known for item in found.get(key, ()))


FORMS: Final = {"orders": Form(ORDERS, _orders), "items": Form(ITEMS, _items)}


def stream(
    form: str, rows: QuerySet[Any], question: Question, user: Any, columns: Sequence[Column]
) -> StreamingHttpResponse:
    """The answer, whose body is read from the database as it is sent.

    Raises `AllAreWaiting` when as many are being sent as can be.
    """
    whose = question.tenants[0].pk if len(question.tenants) == 1 else EVERYBODY
    response = StreamingHttpResponse(
        StreamedBody(whose, _text(form, rows, question, user, columns)),
        content_type="text/csv; charset=utf-8; header=present",
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{form}.csv"'
    response.headers["X-Accel-Buffering"] = "no"  # a proxy must not collect it either
    return response


def _text(
    form: str, rows: QuerySet[Any], question: Question, user: Any, columns: Sequence[Column]
) -> Generator[str]:
    written = 0
    try:
        yield _MARK + _lines([[column.name for column in columns]])
        for orders in _batches(rows, question, {column.needs for column in columns}):
            found = FORMS[form].rows(orders, question)
            cells = [[column.cell(row) for column in columns] for row in found]
            written += len(cells)
            yield _lines(cells)
    finally:  # also when whoever asked went away
        log.info(
            "export",
            actor=f"staff:{user.get_username()}",
            tenants=[tenant.slug for tenant in question.tenants],
            form=form,
            asked=question.address(**{TERM: "…" if question.term else ""}),
            columns=[column.name for column in columns],
            rows=written,
        )


def _batches(
    rows: QuerySet[Any], question: Question, needs: Collection[str]
) -> Iterator[list[Any]]:
    """Each batch by a statement of its own: no transaction stays open while somebody downloads."""
    rows = change_list.shown(rows, question.tenants).select_related("tenant")
    if SNAPSHOTS in needs:
        rows = rows.annotate(**{name: F(f"details__{name}") for name in _SNAPSHOTS})
    place = None
    while True:
        found = paging.read(rows, question.conditions, question.tenants, at=place, size=BATCH)
        if CANCELLATION in needs:
            _add_cancellations(found.rows, question)
        if found.rows:
            yield found.rows
        if (place := found.next) is None:
            return


def _add_cancellations(orders: list[Any], question: Question) -> None:
    """Give each order the facts of its cancellations, oldest first."""
    facts: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    entries = TimelineEntry.objects.filter(
        tenant__in=question.tenants,
        order__in=[order.pk for order in orders],
        verb__in=("cancelled", "items_cancelled"),
    )
    for key, said in entries.order_by("order", "version").values_list("order", "facts"):
        if mapping(said).get("reason"):
            facts[key].append(said)
    for order in orders:
        order.cancellations = facts[order.pk]


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()

"""Orders as CSV (RFC 4180), as many as are asked for: in batches, so a million need no memory."""

import csv
import io
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Final

import structlog
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from ordermgmt.waiting import Sent
from orders.admin import change_list, paging
from orders.admin.asking import TERM, Question
from orders.models import Item

BATCH: Final = 500  # orders
EVERYBODY: Final = 0  # no tenant's key: what operators ask of several
# A spreadsheet takes a cell that begins so for a formula, or skips what precedes one.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
_MARK: Final = "\ufeff"  # else spreadsheets take UTF-8 for something else

log = structlog.get_logger("ordermgmt.console")

Columns = Sequence[tuple[str, Callable[[Any], Any]]]

_ORDERS: Final[Columns] = (
    ("tenant", lambda order: order.tenant.slug),
    ("number", lambda order: order.number),
    ("external_id", lambda order: order.external_id),
    ("id", lambda order: order.uuid),
    ("status", lambda order: order.status),
    ("holds", lambda order: " ".join(hold.kind for hold in order.standing)),
    ("conflicts", lambda order: order.conflicts),
    ("placed_at", lambda order: order.placed_at.isoformat()),
    ("captured_at", lambda order: order.captured_at.isoformat()),
    ("channel_type", lambda order: order.channel_type),
    ("channel_name", lambda order: order.channel_name),
    ("shop", lambda order: order.shop),
    ("store_id", lambda order: order.store_id),
    ("customer_id", lambda order: order.customer_id),
    ("customer_name", lambda order: order.customer_name),
    ("customer_email", lambda order: order.customer_email),
    ("fulfilled_by", lambda order: " ".join(order.places)),
    ("units", lambda order: order.item_count),
    ("currency", lambda order: order.currency),
    *(
        (name, lambda order, name=name: getattr(order, name))
        for name in ("net", "tax", "gross", "discount", "shipping", "gift_wrapping", "total")
    ),
)
_ITEMS: Final[Columns] = (
    ("tenant", lambda item: item.order.tenant.slug),
    ("order_number", lambda item: item.order.number),
    ("order_external_id", lambda item: item.order.external_id),
    ("placed_at", lambda item: item.order.placed_at.isoformat()),
    ("position", lambda item: item.position + 1),
    ("id", lambda item: item.uuid),
    *(
        (name, lambda item, name=name: getattr(item, name))
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
    ("currency", lambda item: item.order.currency),
    *(
        (name, lambda item, name=name: getattr(item, name))
        for name in ("base", "discount", "net", "tax", "gross")
    ),
)


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


# What a row is → its columns, and the rows of a batch of orders.
FORMS: Final = {"orders": (_ORDERS, _orders), "items": (_ITEMS, _items)}


def stream(form: str, rows: QuerySet[Any], question: Question, user: Any) -> StreamingHttpResponse:
    """The answer, whose body is read from the database as it is sent.

    Raises `waiting.AllAreWaiting` when as many are being sent as can be.
    """
    whose = question.tenants[0].pk if len(question.tenants) == 1 else EVERYBODY
    response = StreamingHttpResponse(
        Sent(whose, _text(form, rows, question, user)),
        content_type="text/csv; charset=utf-8; header=present",
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{form}.csv"'
    response.headers["X-Accel-Buffering"] = "no"  # a proxy must not collect it either
    return response


def _text(form: str, rows: QuerySet[Any], question: Question, user: Any) -> Generator[str]:
    columns, rows_of = FORMS[form]
    written = 0
    try:
        yield _MARK + _lines([[heading for heading, _ in columns]])
        for orders in _batches(rows, question):
            cells = [[_cell(of(row)) for _, of in columns] for row in rows_of(orders, question)]
            written += len(cells)
            yield _lines(cells)
    finally:  # also when whoever asked went away
        log.info(
            "export",
            actor=f"staff:{user.get_username()}",
            tenants=[tenant.slug for tenant in question.tenants],
            form=form,
            asked=question.address(**{TERM: "…" if question.term else ""}),
            rows=written,
        )


def _batches(rows: QuerySet[Any], question: Question) -> Iterator[list[Any]]:
    """Each batch by a statement of its own: no transaction stays open while somebody downloads."""
    rows = change_list.shown(rows, question.tenants).select_related("tenant")
    place = None
    while True:
        found = paging.read(rows, question.conditions, question.tenants, at=place, size=BATCH)
        if found.rows:
            yield found.rows
        if (place := found.next) is None:
            return


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Never a formula, whoever wrote it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

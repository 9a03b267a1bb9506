"""Change list of orders: Django's own, with our filters and keyset paging."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Model, Prefetch, Q, QuerySet, Sum
from django.db.models.fields.json import KT
from django.http import HttpRequest

from configuration.models import Tenant
from orders.admin import paging
from orders.admin.asking import AFTER, BEFORE, Question
from orders.admin.filters import Reach
from orders.lifecycle import ItemStatus
from orders.models import Hold, Item, Order
from orders.services.reading.outcomes import balance


class OrderChangeList(ChangeList):
    """Django's change list without a full count and without page numbers."""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.question = Question.read(request)
        super().__init__(request, *args)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Model]:
        """Return all orders that match, for actions; `get_results` reads one page of them."""
        self.filter_specs: list[Any] = []
        self.has_filters = False
        self.has_active_filters = not self.question.is_open
        return self.question.among(self.root_queryset).order_by(*paging.OLDER.order)

    def get_results(self, request: HttpRequest) -> None:
        rows = with_list_columns(self.root_queryset, self.question.tenants)
        page, self.older, self.newer = _page(request, rows, self.question)
        self.looked_until = page.looked_until
        counts: dict[str, Any] = {}
        if page.rows and self._is_counted(page):
            first = paging.cursor_of(page.rows[0])
            counts = paging.counts(
                self.question.conditions, self.question.tenants, first, page.edge
            )
        self.result_list = with_facts(page.rows, self.question.tenants, counts)
        self.extent = self._extent(page, counts)
        self.result_count = len(self.result_list)
        self.is_one_of_many = bool(self.older or self.newer)
        self.multi_page = self.can_show_all = False  # Django's own links to pages
        self.show_full_result_count = False
        self.full_result_count = None
        self.show_admin_actions = True

    def _is_counted(self, page: paging.Page) -> bool:
        """True if more orders match than the page holds, and counting them is cheap.

        Without an index only the first page's window is counted, because later pages have windows
        of their own.
        """
        conditions = self.question.conditions
        is_searched = bool(conditions[Reach.WINDOW]) and not conditions[Reach.FEW]
        if is_searched:
            return not self.newer and self.looked_until is None and self.older is not None
        return bool(self.older or self.newer)

    def _extent(self, page: paging.Page, counts: dict[str, Any]) -> str:
        """Return the page's range, for instance "51–100 of more than 1,000 orders"."""
        count = len(page.rows)
        if self.looked_until is not None:
            return f"{_orders(count)} among those placed since {_minute(self.looked_until)}"
        if not counts:
            rest = "; how many match in all is not counted" if self.older or self.newer else ""
            return f"{_orders(count)}{rest}"
        total, newer = (getattr(self.result_list[0], name) for name in counts)
        if newer > paging.COUNTED:
            return f"{_orders(count)}, older than the first {paging.COUNTED:,}"
        number = f"{total:,}" if total <= paging.COUNTED else f"more than {paging.COUNTED:,}"
        since = f" placed since {_minute(page.edge)}" if page.edge else ""
        return f"{newer + 1:,}–{newer + count:,} of {number} orders{since}"

    @property
    def older_address(self) -> str:
        return self.question.address(**{AFTER: str(self.older)})

    @property
    def newer_address(self) -> str:
        return self.question.address(**{BEFORE: str(self.newer)})

    @property
    def only_hit(self) -> Order | None:
        """Return the order if the search matched exactly one."""
        question = self.question
        is_search = question.term and not (
            question.form.active or self.is_one_of_many or self.is_popup
        )
        return self.result_list[0] if is_search and self.result_count == 1 else None


def with_list_columns(rows: QuerySet[Any], tenants: Sequence[Tenant]) -> QuerySet[Any]:
    """Return the rows with the list's columns, but without the large `details` column."""
    active_holds = Hold.objects.filter(tenant__in=tenants, released_at=None).order_by("pk")
    return (
        rows.defer("details")
        .annotate(customer_name=KT("details__customer__name"))
        .prefetch_related(Prefetch("holds", active_holds, to_attr="active_holds"))
    )


def with_facts(
    orders: list[Any], tenants: Sequence[Tenant], counts: Mapping[str, Any] | None = None
) -> list[Any]:
    """Return the orders with locations, conflicts and balance of their items, in one statement.

    The same statement evaluates `counts`, which become attributes of the first order.
    """
    counts = counts or {}
    rows: Any = (
        Item.objects.filter(tenant__in=tenants, order__in=[order.pk for order in orders])
        .values("order", "status")
        .annotate(
            places=ArrayAgg(
                "location_code", filter=~Q(location_code=""), distinct=True, default=[]
            ),
            number=Count("pk"),
            amount=Sum("gross"),
            **counts,
        )
    )
    facts: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        facts[row["order"]][row["status"]] = row
        for name in counts:
            setattr(orders[0], name, row[name])
    for order in orders:
        by_status = facts[order.pk]
        order.places = sorted({place for row in by_status.values() for place in row["places"]})
        order.conflicts = (
            by_status[ItemStatus.ON_HOLD]["number"] if ItemStatus.ON_HOLD in by_status else 0
        )
        order.balance = balance(
            order.total, {status: row["amount"] for status, row in by_status.items()}
        )
    return orders


def _orders(number: int) -> str:
    return f"{number:,} order{'s' * (number != 1)}"


def _minute(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _page(
    request: HttpRequest, rows: QuerySet[Any], question: Question
) -> tuple[paging.Page, paging.Cursor | None, paging.Cursor | None]:
    """Return the requested page, newest first, and the cursors of the older and newer pages."""
    conditions, tenants = question.conditions, question.tenants
    after = _cursor(request, AFTER)
    if before := _cursor(request, BEFORE):
        page = paging.read(rows, conditions, tenants, at=before, direction=paging.NEWER)
        if page.next is not None:
            page.rows.reverse()
            older = paging.cursor_of(page.rows[-1]) if page.rows else before
            return page, older, page.next
        after = None  # fewer than a page are newer, so show the whole first page
    page = paging.read(rows, conditions, tenants, at=after)
    newer = paging.cursor_of(page.rows[0]) if page.rows else after
    return page, page.next, newer if after else None


def _cursor(request: HttpRequest, name: str) -> paging.Cursor | None:
    text = request.GET.get(name)
    try:
        return paging.Cursor.read(text) if text else None
    except paging.BadCursor as error:
        raise IncorrectLookupParameters(text) from error

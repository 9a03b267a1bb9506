"""One page of the list: Django's change list, with our own questions and paging."""

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
    """What Django's admin calls a change list; nothing is counted, and pages are walked."""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.question = Question.read(request)
        super().__init__(request, *args)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Model]:
        """All orders that are as asked, for actions; `get_results` reads a page of them."""
        self.filter_specs: list[Any] = []
        self.has_filters = False
        self.has_active_filters = not self.question.is_open
        return self.question.among(self.root_queryset).order_by(*paging.OLDER.order)

    def get_results(self, request: HttpRequest) -> None:
        rows = shown(self.root_queryset, self.question.tenants)
        found, self.older, self.newer = _page(request, rows, self.question)
        self.looked_until = found.looked_until
        counts: dict[str, Any] = {}
        if found.rows and self._is_counted(found):
            first = paging.place_of(found.rows[0])
            counts = paging.counts(
                self.question.conditions, self.question.tenants, first, found.edge
            )
        self.result_list = with_facts(found.rows, self.question.tenants, counts)
        self.extent = self._extent(found, counts)
        self.result_count = len(self.result_list)
        self.is_one_of_many = bool(self.older or self.newer)
        self.multi_page = self.can_show_all = False  # Django's own links to pages
        self.show_full_result_count = False
        self.full_result_count = None
        self.show_admin_actions = True

    def _is_counted(self, found: paging.Found) -> bool:
        """Whether more than the page matches, and it is known how far to count.

        Of what has no index, only the first page's window is: later ones have windows of their own.
        """
        asked = self.question.conditions
        is_searched = bool(asked[Reach.WINDOW]) and not asked[Reach.FEW]
        if is_searched:
            return not self.newer and self.looked_until is None and self.older is not None
        return bool(self.older or self.newer)

    def _extent(self, found: paging.Found, counts: dict[str, Any]) -> str:
        """Which of how many orders the page shows: "51–100 of more than 1,000 orders"."""
        shown = len(found.rows)
        if self.looked_until is not None:
            return f"{_orders(shown)} among those placed since {_minute(self.looked_until)}"
        if not counts:
            rest = "; how many match in all is not counted" if self.older or self.newer else ""
            return f"{_orders(shown)}{rest}"
        total, newer = (getattr(self.result_list[0], name) for name in counts)
        if newer > paging.COUNTED:
            return f"{_orders(shown)}, older than the first {paging.COUNTED:,}"
        number = f"{total:,}" if total <= paging.COUNTED else f"more than {paging.COUNTED:,}"
        since = f" placed since {_minute(found.edge)}" if found.edge else ""
        return f"{newer + 1:,}–{newer + shown:,} of {number} orders{since}"

    @property
    def older_address(self) -> str:
        return self.question.address(**{AFTER: str(self.older)})

    @property
    def newer_address(self) -> str:
        return self.question.address(**{BEFORE: str(self.newer)})

    @property
    def only_hit(self) -> Order | None:
        """The one order a search found."""
        question = self.question
        alone = question.term and not (question.form.active or self.is_one_of_many or self.is_popup)
        return self.result_list[0] if alone and self.result_count == 1 else None


def shown(rows: QuerySet[Any], tenants: Sequence[Tenant]) -> QuerySet[Any]:
    """With what a list shows of an order; its document, which may be large, stays away."""
    standing = Hold.objects.filter(tenant__in=tenants, released_at=None).order_by("pk")
    return (
        rows.defer("details")
        .annotate(customer_name=KT("details__customer__name"))
        .prefetch_related(Prefetch("holds", standing, to_attr="standing"))
    )


def with_facts(
    orders: list[Any], tenants: Sequence[Tenant], counts: Mapping[str, Any] | None = None
) -> list[Any]:
    """Return the orders, each with what its items say; one statement for all.

    The first one carries `counts`, too, which are asked in the same statement.
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
        by = facts[order.pk]
        order.places = sorted({place for row in by.values() for place in row["places"]})
        order.conflicts = by[ItemStatus.ON_HOLD]["number"] if ItemStatus.ON_HOLD in by else 0
        order.balance = balance(order.total, {status: by[status]["amount"] for status in by})
    return orders


def _orders(number: int) -> str:
    return f"{number:,} order{'s' * (number != 1)}"


def _minute(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _page(
    request: HttpRequest, rows: QuerySet[Any], question: Question
) -> tuple[paging.Found, paging.Place | None, paging.Place | None]:
    """The page the address names, newest first; where older ones begin, and where newer ones."""
    asked, tenants = question.conditions, question.tenants
    after = _place(request, AFTER)
    if before := _place(request, BEFORE):
        found = paging.read(rows, asked, tenants, at=before, direction=paging.NEWER)
        if found.next is not None:
            found.rows.reverse()
            older = paging.place_of(found.rows[-1]) if found.rows else before
            return found, older, found.next
        after = None  # the beginning is near: show it whole
    found = paging.read(rows, asked, tenants, at=after)
    newer = paging.place_of(found.rows[0]) if found.rows else after
    return found, found.next, newer if after else None


def _place(request: HttpRequest, name: str) -> paging.Place | None:
    text = request.GET.get(name)
    try:
        return paging.Place.read(text) if text else None
    except paging.BadPlace as bad:
        raise IncorrectLookupParameters(text) from bad

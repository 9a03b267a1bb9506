"""Bulk actions on orders: selected on the list, confirmed once, run as a bulk job."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from configuration.models import Tenant
from ordermgmt.console import typed
from ordermgmt.console.scoping import TenantAdmin, actor_of
from ordermgmt.errors import DomainError
from orders.admin import labels
from orders.admin.forms import BulkCancelForm, BulkForm
from orders.lifecycle import OrderStatus
from orders.models import BulkVerb
from orders.services.console import bulk_jobs
from orders.services.reading.outcomes import balances
from orders.services.timeline.descriptions import in_words

LIST: Final = "admin:orders_order_changelist"


@dataclass(frozen=True, slots=True)
class BulkAction:
    """One bulk action: its button, the permission it needs, and the warning before it."""

    label: str
    icon: str
    permission: str
    meaning: str
    form: type[BulkForm] = BulkForm
    is_grave: bool = False


BULK_ACTIONS: Final = {
    BulkVerb.HOLD: BulkAction(
        label="Put on hold",
        icon="pause",
        permission="orders.hold_order",
        meaning="Each waits until somebody releases it; what is under way waits again.",
    ),
    BulkVerb.RELEASE: BulkAction(
        label="Release from support",
        icon="play_arrow",
        permission="orders.release_order",
        meaning="Support's hold on each ends; what nothing else holds goes to fulfillment.",
    ),
    BulkVerb.APPROVE: BulkAction(
        label="Approve big orders",
        icon="task_alt",
        permission="orders.approve_order",
        meaning="The hold for its size ends; what nothing else holds goes to fulfillment.",
    ),
    BulkVerb.CANCEL: BulkAction(
        label="Cancel these orders",
        icon="cancel",
        permission="orders.cancel_order",
        meaning="Each is cancelled for good, with all its items; what holds it ends.",
        form=BulkCancelForm,
        is_grave=True,
    ),
}


class BulkActions(TenantAdmin):
    """Bulk actions on the selected orders of the list; `jobs` shows their progress."""

    bulk_actions: ClassVar = ("hold_orders", "release_orders", "approve_orders", "cancel_orders")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.start_bulk))
        url = path("together/<slug:name>/", view, name="orders_order_together")
        return [url, *super().get_urls()]

    @admin.action(description="Put on hold …", permissions=["hold"])
    def hold_orders(self, request: HttpRequest, orders: QuerySet[Any]) -> HttpResponse | None:
        return self._confirm_selection(request, orders, BulkVerb.HOLD)

    @admin.action(description="Release from support …", permissions=["release"])
    def release_orders(self, request: HttpRequest, orders: QuerySet[Any]) -> HttpResponse | None:
        return self._confirm_selection(request, orders, BulkVerb.RELEASE)

    @admin.action(description="Approve big orders …", permissions=["approve"])
    def approve_orders(self, request: HttpRequest, orders: QuerySet[Any]) -> HttpResponse | None:
        return self._confirm_selection(request, orders, BulkVerb.APPROVE)

    @admin.action(description="Cancel …", permissions=["cancel"])
    def cancel_orders(self, request: HttpRequest, orders: QuerySet[Any]) -> HttpResponse | None:
        return self._confirm_selection(request, orders, BulkVerb.CANCEL)

    def has_hold_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(BULK_ACTIONS[BulkVerb.HOLD].permission)

    def has_release_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(BULK_ACTIONS[BulkVerb.RELEASE].permission)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(BULK_ACTIONS[BulkVerb.APPROVE].permission)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(BULK_ACTIONS[BulkVerb.CANCEL].permission)

    def start_bulk(self, request: HttpRequest, name: str) -> HttpResponse:
        """Start the confirmed bulk job, which a worker runs."""
        if name not in BulkVerb.values or not self.has_view_permission(request):
            raise PermissionDenied
        verb = BulkVerb(name)
        if not request.user.has_perm(BULK_ACTIONS[verb].permission):
            raise PermissionDenied
        if request.method == "GET":
            return self._restore_form(request, verb)
        form = BULK_ACTIONS[verb].form(request.POST)
        keys = form["orders"].value() if not form.is_valid() else form.cleaned_data["orders"]
        if not form.is_valid():
            return self._confirm(request, verb, _keys(keys), form)
        tenant = self._tenant(request, keys)
        try:
            if tenant is None:
                raise bulk_jobs.NoOrders("Choose orders of one tenant.")
            job = bulk_jobs.start(
                tenant=tenant,
                verb=verb,
                orders=keys,
                reason=form.cleaned_data["reason"],
                note=form.cleaned_data.get("note", ""),
                actor=actor_of(request.user),
            )
        except DomainError as refusal:
            messages.error(request, str(refusal))
            return redirect(LIST)
        return redirect("admin:orders_bulkjob_change", job.pk)

    def _restore_form(self, request: HttpRequest, verb: BulkVerb) -> HttpResponse:
        """Show the form typed before a sign-in; without one, redirect to the list."""
        form = BULK_ACTIONS[verb].form()
        if not typed.restore(request, form):
            return redirect(LIST)
        return self._confirm(request, verb, _keys(form["orders"].value()), form)

    def _confirm_selection(
        self, request: HttpRequest, orders: QuerySet[Any], verb: BulkVerb
    ) -> HttpResponse | None:
        keys = list(orders.values_list("pk", flat=True)[: bulk_jobs.MOST + 1])
        if len(keys) > bulk_jobs.MOST:
            messages.error(request, f"At most {bulk_jobs.MOST:,} orders can be changed at once.")
            return None
        form = BULK_ACTIONS[verb].form(initial={"orders": ",".join(map(str, keys))})
        return self._confirm(request, verb, keys, form)

    def _confirm(
        self, request: HttpRequest, verb: BulkVerb, keys: list[int], form: BulkForm
    ) -> HttpResponse:
        orders = self.get_queryset(request).filter(pk__in=keys)
        context = {
            **self.admin_site.each_context(request),
            "title": verb.label,
            "opts": self.opts,
            "form": form,
            "button": BULK_ACTIONS[verb],
            "leave": "Leave them as they are",
            "address": reverse("admin:orders_order_together", args=[verb.value]),
            "cancel_address": reverse(LIST),
            "number": len(keys),
            "consequences": [BULK_ACTIONS[verb].meaning, *_counts(orders)],
        }
        return TemplateResponse(request, "console/orders/together.html", context)

    def _tenant(self, request: HttpRequest, keys: list[int]) -> Tenant | None:
        """Return the tenant of the orders; None if there are no orders, or several tenants."""
        mine = self.get_queryset(request).filter(pk__in=keys).order_by()
        owners = list(Tenant.objects.filter(pk__in=mine.values("tenant").distinct())[:2])
        return owners[0] if len(owners) == 1 else None


def _keys(value: Any) -> list[int]:
    """Return the order keys in a form's hidden field, without those that are no keys."""
    words = str(value or "")[:250_000].split(",")
    return [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19]


def _counts(orders: QuerySet[Any]) -> list[str]:
    """Return sentences about the statuses and the total value of the selected orders."""
    by_status = dict(orders.order_by().values_list("status").annotate(Count("pk")))
    statuses = [
        f"{by_status[status]:,} {status.label.lower()}"
        for status in OrderStatus
        if status in by_status
    ]
    return [
        f"Status: {in_words(statuses) or 'none'}.",
        *_worth(list(orders.order_by().values_list("pk", flat=True))),
        "Where it is not possible the order stays as it is, and the report says why.",
    ]


def _worth(keys: Sequence[int]) -> Iterator[str]:
    """Yield the total of the orders in each currency, and what remains of it."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    remaining: dict[str, Decimal] = defaultdict(Decimal)
    for currency, balance in balances(keys):
        totals[currency] += balance.total
        remaining[currency] += balance.remaining
    if totals:
        left = f", of which {_amounts(remaining)} remain" if remaining != totals else ""
        yield f"Total value: {_amounts(totals)}{left}."


def _amounts(totals: Mapping[str, Decimal]) -> str:
    return in_words([labels.amount(total, code) for code, total in sorted(totals.items())])

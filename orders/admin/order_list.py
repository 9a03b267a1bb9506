"""Order list: its filters, views, exports and actions."""

from collections import defaultdict
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from ordermgmt.console import typed
from ordermgmt.console.scoping import TenantAdmin
from ordermgmt.errors import DomainError
from ordermgmt.http.outbound_waits import AllAreWaiting
from orders.admin import columns, export, filters, narrowing, paging
from orders.admin.asking import Question
from orders.admin.change_list import OrderChangeList
from orders.admin.export_columns import Column
from orders.admin.searching import HELP
from orders.models import SavedView
from orders.services.console import saved_views

LIST: Final = "admin:orders_order_changelist"


class NameForm(forms.ModelForm):
    class Meta:
        model = SavedView
        fields = ("name",)


class OrderList(TenantAdmin):
    """List pages of `OrderAdmin`."""

    list_per_page = paging.SIZE
    list_fullwidth = True
    sortable_by: ClassVar = ()
    search_fields: ClassVar = ("number",)  # shows the search field; `searching` does the search
    search_help_text = HELP
    show_facets = ShowFacets.NEVER
    actions: ClassVar[tuple[str, ...]] = (
        "export_orders",
        "export_items",
        "choose_order_columns",
        "choose_item_columns",
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OrderChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        labels = {"title": "Orders", "selection_note_all": "All that match are selected"}
        response = super().changelist_view(request, labels | (extra_context or {}))
        page = (getattr(response, "context_data", None) or {}).get("cl")
        if page is None:
            return response
        if ERROR_FLAG in request.GET:
            self.message_user(request, "That could not be understood.", messages.WARNING)
        if request.method == "GET" and page.only_hit:
            return HttpResponseRedirect(
                reverse("admin:orders_order_change", args=[page.only_hit.pk])
            )
        name_form = NameForm()
        typed.restore(request, name_form, reverse("admin:orders_order_save_view"))
        response.context_data |= {
            "view_name": name_form["name"].value() or "",
            "columns": columns.COLUMNS,
            "rows": list(columns.rows(page.result_list, page.question)),
            "views": narrowing.views(request.user, page.question),
            "chips": list(narrowing.chips(page.question)),
            "periods": narrowing.periods(page.question),
            "known_places": filters.places(page.question.tenants),
            "may_export": self.has_export_permission(request),
        }
        return response

    def get_urls(self) -> list[Any]:
        post_only = (
            ("export/", self.export_view, "orders_order_export"),
            ("views/forget/", self.forget_view, "orders_order_forget_view"),
        )
        wrap = self.admin_site.admin_view
        urls = [path(route, wrap(require_POST(view)), name=name) for route, view, name in post_only]
        save = path("views/save/", wrap(self.save_view), name="orders_order_save_view")
        choose = path(
            "export/choose/<slug:form>/", wrap(self.choose_view), name="orders_order_choose"
        )
        return [save, choose, *urls, *super().get_urls()]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("orders.export_order"))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Export every order that matches the list's address, on all pages."""
        if not (self.has_view_permission(request) and self.has_export_permission(request)):
            raise PermissionDenied
        return self._export(request, request.POST.get("form", ""))

    def choose_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """Show the columns to choose for an export of the list's address."""
        if not (self.has_view_permission(request) and self.has_export_permission(request)):
            raise PermissionDenied
        if form not in export.FORMS:
            raise Http404("Orders or items?")
        try:
            question = Question.read(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(LIST))
        return self._choose(request, form, question, [])

    @admin.action(description="Export orders, choose columns …", permissions=["export"])
    def choose_order_columns(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponseBase:
        return self._choose_of(request, "orders")

    @admin.action(description="Export items, choose columns …", permissions=["export"])
    def choose_item_columns(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponseBase:
        return self._choose_of(request, "items")

    def _choose_of(self, request: HttpRequest, form: str) -> HttpResponseBase:
        try:
            question = Question.read(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(LIST))
        across = request.POST.get("select_across") == "1"
        keys = [] if across else request.POST.getlist(ACTION_CHECKBOX_NAME)
        return self._choose(request, form, question, keys)

    def _choose(
        self, request: HttpRequest, form: str, question: Question, keys: list[str]
    ) -> HttpResponseBase:
        address = question.address()
        groups: dict[str, list[Column]] = defaultdict(list)
        for column in export.FORMS[form].columns:
            groups[column.group].append(column)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Export {form}",
            "opts": self.opts,
            "form": form,
            "groups": dict(groups),
            "keys": ",".join(keys),
            "number": len(keys),
            "address": f"{reverse('admin:orders_order_export')}?{address}",
            "list_address": f"{reverse(LIST)}?{address}",
            "has_tokens": any(tenant.uses_pii_tokens for tenant in question.tenants),
        }
        return TemplateResponse(request, "console/orders/export.html", context)

    @admin.action(description="Export the orders as CSV", permissions=["export"])
    def export_orders(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponseBase:
        return self._export(request, "orders")

    @admin.action(description="Export their items as CSV", permissions=["export"])
    def export_items(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponseBase:
        return self._export(request, "items")

    def _export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        if form not in export.FORMS:
            raise BadRequest("Orders or items?")
        try:
            question = Question.read(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(LIST))
        try:
            columns = export.FORMS[form].chosen(request.POST.getlist("columns"))
        except export.NoSuchColumn as error:
            raise BadRequest(f"There is no column {error}.") from None
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME) or _keys(request.POST.get("orders"))
        if chosen and request.POST.get("select_across") != "1":
            question = question.only(Q(pk__in=chosen))
        try:
            return export.stream(form, self.get_queryset(request), question, request.user, columns)
        except AllAreWaiting:
            self.message_user(
                request,
                "Too many downloads are running. Try again when one has ended.",
                messages.ERROR,
            )
            return HttpResponseRedirect(f"{reverse(LIST)}?{question.address()}")

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        if not all(key.isdecimal() for key in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("These are no orders.")
        return super().response_action(request, queryset)

    def save_view(self, request: HttpRequest) -> HttpResponseBase:
        """Save the list's query under the name in the form."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            query = Question.read(request).address()
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(LIST))
        # A GET comes from a sign-in, so the list shows the typed name again.
        if request.method != "POST":
            return HttpResponseRedirect(f"{reverse(LIST)}?{query}")
        form = NameForm(request.POST)
        if form.is_valid():
            try:
                saved_views.save(owner=request.user, query=query, **form.cleaned_data)
            except DomainError as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, "A view needs a name of at most 60 letters.", messages.ERROR)
        return HttpResponseRedirect(f"{reverse(LIST)}?{query}")

    def forget_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = NameForm(request.POST)
        if form.is_valid():
            saved_views.forget(owner=request.user, **form.cleaned_data)
        return HttpResponseRedirect(reverse(LIST))


def _keys(text: str | None) -> list[str]:
    """Return the keys of the selected orders, from the column form's hidden field."""
    keys = text.split(",") if text else []
    if not all(key.isascii() and key.isdecimal() and len(key) < 19 for key in keys):
        raise BadRequest("These are no orders.")
    return keys

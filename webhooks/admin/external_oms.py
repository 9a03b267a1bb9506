"""Console pages of external OMS: recent health and inspection."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from configuration.models import Tenant
from configuration.services.tenants import folded
from ordermgmt.console import typed
from ordermgmt.console.scoping import TenantAdmin, tenant_id_of
from ordermgmt.errors import DomainError
from ordermgmt.http import outbound_waits
from webhooks.models import ExternalOms
from webhooks.services import inspection, oms_health

TRIES = "configuration.change_setting"  # the permission to send requests


class TryForm(forms.Form):
    """The order or customer to request from the external OMS."""

    order = forms.CharField(
        label="An order it has",
        required=False,
        max_length=64,
        help_text="As it calls it. Not needed if the customer has orders there.",
        widget=UnfoldAdminTextInputWidget,
    )
    consumer_email = forms.CharField(
        label="E-mail of a customer who has orders there",
        required=False,
        max_length=254,
        widget=UnfoldAdminTextInputWidget,
    )
    consumer_token = forms.CharField(
        label="Or the customer's token",
        required=False,
        max_length=128,
        help_text="For tenants whose personal data leaves as tokens.",
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self) -> dict[str, Any]:
        form_data: dict[str, Any] = super().clean() or self.cleaned_data
        if not any(form_data.values()):
            raise forms.ValidationError("Name an order it has, or a customer.")
        if form_data.get("consumer_email") and form_data.get("consumer_token"):
            raise forms.ValidationError("A customer is asked for by e-mail or by token.")
        return form_data


@admin.register(ExternalOms)
class ExternalOmsAdmin(TenantAdmin):
    """One page for each tenant, even if its external OMS was never called."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.list_view), name="webhooks_externaloms_changelist"),
            path("<slug:slug>/", wrap(self.tenant_view), name="webhooks_externaloms_change"),
        ]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Show an operator every external OMS with a row, and redirect others to their own."""
        tenants = self._tenants(request)
        if tenant_id_of(request.user) is not None:
            return HttpResponseRedirect(_address(tenants.get().slug))
        rows = [(state, _address(state.tenant)) for state in oms_health.states()]
        return self._page(request, "all", title="External OMS", rows=rows)

    def tenant_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        tenant = self._tenants(request).filter(slug=folded(slug)).first()
        if tenant is None:
            raise Http404("There is no such tenant.")
        tries = request.user.has_perm(TRIES)
        form = TryForm(request.POST if request.method == "POST" else None)
        findings = None
        if request.method == "POST":
            if not tries:
                raise PermissionDenied
            if form.is_valid():
                findings = _inspect(tenant, form)
        elif tries:
            typed.restore(request, form)
        return self._page(
            request,
            "one",
            title=f"External OMS of {tenant.name}",
            state=next(iter(oms_health.states(tenant)), None),
            form=form if tries else None,
            findings=findings,
            wrong=sum(finding.verdict == "wrong" for finding in findings or []),
            setting_url=reverse(
                "admin:configuration_setting_change", args=[slug, "external_order_webhook"]
            ),
        )

    def _tenants(self, request: HttpRequest) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        tenant_id = tenant_id_of(request.user)
        return Tenant.objects.all() if tenant_id is None else Tenant.objects.filter(pk=tenant_id)

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"console/external_oms/{template}.html", context)


def _inspect(tenant: Tenant, form: TryForm) -> list[inspection.Finding] | None:
    """Return the findings, or None with the error in the form if no request was possible."""
    form_data = form.cleaned_data
    names = ("consumer_email", "consumer_token")
    consumer = {name: form_data[name] for name in names if form_data[name]}
    try:
        with outbound_waits.release_while_waiting(tenant.pk):
            return inspection.inspect(tenant, order_id=form_data["order"], consumer=consumer)
    except DomainError as refusal:
        form.add_error(None, str(refusal))
        return None


def _address(slug: str) -> str:
    return reverse("admin:webhooks_externaloms_change", args=[slug])

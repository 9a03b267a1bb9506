"""Settings of a tenant in the console: each key with its value, form and history."""

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from configuration import keys
from configuration.admin import wording
from configuration.admin.rows import may
from configuration.admin.setting_forms import SettingForm
from configuration.models import Setting, Tenant
from configuration.registry import Key, UnknownKey
from configuration.services import Stored, numbering, settings
from configuration.services.tenants import folded
from ordermgmt.console import typed
from ordermgmt.console.scoping import TenantAdmin, actor_of, tenant_id_of
from ordermgmt.errors import DomainError

HISTORY: Final = 50  # changes


@admin.register(Setting)
class SettingAdmin(TenantAdmin):
    """A page of all keys of a tenant and one of each key, generated from `configuration.keys`."""

    def get_urls(self) -> list[URLPattern]:
        pages = {
            ("", "changelist"): self.tenants_view,
            ("<slug:slug>/", "list"): self.list_view,
            ("<slug:slug>/<slug:name>/", "change"): self.key_view,
            ("<slug:slug>/<slug:name>/preview/", "preview"): self.preview_view,
        }
        return [
            path(route, self.admin_site.admin_view(view), name=f"configuration_setting_{page}")
            for (route, page), view in pages.items()
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(self, request, "change")

    def tenants_view(self, request: HttpRequest) -> HttpResponse:
        """Show an operator the tenants to choose from; redirect others to their own."""
        tenants = self._tenants(request).order_by("slug")
        if tenant_id_of(request.user) is not None:
            return HttpResponseRedirect(_address("list", tenants.get().slug))
        return self._page(request, "tenants", title="Settings", tenants=tenants)

    def list_view(self, request: HttpRequest, slug: str) -> HttpResponse:
        tenant = self._tenant(request, slug)
        stored = settings.read_all(tenant)
        rows = [
            {
                "key": key,
                "stored": stored[name],
                "lines": wording.shown(key, stored[name].value),
                "url": _address("change", slug, name),
            }
            for name, key in keys.KEYS.items()
        ]
        title = f"Settings of {tenant.name}"
        warnings = numbering.warnings(tenant)
        return self._page(
            request, "settings", title=title, tenant=tenant, rows=rows, warnings=warnings
        )

    def key_view(self, request: HttpRequest, slug: str, name: str) -> HttpResponse:
        tenant, key = self._tenant(request, slug), _key(name)
        stored = settings.read(tenant, key)
        is_fixed = key.immutable and stored.version and not key.growing
        writes = self.has_change_permission(request) and not is_fixed
        form = SettingForm(key, stored, request.POST or None)
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            if form.is_valid() and self._write(request, tenant, form):
                return HttpResponseRedirect(_address("change", slug, name))
        elif writes:
            typed.restore(request, form)
        for field in form.fields.values():
            field.disabled = field.disabled or not writes
        return self._page(
            request,
            "setting",
            title=key.label[0].upper() + key.label[1:],
            tenant=tenant,
            key=key,
            stored=stored,
            lines=wording.shown(key, stored.value),
            form=form,
            writes=writes,
            numbers=_numbers(tenant, key, stored),
            warnings=numbering.warnings(tenant) if _has_numbers(key, stored) else [],
            history=_history(tenant, key),
            list_url=_address("list", slug),
            preview_url=_address("preview", slug, name),
        )

    def preview_view(self, request: HttpRequest, slug: str, name: str) -> HttpResponse:
        """Return the order numbers that the form would give, without saving it."""
        tenant, key = self._tenant(request, slug), _key(name)
        form = SettingForm(key, settings.read(tenant, key), request.GET)
        for name in ("expected_version", "for_good"):
            form.fields.pop(name, None)
        value = form.cleaned_data.get("parsed") if form.is_valid() else None
        if not isinstance(value, keys.Sequence):
            return JsonResponse({"numbers": []})
        return JsonResponse({"numbers": numbering.numbers(value, counter=value.start)})

    def _write(self, request: HttpRequest, tenant: Tenant, form: SettingForm) -> bool:
        """Write the value and return True; on a refusal add it to the form and return False."""
        try:
            written = settings.write(
                tenant,
                form.key,
                form.cleaned_data["parsed"],
                actor=actor_of(request.user),
                if_match={form.cleaned_data["expected_version"]},
                may_grow=True,
            )
        except DomainError as refusal:
            form.add_error(None, str(refusal))
            return False
        changed = written.version != form.cleaned_data["expected_version"]
        messages.success(request, "Saved." if changed else "It was set to that already.")
        return True

    def _tenants(self, request: HttpRequest) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        tenant_id = tenant_id_of(request.user)
        return Tenant.objects.all() if tenant_id is None else Tenant.objects.filter(pk=tenant_id)

    def _tenant(self, request: HttpRequest, slug: str) -> Tenant:
        tenant: Tenant | None = self._tenants(request).filter(slug=folded(slug)).first()
        if tenant is None:
            raise Http404("There is no such tenant.")
        return tenant

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"console/configuration/{template}.html", context)


def _address(page: str, *args: str) -> str:
    return reverse(f"admin:configuration_setting_{page}", args=args)


def _key(name: str) -> Key[Any]:
    try:
        return keys.find(name)
    except UnknownKey as refusal:
        raise Http404(str(refusal)) from None


def _has_numbers(key: Key[Any], stored: Stored[Any]) -> bool:
    return key is keys.SALES_ORDER_GENERATOR_SEQUENCE and stored.value is not None


def _numbers(tenant: Tenant, key: Key[Any], stored: Stored[Any]) -> list[str]:
    """Return the next order numbers; without a setting those of the form's initial value."""
    if key is not keys.SALES_ORDER_GENERATOR_SEQUENCE:
        return []
    if stored.value is not None:
        return numbering.upcoming(tenant, stored.value)
    first = keys.Sequence(start=1)
    return numbering.numbers(first, counter=first.start)


def _history(tenant: Tenant, key: Key[Any]) -> list[dict[str, Any]]:
    return [
        {
            "change": change,
            "differences": wording.differences(change.old_value, change.new_value),
        }
        for change in settings.history(tenant, key)[:HISTORY]
    ]

"""Tenants in the console: an admin's own tenant, and all of them for an operator."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from configuration.admin.rows import ChangedByService
from configuration.models import Tenant
from configuration.services import tenants
from ordermgmt.console.scoping import tenant_id_of

# Only operators change these fields, because they protect the whole installation.
OPERATORS: Final = ("is_active", "allows_http_webhooks")


@admin.register(Tenant)
class TenantPage(ChangedByService):
    list_display = ["slug", "name", "is_active"]
    search_fields = ["slug__istartswith", "name__istartswith"]
    ordering = ["slug"]
    key_fields = ("slug",)
    fields = [
        "slug",
        "name",
        "shop",
        "shop_locale",
        "uses_pii_tokens",
        "checks_payment_totals",
        "lenient_price_details",
        *OPERATORS,
    ]

    def rows(self, request: HttpRequest) -> QuerySet[Tenant]:
        """Return the tenants that this person may see."""
        tenant_id = tenant_id_of(request.user)
        return Tenant.objects.all() if tenant_id is None else Tenant.objects.filter(pk=tenant_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        return self.rows(request)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return tenant_id_of(request.user) is None and super().has_add_permission(request, *args)

    def get_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        operator = tenant_id_of(request.user) is None
        return [name for name in self.fields if operator or name not in OPERATORS]

    def write(
        self, tenant: Any, row: Tenant | None, *, expected_version: int, **fields: Any
    ) -> Tenant:
        slug = fields.pop("slug")
        if row is None:
            return tenants.create(slug, **fields)
        return tenants.update(slug, if_match={expected_version}, **fields)

"""Tenant scoping of the console: staff see rows of their own tenant, and only services write."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin


def tenant_id_of(user: Any) -> int | None:
    """Return the tenant that this person may see; None for an operator, who sees all tenants."""
    membership = getattr(user, "membership", None)
    if membership is None and not user.is_superuser:
        raise PermissionError(f"{user} belongs to no tenant")
    return None if membership is None else membership.tenant_id


def actor_of(user: Any) -> str:
    """Return the actor that timelines and histories record for this person."""
    return f"staff:{user.get_username()}"


class TenantAdmin(ModelAdmin):
    """A read-only page over one table of business data; only services write its rows."""

    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        rows = super().get_queryset(request)
        tenant_id = tenant_id_of(request.user)
        return rows if tenant_id is None else rows.filter(tenant_id=tenant_id)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Return True only for lookups of the page's own filters.

        Django allows every column of the table, so the number of rows would reveal hidden columns,
        for instance the hash of a secret.
        """
        name, _, kind = lookup.rpartition("__")
        declared = self.list_filter if request is None else self.get_list_filter(request)
        return lookup in declared or (name in declared and kind in ("exact", "isnull"))

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

"""Service levels of a tenant in the console."""

from typing import Any

from django.contrib import admin

from configuration.admin.rows import ChangedByService
from configuration.models import ServiceLevel, Tenant
from configuration.services import service_levels


@admin.register(ServiceLevel)
class ServiceLevelAdmin(ChangedByService):
    list_display = ["identifier", "name", "shipping_type", "remorse_period"]
    list_filter = ["shipping_type"]
    search_fields = ["identifier__startswith", "name__istartswith"]
    ordering = ["identifier"]
    key_fields = ("identifier",)
    fields = ["identifier", "name", "shipping_type", "remorse_period"]

    def write(
        self, tenant: Tenant, row: ServiceLevel | None, *, expected_version: int, **fields: Any
    ) -> ServiceLevel:
        return service_levels.put(tenant=tenant, if_match={expected_version}, **fields)

"""The console's site: what every page of it shares."""

from typing import Any, Final

from django.http import HttpRequest
from django.urls import URLPattern
from unfold.sites import UnfoldAdminSite

from ordermgmt.console.scoping import TenantAdmin

THEMES: Final = (
    ("light", "light_mode", "Light"),
    ("dark", "dark_mode", "Dark"),
    ("auto", "computer", "System"),
)


class ConsoleSite(UnfoldAdminSite):
    """`django.contrib.admin.site`: apps register their pages with `@admin.register`."""

    site_title = "ordermgmt"
    site_header = "ordermgmt"
    index_title = "Today"

    def register(self, models: Any, admin_class: Any = None, **options: Any) -> None:
        """Pages of ours only: those that packages bring show every tenant's rows to everybody."""
        if admin_class is not None and issubclass(admin_class, TenantAdmin):
            super().register(models, admin_class, **options)

    def get_urls(self) -> list[URLPattern]:
        """Without unfold's search over all models: it knows neither tenants nor indexes."""
        return super(UnfoldAdminSite, self).get_urls()

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"themes": THEMES} | _whose(request.user)


def _whose(user: Any) -> dict[str, Any]:
    """Who is signed in, and for which tenant: for the navigation."""
    membership = getattr(user, "membership", None)
    if membership is None:
        return {}
    roles = user.groups.values_list("name", flat=True)
    return {
        "tenant_name": membership.tenant.name,
        "role_name": " and ".join(sorted(roles)).capitalize(),
    }

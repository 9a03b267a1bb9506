"""The console's site: what every page of it shares."""

from typing import Any

from unfold.sites import UnfoldAdminSite

from ordermgmt.console.scoping import TenantAdmin


class ConsoleSite(UnfoldAdminSite):
    """`django.contrib.admin.site`: apps register their pages with `@admin.register`."""

    site_title = "ordermgmt"
    site_header = "ordermgmt"
    index_title = "Today"

    def register(self, models: Any, admin_class: Any = None, **options: Any) -> None:
        """Pages of ours only: those that packages bring show every tenant's rows to everybody."""
        if admin_class is not None and issubclass(admin_class, TenantAdmin):
            super().register(models, admin_class, **options)

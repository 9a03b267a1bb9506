"""The console's site: what every page of it shares."""

from unfold.sites import UnfoldAdminSite


class ConsoleSite(UnfoldAdminSite):
    """`django.contrib.admin.site`: apps register their pages with `@admin.register`."""

    site_title = "ordermgmt"
    site_header = "ordermgmt"
    index_title = "Today"

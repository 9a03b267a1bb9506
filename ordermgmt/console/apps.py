"""Django's admin as the console: one site, found by every app's `admin`."""

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    default_site = "ordermgmt.console.site.ConsoleSite"

"""Django's admin as the console: one site for the `admin` modules of all apps."""

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    default_site = "ordermgmt.console.site.ConsoleSite"

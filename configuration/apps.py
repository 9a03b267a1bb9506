"""The configuration app: tenants, their clients and locations, and what each may set."""

from django.apps import AppConfig


class ConfigurationConfig(AppConfig):
    name = "configuration"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have `check --deploy` look at people, too."""
        from configuration import checks  # noqa: F401

"""Environment variables of the settings, with one-line errors that name the variable."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from ordermgmt.launcher.servers import CannotStart


class Env(environ.Env):
    """django-environ's reader, whose refusals name the variable and never repeat its value."""

    def get_value(self, var: str, cast: Any = None, *args: Any, **options: Any) -> Any:
        try:
            return super().get_value(var, cast, *args, **options)
        except ValueError:
            kind = getattr(cast, "__name__", "value")
            raise ImproperlyConfigured(
                f"{var} cannot be read: it must be of kind {kind}."
            ) from None

    def level(self, var: str, default: str) -> str:
        """Return the name of a logging level of the standard library."""
        name = str(self.str(var, default=default)).upper()
        levels = logging.getLevelNamesMapping()
        if name not in levels:
            raise ImproperlyConfigured(f"{var} must be one of: {', '.join(levels)}.")
        return name

    @classmethod
    def db_url_config(cls, url: Any, engine: str | None = None) -> Any:
        try:
            ours = str(url).startswith(("postgres:", "postgresql:"))
            config = super().db_url_config(url, engine) if ours else {}
        except ValueError:
            config = {}
        if not (config.get("NAME") or config.get("OPTIONS", {}).get("service")):
            raise ImproperlyConfigured(
                "DATABASE_URL names no PostgreSQL database; its form is "
                "postgresql://user:password@host:5432/database."
            )
        return config


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Print an error of the configuration in one line instead of a traceback, and exit with 2."""
    try:
        yield
    except (ImproperlyConfigured, CannotStart) as reason:
        print(" ".join(str(reason).split()), file=sys.stderr)
        sys.exit(2)

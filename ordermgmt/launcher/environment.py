"""The variables settings read: what is wrong with one is a sentence that names it, and one line."""

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
        """The name of a level that the standard library's logging has."""
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
def told_in_one_line() -> Iterator[None]:
    """In place of a traceback, for whoever can put it right; exits with 2."""
    try:
        yield
    except (ImproperlyConfigured, CannotStart) as reason:
        print(" ".join(str(reason).split()), file=sys.stderr)
        sys.exit(2)

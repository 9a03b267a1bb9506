"""Our own modules, with their captions."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from django.conf import settings

APPS: Final = ("ordermgmt", "configuration", "webhooks", "orders")
PACKAGES: Final = (*APPS, "bench")


def sources(*packages: str) -> Iterator[Path]:
    """Yield every module by folder and name, without migrations and empty modules."""
    for package in packages:
        paths = (settings.BASE_DIR / package).rglob("*.py")
        for path in sorted(paths, key=lambda path: (path.parent.parts, path.name)):
            if "migrations" not in path.parts and path.stat().st_size:
                yield path.relative_to(settings.BASE_DIR)


def first_line(path: Path) -> str:
    """Return the first paragraph of a module's docstring, or an empty string."""
    docstring = ast.get_docstring(ast.parse((settings.BASE_DIR / path).read_text())) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def imported() -> Iterator[ModuleType]:
    """Import and yield every module of the apps, so that all their classes are declared."""
    for path in sources(*APPS):
        parts = path.with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield importlib.import_module(name)

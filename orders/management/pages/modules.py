"""Our own modules: where they are, what their first line says, and all of them imported."""

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
    """Every module that is not empty, by folder, then by name; migrations are left out."""
    for package in packages:
        found = (settings.BASE_DIR / package).rglob("*.py")
        for path in sorted(found, key=lambda path: (path.parent.parts, path.name)):
            if "migrations" not in path.parts and path.stat().st_size:
                yield path.relative_to(settings.BASE_DIR)


def first_line(path: Path) -> str:
    """What a module says it is for: the first paragraph of its docstring, or nothing."""
    docstring = ast.get_docstring(ast.parse((settings.BASE_DIR / path).read_text())) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def imported() -> Iterator[ModuleType]:
    """Every module of the apps, imported, so that all they declare is known."""
    for path in sources(*APPS):
        parts = path.with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield importlib.import_module(name)

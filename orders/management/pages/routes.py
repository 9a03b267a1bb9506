"""The operations of the API, with their methods, addresses and scopes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    scopes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations() -> list[Operation]:
    """Return the operations of all API views, sorted by address and method."""
    return sorted(_operations(get_resolver().url_patterns, "/"), key=lambda o: (o.path, o.method))


def _operations(patterns: Sequence[URLPattern | URLResolver], prefix: str) -> Iterator[Operation]:
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _operations(entry.url_patterns, path)
            continue
        view = getattr(entry.callback, "cls", None)
        for method in getattr(entry.callback, "actions", None) or {}:
            scopes = getattr(view, "required_scopes", {}).get(method.upper(), [])
            yield Operation(method.upper(), _plain(path), tuple(scopes))


def _plain(path: str) -> str:
    """Return the address in OpenAPI's form: `{id}` for Django's `<path:id>`."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)

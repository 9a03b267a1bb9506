"""The routes of the API, read from the URLconf so that new routes are tested by default."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.urls import URLPattern, URLResolver, get_resolver

from ordermgmt.http.akinon import AkinonAnswers
from ordermgmt.http.api import ApiViewSet

# Parameter of an address → a well-formed value that does not exist.
ABSENT = {
    "tenant": "nobody",
    **dict.fromkeys(("id", "order_uuid"), "00000000-0000-4000-8000-000000000001"),
}
# The query parameters that a route requires before it looks up its object.
QUERIES = {
    "v0/orders/<path:id>": "id_type=internal",
    "v0/orders/<path:id>/cancel": "id_type=internal",
    "v0/orders/<path:id>/_extend_grace_period": "id_type=internal",
    "v0/orders/<path:order_uuid>/items/<str:item_uuid>/cancel": "id_type=internal",
    "v0/orders": "customer_id=nobody",
}


@dataclass(frozen=True)
class Route:
    """One method at one address."""

    method: str
    pattern: str
    view: Any

    def __str__(self) -> str:
        return f"{self.method} /{self.pattern}"

    @property
    def path(self) -> str:
        """Return an address of the route without an existing object."""
        path = re.sub(
            r"<(?:\w+:)?(\w+)>", lambda m: ABSENT.get(m[1], str(uuid4())), f"/{self.pattern}"
        )
        query = QUERIES.get(self.pattern)
        return f"{path}?{query}" if query else path

    @property
    def takes_credentials(self) -> bool:
        """Return whether the route needs a bearer token; token routes and Akinon's do not."""
        return issubclass(self.view, ApiViewSet) and not self.is_akinons

    @property
    def is_akinons(self) -> bool:
        """Return whether it is Akinon's route, which tests/orders/test_akinon.py tests."""
        return issubclass(self.view, AkinonAnswers)

    @property
    def scopes(self) -> list[str]:
        """Return the scopes that the token must have."""
        return list(self.view.required_scopes[self.method])

    @property
    def has_body(self) -> bool:
        return self.method in ("POST", "PATCH", "PUT")

    @property
    def body(self) -> bytes:
        """Return the smallest JSON body."""
        return b"{}" if self.has_body else b""


def api_routes() -> list[Route]:
    """Return all documented routes, without pages and probes."""
    return [
        Route(method.upper(), pattern, callback.cls)
        for pattern, callback in _patterns(get_resolver())
        for method in getattr(callback, "actions", None) or {}
        if method != "head"  # DRF adds it at the first request
    ]


def guarded_routes() -> list[Route]:
    """Return the routes that need a bearer token."""
    return [route for route in api_routes() if route.takes_credentials]


def plain_addresses() -> set[str]:
    """Return all other addresses, without those of the console."""
    return {
        pattern
        for pattern, callback in _patterns(get_resolver())
        if not hasattr(callback, "cls") and not pattern.startswith("console")
    }


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield pattern, entry.callback
        else:
            yield from _patterns(entry, pattern)

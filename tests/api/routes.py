"""Every route of the API, read from the URLconf: what is new is tested by default."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.urls import URLPattern, URLResolver, get_resolver

from ordermgmt.http.akinon import AkinonAnswers
from ordermgmt.http.api import ApiViewSet

# Parameter of an address → something well formed that does not exist.
ABSENT = {
    "tenant": "nobody",
    **dict.fromkeys(("id", "order_uuid"), "00000000-0000-4000-8000-000000000001"),
}
# What a route cannot do without to get as far as looking for its object.
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
        """An address of the route, naming nothing that exists."""
        path = re.sub(
            r"<(?:\w+:)?(\w+)>", lambda m: ABSENT.get(m[1], str(uuid4())), f"/{self.pattern}"
        )
        query = QUERIES.get(self.pattern)
        return f"{path}?{query}" if query else path

    @property
    def takes_credentials(self) -> bool:
        """Whether it wants a bearer token; token routes give them, Akinon's wants a key."""
        return issubclass(self.view, ApiViewSet) and not self.is_akinons

    @property
    def is_akinons(self) -> bool:
        """Whether it speaks as Akinon does: tests/orders/test_akinon.py tries what is special."""
        return issubclass(self.view, AkinonAnswers)

    @property
    def scopes(self) -> list[str]:
        """What the token must allow."""
        return list(self.view.required_scopes[self.method])

    @property
    def has_body(self) -> bool:
        return self.method in ("POST", "PATCH", "PUT")

    @property
    def body(self) -> bytes:
        """The least that is JSON."""
        return b"{}" if self.has_body else b""


def api_routes() -> list[Route]:
    """All that is documented for machines: no pages, no probes."""
    return [
        Route(method.upper(), pattern, callback.cls)
        for pattern, callback in _patterns(get_resolver())
        for method in getattr(callback, "actions", None) or {}
        if method != "head"  # DRF adds it at the first request
    ]


def guarded_routes() -> list[Route]:
    """Those that want a bearer token."""
    return [route for route in api_routes() if route.takes_credentials]


def plain_addresses() -> set[str]:
    """All other addresses but the console's, which people ask, not programs."""
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

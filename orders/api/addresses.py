"""Order ids that every route can tell apart in an address.

An id may hold a slash, and a slash is also what separates the parts of an address. The rules here
make sure that each route reads an address in one way only. They follow from the URL table, so a
new route needs no change here.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from django.urls import URLPattern, URLResolver, get_resolver
from pydantic_core import PydanticCustomError

PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")


def check_addressable(name: str) -> None:
    """Raise `PydanticCustomError` for an order id that some route with an id cannot reach."""
    if "/" not in name:
        if name in (".", ".."):
            raise PydanticCustomError(
                "identifier", "the value is '.' or '..', which an address cannot hold"
            )
        return
    segments = name.split("/")
    if "" in segments:
        raise PydanticCustomError(
            "identifier", "the value begins or ends with a slash, or has two in a row"
        )
    if "." in segments or ".." in segments:
        raise PydanticCustomError(
            "identifier", "the value has '.' or '..' between slashes, which an address cannot hold"
        )
    if _endings().search(name):
        raise PydanticCustomError("identifier", "the value ends like an address of this service")


@cache
def order_routes() -> tuple[str, ...]:
    """Return the routes with an order id in their path, which is always the first parameter."""
    return tuple(
        route
        for route, module in _routes(get_resolver())
        if module.startswith("orders.api.") and PARAMETER.search(route)
    )


@cache
def _endings() -> re.Pattern[str]:
    """Return a pattern of endings that no id may have, because they make an address ambiguous.

    These are the words that follow an id in the URL table, and the part of a longer route before
    the end of a shorter one: `/items/{item}` for `…/items/{item}/cancel` and `…/cancel`.
    """
    tails = [route.split(">", 1)[1].split("/")[1:] for route in order_routes()]
    endings = {re.escape(word) for tail in tails for word in tail if not PARAMETER.match(word)}
    for longer in tails:
        for shorter in filter(None, tails):
            if len(longer) > len(shorter) and longer[-len(shorter) :] == shorter:
                rest = longer[: -len(shorter)]
                endings.add("/".join("[^/]+" if PARAMETER.match(w) else re.escape(w) for w in rest))
    return re.compile(rf"/(?:{'|'.join(sorted(endings))})\Z")


def _routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every route with the module of its view."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route, entry.callback.__module__
        else:
            yield from _routes(entry, route)

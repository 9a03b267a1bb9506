"""Order ids as parts of addresses: which ids the routes can tell apart.

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
    """Raise a fault of the body where not every route with an order id would reach this one."""
    if "/" not in name:
        if name in (".", ".."):
            raise _fault("the value is '.' or '..', which an address cannot hold")
        return
    segments = name.split("/")
    if "" in segments:
        raise _fault("the value begins or ends with a slash, or has two in a row")
    if "." in segments or ".." in segments:
        raise _fault("the value has '.' or '..' between slashes, which an address cannot hold")
    if _endings().search(name):
        raise _fault("the value ends like an address of this service")


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
    """Return what no id may end with, because an address could then be read in two ways.

    That is every word behind an id in the table, and what a longer route has before the end of a
    shorter one: with `…/items/{item}/cancel` and `…/cancel` in the table, `/items/{item}`.
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
    """Return every route and the module of its view."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route, entry.callback.__module__
        else:
            yield from _routes(entry, route)


def _fault(message: str) -> PydanticCustomError:
    return PydanticCustomError("identifier", message)

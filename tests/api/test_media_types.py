"""Every operation, called with exactly the media types that the document lists for it."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest

from ordermgmt.http.negotiation import JSON, ORDERS_V2
from tests.api.routes import QUERIES, Route, api_routes
from tests.api.test_openapi import document, documented
from tests.corpus.target import PROBLEM, Target
from tests.corpus.test_json import BODILESS, ENDPOINTS, Endpoint, credentials, names_of
from tests.orders.shop import item, order

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
BODIES = {(e.method, e.path.removesuffix("/")): e for e in ENDPOINTS.values()}


def operation(route: Route) -> dict[str, Any]:
    path, method = documented(route)
    listed: dict[str, Any] = document()["paths"][path][method]
    return listed


def accepts(listed: dict[str, Any]) -> Iterator[str]:
    """Yield values of Accept: each media type of the answers, and combinations of them."""
    media = [m for answer in listed["responses"].values() for m in answer.get("content", {})]
    good = [
        m
        for status, answer in listed["responses"].items()
        if status.startswith("2")
        for m in answer.get("content", {})
    ]
    refused = [m for m in media if m not in good]
    lists = [[m] for m in media] + [media, media[::-1], good, refused]
    # Clients send these with every call, also for answers with other media types.
    lists += [[JSON], [ORDERS_V2], [PROBLEM]]
    yield from dict.fromkeys(", ".join(dict.fromkeys(each)) for each in lists if each)


def call(target: Target, route: Route, media: str, accept: str) -> Any:
    """Call the route with a valid request and this Accept header."""
    path, _ = documented(route)
    endpoint = BODIES.get((route.method, path), Endpoint(path, lambda _: {}, method=route.method))
    ahead = item(is_preorder=True)
    waits = {"grace_period": 60} if "fulfillment" not in path else {}
    names: dict[str, str] = {"tenant": target.tenant.slug}
    if "<" in route.pattern.replace("<str:tenant>", "") or endpoint.names_an_order:
        names |= names_of(target.captured(order(ahead, **waits))["origin_id"])
    query = QUERIES.get(route.pattern)
    address = path.format(**names) + (f"?{query}" if query else "")
    members = endpoint.body(target)
    body = {JSON: json.dumps(members), FORM: urlencode(members), "": ""}[media].encode()
    headers = credentials(endpoint, target) | {"Accept": accept}
    return target.send(route.method, address, body, content_type=media or None, headers=headers)


@pytest.mark.parametrize("route", api_routes(), ids=str)
def test_succeeds_with_what_the_document_lists(route: Route) -> None:
    target, listed = Target(uses_pii_tokens="/pii/" in route.pattern), operation(route)
    requests = list(listed.get("requestBody", {}).get("content", {})) or [""]
    assert (requests == [""]) == (not route.has_body or documented(route)[0] in BODILESS)

    for media, accept in product(requests, accepts(listed)):
        response = call(target, route, media, accept)

        assert response.status_code in (200, 204), (media, accept, response.content)
        answers = listed["responses"][str(response.status_code)].get("content", {})
        if answers:
            assert response["Content-Type"] in answers, (media, accept)
        else:
            assert not response.content


@pytest.mark.parametrize("accept", [JSON, ORDERS_V2, "text/html", "*/*;q=0"])
def test_a_refusal_has_its_own_form_whatever_is_accepted(accept: str) -> None:
    target = Target()

    response = target.send("GET", "/v0/orders", headers={"Accept": accept})

    assert (response.status_code, response["Content-Type"]) == (400, PROBLEM)

"""Robustness table H: unusual HTTP at every route. Tests of a real server are in tests/e2e."""

import re
from typing import Any

import pytest
from django.http import HttpResponse

from ordermgmt.http.api import ORDERS_V2
from tests.api.routes import Route, api_routes, guarded_routes
from tests.corpus.target import Target, assert_problem, assert_refused, state

pytestmark = pytest.mark.django_db
ALL, GUARDED = api_routes(), guarded_routes()
WRITING = [route for route in GUARDED if route.has_body]
READING = [route for route in GUARDED if route.method == "GET"]
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"}


def send(target: Target, route: Route, **options: Any) -> HttpResponse:
    return target.send(route.method, route.path, route.body, **options)


@pytest.mark.parametrize(
    "path",
    [
        *("/v0/nope", "/nope", "/", "/v0/orders%2f", "/orders", "/v1/orders", "/order-management/"),
        *("/order-management/order/", "/V0/orders", "/v0/orders.json", "/v0//", "/v0/config/x"),
        *("/v0/%2e%2e/admin", "/%ff", "/v0/token/x", "/openapi.yam/", "/.env", "/v0/orders%00"),
    ],
)
def test_H1_an_unknown_address_is_a_404(target: Target, path: str) -> None:
    assert_refused(target.send("GET", path), 400 if "%00" in path else 404)


@pytest.mark.parametrize("route", GUARDED, ids=str)
def test_H1_doubled_slashes_are_single_ones(target: Target, route: Route) -> None:
    plain = send(target, route)
    # A leading double slash stays out, because Django's client reads it as a host.
    path = "/" + route.path[1:].replace("/", "//")

    doubled = target.send(route.method, path, route.body)

    assert (doubled.status_code, len(doubled.content)) == (plain.status_code, len(plain.content))


@pytest.mark.parametrize("route", GUARDED, ids=str)
def test_one_slash_behind_an_address_changes_nothing(target: Target, route: Route) -> None:
    path, _, query = route.path.partition("?")
    plain = send(target, route)

    answers = [target.send(route.method, f"{path}{end}?{query}", route.body) for end in ("/", "//")]

    for answer in answers:
        assert (answer.status_code, len(answer.content)) == (plain.status_code, len(plain.content))


@pytest.mark.parametrize("route", ALL, ids=str)
def test_H6_other_methods_are_a_405_that_names_ours(target: Target, route: Route) -> None:
    ours = {other.method for other in ALL if other.pattern == route.pattern}
    before = state()

    for method in METHODS - ours - ({"HEAD"} if "GET" in ours else set()):
        for credentials in ({}, {"Authorization": None}):
            response = target.send(method, route.path, headers=dict(credentials))
            assert response.status_code == 405
            if method != "HEAD" and not route.is_akinons:
                assert_refused(response, 405, "method_not_allowed")
            assert {m.strip() for m in response["Allow"].split(",")} - {"HEAD"} == ours
    assert state() == before


@pytest.mark.parametrize("route", READING, ids=str)
def test_H7_head_is_get_without_a_body(target: Target, route: Route) -> None:
    get, head = send(target, route), target.send("HEAD", route.path)

    assert head.content == b""
    assert (head.status_code, dict(head.items())) == (get.status_code, dict(get.items()))


@pytest.mark.parametrize(
    "accept",
    [
        *("garbage", "application/xml", "text/html", "*/*;q=0", "application/json;q=0", "text/*"),
        *("x" * 3_000, ",", ";", "", "image/*,x/y", "application/x.newstore.orders+json"),
        *("application/problem+json", "application/problem+json, application/json;q=0"),
    ],
    ids=lambda accept: accept[:60],
)
def test_H20_what_accept_says_changes_no_answer(target: Target, accept: str) -> None:
    for route in ALL:
        plain = send(target, route)
        response = send(target, route, headers={"Accept": accept})
        assert response.status_code == plain.status_code
        assert response.get("Content-Type") == plain.get("Content-Type")


@pytest.mark.parametrize(
    "version", ["99", "1e9", "2;version=3", "3, text/html", "0", "", "x" * 3_000]
)
def test_H20_a_version_that_is_not_there_is_a_406_where_versions_are(
    target: Target, version: str
) -> None:
    before = state()
    accept = {"Accept": f"application/x.newstore.orders+json;version={version}"}
    refusing = {str(r) for r in GUARDED if send(target, r, headers=accept).status_code == 406}

    assert refusing == {"GET /v0/orders", "GET /v0/orders/<path:id>"}
    for route in GUARDED:
        if str(route) in refusing:
            assert_refused(send(target, route, headers=accept), 406, "not_acceptable")
    assert state() == before


@pytest.mark.parametrize("route", GUARDED, ids=str)
def test_H22_version_2_is_only_where_it_exists(target: Target, route: Route) -> None:
    plain, response = send(target, route), send(target, route, headers={"Accept": ORDERS_V2})

    assert response.status_code == plain.status_code
    if response.status_code == 200:
        assert (response["Content-Type"] == ORDERS_V2) == route.view.read_versions


@pytest.mark.parametrize(
    "media",
    [
        *("", "text/plain", "application/xml", "multipart/form-data; boundary=x", "text/json"),
        *("application/x-www-form-urlencoded", "application/json; charset=utf-16", "*/*"),
        *("application/json; charset=bogus", "json", ";"),  # base64: see tests/floor/test_wsgi.py
        *("application/json, text/plain", "application/jsonx", "application/problem+json"),
    ],
)
def test_H24_only_json_in_utf_8_is_read(target: Target, media: str) -> None:
    before = state()

    for route in WRITING:
        response = target.send(route.method, route.path, b'{"value": 1}', content_type=media)
        assert_refused(response, 415, "unsupported_media_type")
    assert state() == before


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "x"])
def test_H26_compressed_bodies_are_not_read(target: Target, encoding: str) -> None:
    for route in WRITING:
        response = send(target, route, headers={"Content-Encoding": encoding})
        assert_refused(response, 415, "unsupported_media_type")
        assert response["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("route", [r for r in ALL if r not in GUARDED], ids=str)
def test_H26_nor_where_there_is_no_token_yet(target: Target, route: Route) -> None:
    token = target.headers["Authorization"].replace("Bearer", "Token")

    response = send(target, route, headers={"Content-Encoding": "gzip", "Authorization": token})

    assert response.status_code == 415
    assert response["Accept-Encoding"] == "identity"


def test_H24_another_kind_of_body_is_not_about_its_encoding(target: Target) -> None:
    for route in WRITING:
        response = target.send(route.method, route.path, b"{}", content_type="text/plain")
        assert (response.status_code, "Accept-Encoding" in response) == (415, False)


@pytest.mark.parametrize("length", ["-1", "abc", "1e1", "+2", "²"])
def test_H11_a_length_that_is_none_is_a_400(target: Target, length: str) -> None:
    for route in WRITING:
        response = target.send(route.method, route.path, b"{}", CONTENT_LENGTH=length)
        assert_refused(response, 400, "bad_request")


@pytest.mark.parametrize("query", ["a=1&a=2", "a=1&a=1", "a=%00", "%00=1"])
def test_H29_a_parameter_is_given_once_and_without_nul(target: Target, query: str) -> None:
    before = state()

    for route in GUARDED:
        path = f"{route.path}{'&' if '?' in route.path else '?'}{query}"
        assert_refused(target.send(route.method, path, route.body), 400, "bad_request")
    assert state() == before


@pytest.mark.parametrize("route", READING, ids=str)
def test_H32_a_body_with_get_is_ignored(target: Target, route: Route) -> None:
    plain = send(target, route)

    for body in (b"{}", b"{", b"\xff" * 100):
        assert target.send("GET", route.path, body).content == plain.content


@pytest.mark.parametrize("host", ["a b", "evil.example", "testserver:x", "a/", "[::1", "@"])
def test_H16_another_host_is_a_400(target: Target, host: str) -> None:
    before = state()

    for route in ALL:
        assert_problem(send(target, route, HTTP_HOST=host), 400, "bad_request")
    assert state() == before


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_H27_a_method_cannot_be_overridden(target: Target, name: str) -> None:
    for route in ALL:
        plain = send(target, route)
        assert send(target, route, headers={name: "DELETE"}).status_code == plain.status_code


def test_no_id_decides_by_its_form_which_route_it_reaches() -> None:
    """An id that a path converter refuses matches another route or none."""
    converters = {kind for route in ALL for kind in re.findall(r"<(\w+):", route.pattern)}

    assert converters == {"str", "path"}


@pytest.mark.parametrize("name", ["x", "1", "gggggggg-0000-4000-8000-000000000001", "%F0%9F%98%80"])
@pytest.mark.parametrize("route", [r for r in GUARDED if "<" in r.pattern], ids=str)
def test_G2_an_id_of_another_form_names_nothing(target: Target, route: Route, name: str) -> None:
    path = re.sub(r"<\w+:\w+>", name, f"/{route.pattern}")
    query = route.path.partition("?")[2]
    before = state()

    response = target.send(route.method, f"{path}?{query}", route.body)

    assert response.status_code in (400, 404)
    if response.content:
        assert_problem(response, response.status_code)
    assert state() == before

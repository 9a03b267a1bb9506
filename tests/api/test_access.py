"""Access to every route of the URLconf, with every kind of wrong credentials."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from configuration.services import clients, tenants, tokens
from ordermgmt.http import authentication
from ordermgmt.http.scopes import SCOPES
from orders.models import Order
from tests.api.routes import ABSENT, Route, api_routes, guarded_routes
from tests.corpus.target import Target, assert_problem, assert_refused, order, state
from tests.factories import bearer
from tests.orders.shop import item
from tests.orders.shop import order as plain_order

pytestmark = pytest.mark.django_db
ROUTES = guarded_routes()
every_route = pytest.mark.parametrize("route", ROUTES, ids=str)
NAMES = ("Request-Id", "Tenant", "X-Newstore-Tenant")

OURS, PUBLIC = "/order-management/orders/{order}", "/v0/orders/{order}"
ITEM = {"id": "{item}"}
NOTE = {"text": "x", "source": "u-1", "tags": None}
NOTES, ITEM_NOTES = "/v0/d/orders/{order}/notes", "/v0/d/orders/{order}/items/{item}/notes"
NOTES_ROUTE = "/v0/d/orders/<str:order_uuid>/notes"
ITEM_NOTES_ROUTE = "/v0/d/orders/<str:order_uuid>/items/<str:item_uuid>/notes"
# Routes with an object in their address → the address of an existing one, and a body.
NAMED: dict[str, tuple[str, Any]] = {
    "GET /v0/orders/<path:id>": (f"{PUBLIC}?id_type=internal", None),
    "GET /v0/orders/<path:id>/cancel": (f"{PUBLIC}/cancel?id_type=internal", None),
    "POST /v0/orders/<path:id>/cancel": (f"{PUBLIC}/cancel?id_type=internal", {"reason": "x"}),
    "POST /v0/orders/<path:order_uuid>/items/<str:item_uuid>/cancel": (
        f"{PUBLIC}/items/{{item}}/cancel?id_type=internal",
        None,
    ),
    "POST /v0/orders/<path:id>/prices": (
        f"{PUBLIC}/prices",
        {"items": [ITEM | {"type": "product"}]},
    ),
    "PATCH /v0/orders/<path:uuid>/serial_numbers": (
        f"{PUBLIC}/serial_numbers",
        {"items": [ITEM | {"serial_number": "x"}]},
    ),
    "POST /v0/orders/<path:id>/_extend_grace_period": (
        f"{PUBLIC}/_extend_grace_period?id_type=internal",
        None,
    ),
    "PATCH /order-management/orders/<path:id>": (OURS, {"status": "on_hold"}),
    "GET /order-management/orders/<path:id>/holds": (f"{OURS}/holds", None),
    "POST /order-management/orders/<path:id>/holds": (
        f"{OURS}/holds",
        {"kind": "support", "reason": "x"},
    ),
    "POST /order-management/orders/<path:id>/holds/<str:hold>/release": (
        f"{OURS}/holds/{{hold}}/release",
        {"reason": "x"},
    ),
    "POST /order-management/orders/<path:id>/fulfillment": (
        f"{OURS}/fulfillment",
        {"action": "packing", "items": [ITEM]},
    ),
    "GET /order-management/orders/<path:id>/timeline": (f"{OURS}/timeline", None),
    f"GET {NOTES_ROUTE}": (NOTES, None),
    f"POST {NOTES_ROUTE}": (NOTES, NOTE),
    f"PATCH {NOTES_ROUTE}/<str:note>": (f"{NOTES}/{{note}}", NOTE),
    f"DELETE {NOTES_ROUTE}/<str:note>": (f"{NOTES}/{{note}}", None),
    f"GET {ITEM_NOTES_ROUTE}": (ITEM_NOTES, None),
    f"POST {ITEM_NOTES_ROUTE}": (ITEM_NOTES, NOTE),
    f"PATCH {ITEM_NOTES_ROUTE}/<str:note>": (f"{ITEM_NOTES}/{{note}}", NOTE),
    f"DELETE {ITEM_NOTES_ROUTE}/<str:note>": (f"{ITEM_NOTES}/{{note}}", None),
}


@pytest.fixture
def shop(db: None) -> Target:
    authentication.forget()
    return Target()


def ask(shop: Target, route: Route, path: str = "", **headers: str | None) -> HttpResponse:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return shop.send(route.method, path or route.path, route.body, headers=fields)


def passes(response: HttpResponse) -> bool:
    """Return whether the caller has access; the request may be refused for other reasons."""
    return response.status_code < 500 and response.status_code not in (401, 403)


def assert_unknown(response: HttpResponse, status: int, code: str) -> None:
    assert_refused(response, status, code)
    assert response["WWW-Authenticate"].startswith("Bearer")


def comparable(response: HttpResponse, names: dict[str, str] | None = None) -> tuple[int, str, Any]:
    """Return an answer without the request's id and these ids, which differ each time."""
    headers = {name: value for name, value in response.items() if name != "Request-Id"}
    content = response.content.decode()
    for name in filter(None, (names or {}).values()):
        content = content.replace(name, "…")
    return response.status_code, content, headers


@every_route
def test_valid_credentials_have_access(shop: Target, route: Route) -> None:
    """The other tests would otherwise pass for another reason."""
    assert passes(ask(shop, route))


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "Bearer", "Bearer  ", "bearer x y", "Basic YTpi", "Token abc", "Bearer é"),
        *("Bearer x\x00y", f"Bearer {'x' * 16_384}", "Bearer a, Bearer b", "Bearer=x", "x"),
    ],
    ids=lambda header: f"AU1-{str(header)[:20]!a}",
)
def test_without_a_token_it_is_a_401(shop: Target, header: str | None) -> None:
    before = state()

    for route in ROUTES:
        assert_unknown(ask(shop, route, Authorization=header), 401, "unauthorized")
    assert state() == before


@pytest.mark.parametrize("name", ["access_token", "token", "bearer"])
def test_AU3_a_token_in_the_address_or_a_cookie_is_none(shop: Target, name: str) -> None:
    token = shop.headers["Authorization"].removeprefix("Bearer ")

    for route in ROUTES:
        path = f"{route.path}{'&' if '?' in route.path else '?'}{name}={token}"
        response = ask(shop, route, path, Authorization=None, Cookie=f"sessionid={token}")

        assert_unknown(response, 401, "unauthorized")
        assert token.encode() not in response.content


@pytest.mark.parametrize(
    "token",
    [
        *("garbage", "x" * 43, "null", "-", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."),
        "eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLy4uLyJ9.e30.c2ln",
    ],
)
def test_AU5_a_token_that_is_not_ours_is_a_403(shop: Target, token: str) -> None:
    before = state()

    for route in ROUTES:
        response = ask(shop, route, Authorization=f"Bearer {token}")
        assert_unknown(response, 403, "invalid_token")
    assert state() == before


@every_route
def test_AU4_an_expired_token_is_a_403(shop: Target, route: Route) -> None:
    assert passes(ask(shop, route))
    get_access_token_model().objects.update(expires=timezone.now() - timedelta(milliseconds=1))
    authentication.forget()

    assert_unknown(ask(shop, route), 403, "invalid_token")


@every_route
def test_AU4_a_revoked_token_is_a_403_a_second_later(
    shop: Target, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert passes(ask(shop, route))
    tokens.revoke(shop.client, shop.headers["Authorization"].removeprefix("Bearer "))
    now = time.monotonic
    monkeypatch.setattr(authentication.time, "monotonic", lambda: now() + 1.001)

    assert_unknown(ask(shop, route), 403, "invalid_token")


@every_route
def test_AU14_a_suspended_tenants_token_is_a_403(shop: Target, route: Route) -> None:
    tenants.update(shop.tenant.slug, is_active=False)

    assert_unknown(ask(shop, route), 403, "invalid_token")


@every_route
def test_AU7_a_token_with_every_scope_but_one_needed_is_a_403(shop: Target, route: Route) -> None:
    assert route.scopes
    for missing in route.scopes:
        others = SCOPES.keys() - {missing}
        limited = clients.create(tenant=shop.tenant, name=missing, scopes=others).client
        token = bearer(limited)
        before = state()

        assert_refused(ask(shop, route, **token), 403, "insufficient_scope")
        assert state() == before


@every_route
def test_S8_no_other_scope_is_needed(shop: Target, route: Route) -> None:
    limited = clients.create(tenant=shop.tenant, name="just", scopes=route.scopes).client

    assert passes(ask(shop, route, **bearer(limited)))


@every_route
def test_AU12_other_tenants_cannot_be_told_from_unknown_ones(shop: Target, route: Route) -> None:
    if not route.view.requires_tenant_headers:
        assert passes(shop.send(route.method, route.path, route.body, headers=dict.fromkeys(NAMES)))
    if not (route.view.requires_tenant_headers or route.view.checks_tenant_headers):
        return
    other, suspended = Target().tenant.slug, Target(is_active=False).tenant.slug
    before = state()

    answers = [
        ask(shop, route, Tenant=slug, X_Newstore_Tenant=slug)
        for slug in (other, suspended, "no-such-tenant")
    ]

    for answer in answers:
        assert_refused(answer, 403, "forbidden")
        assert comparable(answer) == comparable(answers[0])
    assert state() == before


def test_tenant_headers_are_required_where_the_documents_say_so() -> None:
    required = {str(route) for route in ROUTES if route.view.requires_tenant_headers}
    checked = {str(route) for route in ROUTES if route.view.checks_tenant_headers}
    orders = "/order-management/orders"

    assert required == {f"POST {orders}", f"PATCH {orders}/<path:id>"}
    assert checked == {
        *(f"{method} {orders}/<path:id>/holds" for method in ("GET", "POST")),
        f"POST {orders}/<path:id>/holds/<str:hold>/release",
        f"POST {orders}/<path:id>/fulfillment",
        f"GET {orders}/<path:id>/timeline",
    }


@pytest.mark.parametrize("name", NAMES)
@every_route
def test_any_of_them_may_be_left_out_where_they_are_not(
    shop: Target, route: Route, name: str
) -> None:
    if route.view.requires_tenant_headers:
        assert_problem(ask(shop, route, **{name: None}), 400, "bad_request")
    else:
        plain = ask(shop, route)
        answer = ask(shop, route, **{name: None})
        assert answer.status_code == plain.status_code
        if name != "Request-Id":  # because answers repeat it
            assert comparable(answer) == comparable(plain)


@every_route
def test_one_of_them_that_names_another_tenant_is_a_403(shop: Target, route: Route) -> None:
    if not route.view.checks_tenant_headers:
        return
    before = state()

    for name, absent in (NAMES[1:], NAMES[:0:-1]):
        answer = ask(shop, route, **{name: "no-such-tenant", absent: None})
        assert_refused(answer, 403, "forbidden")
    assert state() == before


@every_route
def test_capitals_in_the_tenants_name_mean_the_same(shop: Target, route: Route) -> None:
    slug = shop.tenant.slug

    answer = ask(shop, route, Tenant=slug.upper(), X_Newstore_Tenant=slug.title())

    assert comparable(answer) == comparable(ask(shop, route))


MALFORMED: dict[str, dict[str, str | None]] = {
    **{f"AU10-no-{name}": {name: None} for name in NAMES},
    **{f"AU10-empty-{name}": {name: ""} for name in NAMES},
    "AU10-spaces": {"Tenant": "   "},
    "AU11-two-tenants": {"X-Newstore-Tenant": "other"},
    **{
        f"AU16-{tenant[:12]!a}": {"Tenant": tenant, "X-Newstore-Tenant": tenant}
        for tenant in (
            *("../../x", "a' OR 1=1", "a\x00", "x" * 300, "ａ", "é", "{slug} ", " {slug}"),
            *("{slug},{slug}", "{slug}, other", "{slug}\n", "*", "%"),
        )
    },
    **{
        f"AU17-{name[:12]!a}": {"Request-Id": name}
        for name in ("x" * 1_025, "a b", "é", "x" * 100_000, "a\nb", "a, b", "a\x00", "\x7f")
    },
}


@pytest.mark.parametrize("row", MALFORMED)
def test_malformed_tenant_headers_are_a_400(shop: Target, row: str) -> None:
    slug = shop.tenant.slug
    headers = {
        name: value and value.replace("{slug}", slug) for name, value in MALFORMED[row].items()
    }
    before = state()

    for route in ROUTES:
        optional = route.view.checks_tenant_headers and not row.startswith("AU10")
        if route.view.requires_tenant_headers or optional:
            response = shop.send(route.method, route.path, route.body, headers=headers)
            message = assert_problem(response, 400, "bad_request")["message"]
            if row.startswith("AU10"):
                assert next(iter(headers)) in message
    assert state() == before


def test_S5_every_route_that_names_an_object_is_tried_from_outside() -> None:
    naming = {str(route) for route in ROUTES if "<" in route.pattern}
    assert naming == NAMED.keys(), "Add the new route to NAMED."


@pytest.mark.parametrize("name", NAMED)
def test_S5_anothers_object_cannot_be_told_from_none(shop: Target, name: str) -> None:
    [route] = [route for route in api_routes() if str(route) == name]
    there, nowhere, stranger = an_order(shop, route), dict.fromkeys(WORDS, ABSENT["id"]), Target()
    before = state()

    foreign, absent = (call(names, stranger, route) for names in (there, nowhere))

    assert foreign.status_code == 404
    assert comparable(foreign, there) == comparable(absent, nowhere)
    assert state() == before
    assert call(there, shop, route).status_code in (200, 204)


WORDS = ("order", "item", "hold", "note")


def an_order(shop: Target, route: Route) -> dict[str, str]:
    """Return the ids of an order that the route accepts, and of its item, hold and note."""
    waits = {} if "fulfillment" in route.pattern else {"grace_period": 60}
    uuid = shop.captured(plain_order(item(is_preorder=True), **waits))["origin_id"]
    stored = Order.objects.get(uuid=uuid)
    hold = stored.holds.first()
    only = stored.items.get()
    note = stored.notes.create(tenant=shop.tenant, item=only, text="x", source="u-1")
    names = (uuid, str(only.uuid), str(hold.uuid) if hold else "", str(note.uuid))
    return dict(zip(WORDS, names, strict=True))


def call(names: dict[str, str], shop: Target, route: Route) -> HttpResponse:
    """Call the route with these ids in its address and body."""
    path, body = NAMED[str(route)]
    content = json.dumps(body)
    for word, name in names.items():
        path = path.replace(f"{{{word}}}", name)
        content = content.replace(f"{{{word}}}", name)
    return shop.send(route.method, path, content.encode() if route.has_body else b"")


def test_S5_a_history_holds_only_ones_own_orders(shop: Target) -> None:
    shop.captured(order())
    stranger = Target()

    assert shop.history("c-1").json()["pagination_info"]["total"] == 1
    assert stranger.history("c-1").json() == {
        "pagination_info": {"count": 0, "offset": 0, "total": 0},
        "orders": [],
    }

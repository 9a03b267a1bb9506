"""A small API on the base classes, for tests of the base without any app."""

from types import SimpleNamespace
from typing import Any, Literal

from django.db import DataError, InterfaceError, OperationalError
from django.urls import path
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt import errors, urls
from ordermgmt.http.api import ApiViewSet, query_integer, query_param
from ordermgmt.http.authentication import BearerAuthentication, Grant, TokenRefused
from ordermgmt.http.openapi import Wire, problems
from ordermgmt.http.wire import Instant, Number, Uuid

TENANT = SimpleNamespace(slug="acme")
CLIENT = SimpleNamespace(tenant=TENANT, actor="client:web", is_authenticated=True)


class ExampleAuthentication(BearerAuthentication):
    """`Bearer good` may all, `Bearer poor` nothing, all else is refused."""

    def authenticate(self, request: Request) -> Any:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            raise NotAuthenticated("Say who you are.")
        if header not in ("Bearer good", "Bearer poor"):
            raise TokenRefused("The access token is not valid.")
        scopes = {"orders:read", "orders:write"} if header == "Bearer good" else set()
        return CLIENT, Grant(frozenset(scopes), 0)


class Price(Wire):
    amount: Number = Field(ge=0)


class Line(Wire):
    product_id: str = Field(min_length=1, max_length=8)
    price: Price | None = None
    count: int = 1
    gift: bool = False
    id: Uuid | None = None
    placed_at: Instant | None = None
    kind: Literal["a", "b"] = "a"


class Basket(Wire):
    items: list[Line] = Field(min_length=1, max_length=50)


class Told(Wire):
    items: int
    total: Number


FAILURES: dict[str, type[Exception]] = {
    "operational": OperationalError,
    "interface": InterfaceError,
    "data": DataError,
    "unforeseen": RuntimeError,
}
REFUSALS = {
    kind.__name__: kind
    for kind in (
        errors.Invalid,
        errors.Forbidden,
        errors.NotFound,
        errors.Conflict,
        errors.PreconditionFailed,
        errors.Unavailable,
        errors.Misconfigured,
    )
}


class Baskets(ApiViewSet):
    authentication_classes = [ExampleAuthentication]
    required_scopes = {"GET": ["orders:read"], "POST": ["orders:read", "orders:write"]}
    read_versions = True

    @extend_schema(responses={200: Told, **problems(404, 409)})
    def retrieve(self, request: Request) -> Response:
        """Fails as it is told to."""
        if failure := request.query_params.get("fail"):
            raise FAILURES[failure]("password=hunter2 at db.internal")
        if refusal := request.query_params.get("refuse"):
            raise REFUSALS[refusal]("No, because of é.", status=299, number=7)
        return Response({"version": 2 if self.version2 else 1, "tenant": self.tenant.slug})

    @extend_schema(
        request=Basket,
        responses={200: Told, **problems(examples={409: {"conflict": "It is taken."}})},
    )
    def create(self, request: Request) -> Response:
        basket = Basket.of(request, operation="example order")
        total = sum(line.price.amount for line in basket.items if line.price)
        return Response(Told(items=len(basket.items), total=total))


class Tenants(Baskets):
    requires_tenant_headers = True
    read_versions = False
    bodiless = {"GET": {404, 409}}


class Pages(Baskets):
    required_scopes = {"GET": []}

    @extend_schema(responses={200: Told})
    def retrieve(self, request: Request) -> Response:
        kind = query_param(request, "kind", allowed=("internal", "external"))
        offset = query_integer(request, "offset", default=0)
        count = query_integer(request, "count", default=10, minimum=1, maximum=50)
        return Response({"kind": kind, "offset": offset, "count": count})


EXAMPLES = [
    path("baskets", Baskets.as_view({"get": "retrieve", "post": "create"})),
    path("tenants", Tenants.as_view({"get": "retrieve", "post": "create"})),
    path("pages", Pages.as_view({"get": "retrieve"})),
]
urlpatterns = [*urls.urlpatterns, *EXAMPLES]
handler400, handler403, handler404, handler500 = (
    urls.handler400,
    urls.handler403,
    urls.handler404,
    urls.handler500,
)

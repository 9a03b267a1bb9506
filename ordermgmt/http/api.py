"""The base of every API view: authentication, media types and required headers."""

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.core.exceptions import ImproperlyConfigured
from rest_framework import exceptions, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt import errors
from ordermgmt.http.negotiation import (
    JSON,
    ORDERS_V2,
    V1,
    V2,
    ByAccept,
    JsonAnswer,
    JsonBody,
    check_body_headers,
    negotiate,
)
from ordermgmt.monitoring.logging import REQUEST_ID

if TYPE_CHECKING:
    from configuration.models import Client, Tenant

MAX_INT32: Final = 2**31 - 1
READS: Final = ("GET", "HEAD")

# A tenant's name; case does not count.
TENANT: Final = r"[A-Za-z0-9-]{1,63}"
_ENTITY_TAG: Final = re.compile(r'(?:W/)?"(0|[1-9][0-9]{0,8})"')
_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,9}")
# Header of the tenant-bound routes → its WSGI key and its allowed values.
_TENANT_HEADERS: Final = {
    "Request-Id": ("HTTP_REQUEST_ID", re.compile(REQUEST_ID)),
    "Tenant": ("HTTP_TENANT", re.compile(TENANT)),
    "X-Newstore-Tenant": ("HTTP_X_NEWSTORE_TENANT", re.compile(TENANT)),
}


class InsufficientScope(errors.Forbidden):
    code = "insufficient_scope"


class ForeignTenant(errors.Forbidden):
    """Refused in the same words for unknown tenants, so that nobody can count our tenants."""

    code = "forbidden"


class BadHeaders(errors.Invalid):
    code = "bad_request"


class BadParameter(errors.Invalid):
    code = "bad_request"


class ApiViewSet(viewsets.ViewSet):
    """One resource over HTTP. A handler parses, makes one call into the domain, and answers.

    Checked before the handler, in this order: method (405), credentials (401, 403), scopes (403),
    tenant headers (400, 403), Accept (406, where versions are read), the form of the body (413,
    415), the query (400).
    The body itself is read and judged by `Wire.of`.
    """

    # Method → required scopes, for every routed method.
    required_scopes: ClassVar[dict[str, list[str]]] = {}
    # Request-Id, Tenant and X-Newstore-Tenant must be sent, and name the token's tenant.
    requires_tenant_headers: ClassVar[bool] = False
    # The headers are optional, but a named tenant must be the token's.
    checks_tenant_headers: ClassVar[bool] = False
    # Accept can select version 2. All other routes have one representation and ignore Accept.
    read_versions: ClassVar[bool] = False
    # Method → statuses whose refusals are documented to have no body.
    bodiless: ClassVar[dict[str, Collection[int]]] = {}

    renderer_classes = [JsonAnswer]
    parser_classes = [JsonBody]
    permission_classes = []
    throttle_classes = []
    content_negotiation_class = ByAccept
    metadata_class = None
    versioning_class = None

    action_map: dict[str, str]
    version2 = False
    # Whether credentials were accepted; earlier refusals carry WWW-Authenticate.
    is_known = False

    @classmethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        for method in actions or {}:
            if method.upper() not in cls.required_scopes:
                raise ImproperlyConfigured(f"{cls.__name__}: which scopes does {method} need?")
        return super().as_view(actions, **initkwargs)

    @property
    def client(self) -> "Client":
        """Return the calling client."""
        return self.request.user  # type: ignore[return-value]  # what our authenticators return

    @property
    def tenant(self) -> "Tenant":
        """Return the tenant that this request is limited to."""
        return self.client.tenant

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {"Vary": "Accept"} if self.read_versions else {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # JSON until Accept is evaluated, also for errors before that.
        request.accepted_renderer, request.accepted_media_type = V1, JSON
        method = str(request.method)
        if method.lower() not in self.action_map:
            raise exceptions.MethodNotAllowed(method)
        self._check_caller(request, "GET" if method == "HEAD" else method)
        meta = request._request.META
        if self.requires_tenant_headers:
            self._require_tenant_headers(meta)
        if self.requires_tenant_headers or self.checks_tenant_headers:
            self._check_tenant_headers(meta)
        if self.read_versions:
            self._choose_version(request, method)
        if method in ("POST", "PATCH", "PUT"):
            check_body_headers(meta)
        if meta.get("QUERY_STRING"):
            _check_query(request)

    def _choose_version(self, request: Request, method: str) -> None:
        try:
            self.version2 = negotiate(request._request.META.get("HTTP_ACCEPT", "*/*"))
        except exceptions.NotAcceptable:
            if method in READS:
                raise
            return  # a write is not refused for the form of its answer
        if self.version2:
            request.accepted_renderer, request.accepted_media_type = V2, ORDERS_V2

    def _check_caller(self, request: Request, method: str) -> None:
        if not request.user or request.auth is None:
            raise exceptions.NotAuthenticated
        self.is_known = True
        granted: frozenset[str] = request.auth.scopes  # type: ignore[union-attr]  # a Grant of ours
        missing = [scope for scope in self.required_scopes[method] if scope not in granted]
        if missing:
            raise InsufficientScope(
                f"This token lacks the scope {' '.join(missing)}.", required_scopes=missing
            )

    def _require_tenant_headers(self, meta: Mapping[str, str]) -> None:
        values = {name: meta.get(key, "") for name, (key, _) in _TENANT_HEADERS.items()}
        if missing := [name for name, value in values.items() if not value.strip()]:
            raise BadHeaders(
                f"Missing required header{'s'[: len(missing) - 1]}: {', '.join(missing)}.",
                missing_headers=missing,
            )

    def _check_tenant_headers(self, meta: Mapping[str, str]) -> None:
        values = {name: meta[key] for name, (key, _) in _TENANT_HEADERS.items() if meta.get(key)}
        for name, value in values.items():
            if not _TENANT_HEADERS[name][1].fullmatch(value):
                raise BadHeaders(f"The header {name} is malformed.")
        tenants = {value.lower() for name, value in values.items() if name != "Request-Id"}
        if len(tenants) > 1:
            raise BadHeaders("The headers Tenant and X-Newstore-Tenant name different tenants.")
        if tenants and tenants != {self.tenant.slug}:
            raise ForeignTenant("This token does not belong to the tenant named in the headers.")

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        status = response.status_code
        if status == 405:
            response["Allow"] = ", ".join(sorted(method.upper() for method in self.action_map))
        if status in (401, 403) and not self.is_known:
            response.headers.setdefault(
                "WWW-Authenticate", self.get_authenticate_header(self.request) or "Bearer"
            )
        method = "GET" if self.request.method == "HEAD" else str(self.request.method)
        if isinstance(exc, errors.DomainError) and status in self.bodiless.get(method, ()):
            return Response(None, status)
        return response


def _check_query(request: Request) -> None:
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise BadParameter("A query parameter is given more than once.")
        if "\0" in name or "\0" in values[0]:
            raise BadParameter("A query parameter holds a NUL.")


def tag_version(tag: str) -> int | None:
    """Return the version that an entity tag of ours names; None for any other tag.

    A weak tag names the same version as a strong one: proxies that compress weaken ours.
    """
    match = _ENTITY_TAG.fullmatch(tag.strip())
    return int(match[1]) if match else None


def query_param(request: Request, name: str, *, allowed: Collection[str] = ()) -> str:
    """Return a required query parameter; raise `BadParameter` with the allowed values."""
    value = request.query_params.get(name, "")
    if not value:
        raise BadParameter(f"The query parameter '{name}' is required.")
    if allowed and value not in allowed:
        raise BadParameter(
            f"The query parameter '{name}' is not one of [{', '.join(map(repr, allowed))}]."
        )
    return value


def query_integer(
    request: Request, name: str, *, default: int, minimum: int = 0, maximum: int = MAX_INT32
) -> int:
    """Return an optional whole number; raise `BadParameter` with the range."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if not _INTEGER.fullmatch(value) or not minimum <= int(value) <= maximum:
        raise BadParameter(
            f"The query parameter '{name}' is not an integer from {minimum} to {maximum}."
        )
    return int(value)

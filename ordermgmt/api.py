"""The base of every API view: who may call it, in which forms, with which headers."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel
from rest_framework import exceptions, parsers, renderers, viewsets
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt import errors, strict_json

if TYPE_CHECKING:
    from configuration.models import Client, Tenant

JSON: Final = "application/json"
ORDERS_V2: Final = "application/x.newstore.orders+json;version=2"
MAX_INT32: Final = 2**31 - 1

_TENANT: Final = re.compile(r"[a-z0-9-]{1,63}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_QUALITY: Final = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?", re.ASCII)
_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,9}")
# Header of the tenant-bound routes → its key in WSGI, and what it may hold.
_TENANT_HEADERS: Final = {
    "Request-Id": ("HTTP_REQUEST_ID", _REQUEST_ID),
    "Tenant": ("HTTP_TENANT", _TENANT),
    "X-Newstore-Tenant": ("HTTP_X_NEWSTORE_TENANT", _TENANT),
}


class InsufficientScope(errors.Forbidden):
    code = "insufficient_scope"


class ForeignTenant(errors.Forbidden):
    """The same words whether the tenant exists or not, so that nobody can count our tenants."""

    code = "forbidden"


class BadHeaders(errors.Invalid):
    code = "bad_request"


class BadParameter(errors.Invalid):
    code = "bad_request"


class LengthRequired(exceptions.APIException):
    status_code = 411


class BodyTooLarge(exceptions.APIException):
    status_code = 413


class JsonBody(parsers.BaseParser):
    """For `request.data`; views with a wire model use `Wire.of(request)` instead."""

    media_type = JSON

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return strict_json.loads(stream.read())


class JsonAnswer(renderers.BaseRenderer):
    """A dict or wire model becomes JSON; bytes are JSON already; None is no body."""

    media_type = JSON
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        if isinstance(data, bytes):
            return data
        if isinstance(data, BaseModel):
            data = data.model_dump(by_alias=True)
        return strict_json.dumps(data)


class OrdersV2Answer(JsonAnswer):
    media_type = ORDERS_V2


_V1: Final = JsonAnswer()
_V2: Final = OrdersV2Answer()


class ByAccept(BaseContentNegotiation):
    """Never asked: `ApiViewSet` chooses by itself. It is here because DRF wants one."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class ApiViewSet(viewsets.ViewSet):
    """One resource over HTTP. A handler parses, makes one call into the domain, and answers.

    Checked before the handler, in this order: method (405), credentials (401, 403), scopes (403),
    tenant headers (400, 403), Accept (406), the form of the body (411, 413, 415), the query (400).
    The body itself is read and judged by `Wire.of`.
    """

    # Method → scopes, all of them needed. Every method that is routed must be here.
    required_scopes: ClassVar[dict[str, list[str]]] = {}
    # Request-Id, Tenant and X-Newstore-Tenant must be sent, and name the token's tenant.
    requires_tenant_headers: ClassVar[bool] = False
    # Also answers in version 2, when Accept asks for it.
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
    # Whether credentials were accepted; refusals before that say how to present them.
    is_known = False

    @classmethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        for method in actions or {}:
            if method.upper() not in cls.required_scopes:
                raise ImproperlyConfigured(f"{cls.__name__}: which scopes does {method} need?")
        return super().as_view(actions, **initkwargs)

    @property
    def client(self) -> "Client":
        """Who calls."""
        return self.request.user  # type: ignore[return-value]  # what our authenticators return

    @property
    def tenant(self) -> "Tenant":
        """Whose data this request may see; nobody else's."""
        return self.client.tenant

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {"Vary": "Accept"} if self.read_versions else {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Until Accept is judged, and so for every error before that: JSON.
        request.accepted_renderer, request.accepted_media_type = _V1, JSON
        method = str(request.method)
        if method.lower() not in self.action_map:
            raise exceptions.MethodNotAllowed(method)
        self._check_caller(request, "GET" if method == "HEAD" else method)
        meta = request._request.META
        if self.requires_tenant_headers:
            self._check_tenant_headers(meta)
        self.version2 = negotiate(meta.get("HTTP_ACCEPT", "*/*"), self.read_versions)
        if self.version2:
            request.accepted_renderer, request.accepted_media_type = _V2, ORDERS_V2
        if method in ("POST", "PATCH", "PUT"):
            check_body_headers(meta)
        if meta.get("QUERY_STRING"):
            _check_query(request)

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

    def _check_tenant_headers(self, meta: Mapping[str, str]) -> None:
        sent = {name: meta.get(key, "") for name, (key, _) in _TENANT_HEADERS.items()}
        if missing := [name for name, value in sent.items() if not value.strip()]:
            raise BadHeaders(
                f"Missing required header{'s'[: len(missing) - 1]}: {', '.join(missing)}.",
                missing_headers=missing,
            )
        for name, (_, allowed) in _TENANT_HEADERS.items():
            if not allowed.fullmatch(sent[name]):
                raise BadHeaders(f"The header {name} is malformed.")
        if sent["Tenant"] != sent["X-Newstore-Tenant"]:
            raise BadHeaders("The headers Tenant and X-Newstore-Tenant name different tenants.")
        if sent["Tenant"] != self.tenant.slug:
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
        if isinstance(exc, errors.DomainError) and status in self.bodiless.get(
            str(self.request.method), ()
        ):
            return Response(None, status)
        return response


@lru_cache(maxsize=512)
def _qualities(accept: str) -> dict[str, float]:
    """Media range → its quality; ranges and parameters that make no sense are left out."""
    qualities: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        kept = [media]
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                quality = float(value) if _QUALITY.fullmatch(value) else 0.0
            elif name != "charset":
                kept.append(f"{name}={value}")
        qualities[";".join(kept)] = quality
    return qualities


@lru_cache(maxsize=512)
def negotiate(accept: str, versions: bool) -> bool:
    """Whether Accept asks for version 2, which it must name; raises NotAcceptable for neither."""
    if len(accept) > 1_000:
        raise exceptions.NotAcceptable
    qualities = _qualities(accept)
    plain = next(
        (qualities[media] for media in (JSON, "application/*", "*/*") if media in qualities), 0.0
    )
    second = qualities.get(ORDERS_V2, 0.0) if versions else 0.0
    if not plain and not second:
        raise exceptions.NotAcceptable
    return second > 0 and second >= plain


@lru_cache(maxsize=128)
def _is_json(content_type: str) -> bool:
    media, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    return media == JSON and all(
        parameter in ("", "charset=utf-8", 'charset="utf-8"')
        for parameter in parameters
        if not parameter or parameter.startswith("charset")
    )


def check_body_headers(meta: Mapping[str, str]) -> None:
    """Refuse, before a byte is read, a body that is not one plain piece of JSON of fair size."""
    length = meta.get("CONTENT_LENGTH") or ""
    if not length and "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise LengthRequired
    if meta.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise exceptions.UnsupportedMediaType("")
    if length and not length.isdecimal():
        raise exceptions.ParseError
    if not length or int(length) == 0:
        return
    if int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise BodyTooLarge
    if not _is_json(meta.get("CONTENT_TYPE", "")):
        raise exceptions.UnsupportedMediaType("")


def _check_query(request: Request) -> None:
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise BadParameter("A query parameter is given more than once.")
        if "\0" in name or "\0" in values[0]:
            raise BadParameter("A query parameter holds a NUL.")


def query_param(request: Request, name: str, *, allowed: Collection[str] = ()) -> str:
    """A required query parameter, not empty; raises `BadParameter` naming what is allowed."""
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
    """An optional whole number in plain digits; raises `BadParameter` naming the range."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if not _INTEGER.fullmatch(value) or not minimum <= int(value) <= maximum:
        raise BadParameter(
            f"The query parameter '{name}' is not an integer from {minimum} to {maximum}."
        )
    return int(value)

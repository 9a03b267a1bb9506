"""The OpenAPI document, generated from views and wire models, and the pages that show it."""

import inspect
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.drainage import warn
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ordermgmt.http.api import READS, TENANT, ApiViewSet
from ordermgmt.http.negotiation import JSON, ORDERS_V2
from ordermgmt.http.problems import CODES, MEDIA_TYPE, title
from ordermgmt.http.scopes import SCOPES
from ordermgmt.http.wire import Instant, Int32, Number, Uuid, Wire
from ordermgmt.monitoring.logging import REQUEST_ID

__all__ = ["ApiSchema", "Instant", "Number", "Problem", "Uuid", "Wire", "problems"]

WRITES: Final = ("POST", "PATCH", "PUT")
OTHERS: Final = "Any other error."
_MAX_INT32: Final = 2**31 - 1


class Problem(BaseModel):
    """Every error answer. Members beside these are facts about the refusal."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    type: str
    """Names the problem: `/problems/` and the error code."""
    title: str
    """The HTTP status in words."""
    status: Int32
    detail: str
    """The same as `message`."""
    error_code: str
    """Stable: safe to branch on."""
    message: str
    """What went wrong this time, for a human."""
    messages: list[str] = Field(min_length=1)
    """All that is wrong with a body, `message` first; elsewhere just `message`."""
    request_id: str
    """The id of the request: its Request-Id, or one we made. Also the answer's header."""


def problems(
    *statuses: int,
    examples: Mapping[int, Mapping[str, str]] | None = None,
    remarks: Mapping[int, str] | None = None,
) -> dict[tuple[int, str] | int, OpenApiResponse]:
    """Return an operation's errors for `extend_schema(responses={200: X, **problems(404)})`.

    `examples`: status → error code → message; `remarks`: status → when it is answered. What every
    operation may answer (401, 403, 500, 503, `default`; 406 where versions are read; 400, 408,
    413, 415 where a body is sent) is documented without being listed.
    """
    bodies = examples or {}
    return {
        (status, MEDIA_TYPE): _problem(
            status, bodies.get(status, {}), remark=(remarks or {}).get(status, "")
        )
        for status in dict.fromkeys([*statuses, *bodies])
    }


def _problem(status: int, examples: Mapping[str, str], *, remark: str = "") -> OpenApiResponse:
    words = title(status)
    return OpenApiResponse(
        Problem,
        description=f"{words}. {remark}" if remark else words,
        examples=[
            OpenApiExample(
                f"{code} {number}" if number else code, value=_sample(status, code, text)
            )
            for number, (code, text) in enumerate(examples.items())
        ],
    )


def _sample(status: int, code: str, message: str) -> dict[str, Any]:
    return {
        "type": f"/problems/{code}",
        "title": title(status),
        "status": status,
        "detail": message,
        "error_code": code,
        "message": message,
        "messages": [message],
        "request_id": "5f2a9d3c7b1e4f60a8c2d4e6f8091b3d",
    }


class ApiSchema(AutoSchema):
    """The schema of an `ApiViewSet`, with everything that its base class provides."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # a wire model describes the whole body, lists too

    def get_description(self) -> str:  # type: ignore[override]  # as its parent does
        """Return the handler's docstring; the base class's is for maintainers."""
        handler = getattr(self.view, getattr(self.view, "action", None) or "", None)
        return inspect.getdoc(handler) or inspect.cleandoc(
            vars(type(self.view)).get("__doc__") or ""
        )

    def get_override_parameters(self) -> list[Any]:
        parameters = list(super().get_override_parameters())
        if getattr(self.view, "requires_tenant_headers", False):
            parameters += tenant_headers(required=True)
        elif getattr(self.view, "checks_tenant_headers", False):
            parameters += tenant_headers(required=False)
        return parameters

    def map_renderers(self, attribute: str) -> list[Any]:
        if attribute == "media_type" and getattr(self.view, "read_versions", False):
            return [JSON, ORDERS_V2]
        return super().map_renderers(attribute)

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        """Return the operation; an operation without credentials declares that."""
        operation = super().get_operation(*args)
        return operation and {"security": []} | operation

    def _get_request_body(self, direction: Any = "request") -> dict[str, Any] | None:
        body = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        return body and body | {"required": True}

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        for status in self._implied():
            if str(status) not in responses:
                problem = _problem(status, {CODES[status][0]: CODES[status][1]})
                responses[str(status)] = self._problem_response(problem, str(status))
        if isinstance(self.view, ApiViewSet):
            for status in self.view.bodiless.get(self.method, ()):
                words = title(status)
                responses[str(status)] = {"description": f"{words}. Has no body."}
        others = self._problem_response(OpenApiResponse(Problem, OTHERS), "default")
        responses.setdefault("default", others)["content"].update(others["content"])
        return dict(sorted(responses.items()))

    def _problem_response(self, problem: OpenApiResponse, status: str) -> dict[str, Any]:
        response: dict[str, Any] = self._get_response_for_code(  # type: ignore[no-untyped-call]
            problem, status, [MEDIA_TYPE]
        )
        return response

    def _implied(self) -> Iterable[int]:
        yield from (500, 503)
        view = self.view
        if not isinstance(view, ApiViewSet):
            return
        yield from (401, 403)
        if view.read_versions and self.method in READS:
            yield 406
        if view.requires_tenant_headers or view.checks_tenant_headers:
            yield 400
        if self.method in WRITES:
            yield from (408, 413, 415)
            if self._get_request_body():
                yield 400


def tenant_headers(*, required: bool) -> list[OpenApiParameter]:
    """Return the three headers of the tenant-bound routes, as the document has them."""
    correlates = "Correlates this call in both our logs; it makes nothing idempotent."
    named = "The tenant the token belongs to, in capitals or not."
    return [
        OpenApiParameter(
            name,
            {"type": "string", "pattern": f"^{pattern}$"},
            OpenApiParameter.HEADER,
            required=required,
            description=description,
        )
        for name, pattern, description in (
            ("Request-Id", REQUEST_ID, correlates),
            ("Tenant", TENANT, named),
            ("X-Newstore-Tenant", TENANT, named),
        )
    ]


class ComponentSchema(GenerateJsonSchema):
    """JSON Schema of wire models in the form that code generators read.

    Members have no titles, because generators take a title for the name of a class. An empty
    default (null, no text, 0) is left out, because some generators send a default and others make
    its member required. Integers have the format that holds them.
    """

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if "default" in described and not described["default"]:
            del described["default"]
        return described

    def encode_default(self, dft: Any) -> Any:
        """Return the default as JSON; amounts are numbers."""
        if isinstance(dft, Decimal):
            return int(dft) if dft == int(dft) else float(dft)
        return super().encode_default(dft)

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        is_small = schema.get("le", _MAX_INT32 + 1) <= _MAX_INT32
        return super().int_schema(schema) | {"format": "int32" if is_small else "int64"}


class WireExtension(OpenApiSerializerExtension):
    """Pydantic models as components: as parsed in requests, as written in answers."""

    target_class = "pydantic.BaseModel"
    match_subclasses = True
    priority = 10

    def get_name(self, auto_schema: Any = None, direction: Any = None) -> str:
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = self.target.model_json_schema(
            ref_template="#/components/schemas/{model}",
            mode="validation" if direction == "request" else "serialization",
            schema_generator=ComponentSchema,
        )
        for name, part in schema.pop("$defs", {}).items():
            component = ResolvedComponent(
                name=name,
                type=ResolvedComponent.SCHEMA,
                object=_model_named(name),  # the same as when a view names the model itself
                schema=part,
            )
            existing = auto_schema.registry._components.get(component.key)
            if existing is None:
                auto_schema.registry.register(component)
            elif existing.schema not in (None, part):
                warn(f'Two different models are named "{name}". Rename one.')
        return schema


def _model_named(name: str) -> type:
    """Return the wire model or enumeration with this name; our names are unique."""
    models: list[type] = [Wire]
    for model in models:
        if model.__name__ == name:
            return model
        models += model.__subclasses__()
    return str  # an enumeration: no view answers with one


class BearerScheme(OpenApiAuthenticationExtension):
    """Tokens by client credentials, with the scopes each operation needs."""

    target_class = "ordermgmt.http.authentication.BearerAuthentication"
    match_subclasses = True
    # Two schemes, because a generator takes one flow of each.
    name = ["oauth2", "oauth2Password"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        by_method = getattr(auto_schema.view, "required_scopes", {})
        return [{name: list(by_method.get(auto_schema.method, []))} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        realm = "/auth/realms/{tenant}/protocol/openid-connect"
        return [
            {
                "type": "oauth2",
                "description": "In the address of the token, put your own tenant for `{tenant}`.",
                "flows": {"clientCredentials": {"tokenUrl": f"{realm}/token", "scopes": SCOPES}},
            },
            {
                "type": "oauth2",
                "description": "Deprecated: the client's id as user name, its secret as password.",
                "flows": {"password": {"tokenUrl": "/v0/token", "scopes": SCOPES}},
            },
        ]


def without_slashed_addresses(endpoints: list[Any]) -> list[Any]:
    """Leave out an address that ends in a slash where the same without it is served too."""
    addresses = {path for path, *_ in endpoints}
    return [
        endpoint
        for endpoint in endpoints
        if not (endpoint[0].endswith("/") and endpoint[0][:-1] in addresses)
    ]


# Swagger UI needs style attributes and the icons of its style sheet.
DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@cache
def _document() -> bytes:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return bytes(OpenApiYamlRenderer().render(schema, renderer_context={}))


def document(request: HttpRequest) -> HttpResponse:
    """Answer `/openapi.yaml`, which is built once per process."""
    return HttpResponse(_document(), content_type="application/yaml; charset=utf-8")


def docs(request: HttpRequest) -> HttpResponse:
    """Answer `/docs/`: Swagger UI, from our own files only."""
    page = render(request, "docs.html")
    page.headers["Content-Security-Policy"] = DOCS_POLICY
    return page

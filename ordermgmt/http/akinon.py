"""Akinon's wire forms: `Authorization: Token`, and the wording of refusals."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from pydantic import ConfigDict
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt.http.authentication import Grant, TokenRefused, client_of
from ordermgmt.http.negotiation import JSON
from ordermgmt.http.openapi import OTHERS
from ordermgmt.http.problems import title
from ordermgmt.http.wire import Wire

if TYPE_CHECKING:
    from configuration.models import Client

_TOKEN: Final = re.compile(r"token +([A-Za-z0-9._~+/-]{1,4096}=*)", re.IGNORECASE | re.ASCII)
# Akinon answers 406 to refusals and has no 409.
_STATUSES: Final = {409: 406, 412: 406}


class AkinonRefusal(Wire):
    """A refusal: `code`, and `detail`, `non_field_errors`, or a list for each wrong field."""

    model_config = ConfigDict(extra="allow")

    code: str
    """Stable: safe to branch on."""
    detail: str | None = None
    non_field_errors: list[str] | None = None


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token <key>`; a key is any access token of a client."""

    def authenticate(self, request: Request) -> tuple["Client", Grant]:
        """Return the client and the grant; raise 401 for no key, a bearer token or a wrong key."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        match = _TOKEN.fullmatch(header)
        if match is None:
            raise AuthenticationFailed("Authentication credentials were not provided.")
        try:
            return client_of(match[1])
        except TokenRefused:
            raise AuthenticationFailed("Invalid token.") from None

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class AkinonAnswers:
    """A mixin for views that words refusals as Akinon does."""

    def handle_exception(self, exc: Exception) -> Response:
        response: Response = super().handle_exception(exc)  # type: ignore[misc]  # of the view
        response.status_code = _STATUSES.get(response.status_code, response.status_code)
        response.data = worded(response.data, response.status_code)
        response.content_type = JSON
        return response


def worded(problem: Mapping[str, Any], status: int) -> dict[str, Any]:
    """Return a problem in Akinon's form: docs/contract.md, Akinon errors."""
    code, message = problem["error_code"], problem["message"]
    body: dict[str, Any] = {}
    for fault in problem.get("errors", ()):
        _, field, *rest = (fault["pointer"] or "/non_field_errors").split("/")
        text = fault["message"]
        body.setdefault(field, []).append(f"{'.'.join(rest)}: {text}" if rest else text)
    if not body and status == 406:
        body["non_field_errors"] = [message]
    return (body or {"detail": message}) | {"code": code}


def refusals(
    *statuses: int, examples: Mapping[int, Mapping[str, Any]] | None = None
) -> dict[tuple[int | str, str], OpenApiResponse]:
    """Return an operation's refusals for `extend_schema`; `examples` maps status to a body."""
    bodies = examples or {}
    return {
        (status, JSON): OpenApiResponse(
            AkinonRefusal,
            description=title(status),
            examples=[OpenApiExample(str(bodies[status]["code"]), value=bodies[status])]
            if status in bodies
            else [],
        )
        for status in dict.fromkeys([*bodies, *statuses])
    } | {("default", JSON): OpenApiResponse(AkinonRefusal, description=OTHERS)}


class TokenScheme(OpenApiAuthenticationExtension):
    """The key that Akinon's clients send."""

    target_class = "ordermgmt.http.akinon.TokenAuthentication"
    name = "Token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <key>`, with a key of `POST /api/v1/auth/login/`.",
        }

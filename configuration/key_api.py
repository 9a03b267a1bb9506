"""Login route that gives Akinon a key for its capture call (docs/contract.md, Akinon)."""

from typing import Annotated, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import Field
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from configuration.services import tokens
from configuration.token_requests import JSON, parameters
from ordermgmt.errors import Forbidden, Invalid
from ordermgmt.http.akinon import AkinonAnswers, refusals
from ordermgmt.http.negotiation import ByAccept, JsonAnswer
from ordermgmt.http.openapi import Wire

# The capture call needs no other scope, so a leaked key gives access to nothing else.
SCOPE: Final = "order-management:orders:write"
REFUSED: Final = "Unable to log in with provided credentials."


class Login(Wire):
    username: Annotated[str, Field(min_length=1)]
    """The client's id."""
    password: Annotated[str, Field(min_length=1)]
    """The client's secret."""


class Key(Wire):
    key: str
    """Valid for a day; log in again when it is refused with a 401."""


class LoginRefused(Invalid):
    """Wrong credentials, refused with a 400 as Akinon expects."""

    code = "invalid_credentials"


class LoginViewSet(AkinonAnswers, viewsets.ViewSet):
    http_method_names = ["post"]
    authentication_classes = []
    permission_classes = []
    renderer_classes = [JsonAnswer]
    content_negotiation_class = ByAccept

    @extend_schema(
        operation_id="akinon_login",
        summary="Get a key for Akinon's capture call",
        tags=["akinon"],
        request={JSON: Login},
        responses={
            200: Key,
            **refusals(
                408,
                413,
                415,
                503,
                examples={400: {"non_field_errors": [REFUSED], "code": LoginRefused.code}},
            ),
        },
        examples=[
            OpenApiExample(
                "A client", value={"username": "client-id", "password": "…"}, request_only=True
            ),
            OpenApiExample("A key", value={"key": "xq7…"}, response_only=True),
        ],
    )
    def create(self, request: Request) -> Response:
        """Return a key that may only capture orders, for the id and the secret of a client."""
        login = Login.check(parameters(request), operation="login")
        try:
            client = tokens.authenticate(client_id=login.username, client_secret=login.password)
            token = tokens.issue_token(client, scope=SCOPE, lifetime=tokens.LEGACY_LIFETIME)
        except (Forbidden, tokens.ScopeNotAllowed):
            fault = {"pointer": "", "message": REFUSED}
            raise LoginRefused(REFUSED, errors=[fault]) from None
        return Response({"key": token.access_token}, headers={"Cache-Control": "no-store"})

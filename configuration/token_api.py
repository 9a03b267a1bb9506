"""Token routes: issue, renewal and revocation (docs/contract.md, Tokens and headers)."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import Discriminator, Field, RootModel
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from configuration.models import Client
from configuration.services import tokens
from configuration.services.tenants import folded
from configuration.token_requests import FORM, JSON, InvalidRequest, credentials, parameters
from ordermgmt import errors
from ordermgmt.http.negotiation import ByAccept, JsonAnswer
from ordermgmt.http.openapi import Wire, problems
from ordermgmt.http.wire import Int32

BEARER: Final = "Bearer"
_NOT_STORED: Final = {"Cache-Control": "no-store"}
# Described in prose, because SDK generators do not support a body of two media types.
_OR_JSON: Final = "The same members are accepted as JSON."
_OR_FORM: Final = "The same members are accepted as a form."


class UnsupportedGrantType(errors.Invalid):
    code = "unsupported_grant_type"


class AuthenticationFailed(errors.Forbidden):
    code = "forbidden"


class ClientCredentialsGrant(Wire):
    grant_type: Literal["client_credentials"]
    client_id: str | None = None
    """Required unless the credentials are sent as HTTP Basic."""
    client_secret: str | None = None
    scope: str = ""
    """Space separated. Names that are not ours are ignored; without one of ours, all the client
    may have."""


class TokenAnswer(Wire):
    access_token: str
    expires_in: Int32
    refresh_expires_in: Int32 = 0
    token_type: str = BEARER
    not_before_policy: Annotated[Int32, Field(serialization_alias="not-before-policy")] = 0
    scope: str


class Revocation(Wire):
    token: str
    client_id: str | None = None
    """Required unless the credentials are sent as HTTP Basic."""
    client_secret: str | None = None


class OAuthProblem(Wire):
    """An error response of RFC 6749."""

    error: str
    error_description: str


class PasswordGrant(Wire):
    grant_type: Literal["password"]
    username: Annotated[str, Field(min_length=1)]
    """The client's id."""
    password: Annotated[str, Field(min_length=1)]
    """The client's secret."""
    scope: str = ""
    """Space separated. Names that are not ours are ignored; without one of ours, all the client
    may have."""


class RefreshGrant(Wire):
    grant_type: Literal["refresh_token"]
    refresh_token: Annotated[str, Field(min_length=1)]
    """Works once; the answer has the next one."""
    scope: str = ""
    """Fewer scopes than the refresh token has. Names that are not ours are ignored."""


class LegacyGrant(RootModel[Annotated[PasswordGrant | RefreshGrant, Discriminator("grant_type")]]):
    """A password grant or a refresh grant, chosen by `grant_type`."""


class LegacyTokenAnswer(Wire):
    access_token: str
    refresh_token: str
    token_type: str = BEARER
    scope: str
    expires_in: Int32


class TokenViewSet(viewsets.ViewSet):
    """Base of the token routes, which need no token and accept forms as well as JSON."""

    http_method_names = ["post"]
    authentication_classes = []
    permission_classes = []
    renderer_classes = [JsonAnswer]
    content_negotiation_class = ByAccept


class OpenIdViewSet(TokenViewSet):
    """Client credentials, answered and refused as OAuth 2.0 specifies."""

    @extend_schema(
        operation_id="create_token",
        summary="Get an access token",
        description=f"Client credentials, in the body or as HTTP Basic, never both. {_OR_JSON}",
        tags=["tokens"],
        request={FORM: ClientCredentialsGrant},
        responses={
            200: TokenAnswer,
            400: OpenApiResponse(OAuthProblem, "The request is invalid."),
            401: OpenApiResponse(OAuthProblem, "The tenant, the client or its secret is wrong."),
            **problems(408, 413, 415),
        },
    )
    def create(self, request: Request, tenant: str) -> Response:
        fields = parameters(request)
        _check_grant_type(fields, "client_credentials")
        client = _client(request, fields, tenant)
        token = tokens.issue_token(client, scope=fields.get("scope", ""))
        answer = TokenAnswer(
            access_token=token.access_token, expires_in=_seconds(token), scope=token.scope
        )
        return Response(answer, headers=_NOT_STORED)

    @extend_schema(
        operation_id="revoke_token",
        summary="Revoke an access token",
        description="The token must belong to the same client, and is refused within a second."
        f" RFC 7009. {_OR_JSON}",
        tags=["tokens"],
        request={FORM: Revocation},
        responses={
            200: OpenApiResponse(description="The token is no longer valid, or never was."),
            400: OpenApiResponse(OAuthProblem, "The request is invalid."),
            401: OpenApiResponse(OAuthProblem, "The tenant, the client or its secret is wrong."),
            **problems(408, 413, 415),
        },
    )
    def revoke(self, request: Request, tenant: str) -> Response:
        fields = parameters(request)
        client = _client(request, fields, tenant)
        if not fields.get("token"):
            raise InvalidRequest("The parameter token is required.")
        tokens.revoke(client, fields["token"])
        return Response(headers=_NOT_STORED)

    def handle_exception(self, exc: Exception) -> Response:
        if not isinstance(exc, errors.Invalid | errors.Forbidden):
            return super().handle_exception(exc)
        is_oauth_code = exc.code in _OAUTH_CODES
        body = {
            "error": exc.code if is_oauth_code else "invalid_request",
            "error_description": str(exc),
        }
        if exc.code != tokens.InvalidClient.code:
            return Response(body, 400, headers=_NOT_STORED)
        return Response(body, 401, headers=_NOT_STORED | {"WWW-Authenticate": "Basic"})


class LegacyTokenViewSet(TokenViewSet):
    """Deprecated password grant with a client as its user, refused with problem+json."""

    @extend_schema(
        operation_id="create_legacy_token",
        summary="Get a token with a password",
        description=f"Deprecated: `username` is the client's id, `password` its secret. {_OR_FORM}",
        deprecated=True,
        tags=["tokens"],
        request={JSON: LegacyGrant},
        responses={200: LegacyTokenAnswer, **problems(400, 403, 408, 413, 415)},
    )
    def create(self, request: Request) -> Response:
        fields = parameters(request)
        if fields.get("grant_type") == "refresh_token":
            return _renewed_answer(fields)
        grant = PasswordGrant.check(fields, operation="token request")
        try:
            client = tokens.authenticate(client_id=grant.username, client_secret=grant.password)
        except errors.Forbidden:
            raise AuthenticationFailed("Authentication failed") from None
        token = tokens.issue_token(client, scope=grant.scope, lifetime=tokens.LEGACY_LIFETIME)
        return _legacy_answer(token, tokens.refresh_token(client, scope=token.scope))

    @extend_schema(
        operation_id="refresh_legacy_token",
        summary="Get another token with a refresh token",
        description=f"Deprecated. `/v0/token` takes the same body. {_OR_FORM}",
        deprecated=True,
        tags=["tokens"],
        request={JSON: RefreshGrant},
        responses={200: LegacyTokenAnswer, **problems(400, 403, 408, 413, 415)},
    )
    def refresh(self, request: Request) -> Response:
        return _renewed_answer(parameters(request))


def _renewed_answer(fields: Mapping[str, Any]) -> Response:
    grant = RefreshGrant.check(fields, operation="token request")
    try:
        renewal = tokens.refresh(grant.refresh_token, scope=grant.scope)
    except errors.Forbidden:
        raise AuthenticationFailed("Authentication failed") from None
    return _legacy_answer(renewal.token, renewal.refresh_token)


def _legacy_answer(token: tokens.Issued, refresh_token: str) -> Response:
    answer = LegacyTokenAnswer(
        access_token=token.access_token,
        refresh_token=refresh_token,
        scope=token.scope,
        expires_in=_seconds(token),
    )
    return Response(answer, headers=_NOT_STORED)


_OAUTH_CODES: Final = {
    kind.code
    for kind in (
        InvalidRequest,
        UnsupportedGrantType,
        tokens.InvalidClient,
        tokens.ScopeNotAllowed,
        tokens.CannotRevoke,
    )
}


def _check_grant_type(fields: Mapping[str, Any], expected: str) -> None:
    if not fields.get("grant_type"):
        raise InvalidRequest("The parameter grant_type is required.")
    if fields["grant_type"] != expected:
        raise UnsupportedGrantType(f"The grant_type must be {expected}.")


def _client(request: Request, fields: Mapping[str, str], tenant: str) -> Client:
    client_id, client_secret = credentials(request, fields)
    return tokens.authenticate(
        client_id=client_id, client_secret=client_secret, tenant=folded(tenant)
    )


def _seconds(token: tokens.Issued) -> int:
    return int(token.lifetime.total_seconds())

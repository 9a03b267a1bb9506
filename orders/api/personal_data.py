"""Turning personal data into tokens and back, for tenants whose orders leave as tokens."""

from typing import Annotated, Final, Literal

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt.http.api import ApiViewSet
from ordermgmt.http.openapi import problems
from ordermgmt.http.wire import Wire
from orders.services.reading import personal_data

MOST_VALUES: Final = 500
NOT_FOUND: Final = "token_not_found_error"

Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Value = Annotated[str, StringConstraints(max_length=1024)]
Token = Annotated[str, StringConstraints(max_length=1024)]

_CLEAR: Final = {
    "customer.id": "C-1815",
    "customer.email": "jane.doe@example.com",
    "shipping_address.first_name": "Jane",
}
_TOKENS: Final = {
    "customer.id": "NS-EU-6DHYQH2ZV5S3T8M0X4B7C1K9RE-2N4Q8W1E5R7T0Y3A6S9D2F5G8H",
    "customer.email": "NS-EU-6DHYQH2ZV5S3T8M0X4B7C1K9RE-7Z1X4C8V2B5N9M3Q6W0E4R1T5Y",
    "shipping_address.first_name": "NS-EU-6DHYQH2ZV5S3T8M0X4B7C1K9RE-0A3S6D9F2G5H8J1K4Z7X0C3V6B",
}
_UNKNOWN: Final = {
    "billing_address.phone": "NS-EU-6DHYQH2ZV5S3T8M0X4B7C1K9RE-5P8Q1R4S7T0V3W6X9Y2Z5A8B1C"
}
_REFUSED: Final = {
    412: {"pii_tokens_not_in_use": "This tenant does not use tokens for personal data."}
}


class PersonalValues(Wire):
    data: Annotated[dict[Name, Value], Field(min_length=1, max_length=MOST_VALUES)]
    """The values of one customer, by names of yours. What follows the last dot of a name says what
    a value is: id, name, email, first_name, second_name, last_name, phone, address_line_1,
    address_line_2 get the tokens that orders show. The `id`, else the `email`, names the
    customer."""


class PersonalTokens(Wire):
    data: Annotated[dict[Name, Token], Field(min_length=1, max_length=MOST_VALUES)]
    """The tokens, by names of yours; of as many customers as you like."""


class TokenizedData(Wire):
    data: dict[str, str]
    """The tokens, by your names. All of one call share their first half."""
    errors: dict[str, str]
    """Always empty."""


class DetokenizedData(Wire):
    data: dict[str, str]
    """The values of the tokens that are known, by your names."""
    errors: dict[str, Literal["token_not_found_error"]]
    """The names of all others."""


class TokenizeView(ApiViewSet):
    required_scopes = {"POST": ["order-management:pii:read"]}

    @extend_schema(
        operation_id="tokenize_personal_data",
        tags=["personal data"],
        summary="Turn personal data into tokens",
        request=PersonalValues,
        responses={200: TokenizedData, **problems(examples=_REFUSED)},
        examples=[
            OpenApiExample("A customer", value={"data": _CLEAR}, request_only=True),
            OpenApiExample("Tokens", value={"data": _TOKENS, "errors": {}}, response_only=True),
        ],
    )
    def create(self, request: Request) -> Response:
        """Return a token for each value; the same value of a customer has the same token always.

        They are the tokens that the customer's orders show, so a history can be asked for by them.
        Empty values, and what is a token already, stay as they are. Each call is logged: who, how
        much, but no value.
        """
        command = PersonalValues.of(request, operation="tokenize request")
        tokens = personal_data.tokenize(
            tenant=self.tenant, values=command.data, actor=self.client.actor
        )
        return Response({"data": tokens, "errors": {}})


class DetokenizeView(ApiViewSet):
    required_scopes = {"POST": ["order-management:pii:read"]}

    @extend_schema(
        operation_id="detokenize_personal_data",
        tags=["personal data"],
        summary="Turn tokens back into personal data",
        request=PersonalTokens,
        responses={200: DetokenizedData, **problems(examples=_REFUSED)},
        examples=[
            OpenApiExample("Tokens", value={"data": _TOKENS | _UNKNOWN}, request_only=True),
            OpenApiExample(
                "One is unknown",
                value={"data": _CLEAR, "errors": dict.fromkeys(_UNKNOWN, NOT_FOUND)},
                response_only=True,
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        """Return what tokens stand for: those made by `tokenize`, and those that orders show.

        Of each customer the newest orders are looked through. The token of an id that we derived
        from an e-mail address, or from an external customer id, stands for that. What is not
        known, is no token, or is another tenant's is named in `errors`. Each call is logged: who,
        how much, but no value.
        """
        command = PersonalTokens.of(request, operation="detokenize request")
        values = personal_data.detokenize(
            tenant=self.tenant, tokens=command.data, actor=self.client.actor
        )
        errors = {name: NOT_FOUND for name in command.data if name not in values}
        return Response({"data": values, "errors": errors})

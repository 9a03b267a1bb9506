"""Routes that turn personal data into tokens and back: docs/contract.md, Personal data tokens."""

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
    """The values of one customer under names of your choice. The part of a name after its last dot
    is the type of the value: id, name, email, first_name, second_name, last_name, phone,
    address_line_1 and address_line_2 get the same tokens as in orders. The `id` identifies the
    customer; without an `id`, the `email` does."""


class PersonalTokens(Wire):
    data: Annotated[dict[Name, Token], Field(min_length=1, max_length=MOST_VALUES)]
    """The tokens under names of your choice. They may belong to several customers."""


class TokenizedData(Wire):
    data: dict[str, str]
    """The tokens under your names. All tokens of one call have the same first half."""
    errors: dict[str, str]
    """Always empty."""


class DetokenizedData(Wire):
    data: dict[str, str]
    """The values of the known tokens under your names."""
    errors: dict[str, Literal["token_not_found_error"]]
    """The names of all other tokens."""


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
        """Return a token for each value. A value of a customer always has the same token.

        The customer's orders show the same tokens, so they can be used to read the customer's
        history. Empty values and tokens are returned unchanged. Each call is logged with the
        client and the number of values, but without the values.
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
        """Return the values of tokens that `tokenize` returned or that orders show.

        The lookup reads the newest orders of each customer. The token of an id that we derived
        from an e-mail address or an external customer id returns that address or id. `errors`
        lists unknown tokens, values that are no tokens, and tokens of other tenants. Each call is
        logged with the client and the number of values, but without the values.
        """
        command = PersonalTokens.of(request, operation="detokenize request")
        values = personal_data.detokenize(
            tenant=self.tenant, tokens=command.data, actor=self.client.actor
        )
        errors = {name: NOT_FOUND for name in command.data if name not in values}
        return Response({"data": values, "errors": errors})

"""Prices of an order's products, shipping and gift wrapping: docs/contract.md, Prices."""

from typing import Annotated, Any, Literal

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt.http.api import ApiViewSet
from ordermgmt.http.openapi import problems
from ordermgmt.http.wire import Number, Uuid, Wire
from orders.api import examples
from orders.api.parameters import ANY_ID, path_id
from orders.services.reading import prices, selection


class PriceOfProduct(Wire):
    type: Literal["product"]
    id: Uuid
    """The item's id."""


class PriceOfShipping(Wire):
    type: Literal["shipping"]
    id: Uuid | None = None
    """The shipment's id. Without an id, all shipments of the order are listed."""


class PriceOfGiftWrapping(Wire):
    type: Literal["gift-wrapping"]
    id: Uuid | None = None
    """The id of the wrapping from an earlier answer."""


PriceQuery = Annotated[
    PriceOfProduct | PriceOfShipping | PriceOfGiftWrapping, Field(discriminator="type")
]


class PriceRequest(Wire):
    items: Annotated[
        list[PriceQuery], Field(min_length=1, json_schema_extra={"maxItems": selection.MOST})
    ]


class PriceAmounts(Wire):
    gross: Number
    net: Number
    tax: Number


class ListedPrice(Wire):
    type: Literal["product", "shipping", "gift-wrapping"]
    id: Uuid
    price: PriceAmounts
    status: (
        Literal[
            "complete", "cancelled", "returned", "pending", "in_fulfillment", "captured", "on_hold"
        ]
        | None
    ) = None
    """Only for products."""


class PriceListing(Wire):
    currency: str
    items: list[ListedPrice]


class PricesView(ApiViewSet):
    required_scopes = {"POST": ["orders:read"]}

    @extend_schema(
        operation_id="list_order_prices",
        tags=["orders"],
        summary="List product, shipping or gift-wrapping prices",
        parameters=[ANY_ID],
        request=PriceRequest,
        responses={
            200: PriceListing,
            **problems(
                examples={
                    400: {"bad_request": "The number of products can't exceed 500."},
                    404: {"not_found": "The order 'GD10001' couldn't be found."},
                }
            ),
        },
        examples=[
            OpenApiExample("Of each", value=examples.sample("prices"), request_only=True),
            OpenApiExample("Prices", value=examples.sample("prices_answer"), response_only=True),
        ],
    )
    def create(self, request: Request, id: str) -> Response:
        """Return the requested prices in the order of the request.

        `shipping` returns one price for each shipment, `gift-wrapping` at most one price. Shipping
        and wrapping have stable ids; a shipment's id returns that shipment only. The items of an
        answer can be sent as a request.
        """
        command = PriceRequest.of(request, operation="list prices request")
        listing = prices.list_prices(
            tenant=self.tenant,
            reference=path_id(id),
            requests=[(item.type, item.id) for item in command.items],
        )
        return Response(
            {"currency": listing.currency, "items": [_listed(price) for price in listing.prices]}
        )


def _listed(price: prices.Price) -> dict[str, Any]:
    amounts = {"gross": price.gross, "net": price.net, "tax": price.tax}
    listed = {"type": price.kind, "id": price.id, "price": amounts}
    return listed | ({"status": price.status} if price.status else {})

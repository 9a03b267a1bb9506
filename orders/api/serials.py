"""The route that adds serial numbers to items: docs/contract.md, Serial numbers."""

from http import HTTPStatus
from typing import Annotated

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from pydantic import Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt.http.api import ApiViewSet
from ordermgmt.http.openapi import problems
from ordermgmt.http.wire import Matches, Uuid, Wire
from orders.api import examples
from orders.api.parameters import path_id
from orders.services.fulfillment import serials
from orders.services.reading import selection

# Characters that scanners read from a label, as in GS1: ASCII, no spaces around it.
Code = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    Matches(
        r"^[!-~]([ -~]*[!-~])?$",
        "the value has characters beside visible ASCII, or spaces around it",
    ),
]


class Epc(Wire):
    code: Code
    external_id: Code
    serial_number: Code


class ItemSerialNumber(Wire):
    id: Uuid
    """The item's id."""
    serial_number: Code
    epc: Epc | None = None
    """The electronic product code. Without this member, the stored code is unchanged."""


class SerialNumbers(Wire):
    items: Annotated[
        list[ItemSerialNumber], Field(min_length=1, json_schema_extra={"maxItems": selection.MOST})
    ]


class SerialNumbersView(ApiViewSet):
    required_scopes = {"PATCH": ["orders:write"]}

    @extend_schema(
        operation_id="add_serial_numbers",
        tags=["orders"],
        summary="Add serial numbers to order items",
        parameters=[
            OpenApiParameter(
                "uuid",
                {"type": "string", "format": "uuid"},
                location="path",
                description="Our UUID.",
            )
        ],
        request=SerialNumbers,
        responses={
            204: None,
            **problems(
                examples={
                    400: {
                        "bad_request": "The provided order id abcd is not a valid uuid.",
                        "sales_order_item_not_found": (
                            "The sales order item with id 5e3b112d-9cc8-4e5a-ac08-f45f0b8fa67f "
                            "cannot be found."
                        ),
                    },
                    404: {
                        "not_found": (
                            "The order 'b604ffda-7e31-4338-beab-7f939a8c2322' couldn't be found."
                        )
                    },
                }
            ),
        },
        examples=[
            OpenApiExample("Two", value=examples.sample("serial_numbers"), request_only=True)
        ],
    )
    def partial_update(self, request: Request, uuid: str) -> Response:
        """Set the serial numbers of all listed items, or of none of them.

        An existing serial number is replaced. Repeating the call changes nothing. Refused are
        cancelled items, and the same serial number for two units of one product in one call.
        """
        command = SerialNumbers.of(request, operation="add serial numbers request")
        serials.attach(
            tenant=self.tenant,
            order=path_id(uuid),
            serials=[
                serials.Serial(i.id, i.serial_number, i.epc.model_dump() if i.epc else None)
                for i in command.items
            ],
            actor=self.client.actor,
        )
        return Response(status=HTTPStatus.NO_CONTENT)

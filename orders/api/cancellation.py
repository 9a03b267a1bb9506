"""Cancelling an order or a pre-ordered item, and whether it can be: routes 12 and 15 (§4.5)."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt.http.api import ApiViewSet, BadParameter
from ordermgmt.http.openapi import problems
from ordermgmt.http.wire import Wire
from orders.api.fields import FreeText, Reason
from orders.api.parameters import ID, ID_TYPE, id_type, path_id
from orders.services import cancellation
from orders.services.reading import queries

_ITEM: Final = "927c702a-3cb1-48c1-9189-554bf9d0fde7"
# Status → error code → message, as documented (contract §e.4).
CANCEL_PROBLEMS: Final = {
    400: {
        "bad_request": (
            "Validation of cancel order request failed with error: 'reason' is a required property."
        ),
        "order_not_cancelable_any_longer": "Order GD10001 is already closed.",
    },
}
ITEM_PROBLEMS: Final = {
    400: {
        "not_preordered": f"Item {_ITEM} is not pre-ordered.",
        "item_not_cancelable_any_longer": (
            f"Item {_ITEM} for order GD10001 cannot be cancelled any longer."
        ),
    },
}


class Cancellation(Wire):
    reason: Reason
    """Why; kept in the order's timeline, line ends too."""
    note: FreeText | None = None
    """What else is worth keeping."""


class CancellationStatus(Wire):
    cancelable: bool
    """Whether cancelling would succeed now."""
    canceled: bool
    """Whether every item is cancelled."""
    is_safe: bool
    """False once a DC has an item, or a location is packing one: somebody may be handling it."""


class CancellationView(ApiViewSet):
    required_scopes = {"GET": ["orders:read"], "POST": ["orders:write"]}
    bodiless = {"GET": [404], "POST": [404]}

    @extend_schema(
        operation_id="get_cancellation_status",
        tags=["cancellation"],
        summary="Get an order's cancellation status",
        parameters=[ID, ID_TYPE],
        responses={200: CancellationStatus, **problems(400)},
        examples=[
            OpenApiExample(
                "Cancelable",
                value={"cancelable": True, "canceled": False, "is_safe": True},
                response_only=True,
            )
        ],
    )
    def retrieve(self, request: Request, id: str) -> Response:
        """Whether the order can be cancelled, and whether it was.

        What is at a location of a type that `cancellation_allowed_from` lacks cannot be.
        """
        found = cancellation.status(
            tenant=self.tenant, reference=path_id(id), id_type=id_type(request)
        )
        return Response(
            {
                "cancelable": found.is_cancelable,
                "canceled": found.is_cancelled,
                "is_safe": found.is_safe,
            }
        )

    @extend_schema(
        operation_id="cancel_order",
        tags=["cancellation"],
        summary="Cancel an order",
        parameters=[ID, ID_TYPE],
        request=Cancellation,
        responses={200: None, **problems(examples=CANCEL_PROBLEMS)},
        examples=[
            OpenApiExample(
                "Remorse",
                value={"reason": "Customer remorse", "note": "Example note"},
                request_only=True,
            )
        ],
    )
    def create(self, request: Request, id: str) -> Response:
        """Cancel the whole order, for good.

        Refused once any item is complete or returned, and while one is at a location of a type
        that `cancellation_allowed_from` lacks. A second time it is already closed.
        """
        command = Cancellation.of(request, operation="cancel order request")
        cancellation.cancel(
            tenant=self.tenant,
            reference=path_id(id),
            id_type=id_type(request),
            reason=command.reason,
            note=command.note,
            actor=self.client.actor,
        )
        return Response(status=HTTPStatus.OK)


class ItemCancellationView(ApiViewSet):
    required_scopes = {"POST": ["orders:write"]}
    bodiless = {"POST": [404]}

    @extend_schema(
        operation_id="cancel_order_item",
        tags=["cancellation"],
        summary="Cancel a pre-ordered item",
        parameters=[
            OpenApiParameter(
                "order_uuid",
                location="path",
                description="The order's id; a UUID where `id_type` is `internal`.",
            ),
            OpenApiParameter("item_uuid", location="path", description="The item's UUID."),
            ID_TYPE,
        ],
        request=None,
        responses={200: None, **problems(examples=ITEM_PROBLEMS)},
    )
    def create(self, request: Request, order_uuid: str, item_uuid: str) -> Response:
        """Cancel one item that was ordered ahead, wherever it is; a body is not read.

        With the last item the order ends.
        """
        named = id_type(request)
        cancellation.cancel_item(
            tenant=self.tenant,
            reference=_uuid(order_uuid, "order") if named == "internal" else path_id(order_uuid),
            id_type=named,
            item=UUID(_uuid(item_uuid, "item")),
            actor=self.client.actor,
        )
        return Response(status=HTTPStatus.OK)


def _uuid(value: str, of: str) -> str:
    if not queries.is_uuid(value):
        raise BadParameter(f"The provided {of} id {value[:64]} is not a valid uuid.")
    return value

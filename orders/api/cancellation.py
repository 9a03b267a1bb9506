"""Routes to cancel an order or a pre-ordered item: docs/contract.md, Cancellation."""

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
# Status → error code → message, as docs/contract.md, Cancellation, has them.
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
    """The reason; the order's timeline keeps it, with its line breaks."""
    note: FreeText | None = None
    """A further remark for the timeline."""


class CancellationStatus(Wire):
    cancelable: bool
    """True if a cancellation would succeed now."""
    canceled: bool
    """True if every item is cancelled."""
    is_safe: bool
    """False once a distribution center has an item or a location packs one, because somebody may
    be handling it."""


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
        """Return whether the order can be cancelled, and whether it is cancelled.

        An order with an item at a location whose type is not in `cancellation_allowed_from`
        cannot be cancelled.
        """
        state = cancellation.status(
            tenant=self.tenant, reference=path_id(id), id_type=id_type(request)
        )
        return Response(
            {
                "cancelable": state.is_cancelable,
                "canceled": state.is_cancelled,
                "is_safe": state.is_safe,
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
        """Cancel the whole order. This cannot be undone.

        The call is refused if an item is complete or returned, or is at a location whose type is
        not in `cancellation_allowed_from`. A second call is refused because the order is closed.
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
        """Cancel one pre-ordered item, at any location. A body is ignored.

        The order closes when its last item is cancelled.
        """
        kind = id_type(request)
        cancellation.cancel_item(
            tenant=self.tenant,
            reference=_uuid(order_uuid, "order") if kind == "internal" else path_id(order_uuid),
            id_type=kind,
            item=UUID(_uuid(item_uuid, "item")),
            actor=self.client.actor,
        )
        return Response(status=HTTPStatus.OK)


def _uuid(value: str, kind: str) -> str:
    if not queries.is_uuid(value):
        raise BadParameter(f"The provided {kind} id {value[:64]} is not a valid uuid.")
    return value

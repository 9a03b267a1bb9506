"""Routes for holds and grace periods: docs/contract.md, Changing an order."""

from http import HTTPStatus
from typing import Any, Final, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from pydantic import ConfigDict
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt.http.api import ApiViewSet
from ordermgmt.http.openapi import problems
from ordermgmt.http.wire import InstantText, Uuid, Wire
from ordermgmt.values.timestamps import timestamp
from orders.api.fields import Reason
from orders.api.parameters import ANY_ID, ID, ID_TYPE, IF_MATCH, expected_version, id_type, path_id
from orders.lifecycle import HoldKind
from orders.models import Hold, Order
from orders.services.holds import actions as hold_actions
from orders.services.reading import queries

_REFUSED: Final = problems(
    400,
    404,
    examples={412: {"version_mismatch": "Order web-7 has changed since you looked at it."}},
)


class StatusChange(Wire):
    """The only change of status that is allowed, without any other member."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["on_hold"]


class NewHold(Wire):
    kind: Literal["support"]
    reason: Reason


class Release(Wire):
    reason: Reason


class HoldOut(Wire):
    id: Uuid
    kind: Literal["grace", "big_order", "support"]
    reason: str
    placed_at: InstantText
    due_at: InstantText | None = None
    """The end of a grace period; null for other holds."""
    released_at: InstantText | None = None
    """Null while the hold is active."""


class HoldList(Wire):
    holds: list[HoldOut]
    """Active and released holds, from oldest to newest."""


class GracePeriod(Wire):
    due_at: InstantText
    """The new end of the grace period."""


class OrderStatusView(ApiViewSet):
    required_scopes = {"PATCH": ["order-management:orders:write"]}
    requires_tenant_headers = True

    @extend_schema(
        operation_id="set_order_status",
        tags=["holds"],
        summary="Put an order on hold",
        parameters=[ANY_ID, IF_MATCH],
        request=StatusChange,
        responses={200: None, **_REFUSED},
        examples=[OpenApiExample("On hold", value={"status": "on_hold"}, request_only=True)],
    )
    def partial_update(self, request: Request, id: str) -> Response:
        """Put the order on a support hold until somebody releases it.

        Repeating the call changes nothing. Items that are in fulfillment or in conflict become
        pending again. A closed order cannot be held.
        """
        StatusChange.of(request, operation="update order")
        hold_actions.place(
            tenant=self.tenant,
            reference=path_id(id),
            reason="Status set to on_hold",
            actor=self.client.actor,
            expected_version=expected_version(request),
        )
        return Response(status=HTTPStatus.OK)


class HoldsView(ApiViewSet):
    required_scopes = {
        "GET": ["orders:read"],
        "POST": ["order-management:holds:write"],
    }
    checks_tenant_headers = True

    @extend_schema(
        operation_id="list_holds",
        tags=["holds"],
        summary="List an order's holds",
        parameters=[ANY_ID],
        responses={200: HoldList, **problems(404)},
    )
    def list(self, request: Request, id: str) -> Response:
        """Return the order's active and released holds. The ETag is the order's version."""
        key = queries.key_of(self.tenant, path_id(id), id_type="any")
        order = Order.objects.get(pk=key)  # before its holds, so that the version is never too new
        holds = Hold.objects.filter(tenant=self.tenant, order=order).order_by("id")
        body = {"holds": [_hold(hold) for hold in holds]}
        return Response(body, headers={"ETag": f'"{order.version}"'})

    @extend_schema(
        operation_id="place_hold",
        tags=["holds"],
        summary="Place a support hold",
        parameters=[ANY_ID, IF_MATCH],
        request=NewHold,
        responses={200: HoldOut, **_REFUSED},
        examples=[
            OpenApiExample(
                "A check",
                value={"kind": "support", "reason": "The customer asked to change the address"},
                request_only=True,
            )
        ],
    )
    def create(self, request: Request, id: str) -> Response:
        """Hold the order until somebody releases it. Return an active support hold unchanged."""
        command = NewHold.of(request, operation="place hold request")
        hold = hold_actions.place(
            tenant=self.tenant,
            reference=path_id(id),
            reason=command.reason,
            actor=self.client.actor,
            expected_version=expected_version(request),
        )
        return Response(_hold(hold))


class ReleaseView(ApiViewSet):
    required_scopes = {"POST": ["order-management:holds:write"]}
    checks_tenant_headers = True

    @extend_schema(
        operation_id="release_hold",
        tags=["holds"],
        summary="Release a hold",
        parameters=[ANY_ID, OpenApiParameter("hold", UUID, location="path"), IF_MATCH],
        request=Release,
        responses={200: HoldOut, **_REFUSED},
        examples=[OpenApiExample("Approved", value={"reason": "Approved"}, request_only=True)],
    )
    def create(self, request: Request, id: str, hold: str) -> Response:
        """Release a hold of any kind. The order is routed at once if it was the last one.

        Repeating the call changes nothing.
        """
        command = Release.of(request, operation="release hold request")
        result = hold_actions.release(
            tenant=self.tenant,
            reference=path_id(id),
            hold=_hold_id(hold),
            reason=command.reason,
            actor=self.client.actor,
            expected_version=expected_version(request),
        )
        return Response(_hold(result))


class GraceView(ApiViewSet):
    required_scopes = {"POST": ["orders:write"]}
    bodiless = {"POST": [412]}

    @extend_schema(
        operation_id="extend_grace_period",
        tags=["holds"],
        summary="Extend an order's grace period by 15 minutes",
        parameters=[ID, ID_TYPE],
        request=None,
        responses={
            200: GracePeriod,
            **problems(
                400,
                404,
                examples={
                    409: {
                        "conflict": "A concurrent request extended the grace period already.",
                    }
                },
            ),
        },
        examples=[
            OpenApiExample(
                "Due", value={"due_at": "2019-08-24T14:15:22.000000Z"}, response_only=True
            )
        ],
    )
    def create(self, request: Request, id: str) -> Response:
        """Add 15 minutes to the end of the grace period.

        The answer is 412 if no grace period runs, and 409 if another request extends it at the
        same moment.
        """
        due_at = hold_actions.extend_grace(
            tenant=self.tenant,
            reference=path_id(id),
            id_type=id_type(request),
            actor=self.client.actor,
        )
        return Response({"due_at": timestamp(due_at)})


def _hold_id(value: str) -> UUID:
    """Return the hold's id from the path. Raise `HoldNotFound` if it is no UUID."""
    if not queries.is_uuid(value):
        raise hold_actions.HoldNotFound("The order has no such hold.")
    return UUID(value)


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "id": hold.uuid,
        "kind": HoldKind(hold.kind).value,
        "reason": hold.reason,
        "placed_at": timestamp(hold.placed_at),
        "due_at": hold.due_at and timestamp(hold.due_at),
        "released_at": hold.released_at and timestamp(hold.released_at),
    }

"""The route on which locations report the progress of an order's items."""

from typing import Annotated, Literal

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt.http.api import ApiViewSet
from ordermgmt.http.openapi import problems
from ordermgmt.http.wire import Uuid, Wire
from orders.api.fields import FreeText, Text64, Text256
from orders.api.parameters import ANY_ID, path_id
from orders.lifecycle import ItemStatus, OrderStatus
from orders.services.fulfillment import reports as fulfillment_reports
from orders.services.reading import selection

_SHIPPED = {
    "action": "complete",
    "items": [
        {
            "id": "927c702a-3cb1-48c1-9189-554bf9d0fde7",
            "tracking_code": "1Z12345E0205271688",
            "carrier": "UPS",
        }
    ],
}
_REJECTED = {
    "action": "reject",
    "items": [{"id": "927c702a-3cb1-48c1-9189-554bf9d0fde7", "reason": "no_inventory"}],
}
_ANSWER = {
    "status": "closed",
    "items": [{"id": "927c702a-3cb1-48c1-9189-554bf9d0fde7", "status": "complete"}],
}


class ItemReport(Wire):
    id: Uuid
    tracking_code: Text256 = ""
    """Used by `complete`."""
    carrier: Text64 = ""
    """Used by `complete`."""
    reason: FreeText = ""
    """For `reject`: no_inventory, cancellation_request, cannot_fulfill (the default), refused,
    damaged_items or rescinded. For `return`: any text."""


class FulfillmentReport(Wire):
    action: Literal["complete", "reject", "return", "packing"]
    items: Annotated[
        list[ItemReport],
        Field(min_length=1, json_schema_extra={"maxItems": selection.MOST}),
    ]


class ReportedItem(Wire):
    id: Uuid
    status: ItemStatus = Field(strict=False)


class FulfillmentProgress(Wire):
    status: OrderStatus = Field(strict=False)
    """The order's status."""
    items: list[ReportedItem]
    """The items of the request."""


class FulfillmentView(ApiViewSet):
    required_scopes = {"POST": ["order-management:fulfillment:write"]}
    checks_tenant_headers = True

    @extend_schema(
        operation_id="report_fulfillment",
        tags=["fulfillment"],
        summary="Report progress of an order's items",
        parameters=[ANY_ID],
        request=FulfillmentReport,
        responses={
            200: FulfillmentProgress,
            **problems(
                404,
                examples={
                    400: {
                        "sales_order_item_not_found": (
                            "The sales order item with id 927c702a-3cb1-48c1-9189-554bf9d0fde7 "
                            "cannot be found."
                        )
                    },
                    409: {"transition_not_allowed": "Cannot complete an item that is cancelled."},
                },
            ),
        },
        examples=[
            OpenApiExample("Shipped", value=_SHIPPED, request_only=True),
            OpenApiExample("Rejected", value=_REJECTED, request_only=True),
            OpenApiExample("Progress", value=_ANSWER, response_only=True),
        ],
    )
    def create(self, request: Request, id: str) -> Response:
        """Record a location's report for all listed items, or for none of them.

        `packing`, `reject` and `complete` need items in fulfillment, `return` needs complete
        items. Repeating a report changes nothing; a report that contradicts it is a 409.
        """
        command = FulfillmentReport.of(request, operation="fulfillment request")
        order, items = fulfillment_reports.report(
            tenant=self.tenant,
            reference=path_id(id),
            action=command.action,
            reports=[
                fulfillment_reports.Report(i.id, i.tracking_code, i.carrier, i.reason)
                for i in command.items
            ],
            actor=self.client.actor,
        )
        return Response(
            {
                "status": OrderStatus(order.status).value,
                "items": [
                    {"id": item.uuid, "status": ItemStatus(item.status).value} for item in items
                ],
            }
        )

"""The capture route: docs/contract.md, Capture."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt import strict_json
from ordermgmt.http.api import ApiViewSet
from ordermgmt.http.negotiation import JSON, ORDERS_V2
from ordermgmt.http.openapi import problems
from orders.api import capture_models, examples, rendering
from orders.api.capture_models import CaptureRequest, InjectedCapture
from orders.api.order_models import CapturedOrder, CapturedOrderV2
from orders.services.capture import capture


class Capture(RootModel[CaptureRequest | InjectedCapture]):
    """An order in one of two forms: with the items beside the shipments, or inside them."""


class CaptureView(ApiViewSet):
    required_scopes = {"POST": ["order-management:orders:write"]}
    requires_tenant_headers = True
    read_versions = True

    @extend_schema(
        operation_id="capture_order",
        tags=["orders"],
        summary="Capture an order",
        request=Capture,
        responses={
            (200, JSON): CapturedOrder,
            (200, ORDERS_V2): CapturedOrderV2,
            **problems(examples=examples.CAPTURE_PROBLEMS),
        },
        examples=[
            OpenApiExample(name, value=body, request_only=True)
            for name, body in examples.CAPTURES.items()
        ],
    )
    def create(self, request: Request) -> Response:
        """Create an order, or return the existing one.

        The call is safe to repeat: the same order with the same content returns the stored order,
        and nothing changes. New items of an existing order that is still `on_hold` are added to
        it. Content that contradicts the stored order is a 409 with JSON pointers in `differences`.

        Tax lines and discounts must add up to their amounts. If they do not, the answer is a 400
        with JSON pointers in `errors`.

        Send an `id` or an `external_id` for the order, or an `id` for each item. Without any of
        them a repeated order cannot be recognized, and every call creates a new order. The items
        may also be inside their shipments, as in order injection.
        """
        new = capture_models.parse(strict_json.loads_tolerant(request.body)).draft()
        result = capture(tenant=self.tenant, new=new, actor=self.client.actor)
        order = result.document.order
        answer = rendering.detail(result.document, self.tenant, version2=self.version2)
        return Response(answer | {"external_id": order.external_id_as_sent, "number": order.number})

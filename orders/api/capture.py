"""Capturing an order: product §4.1, contract §a.3."""

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
    """Either form: the items beside their shipments, or inside them as injection sends them."""


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
        """Take an order in, or answer with the one we have.

        Safe to repeat, at once or later: the same order with the same content is answered with
        what is stored, and nothing changes. New items on a known order that is still `on_hold`
        are added to it. A contradiction is a 409 whose `differences` are JSON pointers.

        Tax lines and discounts add up to the amounts they explain; where they do not, a 400 points
        at them in its `errors`.

        Give the order an `id` or an `external_id`, or each item an `id`; an order that names
        nothing cannot be recognized when it is sent again, and every call makes a new one.
        The items may also stand inside their shipments, as order injection sends them.
        """
        new = capture_models.parse(strict_json.loads_tolerant(request.body)).draft()
        captured = capture(tenant=self.tenant, new=new, actor=self.client.actor)
        order = captured.document.order
        answer = rendering.detail(captured.document, self.tenant, version2=self.version2)
        return Response(answer | {"external_id": order.external_id_as_sent, "number": order.number})

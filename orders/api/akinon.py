"""Akinon's capture call: docs/contract.md, Akinon."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt.http.akinon import AkinonAnswers, TokenAuthentication, refusals
from ordermgmt.http.api import ApiViewSet
from orders.api.akinon_models import AkinonOrder, CaptureOrder, as_text
from orders.api.akinon_rendering import rendered
from orders.services import confirmation
from orders.services.confirmation import Choice

SENT: Final = {
    "order": "ORDER12345",
    "order_items": [{"pk": 17, "attributes": {"till": "4", "staff_id": "s-1"}}],
}
REFUSED: Final[dict[int, dict[str, Any]]] = {
    400: {"order": ["'order' is a required property"], "code": "bad_request"},
    401: {"detail": "Invalid token.", "code": "unauthorized"},
    403: {
        "detail": "This token lacks the scope order-management:orders:write.",
        "code": "insufficient_scope",
    },
    404: {"detail": "Not found.", "code": "not_found"},
    406: {"non_field_errors": ["The order is cancelled."], "code": "order_cancelled"},
}
ANSWER: Final[dict[str, Any]] = {
    "pk": 1,
    "number": "ORDER12345",
    "channel": 1_471_719_610,
    "customer": 735_859_805,
    "date_placed": "2024-11-20T11:22:23.702774Z",
    "payment_option": 1_265_678_876,
    "payment_option_slug": "credit-card",
    "bin_number": "123456",
    "installment": 6,
    "installment_count": 6,
    "installment_interest_amount": 0,
    "cargo_company": 0,
    "is_send": True,
    "delivery_type": None,
    "cancellation_info": {},
    "cancel_status": None,
    "shipping_interest_amount": 0,
    "external_status": 400,
    "client_type": "default",
    "carrier_shipping_code": None,
    "segment": "premium",
    "checkout_provider_id": None,
    "status": "400",
    "currency": "try",
    "amount": 1000,
    "discount_amount": 50,
    "shipping_amount": 20,
    "shipping_tax_rate": 18,
    "refund_amount": 0,
    "discount_refund_amount": 0,
    "shipping_refund_amount": 0,
    "invoice_number": None,
    "invoice_date": None,
    "e_archive_url": None,
    "tracking_number": None,
    "defined_tracking_url": None,
    "shipping_company": None,
    "remote_addr": "192.168.0.1",
    "has_gift_box": False,
    "gift_box_note": None,
    "language_code": "en",
    "notes": "Leave at the front door.",
    "shipping_option_slug": "standard-shipping",
    "created_date": "2024-11-20T11:22:24.000000Z",
    "modified_date": "2024-11-20T11:25:00.000000Z",
    "extra_field": {
        "uuid": "1b4e28ba-2fa1-4d2b-883f-0016d3cca427",
        "external_id": "web-7",
        "channel": "web-shop",
        "customer": "4e6b0f3c-2a17-4f0e-9a53-1c8d7e2f6b90",
        "order_items": [
            {
                "pk": 17,
                "status": "400",
                "product_id": "SHOE-42",
                "external_item_id": "1",
                "is_captured": True,
                "attributes": {"till": "4", "staff_id": "s-1"},
            }
        ],
    },
}


class CaptureOrderView(AkinonAnswers, ApiViewSet):
    authentication_classes = [TokenAuthentication]
    required_scopes = {"POST": ["order-management:orders:write"]}

    @extend_schema(
        operation_id="akinon_capture_order",
        tags=["akinon"],
        summary="Capture an order, or some of its items, in Akinon's form",
        request=CaptureOrder,
        responses={200: AkinonOrder, **refusals(408, 413, 415, 503, examples=REFUSED)},
        examples=[
            OpenApiExample("One item", value=SENT, request_only=True),
            OpenApiExample("An order", value=ANSWER, response_only=True, status_codes=["200"]),
        ],
    )
    def create(self, request: Request) -> Response:
        """Confirm items for fulfillment. No money moves.

        The call ends the order's grace period and routes the order unless another hold is active.
        A repeated call returns the same order. The first call publishes `order.captured`.
        """
        command = CaptureOrder.of(request, operation="capture order")
        choices = [
            Choice(item.pk, {name: as_text(value) for name, value in item.attributes.items()})
            for item in command.order_items
        ]
        account = confirmation.confirm(
            tenant=self.tenant,
            name=command.order,
            choices=choices or None,
            actor=self.client.actor,
        )
        return Response(rendered(account, self.tenant))

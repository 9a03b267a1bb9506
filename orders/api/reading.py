"""Routes that read an order and a customer's history: docs/contract.md, Reading."""

from typing import Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ordermgmt.http.api import ApiViewSet, BadParameter, query_integer
from ordermgmt.http.negotiation import JSON, ORDERS_V2
from ordermgmt.http.openapi import problems
from orders.api import examples, external_rendering
from orders.api.external_models import AnyOrder, AnyOrderV2, OrderHistory, OrderHistoryV1
from orders.api.parameters import ID, ID_TYPE, id_type, path_id
from orders.services.reading import federation

MOST_ON_A_PAGE: Final = 50
LONGEST_CUSTOMER_ID: Final = 256
VERSION_1_ONLY: Final = "Only if `Accept` asks for version 1, `application/json`."


class OrderView(ApiViewSet):
    required_scopes = {"GET": ["orders:read"]}
    read_versions = True
    bodiless = {"GET": [404]}

    @extend_schema(
        operation_id="get_order",
        tags=["orders"],
        summary="Get an order by ID and ID type",
        parameters=[
            ID,
            ID_TYPE,
        ],
        responses={
            (200, JSON): AnyOrder,
            (200, ORDERS_V2): AnyOrderV2,
            **problems(400, examples=examples.EXTERNAL_PROBLEMS),
        },
        examples=[
            OpenApiExample("An order", value=examples.DETAIL, response_only=True),
            OpenApiExample(
                "An order of the external OMS", value=examples.EXTERNAL_DETAIL, response_only=True
            ),
        ],
    )
    def retrieve(self, request: Request, id: str) -> Response:
        """Return all of one order.

        `id_type=internal` reads our own order. `external` asks the external OMS of a tenant that
        has one (the causes of 409, 412 and 503), and reads our own order for all other tenants.
        `Accept: application/x.newstore.orders+json;version=2` prints `placed_at` in UTC with Z.
        """
        order = federation.detail(self.tenant, path_id(id), id_type=id_type(request))
        return Response(external_rendering.detail(order, self.tenant, version2=self.version2))


class HistoryView(ApiViewSet):
    required_scopes = {"GET": ["orders:read"]}
    read_versions = True

    @extend_schema(
        operation_id="get_order_history",
        tags=["orders"],
        summary="Retrieve a customer's order history",
        parameters=[
            OpenApiParameter(
                "customer_id",
                required=True,
                description="The customer's id as orders show it: `customer.id` or its token."
                " Tenants with an external OMS may also send the e-mail address.",
            ),
            OpenApiParameter(
                "offset",
                {"type": "integer", "format": "int32", "minimum": 0, "default": 0},
                description="Only for version 2; version 1 ignores it.",
            ),
            OpenApiParameter(
                "count",
                {
                    "type": "integer",
                    "format": "int32",
                    "minimum": 1,
                    "maximum": MOST_ON_A_PAGE,
                    "default": 10,
                },
                description="Only for version 2; version 1 ignores it.",
            ),
        ],
        responses={
            (200, JSON): OrderHistoryV1,
            (200, ORDERS_V2): OrderHistory,
            **problems(
                examples={
                    400: {"bad_request": examples.NO_CUSTOMER},
                    404: {"customer_not_found": "customer with given customer_id not found"},
                    **examples.EXTERNAL_PROBLEMS,
                },
                remarks=dict.fromkeys((404, 409, 412), VERSION_1_ONLY),
            ),
        },
        examples=[
            OpenApiExample(
                "A page", value=examples.HISTORY, response_only=True, media_type=ORDERS_V2
            ),
            OpenApiExample(
                "A page of the external OMS",
                value=examples.EXTERNAL_HISTORY,
                response_only=True,
                media_type=ORDERS_V2,
            ),
            OpenApiExample(
                "Of the external OMS",
                value=examples.EXTERNAL_HISTORY_V1,
                response_only=True,
                media_type=JSON,
            ),
        ],
    )
    def list(self, request: Request) -> Response:
        """Return a customer's orders, sorted by `placed_at` and then by capture, newest first.

        For a tenant with an external OMS, the list has our orders and the OMS's newest 100, each
        order once. Version 1 is empty for all other tenants, which must use
        `application/x.newstore.orders+json;version=2`. If version 1 answers 409 or 412, version 2
        answers 503 `external_server_error` with the same message.
        """
        customer_id = request.query_params.get("customer_id", "")
        if not customer_id:
            raise BadParameter(examples.NO_CUSTOMER)
        if len(customer_id) > LONGEST_CUSTOMER_ID:
            raise BadParameter(f"The customer_id is longer than {LONGEST_CUSTOMER_ID} characters.")
        if not self.version2:
            history = federation.whole_history(self.tenant, customer_id)
            return Response(external_rendering.whole_history(history))
        page = federation.history(
            self.tenant,
            customer_id,
            offset=query_integer(request, "offset", default=0),
            count=query_integer(request, "count", default=10, minimum=1, maximum=MOST_ON_A_PAGE),
        )
        return Response(external_rendering.history(page, self.tenant))

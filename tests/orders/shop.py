"""A tenant that is ready to capture, spoken to over HTTP the way shop systems do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.test import Client as Browser

from configuration import keys, services
from configuration.models import Tenant
from ordermgmt import strict_json
from ordermgmt.http.negotiation import ORDERS_V2
from ordermgmt.http.wire import Wire
from orders.api.external_models import OrderHistory
from orders.api.order_models import CapturedOrder, OrderDetail
from orders.models import Order
from tests.factories import ClientFactory, TenantFactory, bearer

SAMPLES = Path(__file__).parent / "samples"
CAPTURE = "/order-management/orders"


def sample(name: str) -> dict[str, Any]:
    """A body as clients send it; numbers stay exact."""
    return strict_json.loads((SAMPLES / f"{name}.json").read_bytes())


def item(**members: Any) -> dict[str, Any]:
    """One unit for 11.00, of which 1.00 is tax."""
    price = {"net": 10, "tax": 1, "gross": 11}
    return {"id": str(uuid4()), "product_id": "SKU-1", "price": price} | members


def order(*items: dict[str, Any], **members: Any) -> dict[str, Any]:
    """An order nobody would look at twice."""
    body = {"id": str(uuid4()), "currency": "EUR", "placed_at": "2024-05-01T12:00:00Z"}
    return body | {"items": list(items) or [item()]} | members


def items(number: int, **members: Any) -> list[dict[str, Any]]:
    return [item(**members) for _ in range(number)]


class Shop:
    """One tenant with numbers to give, and a client of it that may do everything."""

    def __init__(self, *, sequence: dict[str, Any] | None = None, **switches: Any) -> None:
        self.tenant: Tenant = TenantFactory(**switches)
        self.client = ClientFactory(tenant=self.tenant)
        self.headers = bearer(self.client)
        if sequence is None:
            sequence = {"prefix": "NS", "size": 8}
        if sequence:
            self.set(keys.SALES_ORDER_GENERATOR_SEQUENCE, sequence)

    def set(self, key: Any, value: Any) -> None:
        services.write(self.tenant, key, key.parse(value), actor="test")

    @property
    def tenant_headers(self) -> dict[str, str]:
        slug = self.tenant.slug
        return {"Request-Id": "r-1", "Tenant": slug, "X-Newstore-Tenant": slug}

    def capture(self, body: Any, **headers: str) -> HttpResponse:
        """Capture a body; a text is sent as it stands."""
        raw = body if isinstance(body, str | bytes) else strict_json.dumps(body)
        return Browser(raise_request_exception=False).post(
            CAPTURE,
            raw,
            content_type="application/json",
            headers=self.headers | self.tenant_headers | headers,
        )

    def captured(self, body: Any) -> Any:
        """The answer of a capture that must succeed; it has no member that is not documented."""
        return documented(CapturedOrder, self.capture(body))

    def order(self, reference: Any, id_type: str = "internal", **kwargs: Any) -> Any:
        """The detail of an order that must be there; it has only documented members."""
        return documented(OrderDetail, self.detail(reference, id_type, **kwargs))

    def page(self, customer_id: str, **query: Any) -> Any:
        """A page of a history, version 2, with only documented members."""
        return documented(OrderHistory, self.history(customer_id, **query))

    def get(self, path: str, *, version2: bool = False, **query: Any) -> HttpResponse:
        accept = {"Accept": ORDERS_V2} if version2 else {}
        return Browser(raise_request_exception=False).get(
            path, query_params=query, headers=self.headers | accept
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> HttpResponse:
        """Any route, with all the headers any of them wants, and others; as our web server does."""
        return Browser(raise_request_exception=False).generic(
            method,
            path,
            b"" if body is None else strict_json.dumps(body),
            content_type="application/json",
            headers=self.headers | self.tenant_headers | (headers or {}),
            query_params=query,
            RAW_URI=path,
        )

    def detail(self, reference: Any, id_type: str = "internal", **kwargs: Any) -> HttpResponse:
        return self.get(f"/v0/orders/{reference}", id_type=id_type, **kwargs)

    def history(self, customer_id: str, **query: Any) -> HttpResponse:
        return self.get("/v0/orders", version2=True, customer_id=customer_id, **query)


def read(response: HttpResponse) -> Any:
    """The body; numbers are exact."""
    return strict_json.loads(response.content)


def documented(model: type[Wire], response: HttpResponse) -> Any:
    """A successful body, which is exactly what its schema says: no member more."""
    assert response.status_code == 200, response.content
    body = read(response)
    existing = model.model_validate(body).model_dump(exclude_unset=True)
    assert strict_json.loads(strict_json.dumps(existing)) == body
    return body


def problem(response: HttpResponse) -> tuple[int, str, str]:
    """What a refusal is known by: status, code, message."""
    assert response["Content-Type"] == "application/problem+json", response.content
    body = json.loads(response.content)
    return response.status_code, body["error_code"], body["message"]


def stored(answer: dict[str, Any]) -> Order:
    return Order.objects.get(uuid=UUID(answer["origin_id"]))


def rows() -> dict[str, int]:
    """How many rows every table of ours has."""
    return {
        model._meta.db_table: model._base_manager.count()
        for app in ("orders", "webhooks", "configuration")
        for model in apps.get_app_config(app).get_models()
    }


def contents() -> dict[str, list[Any]]:
    """Every row of the orders and the outbox, to the last column."""

    def tables() -> Iterator[tuple[str, list[Any]]]:
        for app in ("orders", "webhooks"):
            for model in apps.get_app_config(app).get_models():
                yield model._meta.db_table, list(model._base_manager.order_by("pk").values())

    return dict(tables())


def numbers_drawn(tenant: Tenant) -> int:
    """How far the tenant's sequence has counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(last_value, 0) FROM pg_sequences WHERE sequencename = %s",
            [services.sequence_name(tenant.pk)],
        )
        [(last,)] = cursor.fetchall()
    return last

"""Target of the corpus: a tenant ready to capture, and checks that nothing changed."""

import json
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client as Browser

from configuration.services import clients, tokens
from ordermgmt.http.problems import title
from tests.orders.shop import Shop, item

JSON = "application/json"
PROBLEM = "application/problem+json"
REQUEST_ID = "corpus-1"
MEMBERS = {"type", "title", "status", "detail", "error_code", "message", "messages", "request_id"}
DELETED = "(deleted)"


class Target(Shop):
    """A complete tenant, so that a request can be refused only for its own fault."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.credentials, self.secret = clients.create(tenant=self.tenant, name="tokens")
        self.refresh_token = tokens.refresh_token(self.credentials, scope="orders:read")
        self.always = self.headers | self.tenant_headers | {"Request-Id": REQUEST_ID}

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        content_type: str | None = JSON,
        headers: dict[str, str | None] | None = None,
        **environ: Any,
    ) -> HttpResponse:
        """Send a request with the headers of every route; None removes a header."""
        all_headers = {k: v for k, v in (self.always | (headers or {})).items() if v is not None}
        if content_type is None or not body:
            environ |= {"CONTENT_TYPE": content_type or ""}
        return Browser(raise_request_exception=False).generic(
            method,
            path,
            body,
            content_type=content_type or "",
            headers=all_headers,
            **{"RAW_URI": path} | environ,  # as the web server sets it
        )


def order() -> dict[str, Any]:
    """Return an order with every member set, so that each can be replaced by a bad value."""
    line = item(
        id="aaaaaaaa-0000-4000-8000-00000000000a",
        external_item_id="line-1",
        quantity=1,
        tax_lines=[{"amount": 1, "rate": 10, "name": "VAT", "country_code": "DE"}],
        discounts=[{"level": "item", "type": "fixed", "value": 2, "price_adjustment": 2}],
        product_attributes={"name": "Shirt", "image_url": "https://example.com/shirt.png"},
        extended_attributes=[{"name": "color", "value": "red"}],
    )
    line["price"] |= {"discount": 2, "base": 12}
    address = {
        "country_code": "DE",
        "first_name": "Ada",
        "address_line_1": "Street 1",
        "city": "Berlin",
        "zip_code": "10115",
        "phone": "+49 30 1",
    }
    return {
        "id": "aaaaaaaa-0000-4000-8000-000000000001",
        "external_id": "web-1",
        "currency": "EUR",
        "placed_at": "2024-05-01T12:00:00Z",
        "channel_type": "web",
        "shop": "storefront",
        "shop_locale": "de-DE",
        "price_method": "tax_excluded",
        "customer": {"id": "c-1", "name": "Ada", "email": "ada@example.com", "language": "de"},
        "shipping_address": address,
        "billing_address": dict(address),
        "gift_wrapping": {"message": "Enjoy", "price": {"net": 4, "tax": 1, "gross": 5}},
        "payments": [
            {
                "type": "authorized",
                "amount": 21,
                "method": "credit_card",
                "processed_at": "2024-05-01T12:00:00Z",
                "processor": "bank",
                "correlation_ref": "p-1",
                "metadata": {"bin": "411111"},
            }
        ],
        "shipments": [
            {
                "price": {"net": 4, "tax": 1, "gross": 5},
                "service_level_identifier": "STANDARD",
                "routing_strategy": {"strategy": "default"},
            }
        ],
        "extended_attributes": [{"name": "campaign", "value": "spring"}],
        "ip_address": "192.0.2.1",
        "grace_period": 60,
        "items": [line],
    }


def spoiled(body: dict[str, Any], changes: dict[str, str]) -> bytes:
    """Return `body` as JSON with members replaced by JSON pointer: raw JSON or `DELETED`."""
    for pointer in changes:
        *path, last = pointer.split("/")[1:]
        parent: Any = body
        for key in path:
            parent = parent[int(key) if isinstance(parent, list) else key]
        key = int(last) if isinstance(parent, list) else last
        if changes[pointer] == DELETED:
            del parent[key]
        else:
            parent[key] = f"<<{pointer}>>"
    raw = json.dumps(body)
    for pointer, text in changes.items():
        raw = raw.replace(json.dumps(f"<<{pointer}>>"), text)
    return raw.encode()


def state() -> dict[str, Any]:
    """Return a fingerprint of every row of every table and of every sequence."""
    digest = "md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), ''))"
    parts = [
        f"SELECT '{table}', {digest} FROM \"{table}\" t"  # noqa: S608  # the catalog's own names
        for table in sorted(connection.introspection.table_names())
    ]
    parts.append("SELECT sequencename, coalesce(last_value::text, '') FROM pg_sequences")
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


def assert_problem(response: HttpResponse, status: int, code: str = "") -> dict[str, Any]:
    """Check that a response is a complete problem of this request, and return its body."""
    assert response.status_code == status, response.content[:1000]
    assert response["Content-Type"] == PROBLEM
    body: dict[str, Any] = json.loads(response.content)
    assert body.keys() >= MEMBERS
    assert body["request_id"] == response["Request-Id"]
    assert (body["status"], body["title"]) == (status, title(status))
    assert body["type"] == f"/problems/{body['error_code']}"
    assert body["detail"] == body["message"] == body["messages"][0]
    assert len(body["message"]) <= 500
    assert len(response.content) < 20_000
    if code:
        assert body["error_code"] == code
    return body


def assert_refused(response: HttpResponse, status: int, code: str = "") -> None:
    """Call `assert_problem` with the request id of `Target.send`."""
    assert assert_problem(response, status, code)["request_id"] == REQUEST_ID


def assert_oauth_refused(response: HttpResponse, status: int) -> None:
    """Check that a response is an error of RFC 6749, as documented for the OpenID routes."""
    assert response.status_code == status, response.content[:1000]
    assert response["Content-Type"] == JSON
    assert json.loads(response.content).keys() == {"error", "error_description"}
    assert len(response.content) < 1_000


def assert_akinon_refused(response: HttpResponse, status: int) -> None:
    """Check that a response is an error in Akinon's format, with a code and texts by field."""
    assert response.status_code == status, response.content[:1000]
    assert response["Content-Type"] == JSON
    body = json.loads(response.content)
    assert isinstance(body.pop("code"), str)
    assert body
    assert len(response.content) < 20_000

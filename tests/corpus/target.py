"""What the corpus is thrown at: a tenant ready to capture, and how to tell that nothing moved."""

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
    """A tenant with everything set up, so that what is refused is refused for its fault alone."""

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
        """A request with all the headers that any route wants; a header given as None is not."""
        sent = {k: v for k, v in (self.always | (headers or {})).items() if v is not None}
        if content_type is None or not body:
            environ |= {"CONTENT_TYPE": content_type or ""}
        return Browser(raise_request_exception=False).generic(
            method,
            path,
            body,
            content_type=content_type or "",
            headers=sent,
            **{"RAW_URI": path} | environ,  # as our web server says it
        )


def order() -> dict[str, Any]:
    """An order that says something of everything, so that each part can be spoiled."""
    said = item(
        id="aaaaaaaa-0000-4000-8000-00000000000a",
        external_item_id="line-1",
        quantity=1,
        tax_lines=[{"amount": 1, "rate": 10, "name": "VAT", "country_code": "DE"}],
        discounts=[{"level": "item", "type": "fixed", "value": 2, "price_adjustment": 2}],
        product_attributes={"name": "Shirt", "image_url": "https://example.com/shirt.png"},
        extended_attributes=[{"name": "color", "value": "red"}],
    )
    said["price"] |= {"discount": 2, "base": 12}
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
        "items": [said],
    }


def spoiled(body: dict[str, Any], changes: dict[str, str]) -> bytes:
    """`body` as JSON with some members replaced: JSON pointer → raw JSON, or `DELETED`."""
    for pointer in changes:
        *path, last = pointer.split("/")[1:]
        place: Any = body
        for key in path:
            place = place[int(key) if isinstance(place, list) else key]
        key = int(last) if isinstance(place, list) else last
        if changes[pointer] == DELETED:
            del place[key]
        else:
            place[key] = f"<<{pointer}>>"
    raw = json.dumps(body)
    for pointer, text in changes.items():
        raw = raw.replace(json.dumps(f"<<{pointer}>>"), text)
    return raw.encode()


def state() -> dict[str, Any]:
    """A fingerprint of every row of every table, and how far every sequence has counted."""
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
    """A refusal in the one envelope, whole, short and about this request; its body."""
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
    """`assert_problem`, for a request with the id that `Target.send` gives."""
    assert assert_problem(response, status, code)["request_id"] == REQUEST_ID


def assert_oauth_refused(response: HttpResponse, status: int) -> None:
    """A refusal as RFC 6749 words it: what the OpenID routes are documented to do."""
    assert response.status_code == status, response.content[:1000]
    assert response["Content-Type"] == JSON
    assert json.loads(response.content).keys() == {"error", "error_description"}
    assert len(response.content) < 1_000


def assert_akinon_refused(response: HttpResponse, status: int) -> None:
    """A refusal as Akinon words it: a code, and texts by field or in all."""
    assert response.status_code == status, response.content[:1000]
    assert response["Content-Type"] == JSON
    body = json.loads(response.content)
    assert isinstance(body.pop("code"), str)
    assert body
    assert len(response.content) < 20_000

"""A fixed session with the API, with its answers and events in a reproducible form.

Ids that the service creates become `<id 1>`, `<id 2>` … in the order of their first appearance. The
digits of times that the clock decided become zeros, which keeps their form. Texts of problems that
no contract documents are kept apart: rewording them is no change of the wire format.
"""

import json
import re
from typing import Any, Final

from django.http import HttpResponse

from configuration import keys
from configuration.services import clients
from orders.models import Hold
from orders.services.holds import due as due_holds
from tests.factories import LocationFactory, bearer
from tests.orders.shop import Shop
from webhooks.models import Event

# Wire messages that a contract documents, or the part of one that does not depend on the input.
DOCUMENTED: Final = (
    "Validation of capture order failed with error:",
    "[input_error:",
    "Order capture payload is conflicting with existing database records.",
    "Sequence for tenant is not configured.",
    "Query param 'customer_id' is required.",
    "customer with given customer_id not found",
    "The number of products can't exceed 500.",
    "couldn't be found.",
    "is not a valid uuid.",
    "cannot be found.",
    "is already closed.",
    "or parts of it are already shipped.",
    "cancellations are not allowed from this type of location",
    "is not pre-ordered.",
    "Concurrent update detected on",
    "Value provided should be a string.",
    "No note exists for this order ID and note ID",
    "Invalid order ID in request url.",
)
TEXTS: Final = ("message", "detail")
# Members with random values.
RANDOM: Final = frozenset({"access_token", "refresh_token", "request_id"})
NUMBERED: Final = frozenset(
    {"pk", "customer", "channel", "payment_option", "checkout_provider_id", "shipping_address"}
)

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"20(?:2[6-9]|[3-9]\d)-\d\d-\d\d(?:T[\d:.]+)?")
_OURS: Final = "aaaaaaaa-"  # ids that the session itself sends
_CUSTOMER: Final = {
    "id": "c-1",
    "name": "Ada Example",
    "email": "ada@example.com",
    "language": "en",
}
_ADDRESS: Final = {
    "country_code": "US",
    "first_name": "Ada",
    "last_name": "Example",
    "address_line_1": "1 Wharf St",
    "city": "Raleigh",
    "state": "NC",
    "zip_code": "27587",
    "phone": "+1 555 010 0000",
}


def uuid_of(number: int) -> str:
    """Return the id that the session gives to its order, item or shipment of this number."""
    return f"{_OURS}0000-4000-8000-{number:012}"


def item(number: int, **members: Any) -> dict[str, Any]:
    """Return an item of 12.00 with a discount of 2.00 and a tax of 1.00."""
    return {
        "id": uuid_of(number),
        "external_item_id": f"line-{number}",
        "product_id": f"SKU-{number}",
        "price": {"base": 12, "discount": 2, "net": 10, "tax": 1, "gross": 11},
        "tax_lines": [{"amount": 1, "rate": 0.1, "name": "VAT", "country_code": "US"}],
        "discounts": [{"level": "item", "type": "fixed", "value": 2, "price_adjustment": 2}],
        "product_attributes": {"name": f"Shirt {number}", "image_url": "https://example.com/1.png"},
        "extended_attributes": [{"name": "color", "value": "red"}],
    } | members


def order(number: int, *items: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a web order of these items with a customer, addresses, a shipment and wrapping."""
    paid = 11 * len(items) + 10
    return {
        "id": uuid_of(number),
        "external_id": f"G-{number}",
        "currency": "USD",
        "placed_at": "2024-05-01T12:00:00Z",
        "channel_type": "web",
        "channel_name": "webshop",
        "price_method": "tax_excluded",
        "customer": _CUSTOMER,
        "shipping_address": _ADDRESS,
        "billing_address": _ADDRESS,
        "gift_wrapping": {"message": "Enjoy", "price": {"net": 4, "tax": 1, "gross": 5}},
        "shipments": [
            {
                "id": uuid_of(number + 90),
                "price": {"net": 4, "tax": 1, "gross": 5},
                "routing_strategy": {"strategy": "default"},
            }
        ],
        "payments": [
            {
                "type": "authorized",
                "amount": paid,
                "method": "credit_card",
                "processed_at": "2024-05-01T12:00:00Z",
                "processor": "bank",
                "correlation_ref": f"p-{number}",
                "metadata": {"bin": "411111"},
            }
        ],
        "extended_attributes": [{"name": "campaign", "value": "spring"}],
        "items": [{**each, "shipment_id": uuid_of(number + 90)} for each in items],
    } | members


class Session:
    """Requests of one client, each under a name, and their answers."""

    def __init__(self) -> None:
        self.shop = Shop(slug="golden")
        tenant = self.shop.tenant
        created = clients.create(tenant=tenant, name="web-shop")
        self.shop.client, self.secret = created.client, created.secret
        self.shop.headers = bearer(created.client)
        LocationFactory(tenant=tenant, code="STORE-1", type="store", country_codes=["US"])
        LocationFactory(tenant=tenant, code="DC-1", type="dc", country_codes=["US"], priority=200)
        self.shop.set(keys.ON_HOLD_TIMER_DURATION, 900)
        self.answers: dict[str, Any] = {}
        self.texts: dict[str, Any] = {}
        self._ids: dict[str, str] = {}

    def ask(
        self,
        name: str,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Any:
        """Send a request and keep its answer under this name; return the raw body."""
        response = self.shop.ask(method, path, body, headers, **query)
        assert name not in self.answers
        self.answers[name] = self._answer(name, response)
        return json.loads(response.content) if response.content else None

    def capture(self, name: str, body: dict[str, Any]) -> Any:
        return self.ask(name, "POST", "/order-management/orders", body)

    def route(self, number: int) -> None:
        """Let an order's grace period end, and route it."""
        Hold.objects.filter(order__external_id=f"G-{number}", kind="grace").update(
            due_at="2024-05-01T12:00:00Z"
        )
        while due_holds.release_due():
            pass

    def events(self) -> dict[str, list[Any]]:
        """Return the payloads of all events, by name, in the order they were published."""
        events: dict[str, list[Any]] = {}
        for event in Event.objects.filter(tenant=self.shop.tenant).order_by("pk"):
            payload = json.loads(json.dumps(event.payload, default=str))
            events.setdefault(event.name, []).append(self._plain(payload))
        return events

    def _answer(self, name: str, response: HttpResponse) -> dict[str, Any]:
        kind = response.get("Content-Type", "")
        body: Any = json.loads(response.content) if response.content else None
        if isinstance(body, dict) and "problem" in kind:
            body = self._without_texts(name, body)
        answer = {"status": response.status_code, "type": kind, "body": self._plain(body)}
        named = ("WWW-Authenticate", "Allow", "ETag", "Retry-After", "Vary")
        headers = {header: response[header] for header in named if header in response}
        return answer | ({"headers": self._plain(headers)} if headers else {})

    def _without_texts(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Move texts that no contract documents out of a problem's body."""
        if any(text in body["message"] for text in DOCUMENTED):
            return body
        texts = {text: body[text] for text in (*TEXTS, "messages", "errors") if text in body}
        self.texts[name] = self._plain(texts)
        marks: dict[str, Any] = dict.fromkeys(TEXTS, "<text>")
        marks["messages"] = ["<text>" for _ in body["messages"]]
        if "errors" in body:
            marks["errors"] = [each | {"message": "<text>"} for each in body["errors"]]
        return body | marks

    def _plain(self, value: Any, member: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._plain(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [self._plain(each, member) for each in value]
        if member in NUMBERED and type(value) is int:
            return "<integer>"
        if not isinstance(value, str):
            return value
        if member in RANDOM:
            return f"<{member}>"
        value = _UUID.sub(lambda match: self._id(match[0]), value)
        return _TIME.sub(lambda match: re.sub(r"\d", "0", match[0]), value)

    def _id(self, uuid: str) -> str:
        if uuid.startswith(_OURS):
            return uuid
        return self._ids.setdefault(uuid, f"<id {len(self._ids) + 1}>")


def play() -> Session:
    """Play the whole session."""
    session = Session()
    _one_life(session)
    _other_ends(session)
    _notes(session)
    _configuration(session)
    _refusals(session)
    return session


def _one_life(session: Session) -> None:
    """Play an order from capture to return, read in every form."""
    session.capture("captured", order(1, item(11), item(12)))
    session.capture("captured again", order(1, item(11), item(12)))
    session.capture("capture conflict", order(1, item(11), item(12), currency="EUR"))
    ours, public = "/order-management/orders/G-1", "/v0/orders/G-1"
    by_name = {"id_type": "external"}
    v2 = {"Accept": "application/x.newstore.orders+json;version=2"}
    v1 = {"Accept": "application/json"}
    session.ask("detail, version 1", "GET", public, headers=v1, **by_name)
    session.ask("detail, version 2", "GET", public, headers=v2, **by_name)
    session.ask("history, version 1", "GET", "/v0/orders", headers=v1, customer_id="c-1")
    session.ask("history, version 2", "GET", "/v0/orders", headers=v2, customer_id="c-1")
    products = [{"type": "product", "id": uuid_of(11)}, {"type": "shipping"}]
    session.ask(
        "prices", "POST", f"{public}/prices", {"items": [*products, {"type": "gift-wrapping"}]}
    )
    session.ask("cancellation status", "GET", f"{public}/cancel", **by_name)
    session.ask("extended grace", "POST", f"{public}/_extend_grace_period", **by_name)
    session.ask("holds", "GET", f"{ours}/holds")
    session.ask("put on hold", "PATCH", ours, {"status": "on_hold"})
    placed = session.ask(
        "placed hold", "POST", f"{ours}/holds", {"kind": "support", "reason": "Call the customer"}
    )
    release = f"{ours}/holds/{placed['id']}/release"
    session.ask("released hold", "POST", release, {"reason": "Customer called"})
    session.route(1)
    packing = {"action": "packing", "items": [{"id": uuid_of(11)}]}
    session.ask("packing", "POST", f"{ours}/fulfillment", packing)
    shipped = {"id": uuid_of(11), "tracking_code": "1Z999", "carrier": "UPS"}
    session.ask(
        "completed", "POST", f"{ours}/fulfillment", {"action": "complete", "items": [shipped]}
    )
    rejected = {"action": "reject", "items": [{"id": uuid_of(12), "reason": "damaged_items"}]}
    session.ask("rejected", "POST", f"{ours}/fulfillment", rejected)
    returned = {"action": "return", "items": [{"id": uuid_of(11), "reason": "changed_mind"}]}
    session.ask("returned", "POST", f"{ours}/fulfillment", returned)
    serials = {"items": [{"id": uuid_of(11), "serial_number": "SN-1"}]}
    order_id = uuid_of(1)
    session.ask("serial numbers", "PATCH", f"/v0/orders/{order_id}/serial_numbers", serials)
    session.ask("detail at its end", "GET", public, headers=v2, **by_name)
    session.ask("timeline", "GET", f"{ours}/timeline")


def _other_ends(session: Session) -> None:
    """Play orders that end otherwise: cancelled, confirmed, in conflict, bought in a store."""
    by_name = {"id_type": "external"}
    session.capture("captured to cancel", order(2, item(21)))
    cancel = {"reason": "Customer changed their mind", "note": "By phone"}
    session.ask("cancelled", "POST", "/v0/orders/G-2/cancel", cancel, **by_name)
    session.ask("cancelled status", "GET", "/v0/orders/G-2/cancel", **by_name)
    session.ask("cancelled again", "POST", "/v0/orders/G-2/cancel", cancel, **by_name)
    session.capture("captured with a pre-order", order(3, item(31, is_preorder=True), item(32)))
    item_cancel = f"/v0/orders/{uuid_of(3)}/items/{{}}/cancel"
    internal = {"id_type": "internal"}
    session.ask("item cancelled", "POST", item_cancel.format(uuid_of(31)), **internal)
    session.ask("item not pre-ordered", "POST", item_cancel.format(uuid_of(32)), **internal)
    abroad = _ADDRESS | {"country_code": "DE", "state": "BE"}
    session.capture("captured for abroad", order(4, item(41), shipping_address=abroad))
    session.route(4)
    session.ask("detail in conflict", "GET", "/v0/orders/G-4", **by_name)
    handed_over = item(51, fulfillment_group_type="IN_STORE_HANDOVER")
    in_store = {"channel_type": "store", "store_id": "STORE-1", "shipments": [], "payments": []}
    body = order(5, handed_over, **in_store)
    body["items"] = [handed_over]
    session.capture("captured in a store", body)
    session.capture("captured for Akinon", order(6, item(61)))
    key = {"Authorization": session.shop.headers["Authorization"].replace("Bearer", "Token")}
    path = "/api/v1/capture-order/"
    session.ask("confirmed by Akinon", "POST", path, {"order": "G-6"}, headers=key)
    session.ask("unknown to Akinon", "POST", path, {"order": "nobody"}, headers=key)
    session.ask("no order for Akinon", "POST", path, {}, headers=key)
    session.ask("no key for Akinon", "POST", path, {"order": "G-6"}, headers={"Authorization": ""})


def _notes(session: Session) -> None:
    """Play the notes of an order and of an item."""
    notes = f"/v0/d/orders/{uuid_of(1)}/notes"
    note = {"text": "Call back", "source": "u-1", "source_type": "user", "tags": ["call"]}
    answer = session.ask("note made", "POST", notes, note)
    session.ask("notes", "GET", notes)
    session.ask("note changed", "PATCH", f"{notes}/{answer['id']}", note | {"text": "Called"})
    session.ask("note deleted", "DELETE", f"{notes}/{answer['id']}")
    session.ask("note unknown", "PATCH", f"{notes}/{answer['id']}", note)
    of_item = f"/v0/d/orders/{uuid_of(1)}/items/{uuid_of(11)}/notes"
    session.ask("item note made", "POST", of_item, note)
    session.ask("item notes", "GET", of_item)


def _configuration(session: Session) -> None:
    """Play each key: read unset, set, and set to nonsense."""
    webhook = keys.EXTERNAL_ORDER_WEBHOOK.name
    for name, key in keys.KEYS.items():
        path = f"/v0/config/sales_order/{name}"
        session.ask(f"{name} read", "GET", path)
        session.ask(f"{name} refused", "POST", path, {"value": "nonsense"})
        if name not in (webhook, keys.EXTERNAL_OMS.name):
            value = json.loads(json.dumps(key.example))
            session.ask(f"{name} set", "POST", path, {"value": value})
    session.ask("unknown key", "GET", "/v0/config/sales_order/nothing")


def _refusals(session: Session) -> None:
    """Play what every kind of route refuses."""
    capture, by_name = "/order-management/orders", {"id_type": "external"}
    session.ask("no items", "POST", capture, {})
    session.ask("no currency", "POST", capture, {"items": [item(91)]})
    unrounded = item(
        92, price={"net": 10, "tax": 0, "gross": 10, "base": 30.123, "discount": 20.123}
    )
    session.capture("price not rounded", order(7, unrounded | {"discounts": [], "tax_lines": []}))
    tax = item(93) | {"price": {"net": 10, "tax": 5, "gross": 11}, "discounts": [], "tax_lines": []}
    session.capture("sum that does not add up", order(7, tax))
    session.ask("body that is no object", "POST", capture, [])
    session.ask("unknown order", "GET", "/v0/orders/nobody", **by_name)
    session.ask("unknown order's prices", "POST", "/v0/orders/nobody/prices", {"items": []})
    session.ask("id type missing", "GET", "/v0/orders/G-1")
    session.ask("customer missing", "GET", "/v0/orders")
    session.ask("method", "DELETE", "/v0/orders/G-1", **by_name)
    session.ask("address", "GET", "/v0/nothing")
    session.ask("no token", "GET", "/v0/orders/G-1", headers={"Authorization": ""}, **by_name)
    session.ask(
        "bad token", "GET", "/v0/orders/G-1", headers={"Authorization": "Bearer x"}, **by_name
    )
    session.ask("tenant header", "POST", capture, {}, headers={"Tenant": "other"})
    session.ask("not in grace", "POST", "/v0/orders/G-5/_extend_grace_period", **by_name)
    session.ask("closed order", "PATCH", f"{capture}/G-5", {"status": "on_hold"})
    session.ask("other status", "PATCH", f"{capture}/G-1", {"status": "open"})
    session.ask("shipped order", "POST", "/v0/orders/G-5/cancel", {"reason": "x"}, **by_name)
    _tokens(session)
    session.ask("media type", "POST", capture, {}, headers={"Content-Encoding": "br"})


def _tokens(session: Session) -> None:
    """Play both ways to a token, and what they refuse."""
    grant = {
        "grant_type": "client_credentials",
        "client_id": session.shop.client.client_id,
        "client_secret": session.secret,
    }
    realm = "/auth/realms/golden/protocol/openid-connect/token"
    no_key = {"Authorization": ""}
    session.ask("token", "POST", realm, grant, headers=no_key)
    session.ask("token refused", "POST", realm, grant | {"client_secret": "x"}, headers=no_key)
    session.ask(
        "token of another grant", "POST", realm, grant | {"grant_type": "x"}, headers=no_key
    )
    session.ask("legacy token refused", "POST", "/v0/token", {"username": "x"}, headers=no_key)

"""Inspection of a tenant's external OMS, with findings in plain words.

It helps developers of such a system. Each kind of request is sent once without the circuit breaker,
and the answers are checked more strictly than when orders are read.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

from configuration.keys import ExternalOrderWebhook
from configuration.models import Tenant
from ordermgmt.errors import NotFound
from webhooks import egress, external_orders, external_schema
from webhooks.external_schema import BrokenAnswer, ExternalOrderDetail, ExternalOrders

Verdict = Literal["right", "odd", "wrong"]
SLOW: Final = 0.5  # as a share of the timeout
AN_ORDER: Final = "an order"
ORDERS: Final = "a customer's orders"
NO_ORDER: Final = "an order nobody has"
WRONG_KEY: Final = "an order, with a wrong key"
# Expected status by request. An OMS that accepts any key would show orders to everybody.
EXPECTED: Final = {AN_ORDER: 200, ORDERS: 200, NO_ORDER: 404, WRONG_KEY: 403}


class NoWebhook(NotFound):
    code = "not_found"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about an answer: right, odd (accepted all the same) or wrong."""

    asked: str
    verdict: Verdict
    text: str
    pointer: str = ""  # JSON pointer into the answer's body


def inspect(
    tenant: Tenant, *, order_id: str = "", consumer: Mapping[str, str] | None = None
) -> list[Finding]:
    """Request an order, a customer's orders, a missing order, and an order with a wrong key.

    Without an `order_id`, the first order of `consumer` (`consumer_email` or `consumer_token`) is
    requested. Raises `NoWebhook` and `external_orders.OmsKeyRequired`.
    """
    webhook = external_orders.webhook_of(tenant)
    if webhook is None:
        raise NoWebhook(f"The tenant {tenant.slug} has no external_order_webhook.")
    findings: list[Finding] = []

    def ask(request: str, target: str, model: Any = None, key: str = webhook.api_key) -> Any:
        with_key = webhook.model_copy(update={"api_key": key})
        body, remarks = _ask(request, with_key, target, model, tenant.allows_http_webhooks)
        findings.extend(Finding(request, *remark) for remark in remarks)
        return body

    if consumer:
        listed = ask(ORDERS, f"/orders?{urlencode(consumer)}", ExternalOrders)
        if listed is not None and listed.orders:
            order_id = order_id or listed.orders[0].id
    if order_id:
        target = f"/orders/{quote(order_id, safe='')}"
        order = ask(AN_ORDER, target, ExternalOrderDetail)
        if order is not None and order.id != order_id:
            findings.append(Finding(AN_ORDER, "wrong", "another than was asked for", "/id"))
        ask(WRONG_KEY, target, key=secrets.token_urlsafe(24))
    ask(NO_ORDER, f"/orders/NONE-{secrets.token_hex(8)}")
    return findings


def _ask(
    request: str, webhook: ExternalOrderWebhook, target: str, model: Any, allows_http: bool
) -> tuple[Any, list[tuple[Verdict, str] | tuple[Verdict, str, str]]]:
    """Return the body of a valid answer, else None, and remarks about the answer."""
    try:
        answer = egress.send(
            "GET",
            external_orders.address(webhook, target),
            headers=external_orders.headers(webhook),
            deadline=webhook.timeout,
            allows_http=allows_http,
        )
    except egress.EgressFailed as fault:
        return None, [("wrong", str(fault))]
    remarks: list[tuple[Verdict, str] | tuple[Verdict, str, str]] = [
        *_envelope(request, answer, webhook)
    ]
    if model is None or answer.status != 200:
        return None, remarks
    try:
        body = external_schema.read(model, answer.body)
    except BrokenAnswer as fault:
        return None, remarks + [("wrong", words, pointer) for pointer, words in fault.faults]
    is_list = isinstance(body, ExternalOrders)
    return body, [*remarks, *(_list(body) if is_list else _order(body))]


def _envelope(
    request: str, answer: egress.Answer, webhook: ExternalOrderWebhook
) -> Iterator[tuple[Verdict, str]]:
    """Yield remarks about status, time and headers."""
    expected = EXPECTED[request]
    if answer.status == expected:
        yield "right", f"answered {expected} in {answer.seconds:.2f} of {webhook.timeout} seconds"
    else:
        yield "wrong", f"answered {answer.status}, where {expected} was expected"
    if answer.seconds > SLOW * webhook.timeout:
        yield "odd", "took more than half of the time it has; people wait for this"
    if answer.status != 200:
        return
    kind = answer.headers.get("Content-Type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        yield "odd", "the Content-Type is not application/json"
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        yield "wrong", "the body is encoded, though Accept-Encoding says identity"


def _order(order: ExternalOrderDetail) -> Iterator[tuple[Verdict, str, str]]:
    if not order.placed_at.upper().endswith(("Z", "+00:00")):
        yield "odd", "the time is not in UTC", "/placed_at"
    if order.origin == "external" and order.origin_id != order.id:
        yield "odd", "of an order of yours it should be the same as id", "/origin_id"
    yield "right", f"{len(order.items)} items, and what must be said of an order", ""


def _list(listed: ExternalOrders) -> Iterator[tuple[Verdict, str, str]]:
    orders, most = listed.orders, external_orders.MOST_ORDERS
    if len({order.id for order in orders}) < len(orders):
        yield "odd", "an order is listed twice, and shown once", "/orders"
    if any(older.at > newer.at for newer, older in pairwise(orders)):
        yield "odd", "the newest order is not the first", "/orders"
    if len(orders) > most:
        yield "odd", f"only the newest {most} of {len(orders)} orders are read", "/orders"
    yield "right", f"{len(orders)} orders, and what must be said of each", "/orders"

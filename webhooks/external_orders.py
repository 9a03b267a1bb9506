"""Client of a tenant's external OMS (docs/contract.md, External order webhook).

A waiting request holds no request slot, database connection or transaction. The number of waiting
requests of a tenant is limited, and a circuit breaker skips an OMS that fails.
"""

import re
from time import monotonic
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from prometheus_client import Histogram

from configuration import keys
from configuration.keys import ExternalOrderWebhook
from configuration.models import Tenant
from configuration.services import settings
from ordermgmt.encryption import CannotOpen
from ordermgmt.errors import Conflict, PreconditionFailed, Unavailable
from ordermgmt.http import outbound_waits
from ordermgmt.http.wire import Wire
from webhooks import egress, external_schema, oms_health
from webhooks.external_schema import (
    BrokenAnswer,
    ExternalOrder,
    ExternalOrderDetail,
    ExternalOrders,
)

MOST_ORDERS: Final = 100  # in a history; older ones are left out
LONGEST_ID: Final = 256
LONGEST_WAIT: Final = 60  # seconds, the most that Retry-After of an OMS can ask for

SECONDS: Final = Histogram(
    "ordermgmt_external_oms_seconds",
    "Time that external OMS took to answer, by what came of it.",
    ["outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 25),
)

T = TypeVar("T", bound=Wire)


class OmsKeyRequired(PreconditionFailed):
    """An external OMS is enabled, but it has no webhook or its key cannot be decrypted."""


class OmsFailed(Unavailable):
    """The OMS did not answer in time, or answered with an error."""


class OmsAnswerInvalid(Conflict):
    """The answer breaks the contract; `errors` has every error with its JSON pointer."""


def webhook_of(tenant: Tenant) -> ExternalOrderWebhook | None:
    """Return the webhook of the tenant's external OMS, None when it has none.

    Cached for a second. Raises `OmsKeyRequired`.
    """
    webhook, is_missing = _webhooks.of(tenant)
    if is_missing:
        raise OmsKeyRequired("API Key is required to access external OMS")
    return webhook


def order(
    tenant: Tenant, webhook: ExternalOrderWebhook, order_id: str
) -> ExternalOrderDetail | None:
    """Return the order of that id, None when the OMS has none.

    Raises `OmsFailed`, `OmsAnswerInvalid`, `oms_health.OmsRests` and `AllAreWaiting`.
    """
    steps = re.split(r"[/\\]", order_id)  # some systems resolve dot segments even when quoted
    if len(order_id) > LONGEST_ID or not {".", ".."}.isdisjoint(steps):
        return None
    order = _ask(tenant, webhook, f"/orders/{quote(order_id, safe='')}", ExternalOrderDetail)
    if order is not None and order.id != order_id:
        fault = BrokenAnswer([("/id", "the order is another than was asked for")])
        raise _invalid(tenant, fault, code="wrong_order")
    return order


def orders(
    tenant: Tenant, webhook: ExternalOrderWebhook, **consumer: str
) -> list[ExternalOrder] | None:
    """Return the newest 100 orders of a consumer without duplicates, newest first.

    Pass `consumer_email` or `consumer_token`. Returns None when the OMS does not know the consumer.
    Raises the same as `order`.
    """
    answer = _ask(tenant, webhook, f"/orders?{urlencode(consumer)}", ExternalOrders)
    if answer is None:
        return None
    by_id: dict[str, ExternalOrder] = {}
    for order in answer.orders:
        by_id.setdefault(order.id, order)
    return sorted(by_id.values(), key=lambda order: order.at, reverse=True)[:MOST_ORDERS]


def headers(webhook: ExternalOrderWebhook) -> dict[str, str]:
    """Return the headers of a request. They have the key twice, because the docs name no header."""
    return {
        "Accept": "application/json",
        "Authorization": f"Bearer {webhook.api_key}",
        "X-Api-Key": webhook.api_key,
    }


def address(webhook: ExternalOrderWebhook, target: str) -> str:
    return webhook.url.rstrip("/") + target


def _ask(tenant: Tenant, webhook: ExternalOrderWebhook, target: str, model: type[T]) -> T | None:
    oms_health.check(tenant, patience=webhook.timeout)
    try:
        answer = _accepted_answer(tenant, webhook, target)
        body = None if answer.status == 404 else external_schema.read(model, answer.body)
    except egress.AnswerTooLarge as fault:
        broken = BrokenAnswer([("", str(fault).rstrip("."))])
        raise _invalid(tenant, broken, code=fault.code) from None
    except egress.EgressFailed as fault:
        oms_health.failed(tenant, fault.code, str(fault))
        raise OmsFailed(str(fault)) from None
    except BrokenAnswer as fault:
        raise _invalid(tenant, fault) from None
    oms_health.succeeded(tenant)
    return body


def _accepted_answer(tenant: Tenant, webhook: ExternalOrderWebhook, target: str) -> egress.Answer:
    """Return the answer with status 200 or 404. Raises `OmsFailed` for any other."""
    with outbound_waits.release_while_waiting(tenant.pk):
        answer = _send(webhook, target, allows_http=tenant.allows_http_webhooks)
    if answer.status in (200, 404):
        return answer
    text = REFUSALS.get(answer.status, f"The external OMS answered {answer.status}.")
    record = oms_health.broke if answer.status in ABOUT_THE_REQUEST else oms_health.failed
    record(tenant, f"status_{answer.status}", text)
    raise OmsFailed(text, **_retry_after(answer))


def _send(webhook: ExternalOrderWebhook, target: str, *, allows_http: bool) -> egress.Answer:
    began, outcome = monotonic(), "failed"
    try:
        answer = egress.send(
            "GET",
            address(webhook, target),
            headers=headers(webhook),
            deadline=webhook.timeout,
            allows_http=allows_http,
        )
        outcome = f"{answer.status // 100}xx"
    except egress.EgressFailed as fault:
        outcome = fault.code
        raise
    finally:
        SECONDS.labels(outcome).observe(monotonic() - began)
    return answer


def _retry_after(answer: egress.Answer) -> dict[str, int]:
    """Return the seconds of Retry-After, within 1 and `LONGEST_WAIT`; ignore dates."""
    value = answer.headers.get("Retry-After", "")
    if not value.isdecimal() or not value.isascii():
        return {}
    return {"retry_after": min(max(int(value[:9]), 1), LONGEST_WAIT)}


def _invalid(
    tenant: Tenant, fault: BrokenAnswer, *, code: str = "answer_invalid"
) -> OmsAnswerInvalid:
    pointer, words = fault.faults[0]
    oms_health.broke(tenant, code, f"{pointer} {words}".strip())
    return OmsAnswerInvalid(
        f"Failed JSON schema validation with schema /opt/schema.json."
        f" Error: {in_words(pointer, words)}.",
        errors=[{"pointer": pointer, "message": words} for pointer, words in fault.faults],
    )


def in_words(pointer: str, words: str) -> str:
    """Return the text of an error in its documented form: `"orders" is a required attribute`."""
    if words.endswith(_REQUIRED):
        pointer, _, name = pointer.rpartition("/")
        words = f'"{name}" is a required attribute'
    return f"{pointer}: {words}" if pointer else words


def _read_webhook(tenant: Tenant) -> tuple[ExternalOrderWebhook | None, bool]:
    """Return the webhook, and whether a required one is missing or cannot be decrypted."""
    try:
        stored = settings.read_all(tenant)
    except CannotOpen:
        return None, True
    webhook: ExternalOrderWebhook | None = stored[keys.EXTERNAL_ORDER_WEBHOOK.name].value
    return webhook, webhook is None and stored[keys.EXTERNAL_OMS.name].value.enabled


# Texts by status. Other statuses are shown as a number.
REFUSALS: Final = dict.fromkeys((401, 403), "API Key to the webhook is expired")
# Errors of a single request, which must not open the circuit breaker.
ABOUT_THE_REQUEST: Final = {400, 409, 410, 413, 414, 422}
_REQUIRED: Final = " is a required property"
_webhooks: Final = oms_health.TenantCache(_read_webhook)


def invalidate(tenant: Tenant) -> None:
    """Read the configuration of the tenant anew at the next request."""
    _webhooks.invalidate(tenant)

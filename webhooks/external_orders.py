"""Asking a tenant's external OMS for its orders: contract §c, product §4.7.

Whoever asks waits for somebody else's system, so it costs no desk, connection or transaction of
ours; only so many of a tenant's requests wait at once, and an OMS that fails is left alone.
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

MOST_ORDERS: Final = 100  # of a history; older ones are left out
LONGEST_ID: Final = 256
LONGEST_WAIT: Final = 60  # seconds that an OMS may send callers away for

SECONDS: Final = Histogram(
    "ordermgmt_external_oms_seconds",
    "Time that external OMS took to answer, by what came of it.",
    ["outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 25),
)

T = TypeVar("T", bound=Wire)


class OmsKeyRequired(PreconditionFailed):
    """An external OMS is switched on, but nobody said where it is, or its key cannot be opened."""


class OmsFailed(Unavailable):
    """It did not answer in time, or not with what was asked for."""


class OmsAnswerInvalid(Conflict):
    """It answered, but not what the contract says; `errors` has every fault by JSON pointer."""


def webhook_of(tenant: Tenant) -> ExternalOrderWebhook | None:
    """Where to ask for this tenant's orders; None when it keeps none elsewhere.

    Known for a second, so that it costs next to nothing. Raises `OmsKeyRequired`.
    """
    webhook, is_missing = _webhooks.of(tenant)
    if is_missing:
        raise OmsKeyRequired("API Key is required to access external OMS")
    return webhook


def order(
    tenant: Tenant, webhook: ExternalOrderWebhook, order_id: str
) -> ExternalOrderDetail | None:
    """The order of that id; None when the OMS has none.

    Raise `OmsFailed`, `OmsAnswerInvalid`, `oms_health.OmsRests` and `AllAreWaiting`.
    """
    steps = re.split(r"[/\\]", order_id)  # which some systems follow, quoted or not
    if len(order_id) > LONGEST_ID or not {".", ".."}.isdisjoint(steps):
        return None
    found = _ask(tenant, webhook, f"/orders/{quote(order_id, safe='')}", ExternalOrderDetail)
    if found is not None and found.id != order_id:
        fault = BrokenAnswer([("/id", "the order is another than was asked for")])
        raise _invalid(tenant, fault, code="wrong_order")
    return found


def orders(
    tenant: Tenant, webhook: ExternalOrderWebhook, **consumer: str
) -> list[ExternalOrder] | None:
    """A consumer's orders, each once, newest first, the newest 100; None if the OMS knows no such.

    Say `consumer_email` or `consumer_token`. Raises what `order` does.
    """
    found = _ask(tenant, webhook, f"/orders?{urlencode(consumer)}", ExternalOrders)
    if found is None:
        return None
    once: dict[str, ExternalOrder] = {}
    for order in found.orders:
        once.setdefault(order.id, order)
    return sorted(once.values(), key=lambda order: order.at, reverse=True)[:MOST_ORDERS]


def headers(webhook: ExternalOrderWebhook) -> dict[str, str]:
    """What every request says. No document says where the key belongs, so it is in both places."""
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
        answer = _sent(tenant, webhook, target)
        found = None if answer.status == 404 else external_schema.read(model, answer.body)
    except egress.AnswerTooLarge as fault:
        broken = BrokenAnswer([("", str(fault).rstrip("."))])
        raise _invalid(tenant, broken, code=fault.code) from None
    except egress.EgressFailed as fault:
        oms_health.failed(tenant, fault.code, str(fault))
        raise OmsFailed(str(fault)) from None
    except BrokenAnswer as fault:
        raise _invalid(tenant, fault) from None
    oms_health.succeeded(tenant)
    return found


def _sent(tenant: Tenant, webhook: ExternalOrderWebhook, target: str) -> egress.Answer:
    """The answer, whose status is 200 or 404."""
    with outbound_waits.release_while_waiting(tenant.pk):
        answer = _timed(webhook, target, allows_http=tenant.allows_http_webhooks)
    if answer.status in (200, 404):
        return answer
    text = REFUSALS.get(answer.status, f"The external OMS answered {answer.status}.")
    noted = oms_health.broke if answer.status in ABOUT_THE_REQUEST else oms_health.failed
    noted(tenant, f"status_{answer.status}", text)
    raise OmsFailed(text, **_retry_after(answer))


def _timed(webhook: ExternalOrderWebhook, target: str, *, allows_http: bool) -> egress.Answer:
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
    """When it says to come back, within reason; dates and nonsense are not worth reading."""
    said = answer.headers.get("Retry-After", "")
    if not said.isdecimal() or not said.isascii():
        return {}
    return {"retry_after": min(max(int(said[:9]), 1), LONGEST_WAIT)}


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
    """A fault in the documented words: `"orders" is a required attribute`."""
    if words.endswith(_REQUIRED):
        pointer, _, name = pointer.rpartition("/")
        words = f'"{name}" is a required attribute'
    return f"{pointer}: {words}" if pointer else words


def _settled(tenant: Tenant) -> tuple[ExternalOrderWebhook | None, bool]:
    """The webhook, and whether there should be one that could be used."""
    try:
        known = settings.read_all(tenant)
    except CannotOpen:
        return None, True
    webhook: ExternalOrderWebhook | None = known[keys.EXTERNAL_ORDER_WEBHOOK.name].value
    return webhook, webhook is None and known[keys.EXTERNAL_OMS.name].value.enabled


# Status → words. Of all others, the number says as much as we know.
REFUSALS: Final = dict.fromkeys((401, 403), "API Key to the webhook is expired")
# Refusals of this request, which say nothing of the next: no reason to let the OMS rest.
ABOUT_THE_REQUEST: Final = {400, 409, 410, 413, 414, 422}
_REQUIRED: Final = " is a required property"
_webhooks: Final = oms_health.Remembered(_settled)


def forget(tenant: Tenant) -> None:
    """Look anew what this tenant has configured."""
    _webhooks.forget(tenant)

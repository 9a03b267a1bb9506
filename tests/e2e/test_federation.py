"""One tenant's slow external OMS does not slow other tenants, on the whole stack."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from unittest.mock import patch

import pytest

from ordermgmt.http.outbound_waits import OUTBOUND_WAITS
from tests.e2e.stack import Stack, running_stack
from tests.e2e.test_durability import Shop
from tests.webhooks import oms

READERS = 100
WEB_PROCESSES = 2
LATE = 24  # seconds
SOON = 5  # seconds; on a quiet machine all of these take a few milliseconds


@pytest.fixture(scope="module")
def slow() -> Iterator[oms.Oms]:
    with oms.running("slow", "--seconds", str(LATE)) as started:
        yield started


@pytest.fixture(scope="module")
def federated(slow: oms.Oms) -> Iterator[Stack]:
    """A stack of its own, which may call the fake OMS."""
    with (
        patch.dict(os.environ, {"EGRESS_ALLOWED_HOSTS": slow.allowed_host}),
        running_stack("--no-demo") as running,
    ):
        yield running


@pytest.fixture(scope="module")
def patient(federated: Stack, slow: oms.Oms) -> Shop:
    """The tenant whose OMS is slow."""
    shop = Shop(federated, "patient")
    federated.manage("tenant", "update", "patient", "--allows-http-webhooks", "yes")
    webhook = f'{{"url": "{slow.url}", "api_key": "{slow.api_key}", "timeout": 25}}'
    federated.manage("config", "set", "patient", "external_order_webhook", webhook)
    return shop


def read(shop: Shop, path: str, statuses: Counter[str], waits: list[float]) -> None:
    line = HTTPConnection("127.0.0.1", shop.stack.port, timeout=SOON)
    began = time.monotonic()
    try:
        line.request("GET", path, headers=shop.headers)
        response = line.getresponse()
        response.read()
    except TimeoutError:
        statuses["waits"] += 1
        return
    finally:
        line.close()
    waits.append(time.monotonic() - began)
    kind = f"{response.status}" + (" come back" if response.headers["Retry-After"] else "")
    statuses[kind] += 1


def test_a_hundred_readers_of_a_slow_oms_cost_nobody_else_anything(
    federated: Stack, patient: Shop
) -> None:
    other = Shop(federated, "other")
    for shop in (other, patient):
        status, answer = shop.capture({"external_id": "A-1", "currency": "EUR", "items": [ITEM]})
        assert status == 200, answer
    own = f"/v0/orders/{answer['origin_id']}?id_type=internal"
    slow_seen, other_seen, own_seen = Counter[str](), Counter[str](), Counter[str]()
    waits: list[float] = []

    with ThreadPoolExecutor(READERS + 8) as people:
        for n in range(READERS):
            path = f"/v0/orders/ADA-{n:03}?id_type=external"
            people.submit(read, patient, path, slow_seen, [])
        time.sleep(1)  # as many as may wait do
        for _ in range(50):
            people.submit(read, other, "/v0/orders/A-1?id_type=external", other_seen, waits)
            people.submit(read, patient, own, own_seen, waits)

    assert slow_seen["waits"] + slow_seen["503 come back"] == READERS, slow_seen
    assert 0 < slow_seen["waits"] <= WEB_PROCESSES * OUTBOUND_WAITS / 2
    assert (other_seen, own_seen) == ({"200": 50}, {"200": 50})
    assert max(waits) < SOON / 2


ITEM = {"product_id": "P-1", "price": {"net": 10, "tax": 1, "gross": 11}}

"""Acknowledged orders survive the death of any process."""

import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from ordermgmt.launcher import embedded
from ordermgmt.launcher.processes import wait_until
from orders.api import examples
from tests.e2e.stack import Stack

V2 = "application/x.newstore.orders+json;version=2"
CAPTURE = "/order-management/orders"
Answer = tuple[int, Any]


class Shop:
    """A tenant of the stack, spoken to over real connections."""

    def __init__(self, stack: Stack, slug: str) -> None:
        self.stack, self.slug = stack, slug
        stack.manage_json("tenant", "create", slug)
        client = stack.manage_json("client", "create", "--tenant", slug, "--name", "shop")
        sequence = json.dumps({"prefix": "E", "size": 9})
        stack.manage("config", "set", slug, "sales_order_generator_sequence", sequence)
        grant = {key: client[key] for key in ("client_id", "client_secret")}
        realm = f"/auth/realms/{slug}/protocol/openid-connect/token"
        body = json.dumps(grant | {"grant_type": "client_credentials"}).encode()
        status, token = self.ask("POST", realm, body, {"Content-Type": "application/json"})
        assert status == 200, token
        self.headers = {
            "Authorization": f"Bearer {token['access_token']}",
            "Content-Type": "application/json",
            "Request-Id": "e2e",
            "Tenant": slug,
            "X-Newstore-Tenant": slug,
        }

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Status and body; OSError or HTTPException when the server went away."""
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=10)
        try:
            connection.request(method, path, body, self.headers if headers is None else headers)
            response = connection.getresponse()
            raw = response.read()
            return response.status, json.loads(raw) if raw else None
        finally:
            connection.close()

    def capture(self, body: dict[str, Any]) -> Answer:
        return self.ask("POST", CAPTURE, json.dumps(body).encode())

    def get(self, path: str, accept: str = "application/json") -> Answer:
        return self.ask("GET", path, headers=self.headers | {"Accept": accept})


def order(name: str) -> dict[str, Any]:
    items = [
        {"product_id": f"SKU-{n}", "price": {"net": 10, "tax": 1, "gross": 11}} for n in range(3)
    ]
    return {"external_id": name, "currency": "EUR", "customer": {"id": "e2e"}, "items": items}


def under_load(shop: Shop, incident: Callable[[], None]) -> dict[str, Any]:
    """Four shops capture orders of their own while something happens; what was acknowledged."""
    acknowledged: dict[str, Any] = {}
    stopped = threading.Event()

    def sell(till: int) -> None:
        count = 0
        while not stopped.is_set():
            name = f"{threading.get_ident()}-{till}-{count}"
            count += 1
            try:
                status, answer = shop.capture(order(name))
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)  # nobody told us that it is stored, so it need not be
                continue
            assert status in (200, 503), answer
            if status == 200:
                acknowledged[name] = answer

    tills = [threading.Thread(target=sell, args=(n,)) for n in range(4)]
    for till in tills:
        till.start()
    try:
        assert wait_until(lambda: len(acknowledged) > 20, timeout=20)
        incident()
        before = len(acknowledged)
        assert wait_until(lambda: len(acknowledged) > before + 20, timeout=40)
    finally:
        stopped.set()
        for till in tills:
            till.join()
    return acknowledged


def assert_kept(shop: Shop, acknowledged: dict[str, Any]) -> None:
    """Each is there once, is read as it was answered, and is answered alike when sent again."""
    for name, answer in acknowledged.items():
        status, body = shop.get(f"/v0/orders/{name}?id_type=external")
        assert status == 200, name
        assert answer == body | {"external_id": name, "number": answer["number"]}
    for name in list(acknowledged)[-20:]:
        assert shop.capture(order(name)) == (200, acknowledged[name])
    numbers = {answer["number"] for answer in acknowledged.values()}
    assert len(numbers) == len(acknowledged)


def all_of(shop: Shop) -> list[str]:
    """The ids of every order of the customer, page by page."""
    faults: list[str] = []
    while True:
        path = f"/v0/orders?customer_id=e2e&count=50&offset={len(faults)}"
        status, page = shop.get(path, V2)
        assert status == 200
        if not page["orders"]:
            return faults
        faults += [entry["id"] for entry in page["orders"]]


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Shop:
    return Shop(stack, "durable")


@pytest.mark.parametrize("name", examples.CAPTURES)
def test_published_samples_are_captured_and_read_in_both_versions(shop: Shop, name: str) -> None:
    body = examples.CAPTURES[name]

    status, captured = shop.capture(body)

    assert status == 200, captured
    assert shop.capture(body) == (200, captured)
    path = f"/v0/orders/{captured['origin_id']}?id_type=internal"
    first, second = shop.get(path), shop.get(path, V2)
    assert (first[0], second[0]) == (200, 200)
    assert first[1] | {"placed_at": ""} == second[1] | {"placed_at": ""}
    assert second[1]["placed_at"].endswith("Z")
    assert shop.get(f"/v0/orders/{captured['number']}?id_type=external") == first


def test_what_a_killed_web_process_acknowledged_is_kept(stack: Stack, shop: Shop) -> None:
    def kill_one() -> None:
        [web] = stack.children("ordermgmt.launcher.web")
        os.kill(stack.children("", of=web)[0], signal.SIGKILL)

    acknowledged = under_load(shop, kill_one)

    assert_kept(shop, acknowledged)
    listed = all_of(shop)
    assert len(listed) == len(set(listed))
    assert set(listed) >= acknowledged.keys()


def test_what_was_acknowledged_survives_a_crash_of_the_database(stack: Stack, shop: Shop) -> None:
    def crash() -> None:
        [postmaster] = stack.children("bin/postgres")
        os.kill(postmaster, signal.SIGKILL)

    acknowledged = under_load(shop, crash)

    assert_kept(shop, acknowledged)
    assert len(all_of(shop)) == len(set(all_of(shop)))


def test_the_planner_soon_knows_what_is_in_a_new_table(stack: Stack) -> None:
    """Until then a capture may read all of its tenant's orders, and on each connection."""

    def rows() -> int:
        [(number,)] = connection.execute(
            "SELECT reltuples FROM pg_class WHERE relname = 'brand_new'"
        ).fetchall()
        return int(number)

    url = embedded.database_url(stack.data_dir)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE brand_new AS SELECT generate_series(1, 200)")
        try:
            assert wait_until(lambda: rows() == 200, timeout=20)
        finally:
            connection.execute("DROP TABLE brand_new")

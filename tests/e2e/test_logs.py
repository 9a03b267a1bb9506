"""No log of the whole stack names a customer, even when their order fails."""

import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ordermgmt.launcher import embedded
from tests.e2e.stack import Stack
from tests.e2e.test_durability import Shop, order

CANARIES = ("Canary Lovelace", "canary.lovelace@example.com", "7 Canary Wharf", "+49 30 5550123")

ITEM = "cafecafe-0000-4000-8000-00000000000a"


def personal(name: str, **members: Any) -> dict[str, Any]:
    """Return an order that names its customer wherever an order can."""
    person, mail, street, phone = CANARIES
    address = {
        "first_name": person,
        "address_line_1": street,
        "phone": phone,
        "country_code": "DE",
    }
    return (
        order(name)
        | {
            "customer": {"name": person, "email": mail},
            "shipping_address": address,
            "billing_address": address,
        }
        | members
    )


def logs(stack: Stack) -> dict[Path, str]:
    folder = stack.data_dir / "log"
    files = [*folder.rglob("*"), stack.data_dir / "up.log"]
    return {path: path.read_text(errors="replace") for path in files if path.is_file()}


@pytest.fixture(params=[False, True], ids=["plain", "with tokens"])
def shop(request: pytest.FixtureRequest, stack: Stack) -> Shop:
    slug = "canary-tokens" if request.param else "canary"
    shop = Shop(stack, slug)
    if request.param:
        stack.manage("tenant", "update", slug, "--uses-pii-tokens", "yes")
    return shop


def test_no_log_names_a_customer(stack: Stack, shop: Shop) -> None:
    """A slow capture, one that gives up, refusals, a row that another order owns, and reads."""
    url = embedded.database_url(stack.data_dir)
    before = {path: len(text) for path, text in logs(stack).items()}
    answers: list[int] = []

    def capture(name: str, **members: Any) -> None:
        answers.append(shop.capture(personal(name, **members))[0])

    with psycopg.connect(url) as other:
        for name, seconds in (("slow", 1.5), ("given-up", 3.5)):
            other.execute("LOCK TABLE orders_order IN EXCLUSIVE MODE")
            thread = threading.Thread(target=capture, args=(name,))
            thread.start()
            time.sleep(seconds)
            other.rollback()
            thread.join()
    assert answers == [200, 503]
    item = {"id": ITEM, "product_id": "P", "price": {"net": 1, "tax": 0, "gross": 1}}
    capture("first", items=[item])
    capture("second", items=[item])  # the item is the first one's: the database says so
    capture("third", items=[])
    capture("first", currency="USD", items=[item])
    assert answers[2:] == [200, 409, 400, 409]
    person, mail, *_ = CANARIES
    shop.get(f"/v0/orders?customer_id={mail}")
    shop.get(f"/v0/orders/{person.replace(' ', '%20')}?id_type=external")
    stack.manage("check_invariants")

    after = logs(stack)
    assert any(len(text) > before.get(path, 0) for path, text in after.items())
    assert (
        "orders_item" in after[stack.data_dir / "log" / "postgres.log"]
        or "lock timeout" in (after[stack.data_dir / "log" / "postgres.log"])
    )
    for path, text in after.items():
        for canary in CANARIES:
            assert canary not in text, f"{path.name} names a customer"

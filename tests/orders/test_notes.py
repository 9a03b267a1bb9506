"""Notes on orders and items: who may write what, and that the timeline tells of it (IN13)."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client as Browser

from orders.models import OrderNote, TimelineEntry
from orders.services.capture.card_numbers import holds_card_number
from tests.orders.shop import Shop, contents, items, order, problem, read

pytestmark = pytest.mark.django_db
NOTE = {"text": "Call first.", "source": "u-1", "tags": ["care"]}


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def placed(shop: Shop) -> Any:
    return shop.captured(order(*items(2)))


def notes_of(placed: Any, note: Any = None, *, item: int | None = None) -> str:
    nested = "" if item is None else f"/items/{placed['items'][item]['id']}"
    end = "" if note is None else f"/{note['id']}"
    return f"/v0/d/orders/{placed['origin_id']}{nested}/notes{end}"


def send(shop: Shop, method: str, path: str, body: Any = None) -> HttpResponse:
    raw = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    return Browser(raise_request_exception=False).generic(
        method, path, raw, content_type="application/json", headers=shop.headers
    )


def ok(response: HttpResponse) -> Any:
    assert response.status_code == 200, response.content
    return read(response) if response.content else None


def verbs(placed: Any) -> list[str]:
    entries = TimelineEntry.objects.filter(order__uuid=placed["origin_id"]).order_by("version")
    return [entry.verb for entry in entries if entry.verb.startswith("note")]


def test_a_note_is_written_read_edited_and_deleted(shop: Shop, placed: Any) -> None:
    first = ok(send(shop, "POST", notes_of(placed), NOTE))
    second = ok(send(shop, "POST", notes_of(placed), NOTE | {"text": "<b>&amp; \"'", "tags": None}))

    edited = ok(send(shop, "PATCH", notes_of(placed, first), NOTE | {"text": "Ring twice."}))

    assert edited == first | {"text": "Ring twice.", "updated_at": edited["updated_at"]}
    assert edited["updated_at"] >= first["updated_at"]
    assert first["order_id"] == placed["origin_id"]
    assert second["text"] == "<b>&amp; \"'"
    assert second["tags"] == []
    assert ok(send(shop, "GET", notes_of(placed)))["notes"] == [second, edited]
    ok(send(shop, "DELETE", notes_of(placed, first)))
    assert ok(send(shop, "GET", notes_of(placed)))["notes"] == [second]
    assert verbs(placed) == ["note_added", "note_added", "note_edited", "note_deleted"]


def test_deleting_twice_is_a_404(shop: Shop, placed: Any) -> None:
    note = ok(send(shop, "POST", notes_of(placed), NOTE))
    ok(send(shop, "DELETE", notes_of(placed, note)))
    before = contents()

    again = send(shop, "DELETE", notes_of(placed, note))

    missing = (404, "not_found", "No note exists for this order ID and note ID")
    assert problem(again) == missing
    assert contents() == before


def test_an_items_note_is_the_orders_too(shop: Shop, placed: Any) -> None:
    note = ok(send(shop, "POST", notes_of(placed, item=0), NOTE))

    assert note["item_id"] == placed["items"][0]["id"]
    assert ok(send(shop, "GET", notes_of(placed)))["notes"] == [note]
    assert ok(send(shop, "GET", notes_of(placed, item=0)))["notes"] == [note]
    assert ok(send(shop, "GET", notes_of(placed, item=1)))["notes"] == []
    assert send(shop, "PATCH", notes_of(placed, note, item=1), NOTE).status_code == 404
    ok(send(shop, "DELETE", notes_of(placed, note, item=0)))


def test_what_was_written_is_not_in_the_timeline(shop: Shop, placed: Any) -> None:
    ok(send(shop, "POST", notes_of(placed), NOTE))

    assert "Call first." not in str(TimelineEntry.objects.values_list("facts"))


@pytest.mark.parametrize("missing", ["text", "source", "tags"])
def test_what_is_missing_is_named_in_the_documented_words(
    shop: Shop, placed: Any, missing: str
) -> None:
    body = {name: value for name, value in NOTE.items() if name != missing}
    before = contents()

    refused = send(shop, "POST", notes_of(placed), body)

    assert problem(refused) == (400, "bad_request", f"{missing} is a required field")
    assert contents() == before


@pytest.mark.parametrize(
    "spoiled",
    [
        *({"text": text} for text in ("", "x" * 4001, None, 1, ["x"])),
        *({"source": source} for source in ("", "x" * 257, None)),
        *({"source_type": kind} for kind in ("", "x" * 257, 1)),
        *({"tags": tags} for tags in ("x", ["x"] * 10_000, [""], ["x" * 129], [None], {})),
        *({"text": f"card {pan}"} for pan in ("4111111111111111", "4111 1111 1111 1111")),
        {"tags": ["5555-5555-5555-4444"]},
    ],
    ids=lambda spoiled: str(spoiled)[:30],
)
def test_a_note_that_makes_no_sense_is_refused(
    shop: Shop, placed: Any, spoiled: dict[str, Any]
) -> None:
    note = ok(send(shop, "POST", notes_of(placed), NOTE))
    before = contents()

    assert problem(send(shop, "POST", notes_of(placed), NOTE | spoiled))[:2] == (400, "bad_request")
    refused = send(shop, "PATCH", notes_of(placed, note), NOTE | spoiled)
    assert problem(refused)[:2] == (400, "bad_request")
    assert contents() == before


def test_a_nul_is_refused_and_the_longest_text_kept(shop: Shop, placed: Any) -> None:
    with_nul = json.dumps(NOTE).replace("Call", "\\u0000")
    assert send(shop, "POST", notes_of(placed), with_nul).status_code == 400

    assert ok(send(shop, "POST", notes_of(placed), NOTE | {"text": "é" * 4000}))


def test_ids_that_are_none_are_named_in_the_documented_words(shop: Shop, placed: Any) -> None:
    refused = send(shop, "GET", "/v0/d/orders/web-1/notes")
    assert problem(refused) == (400, "bad_request", "Invalid order ID in request url.")

    for method, path in (("PATCH", "/x"), ("DELETE", "/{}")):
        refused = send(shop, method, notes_of(placed) + path, NOTE)
        assert problem(refused) == (400, "bad_request", "Invalid note ID in request url.")


def test_an_order_or_item_that_is_not_there_is_a_404(shop: Shop, placed: Any) -> None:
    other = shop.captured(order())
    stray = placed | {"items": other["items"]}
    for path in (
        f"/v0/d/orders/{uuid4()}/notes",
        notes_of(stray, item=0),
    ):
        assert send(shop, "GET", path).status_code == 404
        assert send(shop, "POST", path, NOTE).status_code == 404
    assert not OrderNote.objects.exists()


def test_a_note_of_another_order_or_tenant_is_a_404(shop: Shop, placed: Any) -> None:
    other, stranger = shop.captured(order()), Shop()
    note = ok(send(shop, "POST", notes_of(placed), NOTE))
    before = contents()

    for caller, path in ((shop, notes_of(other, note)), (stranger, notes_of(placed, note))):
        assert send(caller, "PATCH", path, NOTE).status_code == 404
        assert send(caller, "DELETE", path).status_code == 404
    assert send(stranger, "GET", notes_of(placed)).status_code == 404
    assert send(stranger, "POST", notes_of(placed), NOTE).status_code == 404
    assert contents() == before


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("4111111111111111", True),
        ("paid with 3782 822463 10005, thanks", True),
        ("4111111111111112", False),  # fails the check
        ("1234567890123452", False),  # begins like no card's number
        ("411111111111", False),  # too short
        ("call +49 30 1234567", False),
    ],
)
def test_card_numbers_are_told_from_other_digits(text: str, holds: bool) -> None:
    assert holds_card_number(text) is holds

"""The price list of an order: what is asked for, in that order, and nothing of others."""

from typing import Any
from uuid import uuid4

import pytest

from orders.api.prices import PriceListing
from orders.models import Item
from tests.orders.shop import (
    Shop,
    contents,
    documented,
    item,
    items,
    order,
    problem,
    read,
    sample,
    stored,
)

pytestmark = pytest.mark.django_db

WRAPPING = {"message": "Enjoy", "price": {"net": 10, "tax": 2.65, "gross": 12.65}}
ALL = [{"type": "shipping"}, {"type": "gift-wrapping"}]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def ask(shop: Shop, reference: Any, *question: dict[str, Any]) -> Any:
    return shop.ask("POST", f"/v0/orders/{reference}/prices", {"items": list(question)})


def product(item_: dict[str, Any]) -> dict[str, str]:
    return {"type": "product", "id": item_["id"]}


def test_lists_what_was_asked_for_in_that_order(shop: Shop) -> None:
    order_body = item(price={"net": 211.5, "tax": 20.1, "gross": 231.6})
    shipments = [{"price": 22, "tax": 1.65}]
    body = order(order_body, currency="USD", gift_wrapping=WRAPPING, shipments=shipments)
    answer = shop.captured(body)

    listing = documented(PriceListing, ask(shop, body["id"], *ALL, product(order_body), *ALL[:1]))

    assert listing["currency"] == "USD"
    assert [line["type"] for line in listing["items"]] == [
        "shipping",
        "gift-wrapping",
        "product",
        "shipping",
    ]
    shipping, wrapping, one, _ = listing["items"]
    assert shipping["id"] == answer["shipments"][0]["id"]
    assert amounts(shipping) == {"gross": "23.65", "net": "22", "tax": "1.65"}
    assert amounts(wrapping) == {"gross": "12.65", "net": "10", "tax": "2.65"}
    assert amounts(one) == {"gross": "231.6", "net": "211.5", "tax": "20.1"}
    assert (one["id"], one["status"]) == (order_body["id"], "in_fulfillment")
    assert "status" not in shipping


def amounts(line: dict[str, Any]) -> dict[str, str]:
    return {name: str(amount) for name, amount in line["price"].items()}


def test_takes_the_documented_body(shop: Shop) -> None:
    body = sample("prices")
    order_body = item(id=body["items"][0]["id"])
    captured = shop.captured(order(order_body))

    answer = shop.ask("POST", f"/v0/orders/{captured['origin_id']}/prices", body)

    assert [line["type"] for line in read(answer)["items"]] == ["product"]


def test_wrapping_and_shipping_keep_their_ids(shop: Shop) -> None:
    shop.captured(order(external_id="A-1", gift_wrapping=WRAPPING, shipments=[{"price": 5}]))

    first, again = (read(ask(shop, "A-1", *ALL)) for _ in range(2))

    assert first == again
    assert len({line["id"] for line in first["items"]}) == 2


def test_lists_one_line_a_shipment_and_none_for_what_is_not_there(shop: Shop) -> None:
    ids = [str(uuid4()), str(uuid4())]
    body = [item(shipment_id=ids[0]), item(shipment_id=ids[1])]
    shop.captured(
        order(
            *body,
            external_id="A-1",
            shipments=[{"id": ids[0], "price": 5, "tax": 0}, {"id": ids[1], "price": 6, "tax": 0}],
        )
    )
    shop.captured(order(external_id="A-2"))

    assert [line["price"]["net"] for line in read(ask(shop, "A-1", *ALL))["items"]] == [5, 6]
    assert read(ask(shop, "A-2", *ALL)) == {"currency": "EUR", "items": []}


def test_an_order_goes_by_its_uuid_its_number_and_the_callers_id(shop: Shop) -> None:
    body, name = item(), str(uuid4())  # a UUID that is the caller's
    it = stored(shop.captured(order(body, external_id=name)))

    answers = [read(ask(shop, by, product(body))) for by in (it.uuid, it.number, name)]

    assert answers[0] == answers[1] == answers[2]


def test_what_came_back_is_listed_as_returned(shop: Shop) -> None:
    body = item()
    it = stored(shop.captured(order(body)))
    Item.objects.filter(order=it).update(status="returned")

    listing = documented(PriceListing, ask(shop, it.uuid, product(body)))

    assert listing["items"][0]["status"] == "returned"


def test_an_answer_can_be_asked_for_again(shop: Shop) -> None:
    ids = [str(uuid4()), str(uuid4())]
    shipments = [{"id": id_, "price": 5, "tax": 0} for id_ in ids]
    goods = [item(shipment_id=id_) for id_ in ids]
    body = order(*goods, gift_wrapping=WRAPPING, shipments=shipments)
    it = stored(shop.captured(body))
    lines = [product(one) for one in body["items"]] + ALL
    answer = read(ask(shop, it.uuid, *lines))

    assert read(ask(shop, it.uuid, *answer["items"])) == answer


def test_a_shipment_asked_for_by_its_id_is_listed_alone(shop: Shop) -> None:
    ids = [str(uuid4()), str(uuid4())]
    body = [item(shipment_id=ids[0]), item(shipment_id=ids[1])]
    shipments = [{"id": id_, "price": 5 + n, "tax": 0} for n, id_ in enumerate(ids)]
    shop.captured(order(*body, external_id="A-1", shipments=shipments, gift_wrapping=WRAPPING))
    both, wrapping = read(ask(shop, "A-1", ALL[0]))["items"], read(ask(shop, "A-1", ALL[1]))

    for line in both:
        question = {"type": "shipping", "id": line["id"]}
        assert read(ask(shop, "A-1", question))["items"] == [line]
    again = {"type": "gift-wrapping", "id": wrapping["items"][0]["id"]}
    assert read(ask(shop, "A-1", again)) == wrapping
    nameless = [line | {"id": None} for line in ALL]
    assert read(ask(shop, "A-1", *nameless))["items"] == both + wrapping["items"]


@pytest.mark.parametrize(
    ("kind", "words"), [("shipping", "shipment"), ("gift-wrapping", "gift wrapping")]
)
def test_what_is_not_of_the_order_is_refused(shop: Shop, kind: str, words: str) -> None:
    members = {"gift_wrapping": WRAPPING, "shipments": [{"price": 5}]}
    shop.captured(order(external_id="A-1", **members))
    shop.captured(order(external_id="A-2", **members))
    [other] = read(ask(shop, "A-2", {"type": kind}))["items"]

    for absent in (other["id"], str(uuid4())):
        assert problem(ask(shop, "A-1", {"type": kind}, {"type": kind, "id": absent})) == (
            400,
            "bad_request",
            f"The {words} with id {absent} cannot be found.",
        )


def test_R4_a_product_asked_for_twice_is_listed_twice(shop: Shop) -> None:
    body = item()
    it = stored(shop.captured(order(body)))

    assert len(read(ask(shop, it.uuid, product(body), product(body)))["items"]) == 2


def test_R2_500_are_listed_and_501_refused(shop: Shop) -> None:
    body = items(3)
    it = stored(shop.captured(order(*body)))
    many = [product(body[n % 3]) for n in range(501)]

    assert len(read(ask(shop, it.uuid, *many[:500]))["items"]) == 500
    assert problem(ask(shop, it.uuid, *many)) == (
        400,
        "bad_request",
        "The number of products can't exceed 500.",
    )


def test_R5_a_product_of_another_order_is_refused_like_one_of_nobody(shop: Shop) -> None:
    body = item()
    it = stored(shop.captured(order(body)))
    other, stranger = item(), Shop()
    shop.captured(order(other))
    foreign = item()
    stranger.captured(order(foreign))

    for not_here in (other, foreign, item()):
        assert problem(ask(shop, it.uuid, product(body), product(not_here))) == (
            400,
            "bad_request",
            f"The sales order item with id {not_here['id']} cannot be found.",
        )
    assert problem(ask(stranger, it.uuid, product(body))) == (
        404,
        "not_found",
        f"The order '{it.uuid}' couldn't be found.",
    )


UUID = "927c702a-3cb1-48c1-9189-554bf9d0fde7"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": []},
        {"items": {}},
        {"items": None},
        {"items": "abc"},
        {"items": ["abc"]},
        {"items": [{}]},
        {"items": [{"id": UUID}]},
        {"items": [{"type": "products", "id": UUID}]},
        {"items": [{"type": "Product", "id": UUID}]},
        {"items": [{"type": None, "id": UUID}]},
        {"items": [{"type": 5}]},
        {"items": [{"type": "product"}]},
        {"items": [{"type": "product", "id": None}]},
        {"items": [{"type": "product", "id": UUID[:-1]}]},
        {"items": [{"type": "product", "id": UUID + "0"}]},
        {"items": [{"type": "product", "id": 5}]},
        {"items": [{"type": "shipping", "id": UUID[:-1]}]},
        {"items": [{"type": "shipping", "id": 5}]},
        {"items": [{"type": "gift-wrapping", "id": ""}]},
        {"items": [{"type": "shipping"}, {"type": "nothing"}]},
    ],
)
def test_R1_R3_what_makes_no_sense_is_refused(shop: Shop, body: Any) -> None:
    it = stored(shop.captured(order(item(id=UUID))))
    before = contents()

    answer = shop.ask("POST", f"/v0/orders/{it.uuid}/prices", body)

    assert problem(answer)[:2] == (400, "bad_request")
    assert problem(answer)[2].startswith("Validation of list prices request failed with error: ")
    assert contents() == before

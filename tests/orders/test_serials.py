"""Serial numbers: over what is there, for all items named or none, told when something changed."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from orders.models import Item, Order
from orders.services import invariants
from tests.orders.shop import Shop, contents, item, items, order, problem, sample, stored
from webhooks.models import Event

pytestmark = pytest.mark.django_db

EPC = {"code": "urn:epc:id:sgtin:0614141.112345.400", "external_id": "E-1", "serial_number": "400"}
NUMBERS = "order.serial_numbers_added"


@pytest.fixture(autouse=True)
def _nothing_impossible(db: None) -> Iterator[None]:
    """Whatever a test did, what must be true of orders still is."""
    yield
    assert not [finding.examples for finding in invariants.check() if finding.number]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def attach(shop: Shop, order: Any, *bodies: dict[str, Any]) -> Any:
    return shop.ask("PATCH", f"/v0/orders/{order}/serial_numbers", {"items": list(bodies)})


def serial(item: Item, number: Any = "SN-1", **members: Any) -> dict[str, Any]:
    return {"id": str(item.uuid), "serial_number": number} | members


def captured(shop: Shop, number: int = 2) -> tuple[Order, list[Item]]:
    it = stored(shop.captured(order(*items(number))))
    return it, list(it.items.order_by("position"))


def kept(order: Order) -> list[str]:
    return [i.serial_number for i in order.items.order_by("position")]


def test_attaches_what_the_documented_body_says(shop: Shop) -> None:
    body = sample("serial_numbers")
    it = stored(shop.captured(order(*(item(id=i["id"]) for i in body["items"]))))

    answer = shop.ask("PATCH", f"/v0/orders/{it.uuid}/serial_numbers", body)

    assert (answer.status_code, answer.content) == (204, b"")
    assert kept(it) == ["SRQFAU79", "LJTMF3FJ"]
    text = shop.order(it.uuid)["items"]
    assert text[0]["external_identifier"]["serial_number"] == "SRQFAU79"


def test_tells_once_of_all_that_is_new_with_its_revision(shop: Shop) -> None:
    it, [first, second] = captured(shop)
    attach(shop, it.uuid, serial(first, "A"))

    attach(shop, it.uuid, serial(first, "A"), serial(second, "B", epc=EPC))

    entry = it.timeline.latest("version")
    assert (entry.verb, entry.actor) == ("serial_numbers_added", shop.client.actor)
    assert Event.objects.filter(name=NUMBERS).latest("id").payload == {
        "id": str(it.uuid),
        "revision": entry.version,
        "items": [{"id": str(second.uuid), "serial_number": "B", "epc": EPC}],
    }


def test_overwrites_what_is_there_and_remembers_it(shop: Shop) -> None:
    it, [first, _] = captured(shop)
    attach(shop, it.uuid, serial(first, "OLD"))

    attach(shop, it.uuid, serial(first, "NEW"))

    assert kept(it) == ["NEW", ""]
    assert it.timeline.latest("version").facts == {
        "items": {str(first.uuid): "NEW"},
        "replaced": ["OLD"],
    }


def test_keeps_the_product_code_that_is_not_named_again(shop: Shop) -> None:
    it, [first, _] = captured(shop)
    attach(shop, it.uuid, serial(first, "A", epc=EPC))
    assert shop.order(it.uuid)["items"][0]["external_identifier"]["epc"] == EPC["code"]

    attach(shop, it.uuid, serial(first, "B"))
    first.refresh_from_db()
    assert (first.serial_number, first.epc) == ("B", EPC)

    other = EPC | {"serial_number": "401"}
    attach(shop, it.uuid, serial(first, "B", epc=other))
    first.refresh_from_db()
    assert first.epc == other


def test_R12_repeating_it_changes_and_tells_nothing(shop: Shop) -> None:
    it, [first, second] = captured(shop)
    body = (serial(first, "A", epc=EPC), serial(second, "B"))
    attach(shop, it.uuid, *body)
    before = contents()

    assert attach(shop, it.uuid, *body).status_code == 204
    assert contents() == before


def test_capturing_the_order_again_still_finds_it(shop: Shop) -> None:
    body = order()
    it = stored(shop.captured(body))
    [one] = it.items.all()
    attach(shop, it.uuid, serial(one, "A", epc=EPC))
    before = contents()

    again = shop.captured(body)

    assert again["items"][0]["external_identifier"]["serial_number"] == "A"
    assert contents() == before


def test_R2_takes_500_and_not_501(shop: Shop) -> None:
    sent_body = items(500)
    it = stored(shop.captured(order(*sent_body)))
    body = [{"id": i["id"], "serial_number": f"S{n}"} for n, i in enumerate(sent_body)]
    before = contents()

    more = {"id": str(uuid4()), "serial_number": "S"}
    assert problem(attach(shop, it.uuid, *body, more)) == (
        400,
        "bad_request",
        "The number of products can't exceed 500.",
    )
    assert contents() == before
    assert attach(shop, it.uuid, *body).status_code == 204
    assert kept(it) == [f"S{n}" for n in range(500)]


def test_R4_the_same_twice_is_one_and_two_numbers_for_one_item_are_refused(shop: Shop) -> None:
    it, [first, _] = captured(shop)
    before = contents()

    for different in (serial(first, "B"), serial(first, "A", epc=EPC)):
        answer = attach(shop, it.uuid, serial(first, "A"), different)
        assert problem(answer)[:2] == (400, "bad_request")
    assert contents() == before

    assert attach(shop, it.uuid, serial(first, "A"), serial(first, "A")).status_code == 204
    assert len(Event.objects.get(name=NUMBERS).payload["items"]) == 1


def test_one_number_for_two_items_of_a_product_is_refused(shop: Shop) -> None:
    it = stored(shop.captured(order(*items(2), item(product_id="SKU-2"))))
    first, second, other = it.items.order_by("position")
    before = contents()

    assert problem(attach(shop, it.uuid, serial(first, "A"), serial(second, "A"))) == (
        400,
        "bad_request",
        f"Items {first.uuid} and {second.uuid} are of one product and given one serial number.",
    )
    assert contents() == before

    assert attach(shop, it.uuid, serial(first, "A"), serial(other, "A")).status_code == 204
    assert attach(shop, it.uuid, serial(first, "B"), serial(second, "A")).status_code == 204
    assert kept(it) == ["B", "A", "A"]


def test_a_cancelled_item_is_given_none(shop: Shop) -> None:
    it = stored(shop.captured(order(item(is_preorder=True), item())))
    first, second = it.items.order_by("position")
    attach(shop, it.uuid, serial(first, "A"))
    path = f"/v0/orders/{it.uuid}/items/{first.uuid}/cancel"
    assert shop.ask("POST", path, id_type="internal").status_code == 200
    before = contents()

    for number in ("A", "B"):
        answer = attach(shop, it.uuid, serial(second, "C"), serial(first, number))
        assert problem(answer) == (
            400,
            "bad_request",
            f"Item {first.uuid} is cancelled and takes no serial number.",
        )
    assert contents() == before
    assert attach(shop, it.uuid, serial(second, "C")).status_code == 204


def test_an_item_that_came_back_keeps_taking_them(shop: Shop) -> None:
    it, [first, _] = captured(shop)
    Item.objects.filter(pk=first.pk).update(status="returned")

    assert attach(shop, it.uuid, serial(first, "A")).status_code == 204
    assert kept(it)[0] == "A"
    Item.objects.filter(pk=first.pk).update(status=first.status)


def test_R5_R9_one_item_that_is_not_there_spoils_all(shop: Shop) -> None:
    it, mine = captured(shop, 3)
    _, [other, _] = captured(shop)
    _, [foreign, _] = captured(Shop())
    before = contents()

    for not_here in (other, foreign, Item(uuid=uuid4())):
        assert problem(attach(shop, it.uuid, *map(serial, mine), serial(not_here))) == (
            400,
            "sales_order_item_not_found",
            f"The sales order item with id {not_here.uuid} cannot be found.",
        )
    assert contents() == before


def test_another_tenants_order_is_not_found_like_one_of_nobody(shop: Shop) -> None:
    it, [first, _] = captured(shop)
    stranger = Shop()
    before = contents()

    for uuid in (it.uuid, uuid4()):
        assert problem(attach(stranger, uuid, serial(first))) == (
            404,
            "not_found",
            f"The order '{uuid}' couldn't be found.",
        )
    assert contents() == before


def test_R11_the_order_is_named_by_its_uuid_only(shop: Shop) -> None:
    it, [first, _] = captured(shop)
    before = contents()

    assert problem(attach(shop, "abcd", serial(first))) == (
        400,
        "bad_request",
        "The provided order id abcd is not a valid uuid.",
    )
    assert problem(attach(shop, it.number, serial(first)))[:2] == (400, "bad_request")
    assert contents() == before


@pytest.mark.parametrize("number", ["=cmd|' /C calc'!A0", "a b", "+1", "@x", "x" * 255, "0"])
def test_R7_what_a_label_can_show_is_kept_as_it_is(shop: Shop, number: str) -> None:
    it, [first, _] = captured(shop)

    assert attach(shop, it.uuid, serial(first, number)).status_code == 204
    assert kept(it)[0] == number


@pytest.mark.parametrize(
    "number",
    ["", "  ", " a", "a ", "x" * 256, "a\nb", "a\n", "\N{GRINNING FACE}", "a\0", "é", 5, None, []],
)
def test_R7_what_a_label_cannot_show_is_refused(shop: Shop, number: Any) -> None:
    it, [first, second] = captured(shop)
    before = contents()

    for body in (
        serial(second, number),
        serial(second, epc=EPC | {"code": number}),
        serial(second, epc=EPC | {"serial_number": number}),
    ):
        assert problem(attach(shop, it.uuid, serial(first), body))[:2] == (400, "bad_request")
    assert contents() == before


@pytest.mark.parametrize("epc", ["x", [], {}, 5, {"code": {"a": {"a": {}}}}, {"code": "x" * 10**5}])
def test_R8_a_product_code_has_three_parts(shop: Shop, epc: Any) -> None:
    it, [first, _] = captured(shop)
    before = contents()

    assert problem(attach(shop, it.uuid, serial(first, epc=epc)))[:2] == (400, "bad_request")
    assert contents() == before


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"items": []}, {"items": {}}, {"items": None}, {"items": "abc"}, {"items": ["x"]}),
        *({"items": [{"serial_number": "x"}]}, {"items": [{"id": 5, "serial_number": "x"}]}),
        {"items": [{"id": "x" * 36, "serial_number": "x"}]},
    ],
)
def test_R1_what_makes_no_sense_is_refused(shop: Shop, body: Any) -> None:
    it, _ = captured(shop)
    before = contents()

    answer = shop.ask("PATCH", f"/v0/orders/{it.uuid}/serial_numbers", body)

    assert problem(answer)[:2] == (400, "bad_request")
    assert contents() == before

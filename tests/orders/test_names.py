"""One name, one order: numbers, external ids and UUIDs never name two."""

import threading
import time
import unicodedata
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client as Browser

from configuration.models import Location
from orders.models import Order
from orders.services import invariants
from orders.services.changes import persistence
from tests.factories import LocationFactory, ServiceLevelFactory
from tests.orders import racing
from tests.orders.shop import Shop, contents, item, order, problem, read, stored
from webhooks.models import Event

pytestmark = pytest.mark.django_db
NFC, NFD = "caf\u00e9", "cafe\u0301"


@pytest.fixture
def shop() -> Shop:
    return Shop()


def nameless(**members: Any) -> dict[str, Any]:
    """An order without an id of its own."""
    return {name: value for name, value in order(**members).items() if name != "id"}


def ask(shop: Shop, method: str, name: str, tail: str = "", body: Any = None, **query: str) -> Any:
    """Call a route of `/v0/orders` for the order of this name."""
    path = f"/v0/orders/{quote(name, safe='')}{tail}"
    return shop.ask(method, path, body, **({"id_type": "external"} | query))


def refused(shop: Shop, body: dict[str, Any], status: int = 400) -> dict[str, Any]:
    """The body of a refusal, after which nothing has changed."""
    before = contents()
    response = shop.capture(body)
    assert response.status_code == status, response.content
    assert contents() == before
    answer: dict[str, Any] = read(response)
    return answer


def rename(answer: dict[str, Any], name: str) -> None:
    """Give an order a name that is no longer accepted, as orders from before may have."""
    Order.objects.filter(uuid=answer["origin_id"]).update(external_id=name)


class TestANumber:
    def test_that_was_brought_along_is_the_orders_own(self, shop: Shop) -> None:
        brought = shop.captured(order(external_id="NS00000002"))
        drawn = [shop.captured(order(external_id=f"A-{n}")) for n in range(3)]

        assert brought["number"] == "NS00000002"
        assert [answer["number"] for answer in drawn] == [
            "NS00000001",
            "NS00000003",
            "NS00000004",
        ]
        for answer in (brought, *drawn):
            assert shop.order(answer["number"], "external")["origin_id"] == answer["origin_id"]

    def test_that_another_order_from_before_is_called_is_not_drawn(self, shop: Shop) -> None:
        rename(shop.captured(order()), "NS00000002")

        assert shop.captured(order(external_id="A"))["number"] == "NS00000003"

    def test_of_another_form_is_an_external_id_like_any_other(self, shop: Shop) -> None:
        for name in ("NS2", "NS000000002", "ns00000002", "XX00000002", "NS0000000²", "NS٠٠٠٠٠٠٠٢"):
            assert shop.captured(order(external_id=name))["number"] != name

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("first", ["A", "NS"])
    @pytest.mark.parametrize("number", [1, 2])
    def test_is_not_drawn_while_it_is_brought_along(
        self, first: str, number: int, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both statements are in flight: neither sees what the other one wrote."""
        brought = f"NS{number:08}"
        bodies = [order(external_id=name) for name in (brought, "A")]
        rows = persistence.prepared_sql.rows
        has_written, is_waiting = threading.Event(), threading.Event()

        def written(sql: str, params: Any) -> Any:
            """Let the first one commit when the second one waits for it, or has gone on."""
            if "nextval" not in sql:
                return rows(sql, params)
            if params["external_id"][: len(first)] != first:
                has_written.wait(racing.PATIENCE)
                is_waiting.set()
                return rows(sql, params)
            with transaction.atomic():
                new_order = rows(sql, params)
                has_written.set()
                is_waiting.wait(racing.PATIENCE)
                time.sleep(racing.IN_THE_LOCK)
            return new_order

        monkeypatch.setattr(persistence.prepared_sql, "rows", written)
        with racing.alone():
            answers = racing.at_once([lambda body=body: shop.capture(body) for body in bodies])

        statuses = [answer.status_code for answer in answers]
        assert statuses in ([200, 200], [409, 200])
        assert (statuses == [409, 200]) == (first == "A" and number == 1)
        orders = Order.objects.all()
        assert len(orders) == statuses.count(200)
        assert len({o.number for o in orders}) == len(orders)
        for one in orders:
            assert not orders.filter(external_id=one.number).exclude(pk=one.pk)


class TestAnExternalId:
    @pytest.mark.parametrize("spelled", [str.lower, str.upper])
    def test_is_not_another_orders_uuid(self, shop: Shop, spelled: Any) -> None:
        first = shop.captured(order())

        answer = refused(shop, order(external_id=spelled(first["origin_id"])), 409)

        assert answer["differences"] == ["/external_id"]

    @pytest.mark.parametrize("spelled", [str.lower, str.upper])
    def test_keeps_others_from_having_it_as_their_uuid(self, shop: Shop, spelled: Any) -> None:
        name = str(uuid4())
        shop.captured(order(external_id=spelled(name)))

        assert refused(shop, order(id=name), 409)["differences"] == ["/id"]

    def test_may_be_a_uuid_its_own_or_anything(self, shop: Shop) -> None:
        own, other = str(uuid4()), str(uuid4())

        for body in (order(id=own, external_id=own), nameless(external_id=other)):
            answer = shop.captured(body)
            assert shop.captured(body) == answer
            path = f"/order-management/orders/{body['external_id']}/timeline"
            assert shop.ask("GET", path).status_code == 200
        assert Order.objects.count() == 2

    @pytest.mark.parametrize(
        "name",
        [
            *("W-7/", "W-8//", "/W-7", "a//b", ".", "..", "a/..", "./a", "a/./b", "../W-7"),
            *("W-7/cancel", "W-7/holds", "a/b/prices", "W-7/items", "W-7/items/9", "x/timeline"),
            "W-7/holds/6f1d2c1e-4a52-4a49-9d57-0d8a2f3d9a11/release",
            *("a\u00adb", "a\ufe0fb", "a\u3164b", "a\u2800b", "a\u034fb", "a\u061cb", "a\ue000b"),
            *("a\u2029b", "a\u180eb", "\ufff9a", "a\U000e0020", "a\ufdd0b", "\u0958" * 40),
        ],
    )
    def test_that_no_address_or_nobodys_eye_can_tell_apart_is_refused(
        self, shop: Shop, name: str
    ) -> None:
        answer = refused(shop, order(external_id=name))

        assert "external_id" in answer["message"]

    @pytest.mark.parametrize(
        "name",
        [
            "a/b",
            "2024/05/7",
            "cancel",
            "items/1",
            "W-7/cancellation",
            "a/holds/b",
            "a.b/.c/d.",
            "…",
        ],
    )
    def test_that_looks_nearly_like_an_address_is_accepted(self, shop: Shop, name: str) -> None:
        answer = shop.captured(order(external_id=name))

        assert read(ask(shop, "GET", name))["origin_id"] == answer["origin_id"]


class TestAnAddress:
    """The name of one order with a slash behind it never is that order."""

    def test_is_not_squeezed_where_a_slash_belongs_to_the_name(self, shop: Shop) -> None:
        answer = shop.captured(order(external_id="W-7"))
        legacy = shop.captured(order(external_id="W-8"))
        rename(legacy, "W-7/")

        for method, tail, body in (
            ("POST", "/cancel", {"reason": "x"}),
            ("GET", "/cancel", None),
            ("POST", "/prices", {"items": [{"type": "shipping"}]}),
            ("POST", "/_extend_grace_period", None),
            ("GET", "", None),
        ):
            assert ask(shop, method, "W-7/", tail, body).status_code == 404, (method, tail)
        packed = {"action": "packing", "items": [{"id": answer["items"][0]["id"]}]}
        for method, tail, body in (
            ("PATCH", "", {"status": "on_hold"}),
            ("GET", "/holds", None),
            ("POST", "/holds", {"kind": "support", "reason": "x"}),
            ("GET", "/timeline", None),
            ("POST", "/fulfillment", packed),
        ):
            path = f"/order-management/orders/W-7%2F{tail}"
            assert shop.ask(method, path, body).status_code == 404, (method, path)
        assert {o.status for o in Order.objects.all()} == {stored(answer).status}
        assert set(Order.objects.values_list("version", flat=True)) == {stored(answer).version}
        assert shop.order(legacy["origin_id"])["id"] == "W-7/"

    @pytest.mark.parametrize(
        "path",
        ["//v0//orders//a%2Fb%20%23", "/v0/orders/a%2Fb%20%23/", "/v0/orders//a/b%20%23//"],
    )
    def test_may_have_slashes_too_many_elsewhere(self, shop: Shop, path: str) -> None:
        answer = shop.captured(order(external_id="a/b #"))

        results = Browser().get(
            "/",
            PATH_INFO=unquote(path),
            RAW_URI=f"{path}?id_type=external",
            headers=shop.headers,
            query_params={"id_type": "external"},
        )

        assert read(results)["origin_id"] == answer["origin_id"]


class TestSpellings:
    @pytest.mark.parametrize(("one", "other"), [(NFC, NFD), (NFD, NFC)])
    def test_are_one_name(self, shop: Shop, one: str, other: str) -> None:
        body = nameless(external_id=one, items=[item(external_item_id=one, id=None)])
        answer = shop.captured(body)

        body["external_id"] = body["items"][0]["external_item_id"] = other
        assert shop.captured(body) == answer
        assert answer["external_id"] == answer["id"] == one
        assert Order.objects.get().external_id == NFC
        assert Event.objects.get(name="order.created").payload["external_id"] == one
        for name in (one, other):
            assert read(ask(shop, "GET", name))["id"] == one
            path = f"/order-management/orders/{quote(name)}/timeline"
            assert shop.ask("GET", path).status_code == 200

    def test_of_an_order_from_before_find_it(self, shop: Shop) -> None:
        body = order(external_id=NFC)
        answer = shop.captured(body)
        rename(answer, NFD)

        for name in (NFC, NFD):
            assert read(ask(shop, "GET", name))["origin_id"] == answer["origin_id"]
            assert shop.captured(body | {"external_id": name})["origin_id"] == answer["origin_id"]
        refused(shop, nameless(external_id=NFC), 409)

    def test_of_a_customer_are_one_customer(self, shop: Shop) -> None:
        for customer in (
            {"email": "jos\u00e9@b\u00fccher.example"},
            {"email": "JOSE\u0301@xn--bcher-kva.example"},
        ):
            shop.captured(order(customer=customer))
        assert len(set(Order.objects.values_list("customer_key", flat=True))) == 1

        for name in (NFC, NFD):
            shop.captured(order(customer={"id": name}))
        for name in (NFC, NFD):
            assert shop.page(name)["pagination_info"]["total"] == 2
        assert {o.customer_id for o in Order.objects.exclude(customer_email__contains="@")} == {
            NFC,
            NFD,
        }

    def test_are_no_contradiction(self, shop: Shop) -> None:
        thing = item(product_id=NFC)
        body = order(thing, customer={"id": NFC, "email": "Jos\u00e9@x.example"}, store_id=NFC)
        answer = shop.captured(body)

        again = order(thing | {"product_id": NFD}, id=body["id"], store_id=NFD)
        again["customer"] = {"id": NFD, "email": "jose\u0301@X.example"}
        assert shop.captured(again) == answer

    def test_in_free_text_keep_their_joiners(self, shop: Shop) -> None:
        family, heart = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f"
        address = {"country_code": "DE", "first_name": family, "note": heart}

        answer = shop.captured(order(shipping_address=address))

        assert answer["shipping_address"]["first_name"] == family
        assert answer["shipping_address"]["note"] == heart

    @pytest.mark.parametrize("pointer", ["customer", "product_id", "external_item_id", "email"])
    @pytest.mark.parametrize("letter", ["\u00ad", "\u3164", "\ufe0f"])
    def test_of_other_identifiers_hold_nothing_invisible(
        self, shop: Shop, pointer: str, letter: str
    ) -> None:
        name = f"a{letter}b"
        body = {
            "customer": lambda: order(customer={"id": name}),
            "email": lambda: order(customer={"email": f"{name}@x.example"}),
            "product_id": lambda: order(item(product_id=name)),
            "external_item_id": lambda: order(item(external_item_id=name)),
        }[pointer]()

        refused(shop, body)


class TestNamesFromBefore:
    """What collided before names were unique: nobody guesses which order is meant."""

    @pytest.fixture
    def pair(self, shop: Shop) -> list[dict[str, Any]]:
        one, other = (shop.captured(order(external_id=f"A-{n}")) for n in range(2))
        rename(one, other["number"])
        return [one, other]

    def test_are_refused_until_one_says_which(self, shop: Shop, pair: list[Any]) -> None:
        name = pair[1]["number"]
        before = contents()

        for response in (
            ask(shop, "GET", name),
            ask(shop, "POST", name, "/cancel", {"reason": "x"}),
            shop.ask("GET", f"/order-management/orders/{name}/timeline"),
            shop.ask("PATCH", f"/order-management/orders/{name}", {"status": "on_hold"}),
        ):
            assert problem(response)[:2] == (409, "ambiguous_order")
        assert contents() == before
        for answer in pair:
            assert shop.order(answer["origin_id"])["origin_id"] == answer["origin_id"]

    def test_are_refused_when_a_uuid_is_meant_or_a_name(self, shop: Shop) -> None:
        one, other = (shop.captured(order(external_id=f"A-{n}")) for n in range(2))
        rename(one, other["origin_id"])

        response = shop.ask("GET", f"/order-management/orders/{other['origin_id']}/holds")
        assert problem(response)[:2] == (409, "ambiguous_order")
        assert shop.order(other["origin_id"])["origin_id"] == other["origin_id"]
        results = read(ask(shop, "GET", other["origin_id"]))
        assert results["origin_id"] == one["origin_id"]

    def test_are_captured_again_by_their_own_callers(self, shop: Shop) -> None:
        bodies = [order(external_id=f"A-{n}") for n in range(2)]
        one, other = map(shop.captured, bodies)
        rename(one, other["number"])
        bodies[0]["external_id"] = other["number"]

        assert [shop.captured(body)["origin_id"] for body in bodies] == [
            one["origin_id"],
            other["origin_id"],
        ]

    def test_are_listed(self, shop: Shop, pair: list[Any]) -> None:
        [finding] = [f for f in invariants.check() if f.number]

        assert finding.invariant.name == "names_are_of_one_order"
        [example] = finding.examples
        assert all(answer["number"] in example for answer in pair)

    def test_that_differ_in_their_spelling_only_are_listed(self, shop: Shop) -> None:
        for n, form in enumerate(("NFC", "NFD")):
            rename(shop.captured(order(external_id=f"A-{n}")), unicodedata.normalize(form, NFC))

        assert [f.invariant.name for f in invariants.check() if f.number] == [
            "names_are_of_one_order"
        ]
        assert ask(shop, "GET", NFC).status_code == 409

    def test_are_listed_by_the_migration_which_changes_no_order(
        self, pair: list[Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        migration = import_module("orders.migrations.0012_names_are_compared_in_one_form")
        before = contents()

        migration.list_collisions(None, SimpleNamespace(connection=connection))

        printed = capsys.readouterr().out
        assert f"'{pair[1]['number']}' names the orders" in printed
        assert all(answer["number"] in printed for answer in pair)
        assert contents() == before


def test_locations_and_service_levels_are_found_in_any_spelling(shop: Shop) -> None:
    composed, decomposed = "Caf\u00e9", "Cafe\u0301"
    LocationFactory(tenant=shop.tenant, code=decomposed, type="store")
    ServiceLevelFactory(tenant=shop.tenant, identifier=decomposed, remorse_period=77)
    for spelling in (composed, decomposed):
        strategy = {"strategy": "prerouted", "fulfillment_node_id": spelling}
        shipment = {"service_level_identifier": spelling, "routing_strategy": strategy}
        price = {"net": 0, "tax": 0, "gross": 0}

        answer = shop.captured(order(item(), shipments=[shipment | {"price": price}]))

        new_order = stored(answer)
        assert new_order.holds.get().reason == "Grace period of 77 s"
        assert {s.location_code for s in new_order.shipments.all()} == {composed}
    assert Location.objects.get(tenant=shop.tenant).code == composed

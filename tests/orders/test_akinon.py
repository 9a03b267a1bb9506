"""Akinon's capture call: what it does, what it answers, and its own forms of refusal (C30)."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client as Browser

from configuration import keys
from configuration.services import clients, tokens
from orders.api import akinon_rendering
from orders.api.akinon_models import AkinonOrder
from orders.lifecycle import ItemStatus
from orders.models import Hold, Item, Order, TimelineEntry
from orders.services import cancellation, confirmation
from orders.services.holds import actions as hold_actions
from tests.factories import ClientFactory, LocationFactory, bearer
from tests.orders.racing import alone, at_once, meet
from tests.orders.shop import Shop, contents, documented, item, items, order, read, stored
from webhooks.models import Event

pytestmark = pytest.mark.django_db
PATH = "/api/v1/capture-order/"
LOGIN = "/api/v1/auth/login/"


@pytest.fixture
def shop() -> Shop:
    return Shop()


def key(shop: Shop) -> str:
    return f"Token {shop.headers['Authorization'].removeprefix('Bearer ')}"


def send(shop: Shop, body: Any, **headers: str | None) -> HttpResponse:
    raw = body if isinstance(body, str) else json.dumps(body)
    form_data = {"Authorization": key(shop)} | headers
    return Browser(raise_request_exception=False).post(
        PATH,
        raw,
        content_type="application/json",
        headers={name: value for name, value in form_data.items() if value is not None},
    )


def ok(shop: Shop, name: str, *chosen: dict[str, Any]) -> Any:
    body = {"order": name} | ({"order_items": list(chosen)} if chosen else {})
    return documented(AkinonOrder, send(shop, body))


def refusal(response: HttpResponse) -> tuple[int, dict[str, Any]]:
    assert response["Content-Type"] == "application/json", response.content
    return response.status_code, json.loads(response.content)


def in_grace(shop: Shop, number: int = 1, **members: Any) -> Any:
    return shop.captured(order(*items(number), external_id="web-1", grace_period=600, **members))


def keys_of(placed: Any) -> list[int]:
    results = Item.objects.filter(order__uuid=placed["origin_id"]).order_by("position")
    return list(results.values_list("pk", flat=True))


def events(placed: Any) -> list[str]:
    events_found = Event.objects.filter(subject=UUID(placed["origin_id"])).order_by("version")
    return list(events_found.values_list("name", flat=True))


def verbs(placed: Any) -> list[str]:
    results = TimelineEntry.objects.filter(order__uuid=placed["origin_id"]).order_by("version")
    return list(results.values_list("verb", flat=True))


class TestCapturing:
    @pytest.mark.parametrize("name", ["number", "external_id"])
    def test_the_grace_period_ends_and_the_order_is_routed(self, shop: Shop, name: str) -> None:
        LocationFactory(tenant=shop.tenant, code="BERLIN")
        placed = in_grace(shop, 2)

        answer = ok(shop, placed[name])

        assert answer["status"] == "400"
        assert answer["is_send"] is True
        assert not Hold.objects.filter(released_at__isnull=True).exists()
        assert {i.status for i in Item.objects.all()} == {ItemStatus.IN_FULFILLMENT}
        assert events(placed) == [
            *("order.created", "order.captured", "order.opened", "fulfillment_request.assigned"),
        ]
        assert verbs(placed)[-4:] == ["confirmed", "released", "opened", "routed"]

    def test_a_shipment_without_items_is_paid_for_all_the_same(self, shop: Shop) -> None:
        ids = [str(uuid4()), str(uuid4())]
        boxes = [{"id": ids[0], "price": 6, "tax": 1}, {"id": ids[1], "price": 4}]
        shop.captured(order(item(shipment_id=ids[1]), external_id="web-1", shipments=boxes))

        answer = ok(shop, "web-1")

        assert Decimal(answer["shipping_amount"]) == 11
        assert Decimal(answer["shipping_tax_rate"]) == 10

    def test_repeating_it_changes_nothing(self, shop: Shop) -> None:
        placed = in_grace(shop, 2)
        [first, _] = keys_of(placed)
        chosen = {"pk": first, "attributes": {"till": "4"}}
        answers = [ok(shop, "web-1", chosen)]
        before = contents()

        answers += [ok(shop, "web-1", chosen) for _ in range(2)]

        assert answers[0] == answers[1] == answers[2]
        assert contents() == before

    def test_what_else_holds_the_order_still_does(self, shop: Shop) -> None:
        placed = in_grace(shop)
        hold_actions.place(tenant=shop.tenant, reference="web-1", reason="check", actor="test")

        answer = ok(shop, "web-1")

        assert answer["status"] == "350"
        assert [h.kind for h in Hold.objects.filter(released_at__isnull=True)] == ["support"]
        assert events(placed) == ["order.created", "order.captured"]

    def test_items_are_captured_one_by_one_and_announced_once(self, shop: Shop) -> None:
        placed = in_grace(shop, 2)
        first, second = keys_of(placed)

        half = ok(shop, "web-1", {"pk": first})
        assert [i["is_captured"] for i in half["extra_field"]["order_items"]] == [True, False]
        whole = ok(shop, "web-1", {"pk": second})
        assert [i["is_captured"] for i in whole["extra_field"]["order_items"]] == [True, True]

        assert events(placed).count("order.captured") == 1
        assert verbs(placed).count("confirmed") == 2

    def test_attributes_are_put_beside_and_over_what_was(self, shop: Shop) -> None:
        body = [{"name": "color", "value": "red"}, {"name": "till", "value": "1"}]
        placed = shop.captured(
            order(item(extended_attributes=body), external_id="web-1", grace_period=600)
        )
        [pk] = keys_of(placed)

        ok(shop, "web-1", {"pk": pk, "attributes": {"till": "4", "n": 1.50, "x": {"a": [None]}}})

        assert shop.order(placed["origin_id"])["items"][0]["extended_attributes"] == [
            {"name": "color", "value": "red"},
            {"name": "till", "value": "4"},
            {"name": "n", "value": "1.5"},
            {"name": "x", "value": '{"a":[null]}'},
        ]

    def test_attributes_sent_later_are_told_but_announced_to_nobody(self, shop: Shop) -> None:
        placed = in_grace(shop)
        [pk] = keys_of(placed)
        ok(shop, "web-1")
        details = events(placed)

        answer = ok(shop, "web-1", {"pk": pk, "attributes": {"till": "4"}})

        assert answer["extra_field"]["order_items"][0]["attributes"] == {"till": "4"}
        assert events(placed) == details
        assert verbs(placed)[-1] == "items_amended"

    def test_what_the_external_oms_got_stays_captured(self, shop: Shop) -> None:
        in_grace(shop)
        shop.set(keys.EXTERNAL_OMS, {"enabled": True})

        first, again = ok(shop, "web-1"), ok(shop, "web-1")

        assert first == again
        assert (first["status"], first["is_send"]) == ("400", True)

    def test_the_event_names_the_items(self, shop: Shop) -> None:
        placed = in_grace(shop, 2)
        first, _ = keys_of(placed)

        ok(shop, "web-1", {"pk": first})

        [event] = Event.objects.filter(name="order.captured")
        assert event.payload["id"] == placed["origin_id"]
        assert [i["id"] for i in event.payload["items"]] == [placed["items"][0]["id"]]


class TestRefusing:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "order"),
            ({"order": None}, "order"),
            ({"order": 1}, "order"),
            ({"order": ""}, "order"),
            ({"order": "  "}, "order"),
            ({"order": "x" * 129}, "order"),
            *(
                ({"order": "web-1", "order_items": chosen}, "order_items")
                for chosen in (
                    *([], None, {}, [1], [{}], [{"pk": None}], [{"pk": "1"}], [{"pk": True}]),
                    *([{"pk": 0}], [{"pk": 1.0}], [{"pk": 999_999_999}]),
                    *([{"pk": 1}, {"pk": 1}], [{"pk": 1}] * 1001),
                    *([{"pk": 1, "attributes": a}] for a in (None, [], "x", {"": "x"})),
                    [{"pk": 1, "attributes": {"x" * 101: "x"}}],
                    [{"pk": 1, "attributes": {"x": "x" * 8193}}],
                    [{"pk": 1, "attributes": {"card": "4111 1111 1111 1111"}}],
                    [{"pk": 1, "attributes": {"card": 4111111111111111}}],
                    [{"pk": 1, "attributes": {f"n{n}": "x" for n in range(101)}}],
                )
            ),
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_a_body_that_makes_no_sense_is_a_400_by_field(
        self, shop: Shop, body: Any, field: str
    ) -> None:
        in_grace(shop)
        before = contents()

        status, message = refusal(send(shop, body))

        assert status == 400
        assert message.keys() == {field, "code"}
        assert message[field]
        assert all(isinstance(text, str) for text in message[field])
        assert contents() == before

    def test_another_orders_item_is_a_400(self, shop: Shop) -> None:
        in_grace(shop)
        other = shop.captured(order(external_id="web-2", grace_period=600))
        before = contents()

        status, message = refusal(
            send(shop, {"order": "web-1", "order_items": [{"pk": keys_of(other)[0]}]})
        )

        assert (status, message) == (
            400,
            {"order_items": ["0.pk: the order has no such item"], "code": "invalid"},
        )
        assert contents() == before

    @pytest.mark.parametrize("raw", ["", "{", "[]", '"x"', '{"order": "a\\u0000"}'])
    def test_what_is_no_json_object_is_a_400(self, shop: Shop, raw: str) -> None:
        status, message = refusal(send(shop, raw))

        assert status == 400
        assert "code" in message
        assert message.keys() & {"detail", "non_field_errors"}

    def test_an_unknown_order_cannot_be_told_from_anothers(self, shop: Shop) -> None:
        placed = in_grace(Shop(sequence={"prefix": "ZZ", "size": 8}))
        before = contents()

        answers = [
            refusal(send(shop, {"order": name}))
            for name in ("nobody", "web-1", placed["number"], placed["origin_id"])
        ]

        assert answers == [(404, {"detail": "Not found.", "code": "not_found"})] * 4
        assert contents() == before

    def test_a_cancelled_order_is_a_406(self, shop: Shop) -> None:
        in_grace(shop)
        cancellation.cancel(
            tenant=shop.tenant,
            reference="web-1",
            id_type="external",
            reason="changed mind",
            note=None,
            actor="test",
        )
        before = contents()

        message = refusal(send(shop, {"order": "web-1"}))

        words = {"non_field_errors": ["The order is cancelled."], "code": "order_cancelled"}
        assert message == (406, words)
        assert contents() == before

    def test_an_order_that_ended_without_it_is_a_406(self, shop: Shop) -> None:
        shop.captured(order(item(fulfillment_group_type="IN_STORE_HANDOVER"), external_id="web-1"))
        assert Order.objects.get().status == "closed"

        status, message = refusal(send(shop, {"order": "web-1"}))

        assert (status, message["code"]) == (406, "order_closed")

    def test_a_name_of_two_orders_is_a_406(self, shop: Shop) -> None:
        placed = in_grace(shop)
        # Only a number drawn later can do this; the sequence would have to meet it.
        second = shop.captured(order(external_id="web-2", grace_period=600))
        Order.objects.filter(uuid=second["origin_id"]).update(external_id=placed["number"])

        status, message = refusal(send(shop, {"order": placed["number"]}))

        assert (status, message["code"]) == (406, "ambiguous_order")

    @pytest.mark.parametrize(
        "header", [None, "", "Token", "Token ", "Token x y", "Bearer {key}", "{key}", "Basic {key}"]
    )
    def test_without_a_key_it_is_a_401(self, shop: Shop, header: str | None) -> None:
        secret = key(shop).removeprefix("Token ")
        form_data = header and header.replace("{key}", secret)

        response = send(shop, {"order": "web-1"}, Authorization=form_data)

        assert refusal(response) == (
            401,
            {
                "detail": "Authentication credentials were not provided.",
                "code": "unauthorized",
            },
        )
        assert response["WWW-Authenticate"] == "Token"

    def test_a_wrong_key_is_a_401(self, shop: Shop) -> None:
        response = send(shop, {"order": "web-1"}, Authorization="Token nonsense")

        assert refusal(response) == (401, {"detail": "Invalid token.", "code": "unauthorized"})
        assert response["WWW-Authenticate"] == "Token"

    def test_the_keyword_may_be_written_in_any_case(self, shop: Shop) -> None:
        in_grace(shop)
        form_data = key(shop).replace("Token", "tOKEN")

        assert send(shop, {"order": "web-1"}, Authorization=form_data).status_code == 200

    def test_a_key_opens_no_other_route(self, shop: Shop) -> None:
        response = Browser().get("/v0/orders?customer_id=x", headers={"Authorization": key(shop)})

        assert response.status_code == 401

    def test_a_key_without_the_scope_is_a_403(self, shop: Shop) -> None:
        reader = ClientFactory(tenant=shop.tenant, scopes=["orders:read"])
        form_data = bearer(reader)["Authorization"].replace("Bearer", "Token")

        status, message = refusal(send(shop, {"order": "web-1"}, Authorization=form_data))

        assert (status, message["code"]) == (403, "insufficient_scope")

    @pytest.mark.parametrize(
        ("headers", "status"),
        [({"Content-Encoding": "gzip"}, 415), ({"Content-Type": "text/plain"}, 415)],
    )
    def test_other_forms_are_refused_in_akinons(
        self, shop: Shop, headers: dict[str, str], status: int
    ) -> None:
        results, message = refusal(send(shop, {"order": "web-1"}, **headers))

        assert results == status
        assert message.keys() == {"detail", "code"}

    def test_another_method_is_a_405(self, shop: Shop) -> None:
        response = Browser().get(PATH, headers={"Authorization": key(shop)})

        assert refusal(response)[0] == 405
        assert response["Allow"] == "POST"


class TestAnswering:
    def test_every_documented_member_is_there(self, shop: Shop) -> None:
        in_grace(shop)

        assert ok(shop, "web-1").keys() == AkinonOrder.model_fields.keys()

    def test_ids_are_stable_and_their_own_in_each_tenant(self, shop: Shop) -> None:
        body = {"channel_name": "web", "customer": {"email": "a@example.com"}}
        in_grace(shop, **body)
        shop.captured(order(external_id="web-2", grace_period=600, **body))
        other = Shop()
        in_grace(other, **body)

        first, second, foreign = ok(shop, "web-1"), ok(shop, "web-2"), ok(other, "web-1")

        for name in ("channel", "customer"):
            assert 0 < first[name] == second[name] < 2**31
            assert foreign[name] != first[name]
            assert first["extra_field"][name] == second["extra_field"][name]
        assert first["extra_field"]["channel"] == "web"
        assert first["extra_field"]["customer"] != foreign["extra_field"]["customer"]
        assert first["pk"] != second["pk"]

    def test_ids_that_follow_from_names_fit_32_bits(self, shop: Shop) -> None:
        """Half of all ids would not, if they were any longer."""
        members = ("channel", "customer", "payment_option", "checkout_provider_id", "cargo_company")
        state: dict[str, set[int]] = {name: set() for name in members}
        for n in range(24):
            payment = {
                "type": "captured",
                "amount": 11,
                "method": f"m{n}",
                "processor": f"p{n}",
                "processed_at": "2024-05-01T12:00:00Z",
                "correlation_ref": "C-1",
            }
            body = order(
                external_id=f"web-{n}",
                channel_name=f"shop {n}",
                customer={"id": f"c-{n}"},
                payments=[payment],
            )
            it = stored(shop.captured(body))
            Item.objects.filter(order=it).update(tracking_code="T", carrier=f"carrier {n}")
            answer = ok(shop, f"web-{n}")
            for name in members:
                state[name].add(answer[name])

        for name, ids in state.items():
            assert len(ids) == 24, name
            assert all(0 < one < 2**31 for one in ids), name

    def test_an_order_without_a_customer_has_the_id_0(self, shop: Shop) -> None:
        in_grace(shop)

        answer = ok(shop, "web-1")

        assert (answer["customer"], answer["extra_field"]["customer"]) == (0, None)

    def test_what_was_said_at_capture_comes_back(self, shop: Shop) -> None:
        payment = {
            "type": "authorized",
            "amount": Decimal("11"),
            "method": "credit_card",
            "processed_at": "2024-05-01T12:00:00Z",
            "processor": "bank",
            "correlation_ref": "p-1",
            "metadata": {"bin": "411111", "installment_count": 6},
        }
        in_grace(
            shop,
            payments=[payment],
            ip_address="192.0.2.1",
            extended_attributes=[{"name": "segment", "value": "premium"}],
            customer={"email": "a@example.com", "language": "tr"},
        )

        answer = ok(shop, "web-1")

        existing = {
            "bin_number": "411111",
            "installment_count": 6,
            "payment_option_slug": "credit_card",
            "remote_addr": "192.0.2.1",
            "segment": "premium",
            "language_code": "tr",
            "currency": "eur",
            "amount": 11,
            "date_placed": "2024-05-01T12:00:00.000000Z",
        }
        assert {name: answer[name] for name in existing} == existing

    @pytest.mark.parametrize(
        ("value", "expected"),
        [("41111", None), ("4111111", None), ("abcdef", None), ("4111111111111111", None)],
    )
    def test_C23_first_digits_are_six_or_none(self, shop: Shop, value: str, expected: None) -> None:
        placed = in_grace(shop)
        results = Order.objects.get(uuid=placed["origin_id"])
        results.details |= {"payments": [{"method": "card", "metadata": {"bin_number": value}}]}
        results.save(update_fields=["details"])

        assert ok(shop, "web-1")["bin_number"] is expected

    def test_C24_an_address_that_is_no_ipv4_is_not_told(self, shop: Shop) -> None:
        in_grace(shop, ip_address="2001:db8::1")

        assert ok(shop, "web-1")["remote_addr"] is None

    def test_amounts_stay_exact(self, shop: Shop) -> None:
        price = {"net": Decimal("0.100"), "tax": Decimal("0.205"), "gross": Decimal("0.305")}
        shop.captured(
            order(item(price=price), currency="KWD", external_id="web-1", grace_period=600)
        )

        raw = send(shop, {"order": "web-1"}).content

        assert b'"amount":0.305' in raw

    @pytest.mark.parametrize(
        ("statuses", "holds", "code"),
        [
            ("pending", set(), 200),
            ("pending", {"grace"}, 200),
            ("pending", {"support"}, 350),
            ("pending", {"big_order", "grace"}, 350),
            ("on_hold", set(), 400),
            ("in_fulfillment", set(), 400),
            ("captured", set(), 400),
            ("complete", set(), 500),
            ("returned", set(), 600),
            ("cancelled", set(), 100),
            ("cancelled complete", set(), 500),
            ("complete in_fulfillment returned", set(), 400),
        ],
    )
    def test_an_order_is_as_far_as_its_slowest_item(
        self, statuses: str, holds: set[str], code: int
    ) -> None:
        results = [Item(status=status) for status in statuses.split()]

        assert akinon_rendering.order_status(results, frozenset(holds)) == code

    def test_packing_and_handing_over_have_codes_of_their_own(self) -> None:
        none: frozenset[str] = frozenset()
        packed = Item(status=ItemStatus.IN_FULFILLMENT, is_packing=True)
        handed_over = Item(status=ItemStatus.COMPLETE, is_in_store=True)

        assert akinon_rendering.item_status(packed, none) == 450
        assert akinon_rendering.item_status(handed_over, none) == 550

    def test_every_status_of_an_item_has_a_code(self) -> None:
        assert akinon_rendering.STATUSES.keys() == set(ItemStatus)

    def test_a_cancelled_item_is_told_with_its_reason(self, shop: Shop) -> None:
        placed = shop.captured(
            order(item(is_preorder=True), item(), external_id="web-1", grace_period=600)
        )
        cancellation.cancel_item(
            tenant=shop.tenant,
            reference="web-1",
            id_type="external",
            item=UUID(placed["items"][0]["id"]),
            actor="test",
        )

        answer = ok(shop, "web-1")

        assert answer["cancel_status"] is None
        assert answer["cancellation_info"]["order_items"] == [keys_of(placed)[0]]


class TestLogin:
    def login(self, body: Any) -> HttpResponse:
        return Browser().post(LOGIN, json.dumps(body), content_type="application/json")

    def test_credentials_become_a_key_that_captures_and_nothing_else(self, shop: Shop) -> None:
        in_grace(shop)
        client, secret = clients.create(tenant=shop.tenant, name="akinon")

        response = self.login({"username": client.client_id, "password": secret})

        assert response.status_code == 200
        assert response["Cache-Control"] == "no-store"
        results = read(response)["key"]
        assert send(shop, {"order": "web-1"}, Authorization=f"Token {results}").status_code == 200
        as_bearer = {"Authorization": f"Bearer {results}"}
        assert Browser().get("/v0/orders?customer_id=x", headers=as_bearer).status_code == 403

    def test_wrong_credentials_are_a_400(self, shop: Shop) -> None:
        client, secret = clients.create(tenant=shop.tenant, name="akinon")
        limited = clients.create(tenant=shop.tenant, name="other", scopes=["orders:read"])

        for username, password in (
            (client.client_id, "wrong"),
            ("nobody", secret),
            (limited.client.client_id, limited.secret),
        ):
            message = refusal(self.login({"username": username, "password": password}))
            assert message == (
                400,
                {
                    "non_field_errors": ["Unable to log in with provided credentials."],
                    "code": "invalid_credentials",
                },
            )

    @pytest.mark.parametrize("body", [{}, {"username": "x"}, {"username": "", "password": "x"}])
    def test_a_field_that_is_missing_is_named(self, shop: Shop, body: Any) -> None:
        status, message = refusal(self.login(body))

        assert status == 400
        assert message.keys() <= {"username", "password", "code"}

    def test_a_rotated_secret_ends_its_keys(self, shop: Shop) -> None:
        in_grace(shop)
        client, secret = clients.create(tenant=shop.tenant, name="akinon")
        results = read(self.login({"username": client.client_id, "password": secret}))["key"]
        clients.rotate(client.client_id)

        status, _ = refusal(send(shop, {"order": "web-1"}, Authorization=f"Token {results}"))

        assert status == 401

    def test_a_key_lasts_a_day(self, shop: Shop) -> None:
        client, secret = clients.create(tenant=shop.tenant, name="akinon")
        self.login({"username": client.client_id, "password": secret})

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM expires - now()) FROM oauth2_provider_accesstoken"
                " WHERE application_id = %s",
                [client.pk],
            )
            [(seconds,)] = cursor.fetchall()
        assert abs(float(seconds) - tokens.LEGACY_LIFETIME.total_seconds()) < 60


@pytest.mark.django_db(transaction=True)
def test_of_eight_captures_at_once_one_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    placed = in_grace(shop, 2)
    meet(monkeypatch, confirmation, "_confirmable", number=8)

    def capture() -> Any:
        return confirmation.confirm(tenant=shop.tenant, name="web-1", choices=None, actor="test")

    with alone():
        answers = at_once([capture] * 8)

    rendered = [akinon_rendering.rendered(account, shop.tenant) for account in answers]
    assert all(answer == rendered[0] for answer in rendered)
    assert events(placed).count("order.captured") == 1
    assert events(placed).count("order.opened") == 1
    assert verbs(placed).count("confirmed") == 1

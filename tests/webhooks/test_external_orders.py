"""Tests of external orders in detail and history, in both versions."""

from uuid import uuid4

import pytest

from configuration import keys
from configuration.services.pseudonyms import is_token
from orders.api.external_models import OrderHistoryV1
from tests.orders.shop import ORDERS_V2, Shop, documented, order, problem, read
from tests.webhooks.federated import FederatedShop
from webhooks import external_orders
from webhooks.models import ExternalOms

pytestmark = pytest.mark.django_db(transaction=True)  # a request to the OMS closes the connection


@pytest.fixture
def oms(fake_oms):
    return fake_oms("good")


@pytest.fixture
def shop(oms):
    return FederatedShop(oms)


def of(customer, **members):
    return order(customer=customer, **members)


class TestDetail:
    def test_comes_from_the_oms_in_our_words(self, shop):
        details = [shop.foreign(f"ADA-{n:03}") for n in range(1, 30)]

        assert {o["origin"] for o in details} == {"external"}
        assert {o["status"] for o in details} == {"on_hold", "open", "closed"}
        assert "same_day_delivery" in {o["fulfillment_type"] for o in details}
        assert all(o["id"] == o["origin_id"] and o["tax_exempt"] is False for o in details)
        assert all(o["payment_history"] and o["totals"] and o["customer"] for o in details)

    def test_is_the_same_in_both_versions_with_the_time_as_the_oms_wrote_it(self, shop):
        responses = [shop.detail("ADA-001", "external", version2=v) for v in (False, True)]

        one, two = map(read, responses)
        assert [r["Content-Type"] for r in responses] == ["application/json", ORDERS_V2]
        assert len(one["placed_at"]) == len("2024-01-11T08:04:00.000Z")
        assert one == two

    def test_of_what_the_oms_does_not_know_is_a_404_without_a_body(self, shop):
        shop.captured(order(external_id="NONE-1"))  # stored here, but the OMS decides

        response = shop.detail("NONE-1", "external")

        assert (response.status_code, response.content) == (404, b"")

    @pytest.mark.parametrize("name", [".", "..", "../admin", "a/../b", "a\\..\\b", "x" * 257])
    def test_is_not_asked_for_by_names_that_would_be_another_address(self, shop, oms, name):
        assert shop.get(f"/v0/orders/{name}", id_type="external").status_code == 404
        assert oms.asked() == []

    def test_that_cannot_be_asked_for_is_no_reason_to_let_the_oms_rest(self, shop, oms):
        oms.become("400")
        for _ in range(7):
            assert problem(shop.detail("ADA-001", "external"))[0] == 503

        assert len(oms.asked()) == 7
        assert ExternalOms.objects.get().last_error == "status_400"
        oms.become("good")
        assert shop.foreign("ADA-001")

    def test_asks_for_every_name_as_one_part_of_the_address(self, shop, oms):
        for name in ("a/b", "a?b=c", "a%2Fb", "a#b", "ä b"):
            shop.get(
                f"/v0/orders/{name.replace('%', '%25').replace('?', '%3F')}", id_type="external"
            )

        assert all(target.count("/") == 2 and "?" not in target for target in oms.asked())

    @pytest.mark.parametrize("version2", [False, True])
    def test_by_our_id_asks_nobody_else(self, shop, oms, version2):
        answer = shop.captured(order())

        assert shop.order(answer["origin_id"], version2=version2)["id"] == answer["id"]
        assert shop.detail(uuid4()).status_code == 404
        assert oms.asked() == []

    def test_is_ours_where_no_webhook_is_configured(self, oms):
        plain = Shop()
        answer = plain.captured(order(external_id="ADA-001"))

        assert plain.order("ADA-001", "external")["origin_id"] == answer["origin_id"]
        assert oms.asked() == []

    def test_of_another_tenants_oms_cannot_be_read(self, shop, oms):
        assert Shop().detail("ADA-001", "external").status_code == 404
        assert oms.asked() == []

    def test_holds_a_personal_detail_as_a_token_for_tenants_that_ask_for_it(self, oms):
        shop = FederatedShop(oms, uses_pii_tokens=True)

        customer = shop.foreign("ADA-001")["customer"]

        assert {is_token(value) for value in customer.values()} == {True}
        assert shop.foreign("ADA-002")["customer"]["email"] == customer["email"]


class TestHistory:
    def test_asks_by_the_last_email_we_know_of_the_customer(self, shop, oms):
        shop.captured(
            of({"id": "c-1", "email": "old@example.com"}, placed_at="2020-01-01T00:00:00Z")
        )
        shop.captured(of({"id": "c-1", "email": "ada+x@example.com"}))
        shop.captured(of({"id": "c-2", "email": "bob@example.com"}))

        shop.page("c-1")
        shop.whole("c-1")

        assert oms.asked() == ["/orders?consumer_email=ada%2Bx%40example.com"] * 2

    def test_asks_by_token_for_tenants_that_use_tokens(self, oms):
        shop = FederatedShop(oms, uses_pii_tokens=True)
        shop.captured(of({"id": "c-1", "email": "ada@example.com"}))
        [mine] = [o for o in shop.page("c-1")["orders"] if o["origin"] == "newstore"]
        token = mine["customer"]["id"]

        page = shop.page(token)

        assert oms.asked() == [f"/orders?consumer_token={token}"] * 2
        assert {o["customer"]["id"] for o in page["orders"]} == {token}
        assert {o["customer"]["email"] for o in page["orders"]} == {mine["customer"]["email"]}

    def test_merges_both_systems_newest_first(self, shop):
        shop.captured(
            of({"id": "c-1", "email": "ada@example.com"}, placed_at="2024-01-13T00:00:00Z")
        )
        shop.captured(
            of({"id": "c-1", "email": "ada@example.com"}, placed_at="2020-01-01T00:00:00Z")
        )

        page = shop.page("c-1")

        assert [o["origin"] for o in page["orders"]] == [
            "external", "external", "external", "newstore", "external", "newstore",
        ]  # fmt: skip
        times = [o["placed_at"] for o in page["orders"]]
        assert times == sorted(times, reverse=True)
        assert page["pagination_info"] == {"count": 6, "offset": 0, "total": 6}
        assert {o["customer"]["id"] for o in page["orders"]} == {"c-1"}
        assert {o["customer"]["email"] for o in page["orders"]} == {"ada@example.com"}

    def test_has_an_order_that_both_know_once_as_the_oms_has_it(self, shop):
        customer = {"id": "c-1", "email": "ada@example.com"}
        shop.captured(of(customer, external_id="ADA-002"))
        alone = shop.captured(of(customer, external_id="WEB-1"))

        page, whole = shop.page("c-1"), shop.whole("c-1")

        ids = [o["id"] for o in page["orders"]]
        assert sorted(ids) == ["ADA-001", "ADA-002", "ADA-003", "ADA-004", alone["id"]]
        assert page["pagination_info"]["total"] == 5
        assert [o["id"] for o in whole] == ids
        assert {o["origin"] for o in page["orders"] if o["id"] == "ADA-002"} == {"external"}

    @pytest.mark.parametrize("count", [3, 7, 50])
    def test_has_every_order_on_one_page_exactly(self, fake_oms, count):
        shop = FederatedShop(fake_oms("many"))
        customer = {"id": "c-1", "email": "ada@example.com"}
        for n in range(30):  # older, newer and between those of the OMS
            day = f"202{4 if n % 2 else 2}-01-{n + 1:02}T12:00:00Z"
            shop.captured(of(customer, placed_at=day))

        pages = [shop.page("c-1", offset=at, count=count) for at in range(0, 131, count)]

        everything = [o for page in pages for o in page["orders"]]
        assert len({o["id"] for o in everything}) == len(everything) == 130
        assert {page["pagination_info"]["total"] for page in pages} == {130}
        times = [o["placed_at"] for o in everything]
        assert times == sorted(times, reverse=True)
        assert shop.page("c-1", offset=130)["orders"] == []

    def test_has_in_version_2_a_base_price_and_arrays_of_attributes(self, shop):
        orders = shop.page("ada@example.com")["orders"]

        prices = [item["price"] for one in orders for item in one["items"]]
        assert {one["origin"] for one in orders} == {"external"}
        assert all(price["base"] == price["net"] + price["discount"] for price in prices)
        assert all(one["extended_attributes"] == [] for one in orders)
        assert all(item["extended_attributes"] == [] for one in orders for item in one["items"])

    def test_in_version_1_has_the_documented_prices_only(self, shop):
        shop.captured(of({"email": "ada@example.com"}))

        orders = documented(OrderHistoryV1, shop.get("/v0/orders", customer_id="ada@example.com"))[
            "orders"
        ]

        assert {one["origin"] for one in orders} == {"external", "newstore"}
        prices = [item["price"] for one in orders for item in one["items"]]
        assert {tuple(sorted(price)) for price in prices} == {("discount", "gross", "net", "tax")}

    def test_keeps_the_newest_hundred_of_the_oms(self, fake_oms):
        shop = FederatedShop(fake_oms("many"))

        assert shop.page("ada@example.com")["pagination_info"]["total"] == 100
        newest = max(o["placed_at"] for o in shop.whole("ada@example.com"))
        assert shop.page("ada@example.com")["orders"][0]["placed_at"][:19] == newest[:19]

    def test_is_newest_first_whatever_order_the_oms_lists(self, fake_oms):
        shop = FederatedShop(fake_oms("oldest_first"))

        times = [o["placed_at"] for o in shop.whole("ada@example.com")]

        assert len(times) > 1
        assert times == sorted(times, reverse=True)

    def test_in_version_1_says_the_status_as_the_oms_does(self, shop):
        customer = {"id": "c-1", "email": "heavy@example.com"}
        shop.captured(of(customer, placed_at="2026-01-01T00:00:00Z"))
        response = shop.get("/v0/orders", customer_id="c-1")

        orders = documented(OrderHistoryV1, response)["orders"]

        assert len(orders) == 100
        external = [o for o in orders if o["origin"] == "external"]
        assert {o["status"] for o in external} == {"pending", "in_fulfillment", "complete"}
        assert "same_day_delivery" in {o["fulfillment_type"] for o in external}
        assert all("external_identifier" in i for o in orders for i in o["items"])
        [own] = [o for o in orders if o["origin"] == "newstore"]
        assert own["status"] == "open"
        assert not own["placed_at"].endswith("Z")

    @pytest.mark.parametrize("version2", [False, True])
    def test_by_an_email_address_needs_no_order_of_ours(self, shop, version2):
        mine = shop.captured(of({"email": "ada@example.com"}, placed_at="2020-01-01T00:00:00Z"))

        response = shop.get("/v0/orders", customer_id="ada@example.com", version2=version2)

        ids = [o["id"] for o in read(response)["orders"]]
        assert ids == ["ADA-004", "ADA-003", "ADA-002", "ADA-001", mine["id"]]

    def test_by_an_email_address_that_is_a_shops_own_id_has_its_orders(self, shop):
        mine = shop.captured(of({"id": "ada@example.com"}, placed_at="2020-01-01T00:00:00Z"))

        page = shop.page("ada@example.com")

        assert [o["id"] for o in page["orders"]][-1] == mine["id"]
        assert page["pagination_info"]["total"] == 5

    def test_of_whom_nobody_knows_is_a_404_in_version_1_and_empty_in_version_2(self, shop, oms):
        refused = shop.get("/v0/orders", customer_id="c-404")

        message = "customer with given customer_id not found"
        assert problem(refused) == (404, "customer_not_found", message)
        assert shop.page("c-404")["pagination_info"] == {"count": 0, "offset": 0, "total": 0}
        assert oms.asked() == []

    def test_of_whom_only_we_know_is_ours(self, fake_oms):
        shop = FederatedShop(fake_oms("404"))
        mine = shop.captured(of({"id": "c-1", "email": "ada@example.com"}))

        assert [o["id"] for o in shop.page("c-1")["orders"]] == [mine["id"]]
        assert [o["id"] for o in shop.whole("c-1")] == [mine["id"]]
        assert problem(shop.get("/v0/orders", customer_id="x@y.zz"))[1] == "customer_not_found"


class TestMissing:
    MESSAGE = "API Key is required to access external OMS"

    @pytest.mark.parametrize(
        ("path", "version2"),
        [
            ("/v0/orders/ADA-001?id_type=external", False),
            ("/v0/orders/ADA-001?id_type=external", True),
            ("/v0/orders?customer_id=c", False),
        ],
    )
    def test_webhook_of_a_tenant_with_an_external_oms_is_a_412(self, path, version2):
        shop = Shop()
        shop.set(keys.EXTERNAL_OMS, {"enabled": True})

        refused = shop.get(path, version2=version2)

        assert problem(refused) == (412, "precondition_error", self.MESSAGE)

    def test_webhook_is_a_503_to_a_history_in_version_2(self):
        shop = Shop()
        shop.set(keys.EXTERNAL_OMS, {"enabled": True})

        refused = shop.history("c")

        assert problem(refused) == (503, "external_server_error", self.MESSAGE)
        assert refused["Retry-After"]

    def test_webhook_does_not_matter_to_orders_asked_by_our_id(self):
        shop = Shop()
        answer = shop.captured(order())
        shop.set(keys.EXTERNAL_OMS, {"enabled": True})

        assert shop.order(answer["origin_id"])

    def test_key_to_open_the_stored_one_is_a_412_too(self, shop, oms, settings):
        settings.ENCRYPTION_KEYS = ["other:" + "A" * 43 + "="]
        shop.forget()

        assert problem(shop.detail("ADA-001", "external"))[:2] == (412, "precondition_error")
        assert oms.asked() == []


def test_the_key_goes_where_an_oms_may_look_for_it(shop):
    webhook = external_orders.webhook_of(shop.tenant)

    headers = external_orders.headers(webhook)

    assert headers["Authorization"] == f"Bearer {webhook.api_key}"
    assert headers["X-Api-Key"] == webhook.api_key
    assert shop.detail("ADA-001", "external").status_code == 200  # the fake OMS checks the key


def test_a_change_of_the_configuration_is_seen_within_a_second(shop, fake_oms, monkeypatch):
    assert shop.foreign("ADA-001")
    shop.set(
        keys.EXTERNAL_ORDER_WEBHOOK,
        {"url": fake_oms("404").url, "api_key": "k", "timeout": 2},
    )

    now = external_orders.oms_health.monotonic()
    monkeypatch.setattr(external_orders.oms_health, "monotonic", lambda: now + 1.01)

    assert shop.detail("ADA-001", "external").status_code == 404


def test_reading_leaves_a_note_of_how_the_oms_is_doing(shop):
    shop.foreign("ADA-001")

    [row] = ExternalOms.objects.all()
    assert (row.tenant, row.failures, row.last_error) == (shop.tenant, 0, "")
    assert row.last_success_at is not None
    noted = row.last_success_at
    shop.foreign("ADA-002")
    row.refresh_from_db()
    assert row.last_success_at == noted  # not written at every success

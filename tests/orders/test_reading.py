"""Reading orders: by every name, in both versions, a customer's page by page; and nobody else's."""

import re
from uuid import uuid4

import pytest

from configuration.services.pseudonyms import TOKEN_LENGTH
from orders.models import CustomerTally
from tests.factories import ClientFactory, bearer
from tests.orders.shop import ORDERS_V2, Shop, item, order, problem, read, sample

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop()


def of(customer, **members):
    return order(customer={"id": customer}, **members)


class TestDetail:
    def test_is_found_by_every_name_of_the_order(self, shop):
        answer = shop.captured(order(external_id="A-1"))

        by_id = shop.detail(answer["origin_id"]).content
        assert shop.detail(answer["origin_id"].upper()).content == by_id
        assert shop.detail("A-1", "external").content == by_id
        assert shop.detail(answer["number"], "external").content == by_id

    def test_by_a_name_that_is_also_a_number_is_its_own(self, shop):
        first = shop.captured(order())
        named = shop.captured(order(external_id="NS00000003"))
        others = [shop.captured(order(external_id=f"A-{n}")) for n in (2, 4)]

        assert [other["number"] for other in others] == ["NS00000002", "NS00000004"]
        for answer in (first, named, *others):
            assert shop.order(answer["number"], "external")["origin_id"] == answer["origin_id"]

    @pytest.mark.parametrize("zone", ["Z", "+00:00"])
    def test_differs_between_the_versions_only_in_how_the_time_is_printed(self, shop, zone):
        answer = shop.captured(order(placed_at=f"2021-11-22T12:51:39.30{zone}"))

        one, two = (shop.detail(answer["origin_id"], version2=v) for v in (False, True))

        assert (one["Content-Type"], two["Content-Type"]) == ("application/json", ORDERS_V2)
        first, second = read(one), read(two)
        assert first["placed_at"] == "2021-11-22T12:51:39.300000"
        assert second["placed_at"] == "2021-11-22T12:51:39.300000Z"
        assert first | {"placed_at": ""} == second | {"placed_at": ""}

    def test_says_nothing_of_what_nobody_said(self, shop):
        answer = shop.captured(order())

        detail = shop.order(answer["origin_id"])

        assert None not in detail.values()
        unsaid = {"customer", "shipping_address", "store_id", "gift_wrapping", "shipments"}
        assert not unsaid & set(detail)
        assert detail["items"][0]["external_identifier"] == {}

    @pytest.mark.parametrize(
        ("reference", "id_type"),
        [
            ("6d3d8f60-5d0f-4a53-9f35-2b9f5f6f0a01", "internal"),
            ("00000000-0000-0000-0000-000000000000", "internal"),
            ("not-a-uuid", "internal"),
            ("{6d3d8f60-5d0f-4a53-9f35-2b9f5f6f0a01}", "internal"),
            ("6d3d8f605d0f4a539f352b9f5f6f0a01", "internal"),
            ("nobody", "external"),
            ("%25", "external"),
            ("_", "external"),
            ("'; DROP TABLE orders_order; --", "external"),
            ("x" * 5000, "external"),
        ],
    )
    @pytest.mark.parametrize("version2", [False, True])
    def test_of_nothing_is_a_404_without_a_body(self, shop, reference, id_type, version2):
        shop.captured(order(external_id="A-1"))

        response = shop.detail(reference, id_type, version2=version2)

        assert (response.status_code, response.content) == (404, b"")

    @pytest.mark.parametrize("id_type", ["internal", "external"])
    def test_of_another_tenants_order_cannot_be_told_from_nothing(self, shop, id_type):
        other = Shop()
        answer = other.captured(order(external_id="A-1"))
        name, nothing = (answer["origin_id"], uuid4()) if id_type == "internal" else ("A-1", "A-2")

        theirs, absent = shop.detail(name, id_type), shop.detail(nothing, id_type)

        assert (theirs.status_code, theirs.content) == (404, b"")
        assert theirs.content == absent.content
        assert _without_ids(theirs) == _without_ids(absent)

    @pytest.mark.parametrize("reference", ["uuid of an order", "number"])
    def test_is_not_found_under_the_wrong_kind_of_name(self, shop, reference):
        answer = shop.captured(order())
        wrong = {
            "uuid of an order": (answer["origin_id"], "external"),
            "number": (answer["number"], "internal"),
        }[reference]

        assert shop.detail(*wrong).status_code == 404

    @pytest.mark.parametrize("id_type", ["", "INTERNAL", "foo", None])
    def test_without_a_known_kind_of_name_is_refused(self, shop, id_type):
        answer = shop.captured(order())
        query = {} if id_type is None else {"id_type": id_type}

        response = shop.get(f"/v0/orders/{answer['origin_id']}", **query)

        assert problem(response)[:2] == (400, "bad_request")

    def test_needs_the_scope(self, shop):
        answer = shop.captured(order())
        client = ClientFactory(tenant=shop.tenant)
        shop.headers = bearer(client, scope="orders:write")

        assert problem(shop.detail(answer["origin_id"]))[0] == 403


def _without_ids(response):
    return {n: v for n, v in response.headers.items() if n != "Request-Id"}


class TestHistory:
    def test_version_1_is_empty_without_an_external_oms(self, shop):
        shop.captured(of("c-1"))

        response = shop.get("/v0/orders", customer_id="c-1")

        assert response["Content-Type"] == "application/json"
        assert (response.status_code, read(response)) == (200, {"orders": []})

    def test_version_2_has_the_newest_first(self, shop):
        days = ["2024-05-02", "2024-05-01", "2024-05-03"]
        for day in days:
            shop.captured(of("c-1", external_id=day, placed_at=f"{day}T12:00:00Z"))
        shop.captured(of("c-2"))

        page = shop.page("c-1")

        assert [o["id"] for o in page["orders"]] == ["2024-05-03", "2024-05-02", "2024-05-01"]
        assert page["pagination_info"] == {"count": 3, "offset": 0, "total": 3}
        assert page["orders"][0]["placed_at"] == "2024-05-03T12:00:00.000000Z"

    def test_of_equal_times_has_the_last_captured_first_and_stays_so(self, shop):
        for n in range(5):
            shop.captured(of("c-1", external_id=f"A-{n}"))

        pages = [shop.page("c-1", offset=n, count=2)["orders"] for n in (0, 2, 4)]
        shop.captured(of("c-1", external_id="A-5"))
        later = shop.page("c-1", offset=1, count=50)["orders"]

        ids = [o["id"] for page in pages for o in page]
        assert ids == ["A-4", "A-3", "A-2", "A-1", "A-0"]
        assert [o["id"] for o in later] == ids

    def test_counts_what_is_on_the_page_and_what_there_is(self, shop):
        for _ in range(12):
            shop.captured(of("c-1"))

        def info(**query):
            return shop.page("c-1", **query)["pagination_info"]

        assert info() == {"count": 10, "offset": 0, "total": 12}
        assert info(offset=10) == {"count": 2, "offset": 10, "total": 12}
        assert info(offset=12) == {"count": 0, "offset": 12, "total": 12}
        assert info(offset=2**31 - 1, count=50)["count"] == 0
        assert sum(CustomerTally.objects.values_list("orders", flat=True)) == 12

    def test_is_not_counted_up_by_repeats_refusals_and_additions(self, shop):
        body = of("c-1", grace_period=60)
        shop.captured(body)
        shop.captured(body)
        shop.capture(body | {"shop": "other"})
        shop.captured({"id": body["id"], "items": [item()]})

        assert shop.page("c-1")["pagination_info"]["total"] == 1

    def test_of_a_stranger_is_an_empty_page(self, shop):
        other = Shop()
        other.captured(of("c-1"))

        for customer in ("c-1", "nobody", "%", "NS-EU-" + "U" * 53):
            page = shop.page(customer)
            assert page == {
                "pagination_info": {"count": 0, "offset": 0, "total": 0},
                "orders": [],
            }

    def test_finds_who_gave_only_an_address_by_the_id_we_show(self, shop):
        one = shop.captured(order(customer={"email": "Ada@example.com"}))
        two = shop.captured(order(customer={"email": "ada@EXAMPLE.com"}))
        assert one["customer"]["id"] == two["customer"]["id"]

        assert shop.page(one["customer"]["id"])["pagination_info"]["total"] == 2

    @pytest.mark.parametrize("query", [{}, {"customer_id": ""}])
    @pytest.mark.parametrize("version2", [False, True])
    def test_of_nobody_is_refused_in_the_documented_words(self, shop, query, version2):
        response = shop.get("/v0/orders", version2=version2, **query)

        assert problem(response) == (
            400,
            "bad_request",
            "Query param 'customer_id' is required.",
        )

    @pytest.mark.parametrize(
        "query",
        [
            {name: value}
            for name in ("offset", "count")
            for value in ("-1", "abc", "1.0", "+1", "1e1", "", str(2**31), str(2**64), "０")
        ]
        + [{"count": "0"}, {"count": "51"}],
        ids=lambda query: "=".join(*query.items()).encode("ascii", "replace").decode(),
    )
    def test_outside_the_range_is_refused(self, shop, query):
        assert problem(shop.history("c-1", **query))[:2] == (400, "bad_request")

    @pytest.mark.parametrize("value", ["0", "1", "-1", "abc", "", str(2**64)])
    def test_pages_are_of_version_2_only(self, shop, value):
        response = shop.get("/v0/orders", customer_id="c-1", offset=value, count=value)

        assert (response.status_code, read(response)) == (200, {"orders": []})


class TestPersonalData:
    SAID = {
        "email": "ada@example.com",
        "name": "Ada Byron",
        "first_name": "Ada",
        "last_name": "Byron",
        "phone": "202-555-0140",
        "address_line_1": "12 St James Square",
        "address_line_2": "Second Floor Left",
    }
    TOKEN = re.compile(r"NS-EU-([0-9A-HJKMNP-TV-Z]{26})-[0-9A-HJKMNP-TV-Z]{26}")

    def order_body(self):
        parts = ("first_name", "last_name", "phone", "address_line_1", "address_line_2")
        address = {name: self.SAID[name] for name in parts} | {"country": "GB", "city": "London"}
        return order(
            customer={"id": "customer-77", "name": "Ada Byron", "email": "ada@example.com"},
            shipping_address=address,
            billing_address=address,
        )

    @pytest.fixture
    def discreet(self):
        return Shop(uses_pii_tokens=True)

    def test_leaves_as_tokens_of_one_customer(self, discreet):
        answer = discreet.captured(self.order_body())

        address = answer["shipping_address"]
        tokens = [*answer["customer"].values()] + [
            address[name] for name in set(address) - {"country_code", "city"}
        ]
        assert len(tokens) == 8
        assert {len(token) for token in tokens} == {TOKEN_LENGTH}
        assert len({self.TOKEN.fullmatch(token)[1] for token in tokens}) == 1
        assert len(set(tokens)) == 8
        assert (address["country_code"], address["city"]) == ("GB", "London")
        assert answer["billing_address"] == address

    def test_is_nowhere_in_any_answer(self, discreet):
        first = discreet.capture(self.order_body())
        token = read(first)["customer"]["id"]
        uuid = read(first)["origin_id"]

        answers = [first, discreet.detail(uuid), discreet.history(token)]

        assert [a.status_code for a in answers] == [200] * 3
        for response in answers:
            text = response.content.decode()
            assert not [body for body in (*self.SAID.values(), "customer-77") if body in text]

    def test_finds_the_history_by_token(self, discreet):
        first = discreet.captured(self.order_body())
        second = discreet.captured(self.order_body() | {"items": [item()], "id": str(uuid4())})

        page = discreet.page(first["customer"]["id"])

        assert first["customer"] == second["customer"]
        assert page["pagination_info"]["total"] == 2
        assert {o["customer"]["id"] for o in page["orders"]} == {first["customer"]["id"]}

    def test_says_nothing_to_another_tenant(self, discreet):
        other = Shop(uses_pii_tokens=True)
        mine, theirs = discreet.captured(self.order_body()), other.captured(self.order_body())

        assert mine["customer"]["id"] != theirs["customer"]["id"]
        assert other.page(mine["customer"]["id"])["orders"] == []

    def test_is_in_the_clear_for_tenants_that_want_no_tokens(self, shop):
        answer = shop.captured(self.order_body())

        assert answer["customer"]["email"] == "ada@example.com"
        assert answer["shipping_address"]["last_name"] == "Byron"


def test_the_samples_of_real_clients_read_the_same_in_the_history(shop):
    answer = shop.captured(sample("injection_discounts"))

    [entry] = shop.page(answer["customer"]["id"])["orders"]

    for name in ("id", "origin_id", "status", "currency", "totals", "extended_attributes"):
        assert entry[name] == answer[name]
    assert entry["channel"] == {"id": "USC", "type": "web"}
    assert known(entry["shipping_address"]) == answer["shipping_address"]
    assert [i["id"] for i in entry["items"]] == [i["id"] for i in answer["items"]]
    assert [i["price"] for i in entry["items"]] == [i["price"] for i in answer["items"]]


def known(address):
    return {name: value for name, value in address.items() if value is not None}


class TestTheHistoryInVersion2:
    """Its members are there as the published page has them, whatever the order lacks."""

    ADDRESS = (
        "title", "suffix", "salutation", "first_name", "second_name", "last_name", "phone",
        "address_line_1", "address_line_2", "zip_code", "city", "province", "state",
        "country_code",
    )  # fmt: skip

    def entry(self, shop, **members):
        body = order(customer={"id": "c-1", "email": "ada@example.com"}, **members)
        shop.captured(body)
        return shop.page("c-1")["orders"][0]

    @pytest.mark.parametrize(
        ("method", "price", "base"),
        [
            ("tax_excluded", {"net": 72, "tax": 7.2, "gross": 79.2}, 72),
            ("tax_excluded", {"base": 80, "discount": 8, "net": 72, "tax": 7.2, "gross": 79.2}, 80),
            ("tax_included", {"net": 18.18, "tax": 1.82, "gross": 20}, 20),
        ],
    )
    def test_has_the_price_before_discounts(self, shop, method, price, base):
        entry = self.entry(shop, items=[item(price=price)], price_method=method)

        assert entry["items"][0]["price"]["base"] == base

    def test_has_extended_attributes_as_arrays(self, shop):
        one = self.entry(shop)
        shade = [{"name": "shade", "value": "teal"}]
        other = self.entry(
            shop, items=[item(extended_attributes=shade), item()], extended_attributes=shade
        )

        assert (one["extended_attributes"], one["items"][0]["extended_attributes"]) == ([], [])
        assert other["extended_attributes"] == shade
        assert [i["extended_attributes"] for i in other["items"]] == [shade, []]

    def test_has_every_part_of_an_address_and_null_for_what_is_not_known(self, shop):
        body = {"first_name": "Jane", "address_line_2": "", "country_code": "US"}
        entry = self.entry(shop, shipping_address=body)

        assert entry["shipping_address"] == dict.fromkeys(self.ADDRESS) | body

    def test_has_the_note_on_an_address_only_if_there_is_one(self, shop):
        body = {"country_code": "US", "note": "Ring twice"}

        assert self.entry(shop, shipping_address=body)["shipping_address"]["note"] == "Ring twice"
        assert "shipping_address" not in self.entry(shop)

    def test_has_no_token_for_what_is_not_known(self):
        shop = Shop(uses_pii_tokens=True)
        address = self.entry(shop, shipping_address={"first_name": "Jane", "country_code": "US"})

        tokens = known(address["shipping_address"]).keys() - {"country_code"}
        assert tokens == {"first_name"}

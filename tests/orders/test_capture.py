"""Taking orders in: the answer, the numbers, and what is refused and leaves nothing."""

from uuid import UUID

import pytest
from django.utils.dateparse import parse_datetime

from configuration import keys
from orders.models import Order
from tests.orders.shop import (
    Shop,
    contents,
    item,
    items,
    numbers_drawn,
    order,
    problem,
    read,
    rows,
    sample,
    stored,
)
from webhooks.models import Event

pytestmark = pytest.mark.django_db
SAMPLES = [
    "capture_minimal",
    "injection_discounts",
    "injection_tax_included_store",
    "injection_web_tax_excluded",
]


@pytest.fixture
def shop():
    return Shop()


def refused(shop, body, status=400):
    """The code and words of a refusal, after which nothing has changed."""
    before = contents()
    results, code, message = problem(shop.capture(body))
    assert results == status
    assert contents() == before
    return code, message


class TestTheAnswer:
    @pytest.mark.parametrize("name", SAMPLES)
    def test_is_the_detail_with_all_the_order_is_called_by(self, shop, name):
        answer = shop.captured(sample(name))

        names = {"external_id": answer["id"], "number": "NS00000001"}
        assert answer == shop.order(answer["origin_id"]) | names

    @pytest.mark.parametrize("name", SAMPLES)
    def test_to_the_same_again_is_the_same_to_the_byte(self, shop, name):
        first, again = shop.capture(sample(name)), shop.capture(sample(name))

        assert again.content == first.content

    def test_keeps_what_was_said(self, shop):
        body = sample("capture_minimal")

        answer = shop.captured(body)

        for name in ("shop_locale", "currency", "store_id", "associate_id", "channel_type"):
            assert answer[name] == body[name]
        assert answer["catalog"] == body["shop"]
        assert answer["origin_id"] == body["id"]
        assert answer["customer"].items() >= body["customer"].items()
        [thing], [as_said] = answer["items"], body["items"]
        for name in ("id", "product_id", "price", "tax_lines", "discounts", "product_attributes"):
            assert thing[name] == as_said[name]

    def test_has_the_tenants_defaults_for_what_was_not_said(self):
        shop = Shop(shop="books", shop_locale="de-AT")

        answer = shop.captured({"currency": "EUR", "items": [item()]})

        stored_order = stored(answer)
        assert (answer["catalog"], answer["shop_locale"]) == ("books", "de-AT")
        assert (answer["channel_type"], answer["tax_method"]) == ("web", "vat_excluded")
        assert answer["items"][0]["product_attributes"] == {"name": "SKU-1"}
        assert answer["fulfillment_type"] == "traditional"
        assert abs((stored_order.placed_at - stored_order.captured_at).total_seconds()) < 60
        assert parse_datetime(f"{answer['placed_at']}Z") == stored_order.placed_at

    def test_calls_an_app_the_web_but_remembers(self, shop):
        answer = shop.captured(order(channel_type="mobile"))

        assert answer["channel_type"] == "web"
        assert stored(answer).channel_type == "mobile"

    def test_keeps_odd_ids_and_gives_them_back(self, shop):
        odd = "a/b..%2f_-=#?é ü"

        answer = shop.captured(order(external_id=odd))

        assert answer["external_id"] == odd
        assert shop.order("a%2Fb..%252f_-=%23%3Fé ü", "external")["id"] == odd

    def test_goes_to_kosovo_too(self, shop):
        answer = shop.captured(order(shipping_address={"country": "XK"}))

        assert answer["shipping_address"] == {"country_code": "XK"}

    def test_takes_zip_and_phone_as_numbers_and_says_them_as_text(self, shop):
        address = {"country": "US", "zip_code": 2111, "phone": 123}

        answer = shop.captured(order(shipping_address=address))

        assert answer["shipping_address"] == {
            "country_code": "US",
            "zip_code": "2111",
            "phone": "123",
        }

    def test_counts_units_of_one_external_item_id_apart(self, shop):
        body = order(external_id="A-1")
        unit = {"product_id": "S", "external_item_id": "line-1", "price": body["items"][0]["price"]}
        body["items"] = [unit, unit, unit | {"external_item_id": "line-2"}]

        first, again = shop.captured(body), shop.captured(body)

        assert len({thing["id"] for thing in first["items"]}) == 3
        assert [i["external_identifier"]["external_item_id"] for i in first["items"]] == [
            "line-1",
            "line-1",
            "line-2",
        ]
        assert again == first

    def test_ignores_what_it_does_not_know_and_what_is_ours_to_decide(self, shop):
        """Mass assignment: none of these may be chosen by a caller."""
        forged = {
            "status": "closed",
            "number": "FORGED",
            "tenant": "other",
            "tenant_id": 7,
            "version": 99,
            "captured_at": "1999-01-01T00:00:00Z",
            "total": 0,
            "totals": {"total": 0},
            "origin": "external",
            "holds": [],
            "pk": 1,
            "__class__": "x",
            "details": {"payments": []},
        }
        thing = item(status="complete", location_code="X", order_id=1, is_in_store=True)

        answer = shop.captured(order(thing, **forged))

        stored_order = stored(answer)
        assert answer["status"] == "open"
        assert answer["items"][0]["status"] == "in_fulfillment"
        assert (answer["number"], answer["origin"]) == ("NS00000001", "newstore")
        assert answer["totals"]["total"] == 11
        assert stored_order.tenant == shop.tenant
        assert stored_order.captured_at.year > 2000
        assert set(stored_order.details) <= {"external_customer_id"}
        assert "forged" not in str(answer).lower()

    @pytest.mark.parametrize("version2", [False, True])
    def test_comes_in_both_versions(self, shop, version2):
        accept = "application/x.newstore.orders+json;version=2" if version2 else "application/json"

        response = shop.capture(order(placed_at="2024-05-01T14:00:00.5+02:00"), Accept=accept)

        assert response["Content-Type"] == accept
        moment = "2024-05-01T12:00:00.500000"
        assert read(response)["placed_at"] == (f"{moment}Z" if version2 else moment)


class TestNumbers:
    def test_are_the_prefix_and_the_padded_count(self):
        shop = Shop(sequence={"prefix": "NS-", "size": 5, "start": 7, "step": 3})

        numbers = [shop.captured(order())["number"] for _ in range(3)]

        assert numbers == ["NS-00007", "NS-00010", "NS-00013"]

    def test_are_what_an_order_is_called_whose_caller_gave_no_name(self, shop):
        answer = shop.captured(order())

        assert answer["id"] == answer["external_id"] == answer["number"] == "NS00000001"

    def test_is_the_next_that_nobody_brought_along(self, shop):
        for brought in range(1, 31):  # which are their numbers, so that none is drawn
            shop.captured(order(external_id=f"NS{brought:08}"))

        assert shop.captured(order())["number"] == "NS00000031"

    def test_are_not_spent_on_repeats_and_refusals(self, shop):
        order_body = order(external_id="A-1")
        shop.captured(order_body)
        for body in (
            order_body,
            order_body | {"shop": "other"},
            order(currency="nope"),
            order(item(price=1)),
        ):
            shop.capture(body)

        assert numbers_drawn(shop.tenant) == 1
        assert shop.captured(order())["number"] == "NS00000002"

    def test_are_each_tenants_own(self, shop):
        other = Shop()

        assert shop.captured(order())["number"] == other.captured(order())["number"]

    def test_without_a_sequence_there_is_no_order_until_there_is_one(self):
        shop, body = Shop(sequence={}), order()

        code, message = refused(shop, body, status=500)
        assert (code, message) == (
            "internal_server_error",
            "Sequence for tenant is not configured.",
        )

        shop.set(keys.SALES_ORDER_GENERATOR_SEQUENCE, {"prefix": "A", "size": 3})
        assert shop.captured(body)["number"] == "A001"

    @pytest.mark.django_db(transaction=True)  # the statement that fails is a transaction of its own
    def test_that_are_used_up_make_no_ugly_number(self):
        shop = Shop(sequence={"prefix": "A", "size": 1, "start": 8})
        assert [shop.captured(order())["number"] for _ in range(2)] == ["A8", "A9"]

        body = order()
        assert refused(shop, body, status=500)[0] == "sequence_exhausted"


class TestPayments:
    def paid(self, *amounts, **members):
        return [
            {
                "type": "captured",
                "amount": amount,
                "method": "cash",
                "processor": "cash",
                "processed_at": "2024-05-01T12:00:00Z",
                "correlation_ref": f"P-{n}",
            }
            | members
            for n, amount in enumerate(amounts)
        ]

    def test_in_several_parts_add_up(self, shop):
        answer = shop.captured(order(payments=self.paid(10, 1)))

        assert [p["amount"] for p in stored(answer).details["payments"]] == [10, 1]

    @pytest.mark.parametrize("amounts", [(10,), (11, 1), (12,)])
    def test_that_do_not_add_up_are_refused(self, shop, amounts):
        code, message = refused(shop, order(payments=self.paid(*amounts)))

        assert code == "bad_request"
        assert f"payments of '{sum(amounts)}' do not add up" in message

    def test_need_not_add_up_where_the_tenant_says_so(self):
        shop = Shop(checks_payment_totals=False)

        assert shop.captured(order(payments=self.paid(1)))["totals"]["total"] == 11

    def test_with_one_reference_twice_are_refused(self, shop):
        body = order(payments=self.paid(10, 1, correlation_ref="SAME"))

        assert "correlation_ref is used twice" in refused(shop, body)[1]


class TestAnExternalOms:
    """Second-tier orders (docs/contract.md, Capture): the literals, to the letter."""

    TIER2 = "[input_error:invalid_tier2_order_injection] "
    FAULTS = (
        "Number of shipments should be 1 for injected order",
        "Shipping address is required for injected order",
        "Routing strategy should be external",
        "Fulfilment node id is required in tier 2 external order",
    )

    def tier2_body(self, **members):
        routing = {"strategy": "external", "fulfillment_node_id": "NODE"}
        proper = {
            "shipments": [{"routing_strategy": routing}],
            "shipping_address": {"country": "US"},
        }
        return order(**proper | members)

    @pytest.fixture
    def tier2(self):
        shop = Shop()
        shop.set(keys.EXTERNAL_OMS, {"enabled": True})
        return shop

    def test_refuses_all_that_is_wrong_in_one_sentence(self, tier2):
        code, message = refused(tier2, order())

        assert code == "bad_request"
        assert message == self.TIER2 + ", ".join(self.FAULTS)

    @pytest.mark.parametrize(
        ("members", "fault"),
        [
            ({"shipping_address": None}, 1),
            (
                {
                    "shipments": [
                        {
                            "routing_strategy": {
                                "strategy": "prerouted",
                                "fulfillment_node_id": "NODE",
                            }
                        }
                    ]
                },
                2,
            ),
            ({"shipments": [{"routing_strategy": {"strategy": "external"}}]}, 3),
        ],
    )
    def test_refuses_one_fault_by_its_name(self, tier2, members, fault):
        assert refused(tier2, self.tier2_body(**members))[1] == self.TIER2 + self.FAULTS[fault]

    def test_refuses_a_second_shipment(self, tier2):
        body = self.tier2_body()
        one, two = "0b8f6c1e-6a3f-4e8a-9c0d-2f6f0f3a7d11", "0b8f6c1e-6a3f-4e8a-9c0d-2f6f0f3a7d12"
        [shipment] = body["shipments"]
        body["shipments"] = [shipment | {"id": one}, shipment | {"id": two}]
        body["items"] = [item(shipment_id=one), item(shipment_id=two)]

        assert refused(tier2, body)[1] == self.TIER2 + self.FAULTS[0]

    def test_asks_nothing_of_what_never_travels(self, tier2):
        body = order(item(fulfillment_group_type="IN_STORE_HANDOVER"), channel_type="store")

        assert tier2.captured(body)["status"] == "closed"

    def test_that_is_absent_refuses_external_routing(self, shop):
        assert refused(shop, self.tier2_body()) == (
            "bad_request",
            "[input_error:invalid_order_injection] Invalid order injection with external routing "
            "strategy",
        )


class TestWhatIsRefused:
    WORDS = "Validation of capture order failed with error: "

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({}, "'items' is a required property."),
            ({"items": [], "currency": "EUR"}, "items: the value is too short"),
            ({"items": [item()]}, "'currency' is a required property."),
            ({"items": [{"price": item()["price"]}]}, "items.0: 'product_id' is a required"),
            ({"items": [{"product_id": "S"}]}, "items.0: 'price' is a required property."),
            ([], "an array is not of type 'object'."),
        ],
    )
    def test_in_the_documented_words(self, shop, body, words):
        code, message = refused(shop, body)

        assert code == "bad_request"
        assert message.startswith(self.WORDS + words)

    @pytest.mark.parametrize(
        "members",
        [
            {"id": "5"},
            {"id": 5},
            {"id": "{6d3d8f60-5d0f-4a53-9f35-2b9f5f6f0a01}"},
            {"id": "urn:uuid:6d3d8f60-5d0f-4a53-9f35-2b9f5f6f0a01"},
            {"external_id": ""},
            {"external_id": " A"},
            {"external_id": "A\n"},
            {"external_id": "A" * 65},
            {"external_id": "A\u202eB"},
            {"external_id": "A\u0000B"},
            {"currency": "usd"},
            {"currency": "XXX"},
            {"currency": ""},
            {"placed_at": "2024-05-01"},
            {"placed_at": "2024-05-01T12:00:00"},
            {"placed_at": 1714564800},
            {"placed_at": "2024-02-30T12:00:00Z"},
            {"placed_at": "2024-05-01T12:00:60Z"},
            {"placed_at": "0000-05-01T12:00:00Z"},
            {"placed_at": "9999-12-31T23:59:59-14:00"},
            {"placed_at": "2124-05-01T12:00:00Z"},
            {"shop_locale": "en_us"},
            {"channel_type": "WEB"},
            {"price_method": "none"},
            {"customer": {"email": "a@b"}},
            {"customer": {"email": "a@b.de\r\nBcc: c@d.de"}},
            {"shipping_address": {}},
            {"shipping_address": {"country": "UK"}},
            {"shipping_address": {"country_code": "usa"}},
            {"shipping_address": {"country": "US", "address_line_1": "x" * 10_000}},
            {"extended_attributes": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]},
            {"extended_attributes": [{"name": "a", "value": {}}]},
            {"grace_period": -1},
            {"grace_period": 10**9},
            {"grace_period": "5"},
            {"ip_address": "host.example"},
            {"gift_wrapping": {"message": "x" * 10_000, "price": {"net": 1, "tax": 0, "gross": 1}}},
            {"shipments": [{"routing_strategy": {"strategy": "prerouted"}}]},
            {"shipments": [{}] * 11},
            {"shipments": {}},
            {"payments": [{}]},
            {"items": [item(quantity=2)]},
            {"items": [item(quantity=0)]},
            {"items": [item(id="x")]},
            {"items": [item()] * 2},
            {"items": [item(product_attributes={"image_url": "javascript:alert(1)"})]},
            {"items": [item(tax_lines=[{"amount": 1, "rate": 101}])]},
            {"items": [item(shipment_id="6d3d8f60-5d0f-4a53-9f35-2b9f5f6f0a01")]},
            {"items": [item(), None]},
        ],
        ids=lambda members: next(iter(members)),
    )
    def test_writes_nothing(self, shop, members):
        assert refused(shop, order(**members))[0] == "bad_request"

    @pytest.mark.parametrize("absent", ["Request-Id", "Tenant", "X-Newstore-Tenant"])
    def test_without_a_required_header(self, shop, absent):
        before = rows()

        status, code, message = problem(shop.capture(order(), **{absent: ""}))

        assert (status, code) == (400, "bad_request")
        assert absent in message
        assert rows() == before

    def test_for_another_tenant(self, shop):
        other = Shop()

        response = shop.capture(order(), **other.tenant_headers)

        assert problem(response)[0] == 403
        assert not Order.objects.exists()


def test_upper_case_ids_are_the_same_ids(shop):
    body = order(id="6D3D8F60-5D0F-4A53-9F35-2B9F5F6F0A01")

    answer = shop.captured(body)

    assert UUID(answer["origin_id"]) == UUID(body["id"])
    assert shop.captured(body | {"id": body["id"].lower()}) == answer


@pytest.mark.django_db(transaction=True)  # the statement that fails is a transaction of its own
def test_what_cannot_be_announced_is_not_captured_either(shop):
    body = order(*items(3), grace_period=60, customer={"id": "c-1"})
    in_the_way = Event.objects.create(
        tenant=shop.tenant, subject=body["id"], name="order.created", version=1, payload={}
    )
    before = rows()
    assert shop.capture(body).status_code == 500

    assert rows() == before
    in_the_way.delete()
    assert shop.captured(body)["status"] == "on_hold"
    assert rows() != before

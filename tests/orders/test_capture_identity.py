"""The order that a capture is about: a repetition, more items, or a contradiction."""

import json
from uuid import uuid4

import pytest

from configuration import keys
from orders.models import Hold, Item, Order, TimelineEntry
from tests.orders.shop import Shop, contents, item, items, order, problem, read, sample, stored
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop()


def conflict(shop, body):
    """The JSON pointers of a documented 409, after which nothing has changed."""
    before = contents()
    response = shop.capture(body)
    assert problem(response) == (
        409,
        "conflict",
        "Order capture payload is conflicting with existing database records.",
    )
    assert contents() == before
    return read(response)["differences"]


def nameless(body):
    """The order without an id of its own."""
    return {name: value for name, value in body.items() if name != "id"}


def reversed_keys(value):
    if isinstance(value, dict):
        return {name: reversed_keys(value[name]) for name in reversed(value)}
    return [reversed_keys(member) for member in value] if isinstance(value, list) else value


class TestTheSameAgain:
    def repeats(self, shop, first, again):
        """Both are answered with the same bytes, and the second writes nothing."""
        answer = shop.capture(first)
        assert answer.status_code == 200, answer.content
        before = contents()
        repeated = shop.capture(again)
        assert (repeated.status_code, repeated.content) == (200, answer.content)
        assert contents() == before

    @pytest.mark.parametrize(
        "name",
        [
            "capture_minimal",
            "injection_discounts",
            "injection_tax_included_store",
            "injection_web_tax_excluded",
        ],
    )
    def test_with_its_keys_in_another_order(self, shop, name):
        self.repeats(shop, sample(name), reversed_keys(sample(name)))

    def test_with_its_numbers_spelled_otherwise(self, shop):
        body = """{"external_id": "A-1", "currency": "EUR", "shipments": [{"price": %s}],
            "items": [{"product_id": "S", "price": {"net": %s, "tax": 0.5, "gross": %s},
            "tax_lines": [{"amount": 0.5, "rate": %s}]}]}"""

        self.repeats(
            shop, body % ("10", "1.0", "1.5", "7"), body % ("1e1", "1.00", "0.15E1", "7.000")
        )

    def test_with_its_moment_in_another_zone(self, shop):
        body = order(placed_at="2024-05-01T12:00:00Z")

        self.repeats(shop, body, body | {"placed_at": "2024-05-01T14:00:00.000+02:00"})

    def test_with_other_names_for_the_same(self, shop):
        address = {"country": "US", "city": "Reno"}
        body = order(external_id="A-1", channel_name="shopify", shipping_address=address)
        again = {name: body[name] for name in ("currency", "placed_at", "items")} | {
            "sales_order_uuid": body["id"].upper(),
            "sales_order_external_id": "A-1",
            "channel": "shopify",
            "shipping_address": {"country_code": "US", "city": "Reno"},
            "tax_method": "vat_excluded",
        }

        self.repeats(shop, body, again)

    def test_with_nulls_and_unknown_keys(self, shop):
        body = order()

        self.repeats(shop, body, body | {"store_id": None, "mood": "fine", "payments": None})

    def test_saying_less(self, shop):
        body = order(external_id="A-1", shop="books", customer={"email": "a@b.de"})

        self.repeats(shop, body, {"external_id": "A-1", "items": body["items"]})

    def test_with_its_items_in_another_order(self, shop):
        body = order(*items(3))

        self.repeats(shop, body, body | {"items": body["items"][::-1]})

    def test_with_some_of_its_items(self, shop):
        body = order(*items(3))

        self.repeats(shop, body, body | {"items": body["items"][1:]})

    def test_by_its_external_id_alone(self, shop):
        body = order(external_id="A-1")

        self.repeats(shop, body, nameless(body))

    def test_without_ids_of_items(self, shop):
        body = order(item(external_item_id="1"), item(external_item_id="1"), item())
        for thing in body["items"]:
            del thing["id"]

        self.repeats(shop, body, body)

    def test_named_by_nothing_but_the_ids_of_its_items(self, shop):
        body = nameless(order(*items(2)))

        self.repeats(shop, body, body | {"items": body["items"][::-1]})

    def test_whatever_was_configured_since(self, shop):
        body = order(*items(2))
        first = shop.captured(body)
        shop.set(keys.ON_HOLD_TIMER_DURATION, 60)
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})

        assert shop.captured(body) == first
        assert not Hold.objects.exists()

    def test_after_items_were_added_it_is_the_order_as_it_is_now(self, shop):
        body = order(grace_period=60)
        shop.captured(body)
        more = shop.captured(body | {"items": items(1)})

        assert shop.captured(body) == more

    @pytest.mark.django_db(transaction=True)  # the statement that fails is a transaction of its own
    def test_is_answered_even_where_the_sequence_is_used_up(self):
        shop, body = Shop(sequence={"size": 1, "start": 9}), order()
        first = shop.captured(body)

        assert shop.capture(order()).status_code == 500
        assert shop.captured(body) == first


def test_an_order_that_names_nothing_is_a_new_one_each_time(shop):
    thing = {"product_id": "S", "price": item()["price"]}
    body = {"currency": "EUR", "items": [thing]}

    numbers = {shop.captured(body)["number"] for _ in range(3)}

    assert numbers == {"NS00000001", "NS00000002", "NS00000003"}


class TestAContradiction:
    @pytest.mark.parametrize(
        ("change", "pointers"),
        [
            ({"shop": "other"}, ["/shop"]),
            ({"currency": "USD"}, ["/currency"]),
            ({"placed_at": "2024-05-01T12:00:01Z"}, ["/placed_at"]),
            ({"channel_type": "store", "store_id": "S"}, ["/channel_type", "/store_id"]),
            ({"external_id": "A-2"}, ["/external_id"]),
            ({"customer": {"email": "x@y.de"}}, ["/customer/email"]),
            ({"shipping_address": {"country": "DE", "city": "Ulm"}}, ["/shipping_address/city"]),
            ({"shipments": [{"price": 7}]}, ["/shipments/0/price"]),
            ({"is_fulfilled": True}, ["/is_fulfilled"]),
            ({"extended_attributes": [{"name": "a", "value": "b"}]}, ["/extended_attributes"]),
            ({"grace_period": 1}, ["/grace_period"]),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_about_the_order_is_pointed_out(self, shop, change, pointers):
        body = order(
            external_id="A-1",
            grace_period=60,
            customer={"email": "a@b.de"},
            shipping_address={"country": "DE", "city": "Bonn"},
            shipments=[{"price": 5}],
        )
        shop.captured(body)

        assert conflict(shop, body | change) == pointers

    @pytest.mark.parametrize(
        ("change", "pointers"),
        [
            ({"price": {"net": 9, "tax": 1, "gross": 10}}, ["/items/1/price"]),
            ({"product_id": "SKU-2"}, ["/items/1/product_id"]),
            ({"external_item_id": "E"}, ["/items/1/external_item_id"]),
            ({"tax_lines": [{"amount": 1}]}, ["/items/1/tax_lines"]),
        ],
        ids=["price", "product", "external id", "tax lines"],
    )
    def test_about_an_item_is_pointed_out(self, shop, change, pointers):
        body = order(*items(2))
        shop.captured(body)
        one, two = body["items"]

        assert conflict(shop, body | {"items": [one, two | change]}) == pointers

    def test_about_a_payment_is_pointed_out(self, shop):
        payment = {
            "type": "captured",
            "amount": 11,
            "method": "cash",
            "processor": "cash",
            "processed_at": "2024-05-01T12:00:00Z",
            "correlation_ref": "P",
        }
        body = order(payments=[payment])
        shop.captured(body)

        results = conflict(shop, body | {"payments": [payment | {"method": "card"}]})

        assert results == ["/payments/0/method"]

    def test_that_is_an_items_price_read_back_as_a_float_would_be(self, shop):
        body = order(external_id="A-1")
        shop.captured(body)
        body["items"][0]["price"] = json.loads('{"net": 10, "tax": 1.01, "gross": 11.01}')

        assert shop.capture(body).status_code == 409


class TestAnItem:
    @pytest.mark.django_db(transaction=True)  # the statement that fails is a transaction of its own
    def test_of_another_order_is_refused_and_pointed_out(self, shop):
        accepted_count = item()
        shop.captured(order(accepted_count))

        assert conflict(shop, order(item(), accepted_count)) == ["/items/1/id"]

    def test_of_another_order_is_not_added_either(self, shop):
        accepted_count, waiting = item(), order(grace_period=60)
        shop.captured(order(accepted_count))
        shop.captured(waiting)

        assert conflict(shop, waiting | {"items": [*items(1), accepted_count]}) == ["/items/1/id"]

    def test_of_another_tenants_order_is_nobodys_business(self, shop):
        body, other = order(external_id="A-1"), Shop()
        shop.captured(body)

        answer = other.captured(body)

        assert answer["items"][0]["id"] == body["items"][0]["id"]
        assert Order.objects.count() == Item.objects.count() == 2


def test_two_names_of_two_orders_are_a_conflict(shop):
    one, two = order(external_id="A-1"), order(external_id="A-2")
    shop.captured(one)
    shop.captured(two)

    results = conflict(shop, order(*one["items"], id=one["id"], external_id="A-2"))

    assert results == ["/id", "/external_id"]


def test_a_name_that_is_another_orders_number_is_that_order(shop):
    first = shop.captured(order())

    assert conflict(shop, order(external_id=first["number"])) == ["/id", "/items/0"]
    assert Order.objects.count() == 1


class TestMoreItems:
    def test_for_an_order_that_waits_are_added_and_told(self, shop):
        body = order(grace_period=60, customer={"id": "c-1"})
        first = shop.captured(body)
        more = items(2)

        answer = shop.captured(body | {"items": [*body["items"], *more]})

        ids = [thing["id"] for thing in [*body["items"], *more]]
        assert [thing["id"] for thing in answer["items"]] == ids
        assert answer["number"] == first["number"]
        assert answer["status"] == "on_hold"
        assert answer["totals"] == {name: 3 * value for name, value in first["totals"].items()}
        assert shop.order(body["id"]).items() <= answer.items()
        assert shop.page("c-1")["pagination_info"]["total"] == 1
        stored_order = stored(answer)
        entry = TimelineEntry.objects.get(verb="items_added")
        assert (entry.version, stored_order.version) == (3, 3)
        assert entry.facts["items"] == 2

    def test_may_be_sent_alone(self, shop):
        body = order(grace_period=60)
        shop.captured(body)
        more = items(1)

        answer = shop.captured({"id": body["id"], "items": more})

        assert len(answer["items"]) == 2
        assert Item.objects.get(uuid=more[0]["id"]).position == 1

    def test_that_make_it_big_hold_it_for_approval_once(self, shop):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 3})
        body = order(*items(3), grace_period=60)
        shop.captured(body)
        assert {h.kind for h in Hold.objects.all()} == {"grace"}

        for _ in range(2):
            shop.captured({"id": body["id"], "items": items(1)})

        kinds = [h.kind for h in Hold.objects.order_by("pk")]
        assert kinds == ["grace", "big_order"]
        verbs = list(TimelineEntry.objects.order_by("version").values_list("version", "verb"))
        assert verbs == list(
            enumerate(["captured", "held", "items_added", "held", "items_added"], 1)
        )

    def test_leave_the_grace_period_as_it_was(self, shop):
        body = order(grace_period=60)
        shop.captured(body)
        due = Hold.objects.get().due_at

        shop.captured({"id": body["id"], "items": items(1)})

        assert Hold.objects.get().due_at == due

    @pytest.mark.parametrize("how", [{}, {"is_fulfilled": True}], ids=["open", "closed"])
    def test_for_an_order_that_no_longer_waits_are_refused(self, shop, how):
        body = order(**how)
        shop.captured(body)

        results = conflict(shop, body | {"items": [*body["items"], *items(1)]})

        assert results == ["/items/1"]

    def test_do_not_come_with_a_contradiction(self, shop):
        body = order(grace_period=60)
        shop.captured(body)

        assert conflict(shop, {"id": body["id"], "shop": "x", "items": items(1)}) == ["/shop"]

    def test_with_amounts_that_cannot_be_are_refused(self, shop):
        body = order(grace_period=60)
        shop.captured(body)
        before = contents()

        bad = item(price={"net": 1, "tax": 1, "gross": 3})
        assert problem(shop.capture({"id": body["id"], "items": [bad]}))[0] == 400
        assert contents() == before

    def test_with_payments_bring_what_is_owed(self, shop):
        payment = {
            "type": "captured",
            "amount": 11,
            "method": "cash",
            "processor": "cash",
            "processed_at": "2024-05-01T12:00:00Z",
        }
        one, two = payment | {"correlation_ref": "1"}, payment | {"correlation_ref": "2"}
        body = order(grace_period=60, payments=[one])
        shop.captured(body)
        before = contents()

        more = {"id": body["id"], "items": items(1)}
        assert problem(shop.capture(more | {"payments": [two | {"amount": 10}]}))[0] == 400
        assert contents() == before
        answer = shop.captured(more | {"payments": [one, two]})

        assert [p["correlation_ref"] for p in stored(answer).details["payments"]] == ["1", "2"]

    def test_tell_subscribers_of_no_second_order(self, shop):
        body = order(grace_period=60)
        shop.captured(body)
        shop.captured({"id": body["id"], "items": items(1)})

        assert Event.objects.filter(name="order.created").count() == 1


def test_ids_are_kept_as_they_are_forever(shop):
    """An id that follows from the caller's names is the same for the same tenant only."""
    body, other = nameless(order(external_id=str(uuid4()))), Shop()
    del body["items"][0]["id"]

    one, two = shop.captured(body), other.captured(body)

    assert one["origin_id"] != two["origin_id"]
    assert one["items"][0]["id"] != two["items"][0]["id"]

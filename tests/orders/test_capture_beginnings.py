"""The first state of an order: held, routed or closed, with its timeline and its events."""

from decimal import Decimal
from uuid import UUID

import pytest

from configuration import keys
from orders.models import Hold, Item, TimelineEntry
from tests.factories import LocationFactory, ServiceLevelFactory
from tests.orders.shop import Shop, item, items, order, sample, stored
from webhooks.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop()


def to(country, **members):
    return order(shipping_address={"country": country}, **members)


def routed(strategy, code=None, **members):
    routing = {"strategy": strategy} | ({"fulfillment_node_id": code} if code else {})
    return order(shipments=[{"routing_strategy": routing}], **members)


def places():
    """Status, place, its type, and what was in the way, of every item."""
    return list(
        Item.objects.order_by("position").values_list(
            "status", "location_code", "location_type", "conflict_reason"
        )
    )


def verbs():
    return list(TimelineEntry.objects.order_by("version").values_list("verb", flat=True))


def events():
    return list(Event.objects.order_by("version").values_list("name", flat=True))


class TestGrace:
    @pytest.mark.parametrize(
        ("own", "level", "tenants", "seconds"),
        [
            (5, 6, 7, 5),
            (0, 6, 7, None),
            (None, 6, 7, 6),
            (None, 0, 7, None),
            (None, None, 7, 7),
            (None, None, None, None),
            (None, None, 0, None),
        ],
    )
    def test_is_the_orders_own_else_its_service_levels_else_the_tenants(
        self, shop, own, level, tenants, seconds
    ):
        ServiceLevelFactory(tenant=shop.tenant, identifier="slow", remorse_period=level)
        if tenants is not None:
            shop.set(keys.ON_HOLD_TIMER_DURATION, tenants)

        answer = shop.captured(
            order(grace_period=own, shipments=[{"service_level_identifier": "slow"}])
        )

        held = [
            (hold.due_at - hold.placed_at).total_seconds()
            for hold in Hold.objects.filter(kind="grace")
        ]
        assert held == ([seconds] if seconds else [])
        assert answer["status"] == ("on_hold" if seconds else "open")
        assert answer["items"][0]["status"] == ("pending" if seconds else "in_fulfillment")

    def test_of_several_service_levels_the_longest_counts(self, shop):
        for name, seconds in (("slow", 60), ("fast", 1)):
            ServiceLevelFactory(tenant=shop.tenant, identifier=name, remorse_period=seconds)
        body = sample("injection_web_tax_excluded")
        [shipment] = body["shipments"]
        shipment["shipping_option"]["service_level_identifier"] = "fast"
        other = shipment | {
            "items": [item(price={"item_price": 0})],
            "shipping_option": {"service_level_identifier": "slow"},
        }

        shop.captured(body | {"shipments": [shipment, other]})

        [hold] = Hold.objects.all()
        assert (hold.due_at - hold.placed_at).total_seconds() == 60

    def test_is_counted_from_capture_not_from_the_purchase(self, shop):
        answer = shop.captured(order(grace_period=60, placed_at="2001-01-01T00:00:00Z"))

        [hold] = Hold.objects.all()
        assert hold.placed_at == stored(answer).captured_at
        assert (hold.due_at - stored(answer).captured_at).total_seconds() == 60

    def test_is_noted_with_the_rule_and_the_configuration_it_followed(self, shop):
        shop.set(keys.ON_HOLD_TIMER_DURATION, 9)
        shop.set(keys.ON_HOLD_TIMER_DURATION, 8)

        shop.captured(order())

        facts = TimelineEntry.objects.get(verb="held").facts
        assert (facts["rule"], facts["seconds"]) == ("on_hold_timer_duration", 8)
        assert facts["config"]["on_hold_timer_duration"] == 2


class TestBigOrders:
    @pytest.mark.parametrize(("limit", "number"), [(3, 3), (3, 4), (None, 100), (None, 101)])
    def test_exactly_the_limit_is_not_big(self, shop, limit, number):
        if limit:
            shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": limit})

        answer = shop.captured(order(*items(number)))

        is_big = number > (limit or 100)
        assert [h.kind for h in Hold.objects.all()] == (["big_order"] if is_big else [])
        assert answer["status"] == ("on_hold" if is_big else "open")

    def test_may_have_a_grace_period_too(self, shop):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})

        shop.captured(order(*items(2), grace_period=60))

        assert {(h.kind, h.due_at is None) for h in Hold.objects.all()} == {
            ("grace", False),
            ("big_order", True),
        }
        assert verbs() == ["captured", "held", "held"]
        assert events() == ["order.created"]

    def test_are_noted_with_the_limit_that_made_them_big(self, shop):
        shop.set(keys.BIG_SALES_ORDER, {"soft_limit_for_big_orders": 1})

        shop.captured(order(*items(2)))

        facts = TimelineEntry.objects.get(verb="held").facts
        assert (facts["items"], facts["soft_limit"]) == (2, 1)
        assert facts["config"]["big_sales_order"] == 1


class TestRouting:
    def test_of_a_tenant_without_locations_leads_nowhere_in_particular(self, shop):
        shop.captured(to("DE"))

        assert places() == [("in_fulfillment", "", "", "")]
        assert TimelineEntry.objects.get(verb="routed").facts["rule"] == "no_locations"

    @pytest.mark.parametrize(
        ("locations", "country", "best"),
        [
            ([("A", "store", ["DE"], 1), ("B", "store", ["AT"], 1)], "AT", "B"),
            ([("A", "store", ["DE"], 2), ("B", "store", ["DE"], 1)], "DE", "B"),
            ([("A", "store", [], 1), ("B", "dc", [], 1)], "DE", "B"),
            ([("B", "store", [], 1), ("A", "store", [], 1)], "DE", "A"),
            ([("A", "store", [], 1), ("B", "dc", [], 2)], "DE", "A"),
            ([("A", "store", ["DE"], 1), ("B", "store", [], 9)], "FR", "B"),
            ([("A", "store", ["DE"], 1), ("B", "store", [], 9)], None, "B"),
        ],
        ids=["country", "priority", "dc first", "code", "priority first", "anywhere", "no address"],
    )
    def test_by_default_finds_the_best_that_serves_the_country(
        self, shop, locations, country, best
    ):
        for code, kind, countries, priority in locations:
            LocationFactory(
                tenant=shop.tenant,
                code=code,
                type=kind,
                country_codes=countries,
                priority=priority,
            )

        shop.captured(to(country) if country else order())

        kind = {code: kind for code, kind, _, _ in locations}[best]
        assert places() == [("in_fulfillment", best, kind, "")]
        assert verbs() == ["captured", "opened", "routed"]

    def test_finds_no_closed_location_and_none_of_another_tenant(self, shop):
        LocationFactory(tenant=shop.tenant, code="CLOSED", is_active=False)
        LocationFactory(code="FOREIGN")

        answer = shop.captured(to("DE"))

        assert places() == [("on_hold", "", "", "no_location_serves_country")]
        assert answer["status"] == "open"

    def test_where_none_serves_is_a_conflict_and_told(self, shop):
        LocationFactory(tenant=shop.tenant, country_codes=["AT"])

        answer = shop.captured(to("DE"))

        assert answer["items"][0]["status"] == "on_hold"
        assert events() == ["order.created", "order.items_on_hold"]
        payload = Event.objects.get(name="order.items_on_hold").payload
        [thing] = payload["items"]
        assert payload["external_id"] == answer["id"]
        assert thing["reason"] == "no_location_serves_country"

    def test_prerouted_goes_where_it_was_sent(self, shop):
        LocationFactory(tenant=shop.tenant, code="DC1", type="dc", priority=900)
        LocationFactory(tenant=shop.tenant, code="BETTER", priority=1)

        answer = shop.captured(routed("prerouted", "DC1"))

        assert places() == [("in_fulfillment", "DC1", "dc", "")]
        assert answer["fulfillments"] == [{"item_ids": [answer["items"][0]["id"]]}]

    @pytest.mark.parametrize("why", ["unknown", "inactive", "foreign"])
    def test_prerouted_nowhere_is_a_conflict(self, shop, why):
        LocationFactory(tenant=shop.tenant, code="FINE")
        if why == "inactive":
            LocationFactory(tenant=shop.tenant, code="DC1", is_active=False)
        elif why == "foreign":
            LocationFactory(code="DC1")

        shop.captured(routed("prerouted", "DC1"))

        assert places() == [("on_hold", "", "", "unknown_location")]
        facts = TimelineEntry.objects.get(verb="conflicted").facts
        assert (facts["asked_for"], facts["reason"]) == ("DC1", "unknown_location")

    def test_decides_for_each_shipment(self, shop):
        LocationFactory(tenant=shop.tenant, code="A")
        ids = ["0b8f6c1e-6a3f-4e8a-9c0d-2f6f0f3a7d11", "0b8f6c1e-6a3f-4e8a-9c0d-2f6f0f3a7d12"]
        prerouted = {"strategy": "prerouted", "fulfillment_node_id": "GONE"}
        body = order(
            item(shipment_id=ids[0]),
            item(shipment_id=ids[1]),
            shipments=[{"id": ids[0]}, {"id": ids[1], "routing_strategy": prerouted}],
        )

        answer = shop.captured(body)

        assert [status for status, *_ in places()] == ["in_fulfillment", "on_hold"]
        assert answer["status"] == "open"
        assert verbs() == ["captured", "opened", "routed", "conflicted"]

    def test_waits_for_the_holds(self, shop):
        LocationFactory(tenant=shop.tenant)

        shop.captured(order(grace_period=60))

        assert places() == [("pending", "", "", "")]

    def test_to_an_external_oms_hands_everything_over(self, shop):
        shop.set(keys.EXTERNAL_OMS, {"enabled": True})
        LocationFactory(tenant=shop.tenant, code="NODE", type="dc")

        answer = shop.captured(
            routed("external", "NODE", shipping_address={"country": "DE"}, external_id="A-1")
        )

        assert places() == [("captured", "NODE", "dc", "")]
        assert answer["status"] == "closed"
        assert verbs() == ["captured", "opened", "handed_over"]

    def test_to_an_unknown_node_of_an_external_oms_cancels(self, shop):
        shop.set(keys.EXTERNAL_OMS, {"enabled": True})

        answer = shop.captured(routed("external", "NODE", shipping_address={"country": "DE"}))

        assert answer["status"] == "closed"
        assert answer["items"][0]["status"] == "cancelled"
        assert events() == ["order.created", "order.cancelled"]
        payload = Event.objects.get(name="order.cancelled").payload
        assert payload["cancellation_reason"] == "unknown_location"


class TestGoneAtOnce:
    @pytest.mark.parametrize(
        "how",
        [
            {"is_fulfilled": True},
            {"is_historical": True},
            {"items": [item(fulfillment_group_type="IN_STORE_HANDOVER")]},
            {"shipments": [{"service_level_identifier": "IN_STORE_HANDOVER"}]},
        ],
        ids=["fulfilled", "historical", "in store", "by service level"],
    )
    def test_neither_waits_nor_travels(self, shop, how):
        shop.set(keys.ON_HOLD_TIMER_DURATION, 60)
        LocationFactory(tenant=shop.tenant, code="A")

        answer = shop.captured(order(store_id="NY5AVE", channel_type="store", **how))

        assert answer["status"] == "closed"
        assert places() == [("complete", "NY5AVE", "store", "")]
        assert not Hold.objects.exists()
        assert verbs() == ["captured", "completed"]
        assert events() == ["order.created", "order.completed"]

    def test_a_mixed_cart_does_both(self, shop):
        body = order(item(fulfillment_group_type="IN_STORE_HANDOVER"), item(), grace_period=60)

        answer = shop.captured(body)

        assert [thing["status"] for thing in answer["items"]] == ["complete", "pending"]
        assert (answer["status"], answer["fulfillment_type"]) == ("on_hold", "multiple")
        assert events() == ["order.created"]

    @pytest.mark.parametrize(
        ("shipping", "kind"),
        [
            ("traditional_carrier", "traditional"),
            ("same_day_delivery", "same_day_delivery"),
            ("in_store_pick_up", "in_store_pickup"),
        ],
    )
    def test_how_it_reaches_the_customer_follows_the_service_level(self, shop, shipping, kind):
        ServiceLevelFactory(tenant=shop.tenant, identifier="L", shipping_type=shipping)

        answer = shop.captured(order(shipments=[{"service_level_identifier": "L"}]))

        assert answer["fulfillment_type"] == kind
        assert answer["items"][0]["shipping_method"] == shipping


class TestTheTimeline:
    def test_counts_from_one_without_a_gap_and_names_the_caller(self, shop):
        LocationFactory(tenant=shop.tenant)

        answer = shop.captured(order())

        entries = TimelineEntry.objects.order_by("version")
        assert [(e.version, e.verb) for e in entries] == [
            (1, "captured"),
            (2, "opened"),
            (3, "routed"),
        ]
        assert {e.actor for e in entries} == {shop.client.actor}
        assert {e.at for e in entries} == {stored(answer).captured_at}
        assert stored(answer).version == 3
        assert entries[0].facts == {"items": 1, "total": 11, "currency": "EUR"}


class TestWhatSubscribersAreTold:
    REQUIRED = {
        *("id", "external_id", "created_at", "placed_at", "channel_type", "channel", "items"),
        *("is_exchange", "is_historical", "price_method", "subtotal", "discount_total"),
        *("shipping_total", "shipping_tax", "tax_total", "grand_total", "currency", "tax_exempt"),
    }
    OF_ITEMS = {"id", "list_price", "item_discounts", "order_discounts", "tax", "quantity"}
    OF_ADDRESSES = {"id", "last_name", "address_line_1", "country"}

    @pytest.mark.parametrize(
        "name",
        [
            "capture_minimal",
            "injection_discounts",
            "injection_tax_included_store",
            "injection_web_tax_excluded",
        ],
    )
    def test_has_all_that_the_contract_requires_and_adds_up(self, shop, name):
        answer = shop.captured(sample(name))

        for event in Event.objects.filter(name__in=["order.created", "order.opened"]):
            payload = event.payload
            assert set(payload) >= self.REQUIRED
            assert all(set(thing) >= self.OF_ITEMS for thing in payload["items"])
            for address in ("billing_address", "shipping_address"):
                if address in payload:
                    assert set(payload[address]) >= self.OF_ADDRESSES
            apart = payload["price_method"] == "tax_excluded"
            taxes = payload["tax_total"] if apart else payload["shipping_tax"] * 0
            assert payload["grand_total"] == (
                payload["subtotal"] - payload["discount_total"] + payload["shipping_total"] + taxes
            )
            assert payload["grand_total"] == answer["totals"]["total"]
            assert payload["id"] == answer["origin_id"]
            assert payload["external_id"] == answer["external_id"]
            assert {thing["status"] for thing in payload["items"]} == {event.name.split(".")[1]}

    def test_counts_gift_wrapping_and_shipping_taxes(self, shop):
        shop.captured(
            order(
                shipments=[{"price": 9, "tax": 1}],
                gift_wrapping={"price": {"net": 4, "tax": Decimal("0.5"), "gross": Decimal("4.5")}},
            )
        )

        payload = Event.objects.get(name="order.created").payload
        assert payload["subtotal"] == 14
        assert payload["tax_total"] == Decimal("2.5")
        assert (payload["shipping_total"], payload["shipping_tax"]) == (9, 1)
        assert payload["grand_total"] == Decimal("25.5")
        assert [thing["item_type"] for thing in payload["items"]] == ["product", "gift-wrapping"]

    def test_is_of_the_version_of_the_entry_that_announces_it(self, shop):
        LocationFactory(tenant=shop.tenant, code="A")

        answer = shop.captured(order())

        entries = list(Event.objects.order_by("version").values_list("version", "name", "subject"))
        subject = UUID(answer["origin_id"])
        assert entries == [
            (1, "order.created", subject),
            (2, "order.opened", subject),
            (3, "fulfillment_request.assigned", subject),
        ]
        assert Event.objects.values("uuid").distinct().count() == 3

    def test_of_an_assignment_says_where_and_what(self, shop):
        LocationFactory(tenant=shop.tenant, code="A")

        answer = shop.captured(order(*items(2)))

        payload = Event.objects.get(name="fulfillment_request.assigned").payload
        assert {"id", "order_id", "logical_timestamp", "created_at"} <= set(payload)
        assert len(payload["id"]) == 36
        assert (payload["order_id"], payload["fulfillment_location_id"]) == (
            answer["origin_id"],
            "A",
        )
        assert [i["id"] for i in payload["items"]] == [i["id"] for i in answer["items"]]

    def test_of_a_completion_lists_what_became_of_each_item(self, shop):
        answer = shop.captured(sample("capture_minimal"))

        payload = Event.objects.get(name="order.completed").payload
        assert (payload["id"], payload["capture_type"]) == (answer["origin_id"], "pos")
        [thing] = payload["items"]
        assert (thing["quantity"], thing["status"]) == (1, "complete")
        assert (thing["product_id"], thing["shipping_method"]) == ("1000012", "in_store_handover")

    def test_has_milliseconds_and_a_zone(self, shop):
        shop.captured(order(placed_at="2024-05-01T14:00:00.123456+02:00"))

        payload = Event.objects.get(name="order.created").payload
        assert payload["placed_at"] == "2024-05-01T12:00:00.123Z"
        assert payload["created_at"].endswith("Z")

    def test_has_what_only_the_database_decided_wherever_it_tells_it_and_nowhere_else(self, shop):
        LocationFactory(tenant=shop.tenant)
        details = {"order.created": {}, "order.opened": {}, "fulfillment_request.assigned": {}}

        answer = shop.captured(order())
        shop.captured(sample("capture_minimal"))

        for event in Event.objects.filter(subject=answer["origin_id"]):
            details[event.name] = event.payload
        stored_order = stored(answer)
        assert {name: body.get("external_id") for name, body in details.items()} == {
            "order.created": stored_order.number,
            "order.opened": stored_order.number,
            "fulfillment_request.assigned": None,
        }
        at = stored_order.captured_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        assert {body["created_at"] for body in details.values()} == {at}
        completed = Event.objects.get(name="order.completed").payload
        assert not {"external_id", "created_at"} & set(completed)

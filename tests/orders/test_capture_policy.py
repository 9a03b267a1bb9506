"""A capture obeys what its tenant has configured at that very moment, though it is remembered."""

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from configuration import keys
from configuration.models import Location, PolicyState, ServiceLevel, Setting
from configuration.services import policy as policies
from configuration.services.policy import PolicyKey
from orders.models import Hold, Item, Order
from orders.services import capture as captures
from orders.services.capture import assembly
from tests.factories import LocationFactory, ServiceLevelFactory, TenantFactory
from tests.orders.shop import Shop, order

pytestmark = pytest.mark.django_db
SLOW = {"service_level_identifier": "slow"}


@pytest.fixture
def shop():
    shop = Shop()
    shop.captured(order(shipments=[SLOW]))  # from now on the policy is remembered
    return shop


def state(shop):
    return PolicyState.objects.get(tenant=shop.tenant).name


def last(model):
    return model.objects.order_by("-pk").first()


class TestWhatIsRemembered:
    def test_settings_are_those_of_now(self, shop):
        # As if by another process: this one is told nothing.
        Setting.objects.create(
            tenant=shop.tenant,
            key=keys.ON_HOLD_TIMER_DURATION.name,
            value=60,
            updated_at="2024-05-01T12:00:00Z",
            updated_by="test",
        )

        shop.captured(order(shipments=[SLOW]))

        assert last(Hold).kind == "grace"

    def test_service_levels_are_those_of_now(self, shop):
        ServiceLevelFactory(tenant=shop.tenant, identifier="slow", remorse_period=60)
        shop.captured(order(shipments=[SLOW]))
        assert last(Hold).kind == "grace"

        ServiceLevel.objects.filter(tenant=shop.tenant).update(remorse_period=0)
        shop.captured(order(shipments=[SLOW]))

        assert Hold.objects.count() == 1

    def test_locations_are_those_of_now(self, shop):
        LocationFactory(tenant=shop.tenant, code="DC1")
        shop.captured(order(shipments=[SLOW]))
        assert last(Item).location_code == "DC1"

        Location.objects.filter(tenant=shop.tenant).update(is_active=False)
        shop.captured(order(shipments=[SLOW]))

        assert last(Item).location_code == ""

    def test_a_refusal_by_rules_that_still_hold_is_worked_out_once(self, shop, monkeypatch):
        calls = []
        original = captures._create
        monkeypatch.setattr(captures, "_create", lambda *args: calls.append(1) or original(*args))
        body = order(shipments=[SLOW])
        del body["currency"]

        assert shop.capture(body).status_code == 400
        assert len(calls) == 1

    def test_a_refusal_is_one_by_the_rules_of_now(self):
        shop = Shop(sequence={})
        assert shop.capture(order()).status_code == 500  # remembered: there is no sequence

        shop.set(keys.SALES_ORDER_GENERATOR_SEQUENCE, {"prefix": "AB", "size": 8})

        assert shop.captured(order())["number"].startswith("AB")

    def test_terms_that_differ_are_not_mixed_up(self, shop):
        ServiceLevelFactory(tenant=shop.tenant, identifier="slow", remorse_period=60)
        for _ in range(2):  # the second time by what is remembered
            shop.captured(order())
            shop.captured(order(shipments=[SLOW]))

        held = [existing.holds.exists() for existing in Order.objects.order_by("pk")]
        assert held == [False, False, True, False, True]

    def test_it_does_not_grow_for_ever(self, shop, monkeypatch):
        monkeypatch.setattr(policies, "CACHE_SIZE", 3)

        for number in range(10):
            policies.policy(shop.tenant, PolicyKey(country=f"{number:02}"))

        assert len(policies._cache) <= 3


class TestBetweenReadingAndWriting:
    def change_while_assembling(self, monkeypatch, change, times):
        """Something is configured each time the rules are known and nothing is written yet."""
        original, left = assembly._begin, list(range(times))

        def begin(*args):
            if left:
                change(left.pop())
            return original(*args)

        monkeypatch.setattr(assembly, "_begin", begin)

    @pytest.mark.parametrize("times", [1, 3])
    def test_what_was_configured_meanwhile_is_obeyed(self, shop, monkeypatch, times):
        self.change_while_assembling(
            monkeypatch,
            lambda left: shop.set(keys.ON_HOLD_TIMER_DURATION, 100 * (left + 1)),
            times,
        )

        answer = shop.captured(order(external_id="A-1"))

        hold = Hold.objects.get()
        assert (hold.due_at - hold.placed_at).total_seconds() == 100
        assert answer["number"] == f"NS{2:08}"  # in vain no number is given

    def test_who_never_stops_configuring_gets_a_503_and_nothing_is_written(self, shop, monkeypatch):
        before = Order.objects.count()
        self.change_while_assembling(
            monkeypatch, lambda left: shop.set(keys.ON_HOLD_TIMER_DURATION, left + 1), 999
        )

        assert shop.capture(order()).status_code == 503
        assert Order.objects.count() == before


class TestStates:
    """The name of a state: another one with every change, and never one that was."""

    def test_every_change_of_what_decides_gets_one(self, shop):
        observations = [state(shop)]

        def note():
            observations.append(state(shop))

        location = LocationFactory(tenant=shop.tenant)
        note()
        Location.objects.filter(pk=location.pk).update(priority=1)
        note()
        location.delete()
        note()
        level = ServiceLevelFactory(tenant=shop.tenant)
        note()
        ServiceLevel.objects.filter(pk=level.pk).update(remorse_period=5)
        note()
        level.delete()
        note()
        shop.set(keys.ON_HOLD_TIMER_DURATION, 5)
        note()
        shop.set(keys.ON_HOLD_TIMER_DURATION, 6)
        note()

        assert len(set(observations)) == len(observations) == 9

    def test_one_that_was_rolled_back_is_not_given_again(self, shop):
        with transaction.atomic():
            shop.set(keys.ON_HOLD_TIMER_DURATION, 5)
            rolled_back = state(shop)
            transaction.set_rollback(True)

        shop.set(keys.ON_HOLD_TIMER_DURATION, 6)

        assert state(shop) != rolled_back

    def test_what_another_tenant_does_changes_nothing(self, shop):
        before = state(shop)

        LocationFactory(tenant=TenantFactory())

        assert state(shop) == before

    def test_what_moves_to_another_tenant_concerns_both(self, shop):
        other = Shop()
        location = LocationFactory(tenant=shop.tenant)
        before = state(shop), state(other)

        Location.objects.filter(pk=location.pk).update(tenant=other.tenant)

        assert state(shop) != before[0]
        assert state(other) != before[1]

    def test_many_changes_by_one_statement_give_each_tenant_one(self, shop):
        other = Shop()
        LocationFactory.create_batch(3, tenant=shop.tenant)
        LocationFactory.create_batch(2, tenant=other.tenant)
        before = {state(shop), state(other)}

        with connection.cursor() as cursor:
            cursor.execute("UPDATE configuration_location SET priority = priority + 1")

        assert len({state(shop), state(other)} | before) == 4


@pytest.mark.django_db(transaction=True)
def test_tenants_that_were_there_before_their_states_had_names_can_capture():
    shop = Shop()
    try:
        call_command("migrate", "configuration", "0007", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)

    assert shop.captured(order())["number"].startswith("NS")

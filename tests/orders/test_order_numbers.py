"""Order numbers that run out, grow, or are set anew before the first order."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client as Browser
from structlog.testing import capture_logs

from configuration import keys, services
from configuration.models import Setting, SettingChange
from configuration.services import sequences, settings
from orders.models import Order
from tests.orders.shop import Shop, order

pytestmark = pytest.mark.django_db(transaction=True)
KEY = keys.SALES_ORDER_GENERATOR_SEQUENCE


@pytest.fixture
def shop() -> Shop:
    return Shop(sequence={"prefix": "A", "size": 1})


def fill(shop: Shop, count: int) -> list[str]:
    return [shop.captured(order())["number"] for _ in range(count)]


def grow(shop: Shop, **members: Any) -> Any:
    value = KEY.dump(services.read(shop.tenant, KEY).value) | members
    return services.write(shop.tenant, KEY, KEY.parse(value), actor="cli:config", may_grow=True)


def reset(shop: Shop) -> Any:
    return settings.reset(shop.tenant, KEY, actor="cli:config")


def gauge(shop: Shop) -> Any:
    page = Browser().get("/metrics").content.decode()
    name = f'ordermgmt_order_numbers_used_percent{{tenant="{shop.tenant.slug}"}} '
    return next((float(line.split()[-1]) for line in page.splitlines() if name in line), None)


def in_thread(action: Callable[[], Any]) -> Any:
    try:
        return action()
    finally:
        connection.close()


def waits_for_a_lock() -> bool:
    """Return whether another session waits for a lock on a table or sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation')"
        )
        return bool(cursor.fetchone()[0])


def wait_until(happens: Callable[[], bool]) -> None:
    pause = Event()
    for _ in range(500):
        if happens():
            return
        pause.wait(0.02)
    raise AssertionError("It did not happen within ten seconds.")


class TestUsedUp:
    def test_is_a_500_that_invites_no_retry_and_is_logged(self, shop: Shop) -> None:
        fill(shop, 9)

        with capture_logs() as logs:
            answer = shop.capture(order())

        assert (answer.status_code, answer.json()["error_code"]) == (500, "sequence_exhausted")
        assert "Retry-After" not in answer
        [line] = [line for line in logs if line["event"] == "order numbers used up"]
        assert (line["log_level"], line["tenant"]) == ("error", shop.tenant.slug)
        assert Order.objects.count() == 9

    def test_of_a_repeated_capture_is_no_hindrance(self, shop: Shop) -> None:
        body = order()
        shop.captured(body)
        fill(shop, 8)

        assert shop.captured(body)["number"] == "A1"

    def test_is_seen_in_metrics_and_readyz(self, shop: Shop) -> None:
        assert gauge(shop) == 0
        fill(shop, 4)
        assert gauge(shop) == pytest.approx(100 * 4 / 9)
        assert Browser().get("/readyz").json()["checks"]["order_numbers_used_percent"] == "ok"

        fill(shop, 5)

        assert gauge(shop) == 100
        ready = Browser().get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["checks"]["order_numbers_used_percent"] == "100.0 > 89.9"

    @pytest.mark.parametrize(
        ("sequence", "total"),
        [
            ({"size": 1}, 9),
            ({"size": 1, "start": 8}, 2),
            ({"size": 1, "step": 3}, 3),
            ({"size": 2, "start": 10, "step": 9}, 10),
        ],
    )
    def test_counts_the_numbers_there_are(self, sequence: dict[str, int], total: int) -> None:
        shop = Shop(sequence=sequence)
        fill(shop, total)

        usage = sequences.usages(shop.tenant)[shop.tenant.slug]

        assert (usage.total, usage.drawn, usage.left) == (total, total, 0)
        assert shop.capture(order()).status_code == 500

    @pytest.mark.parametrize(
        ("sequence", "before", "total"),
        [({"size": 1}, 8, 9), ({"size": 1, "start": 9}, 0, 1), ({"size": 2, "step": 9}, 9, 11)],
    )
    def test_is_warned_of_once(self, sequence: dict[str, int], before: int, total: int) -> None:
        shop = Shop(sequence=sequence)

        def warnings(count: int) -> list[Any]:
            with capture_logs() as logs:
                fill(shop, count)
            return [line for line in logs if line["event"] == "order numbers nearly used up"]

        assert not warnings(before)
        [line] = warnings(1)
        assert (line["log_level"], line["tenant"]) == ("warning", shop.tenant.slug)
        assert not warnings(total - before - 1)


class TestGrowing:
    def test_goes_on_where_the_numbers_ended(self, shop: Shop) -> None:
        fill(shop, 9)
        assert shop.capture(order()).status_code == 500

        grow(shop, size=3)

        assert fill(shop, 2) == ["A010", "A011"]
        assert gauge(shop) == pytest.approx(100 * 11 / 999)

    @pytest.mark.parametrize(
        "members", [{"size": 1, "prefix": "B"}, {"size": 2, "step": 2}, {"size": 2, "start": 2}]
    )
    def test_changes_nothing_else(self, shop: Shop, members: dict[str, Any]) -> None:
        with pytest.raises(services.AlreadySet, match="Only its size can be raised"):
            grow(shop, **members)

        assert SettingChange.objects.count() == 1
        assert sequences.usages(shop.tenant)[shop.tenant.slug].total == 9

    def test_never_shrinks(self, shop: Shop) -> None:
        grow(shop, size=3)

        with pytest.raises(services.AlreadySet):
            grow(shop, size=2)

        assert services.read(shop.tenant, KEY).value.size == 3

    def test_cuts_no_number_of_a_capture_under_way(self) -> None:
        """A capture that read the former size draws the first number with a digit more."""
        shop = Shop(sequence={"prefix": "A", "size": 1, "start": 2})
        fill(shop, 8)
        with ThreadPoolExecutor(1) as others:
            with transaction.atomic():
                grow(shop, size=2)
                capturing = others.submit(in_thread, lambda: shop.captured(order()))
                wait_until(waits_for_a_lock)

            assert capturing.result(10)["number"] == "A10"


class TestReset:
    def test_lets_the_sequence_be_set_anew(self, shop: Shop) -> None:
        undone = reset(shop)

        assert (undone.value, undone.version) == (None, 0)
        answer = shop.capture(order())
        assert answer.status_code == 500
        assert answer.json()["message"] == "Sequence for tenant is not configured."
        shop.set(KEY, {"prefix": "B", "size": 2, "start": 5})
        assert fill(shop, 1) == ["B05"]
        changes = SettingChange.objects.order_by("version")
        assert [(change.version, change.new_value) for change in changes] == [
            (1, {"prefix": "A", "size": 1, "start": 1, "step": 1}),
            (2, {}),
            (3, {"prefix": "B", "size": 2, "start": 5, "step": 1}),
        ]
        assert services.read(shop.tenant, KEY).version == 3

    def test_of_what_is_not_set_does_nothing(self) -> None:
        shop = Shop(sequence={})

        assert reset(shop).version == 0
        assert not SettingChange.objects.exists()

    def test_is_refused_once_there_is_an_order(self, shop: Shop) -> None:
        fill(shop, 1)

        with pytest.raises(settings.CannotReset, match="has orders"):
            reset(shop)

        assert SettingChange.objects.count() == 1
        assert fill(shop, 1) == ["A2"]

    def test_of_another_tenants_orders_is_no_hindrance(self, shop: Shop) -> None:
        fill(Shop(), 1)

        assert reset(shop).version == 0

    @pytest.mark.parametrize("key", [key for key in keys.KEYS.values() if not key.immutable])
    def test_is_for_what_is_set_once(self, shop: Shop, key: Any) -> None:
        shop.set(key, key.example)

        with pytest.raises(settings.CannotReset):
            settings.reset(shop.tenant, key, actor="cli:config")

        assert Setting.objects.filter(key=key.name).exists()

    def test_waits_for_a_capture_that_drew_a_number_and_is_refused(self, shop: Shop) -> None:
        """Fails without `stop_drawing`: no order is seen, and the order's sequence is dropped."""
        with ThreadPoolExecutor(1) as others:
            with transaction.atomic():
                number = shop.captured(order())["number"]
                resetting = others.submit(in_thread, lambda: reset(shop))
                wait_until(waits_for_a_lock)
            with pytest.raises(settings.CannotReset):
                resetting.result(10)

        assert Order.objects.get().number == number == "A1"
        assert fill(shop, 1) == ["A2"]

    def test_makes_captures_wait_which_then_find_no_sequence(self, shop: Shop) -> None:
        refused = shop.capture(order(price_method="tax_free"))  # and its policy is remembered
        assert refused.status_code == 400
        with ThreadPoolExecutor(1) as others:
            with transaction.atomic():
                reset(shop)
                capturing = others.submit(in_thread, lambda: shop.capture(order()))
                wait_until(waits_for_a_lock)
            answer = capturing.result(10)

        assert answer.status_code == 500, json.loads(answer.content)
        assert answer.json()["message"] == "Sequence for tenant is not configured."
        assert not Order.objects.filter(tenant=shop.tenant).exists()

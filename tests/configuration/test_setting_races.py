"""Race tests of concurrent writers of a setting, of which exactly one wins."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import perf_counter

import pytest
from django.db import connection, transaction

from configuration import keys, services
from configuration.models import Setting, SettingChange
from configuration.services import AlreadySet, LostRace, settings
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = 8


def write(tenant, key, value):
    return services.write(tenant, key, key.parse(value), actor="client:web")


def outcome(tenant, key, value):
    try:
        return write(tenant, key, value).version
    except (LostRace, AlreadySet) as refusal:
        return refusal.code
    finally:
        connection.close()


def test_one_of_many_first_writers_wins_and_the_rest_are_told(monkeypatch):
    tenant, inside = TenantFactory(), Barrier(WRITERS, timeout=5)
    replace = settings._replace

    def replace_together(*args):
        inside.wait()  # all have read that nothing is set
        return replace(*args)

    monkeypatch.setattr(settings, "_replace", replace_together)
    with ThreadPoolExecutor(WRITERS) as writers:
        results = writers.map(
            lambda n: outcome(tenant, keys.SALES_ORDER_GENERATOR_SEQUENCE, {"prefix": f"P{n}"}),
            range(WRITERS),
        )
        outcomes = Counter(results)

    assert outcomes == {1: 1, "concurrent_update_on_tenant_setting": WRITERS - 1}
    assert SettingChange.objects.count() == Setting.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [services.sequence_name(tenant.pk)])


def test_thirty_two_different_sequences_make_one():
    tenant, ready = TenantFactory(), Barrier(16, timeout=10)

    def set_two(n):
        ready.wait()
        return [
            outcome(tenant, keys.SALES_ORDER_GENERATOR_SEQUENCE, {"prefix": f"P{2 * n + half}"})
            for half in (0, 1)
        ]

    with ThreadPoolExecutor(16) as writers:
        outcomes = [outcome for pair in writers.map(set_two, range(16)) for outcome in pair]

    assert outcomes.count(1) == 1
    assert all(isinstance(outcome, str) for outcome in outcomes if outcome != 1)
    assert SettingChange.objects.count() == 1


def test_who_comes_while_another_writes_is_told_at_once_instead_of_waiting():
    tenant, locked, done = TenantFactory(), Event(), Event()
    write(tenant, keys.ON_HOLD_TIMER_DURATION, 10)

    def hold_the_row():
        try:
            with transaction.atomic():
                write(tenant, keys.ON_HOLD_TIMER_DURATION, 20)
                locked.set()
                done.wait(5)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        first = other.submit(hold_the_row)
        assert locked.wait(5)
        started = perf_counter()
        with pytest.raises(LostRace) as refusal:
            write(tenant, keys.ON_HOLD_TIMER_DURATION, 30)
        assert perf_counter() - started < 1  # well below the lock timeout
        assert not first.done()
        done.set()
        first.result(5)

    assert "on_hold_timer_duration" in str(refusal.value)
    assert services.read(tenant, keys.ON_HOLD_TIMER_DURATION).value == 20
    assert [c.new_value for c in settings.history(tenant, keys.ON_HOLD_TIMER_DURATION)] == [20, 10]


def test_another_tenant_is_not_in_the_way_and_another_key_waits_for_the_commit_only():
    one, other = TenantFactory(), TenantFactory()
    write(one, keys.ON_HOLD_TIMER_DURATION, 10)

    with ThreadPoolExecutor(1) as writer:
        with transaction.atomic():
            write(one, keys.ON_HOLD_TIMER_DURATION, 20)
            theirs = writer.submit(outcome, other, keys.ON_HOLD_TIMER_DURATION, 5).result(5)
            mine = writer.submit(outcome, one, keys.EXTERNAL_OMS, {"enabled": True})
        assert (theirs, mine.result(5)) == (1, 1)


def test_the_webhook_key_names_the_external_oms_as_documented():
    tenant = TenantFactory()
    webhook = {"url": "https://example.com/", "api_key": "k"}
    write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, webhook)

    with transaction.atomic():
        Setting.objects.select_for_update().get(tenant=tenant)
        with ThreadPoolExecutor(1) as writer:

            def lose():
                try:
                    write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, webhook | {"timeout": 5})
                except LostRace as refusal:
                    return str(refusal)
                finally:
                    connection.close()

            words = writer.submit(lose).result(5)

    assert words == "Concurrent update detected on external_oms configuration setting."

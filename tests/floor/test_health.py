"""Liveness and readiness, which load balancers act on."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from django.test import Client, override_settings

from ordermgmt.models import Heartbeat
from ordermgmt.monitoring import gauges, health, heartbeat, tasks

GAUGE = b"ordermgmt_worker_silence_seconds"
WELL = {
    "database": "ok",
    "migrations": "ok",
    "worker": "not seen yet",
    "beat": "not seen yet",
    "oldest_due_hold_seconds": "ok",
}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    health._applied.clear()
    health.broker.cache_clear()


@pytest.fixture
def api() -> Iterator[Client]:
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        yield Client()


def test_a_living_process_says_so_without_asking_anybody(api: Client) -> None:
    assert api.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_means_database_migrations_and_broker(api: Client) -> None:
    response = api.get("/readyz")

    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["checks"] == WELL | {"broker": "ok"}


@pytest.mark.django_db
def test_a_missing_migration_means_not_ready_until_it_is_applied(api: Client) -> None:
    last = MigrationRecorder(connection).migration_qs.filter(app="orders").order_by("-id").first()
    assert last
    last.delete()

    response = api.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "1 migrations are not applied"

    last.save(force_insert=True)
    assert api.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_applied_migrations_are_not_read_again(
    api: Client, django_assert_num_queries: object
) -> None:
    api.get("/readyz")

    with django_assert_num_queries(3 + len(gauges.SHOWN)):  # type: ignore[operator]
        api.get("/readyz")


@pytest.mark.django_db
def test_a_broker_away_is_told_but_does_not_matter(api: Client) -> None:
    with override_settings(REDIS_URL="unix:///nonexistent/valkey.sock"):
        response = api.get("/readyz")

    assert response.status_code == 200
    assert response.json()["checks"] == WELL | {"broker": "ConnectionError"}


@pytest.mark.django_db
class TestWorker:
    def test_is_well_once_its_task_ran_and_is_counted_in_metrics(self, api: Client) -> None:
        assert GAUGE not in api.get("/metrics").content

        tasks.show_life()
        tasks.show_life()

        assert api.get("/readyz").json()["checks"]["worker"] == "ok"
        [line] = [line for line in api.get("/metrics").content.splitlines() if GAUGE in line][2:]
        assert 0 <= float(line.split()[1]) < 5

    def test_is_missed_when_it_is_silent_but_orders_are_taken_in(self, api: Client) -> None:
        tasks.show_life()
        Heartbeat.objects.update(at=Now() - dt.timedelta(seconds=100))

        response = api.get("/readyz")

        assert response.status_code == 200
        assert response.json()["checks"]["worker"] == "silent for 100 s"

    def test_that_beat_asks_nothing_of_is_told_apart(self, api: Client) -> None:
        tasks.show_life(by_beat=True)
        assert api.get("/readyz").json()["checks"]["beat"] == "ok"
        Heartbeat.objects.update(at=Now() - dt.timedelta(seconds=100))

        tasks.show_life()

        checks = api.get("/readyz").json()["checks"]
        assert (checks["worker"], checks["beat"]) == ("ok", "silent for 100 s")
        assert b"\nordermgmt_beat_silence_seconds 100" in api.get("/metrics").content

    @pytest.mark.parametrize("name", [heartbeat.WORKER, heartbeat.BEAT])
    def test_is_missed_after_the_clock_was_set_back(self, api: Client, name: str) -> None:
        tasks.show_life(by_beat=True)
        Heartbeat.objects.update(at=Now() + dt.timedelta(hours=1))

        assert api.get("/readyz").json()["checks"][name] in (
            "silent for 3599 s",
            "silent for 3600 s",
        )

        tasks.show_life(by_beat=True)
        assert api.get("/readyz").json()["checks"][name] == "ok"

    def test_is_asked_for_a_sign_of_life_by_the_clock(self) -> None:
        [entry] = [
            entry
            for entry in settings.CELERY_BEAT_SCHEDULE.values()
            if entry["task"] == tasks.show_life.name
        ]

        assert entry["schedule"] < heartbeat.SILENT / 3


@pytest.mark.django_db
class TestGauges:
    @pytest.fixture(autouse=True)
    def _only_ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gauges, "SHOWN", {})

    def test_are_shown_with_all_their_labels_in_metrics_and_the_largest_in_readyz(
        self, api: Client
    ) -> None:
        numbers = {"acme": 1.25, "zeta": 7.5}
        gauges.show(gauges.Gauge("lag_seconds", "How late.", lambda: numbers, label="tenant"))

        page = api.get("/metrics").content.decode()
        assert "# HELP ordermgmt_lag_seconds How late.\n# TYPE ordermgmt_lag_seconds gauge" in page
        assert 'ordermgmt_lag_seconds{tenant="acme"} 1.25\n' in page
        assert 'ordermgmt_lag_seconds{tenant="zeta"} 7.5\n' in page
        answer = api.get("/readyz")
        assert answer.json()["gauges"] == {"lag_seconds": 7.5}
        assert "lag_seconds" not in answer.json()["checks"]
        assert b"acme" not in answer.content

    def test_beyond_their_limit_are_named_but_orders_are_taken_in(self, api: Client) -> None:
        number = {"": 60.0}
        gauges.show(gauges.Gauge("age_seconds", "How old.", lambda: number, limit=60))
        assert api.get("/readyz").json()["checks"]["age_seconds"] == "ok"

        number[""] = 61.26

        answer = api.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["checks"]["age_seconds"] == "61.3 > 60"
        assert "\nordermgmt_age_seconds 61.26\n" in api.get("/metrics").content.decode()

    def test_with_nothing_to_tell_are_missing(self, api: Client) -> None:
        gauges.show(gauges.Gauge("age_seconds", "How old.", dict, limit=60))

        answer = api.get("/readyz").json()
        assert answer["gauges"] == {}
        assert "age_seconds" not in answer["checks"]
        assert b"ordermgmt_age_seconds" not in api.get("/metrics").content


@pytest.mark.django_db(transaction=True)
def test_a_database_away_means_not_ready_and_nobody_learns_where_it_was(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "HOST", "/nonexistent")
        response = api.get("/readyz")

        assert response.status_code == 503
        assert response.json()["checks"]["database"] == "OperationalError"
        assert b"nonexistent" not in response.content
        assert response.json()["gauges"] == {}
        assert api.get("/metrics").status_code == 200
        assert api.get("/healthz").status_code == 200
    assert api.get("/readyz").status_code == 200

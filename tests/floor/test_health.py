"""A process lives or not, and is ready or not; load balancers act on the difference."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings

from ordermgmt import health


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
    assert response.json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "broker": "ok"},
    }


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

    with django_assert_num_queries(1):  # type: ignore[operator]
        api.get("/readyz")


@pytest.mark.django_db
def test_a_broker_away_is_told_but_does_not_matter(api: Client) -> None:
    with override_settings(REDIS_URL="unix:///nonexistent/valkey.sock"):
        response = api.get("/readyz")

    assert response.status_code == 200
    assert response.json()["checks"] == {
        "database": "ok",
        "migrations": "ok",
        "broker": "ConnectionError",
    }


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
        assert api.get("/healthz").status_code == 200
    assert api.get("/readyz").status_code == 200

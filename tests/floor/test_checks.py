"""Tests of the system checks: each can fail, gives a hint, and passes a proper installation."""

import inspect
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import registry, run_checks
from django.test import override_settings

from configuration.checks import everybody_needs_a_second_factor
from configuration.services import staff
from ordermgmt.monitoring import checks
from ordermgmt.monitoring.health import broker
from tests.factories import TenantFactory

OURS = settings.DATABASES["default"]
OUR_APPS = ("ordermgmt.", "configuration.", "webhooks.", "orders.")
ROOT = Path(__file__).resolve().parents[2]


def _ids(messages: Any) -> list[str]:
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_debug_trips_it() -> None:
    with override_settings(DEBUG=True):
        assert _ids(checks.debug_is_off(None)) == ["ordermgmt.E001"]
    assert not checks.debug_is_off(None)


def test_generated_secrets_trip_it() -> None:
    assert _ids(checks.secrets_are_our_own(None)) == ["ordermgmt.E002"] * 2

    with override_settings(SECRET_KEY="ours", ENCRYPTION_KEYS=["1:ours"]):
        assert not checks.secrets_are_our_own(None)


def test_failpoints_trip_it() -> None:
    assert not checks.nothing_fails_on_purpose(None)
    with override_settings(FAILPOINTS={"capture.before_commit": "kill"}):
        assert _ids(checks.nothing_fails_on_purpose(None)) == ["ordermgmt.E008"]


def test_any_host_trips_it() -> None:
    with override_settings(ALLOWED_HOSTS=["*"]):
        assert _ids(checks.hosts_are_named(None)) == ["ordermgmt.E003"]
    with override_settings(ALLOWED_HOSTS=["oms.example"]):
        assert not checks.hosts_are_named(None)


@pytest.mark.parametrize("timeout", list(checks.TIMEOUTS))
def test_each_missing_timeout_trips_it(timeout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without = " ".join(f"-c {name}=5000" for name in checks.TIMEOUTS if name != timeout)

    for text in (without, f"{without} -c {timeout}=0"):
        monkeypatch.setitem(OURS["OPTIONS"], "options", text)
        assert _ids(checks.connections_do_not_hang(None)) == ["ordermgmt.E004"]


@pytest.mark.parametrize("name", ["connect_timeout", "tcp_user_timeout"])
def test_a_network_that_is_waited_for_trips_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(OURS["OPTIONS"], name)

    assert _ids(checks.connections_do_not_hang(None)) == ["ordermgmt.E005"]


def test_untested_connections_trip_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OURS, "CONN_HEALTH_CHECKS", False)

    assert _ids(checks.connections_do_not_hang(None)) == ["ordermgmt.E006"]


def test_our_own_database_settings_do_not() -> None:
    assert not checks.connections_do_not_hang(None)


@pytest.mark.django_db
def test_an_old_database_trips_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not run_checks(tags=["database"], databases=["default"])

    monkeypatch.setattr(checks, "OLDEST_POSTGRESQL", 99)
    assert _ids(checks.postgresql_is_recent(None, databases=["default"])) == ["ordermgmt.E007"]


def test_a_broker_that_evicts_trips_it() -> None:
    broker.cache_clear()
    policy = str(broker().config_get("maxmemory-policy")["maxmemory-policy"])
    assert policy == "noeviction"
    assert not checks.broker_evicts_nothing(None)
    try:
        broker().config_set("maxmemory-policy", "allkeys-lru")
        assert _ids(checks.broker_evicts_nothing(None)) == ["ordermgmt.W001"]
    finally:
        broker().config_set("maxmemory-policy", policy)


PRODUCTION = {
    "SECRET_KEY": "k7Vw0q-Zr4mJ8tXc2LbN6yHs9PdF3gUa5ReQ1oTi_WxBvMnKjCzSlAhEu",
    "ENCRYPTION_KEYS": "1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "ALLOWED_HOSTS": "oms.example",
    "SECURE_HSTS_SECONDS": "31536000",
    "CONSOLE_HTTPS": "true",
}


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("ALOWED_HOSTS=oms.example", "ALLOWED_HOSTS"),
        ("export DATABASE_URI=postgresql://h/d", "DATABASE_URL"),
        ("redis_url=redis://h", "REDIS_URL"),
        ("ALLOWED_HOSTS=oms.example", None),
        ("# ALOWED_HOSTS=oms.example", None),
        ("SSL_CERT_FILE=/etc/own.pem", None),
    ],
)
def test_a_misspelled_variable_trips_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, meant: str | None
) -> None:
    file = tmp_path / "env"
    file.write_text(f"DEBUG=false\n{line}\n")
    monkeypatch.setenv("ORDERMGMT_ENV_FILE", str(file))

    messages = checks.variables_are_spelled_as_we_read_them(None)

    assert _ids(messages) == (["ordermgmt.W002"] if meant else [])
    assert [message.hint for message in messages] == ([f"Did you mean {meant}?"] if meant else [])


def test_no_file_of_variables_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERMGMT_ENV_FILE", "/nowhere/env")

    assert not checks.variables_are_spelled_as_we_read_them(None)


@pytest.mark.django_db
def test_a_password_alone_trips_it() -> None:
    assert not everybody_needs_a_second_factor(None)

    staff.create(
        tenant=TenantFactory(),
        username="demo",
        role="admin",
        password="three words, no phone",
        needs_second_factor=False,
    )
    assert _ids(everybody_needs_a_second_factor(None)) == ["configuration.W001"]


def test_each_id_belongs_to_one_check_whose_failure_is_tested() -> None:
    """Every id occurs in one check only, and in an assertion of a test."""
    ids_by_check = {
        check.__name__: set(re.findall(r'id="(\w+\.[EW]\d+)"', inspect.getsource(check)))
        for check in registry.registry.get_checks(include_deployment_checks=True)
        if check.__module__.startswith(OUR_APPS)
    }
    ids = Counter(id for ids in ids_by_check.values() for id in ids)
    tests = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))

    assert all(ids_by_check.values())
    assert {id for id, number in ids.items() if number > 1} == set()
    assert {id for id in ids if f'"{id}"' not in tests} == set()


def test_an_installation_as_it_should_be_passes_the_deploy_check() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", "check", "--deploy", "--fail-level=DEBUG"],
        cwd=ROOT,
        env=os.environ | PRODUCTION,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout

"""Tests of the circuit breaker for external OMS."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection
from django.db.models.functions import Now

from tests.orders.shop import order, problem
from tests.webhooks.federated import FederatedShop
from webhooks import oms_health
from webhooks.models import ExternalOms

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
ASK = """
import django; django.setup()
from django.db import connection
connection.settings_dict["NAME"] = "{database}"
from configuration.models import Tenant
from webhooks import external_orders
tenant = Tenant.objects.get(slug="{slug}")
try:
    external_orders.order(tenant, external_orders.webhook_of(tenant), "ADA-001")
    print("found")
except Exception as reason:
    print(type(reason).__name__)
"""


@pytest.fixture
def oms(fake_oms):
    return fake_oms("500")


@pytest.fixture
def shop(oms):
    return FederatedShop(oms)


def ask(shop):
    """Return status and Retry-After of the answer to a detail."""
    response = shop.detail("ADA-001", "external")
    return response.status_code, int(response.headers.get("Retry-After", 0))


def rest_is_over(shop):
    """Move the end of the rest into the past of the database clock."""
    ExternalOms.objects.update(rests_until=Now() - timedelta(seconds=1))
    shop.forget()


def break_it(shop):
    for _ in range(oms_health.MOST_FAILURES):
        assert ask(shop)[0] == 503


def test_it_rests_after_five_failures_in_a_row(shop, oms):
    break_it(shop)

    status, wait = ask(shop)

    assert (status, len(oms.asked())) == (503, 5)
    assert 8 <= wait <= 10
    message = "The external OMS failed several times in a row and is not asked for a moment."
    assert problem(shop.history("ada@example.com")) == (503, "external_server_error", message)
    assert len(oms.asked()) == 5


def test_a_success_between_failures_lets_it_go_on(shop, oms):
    for _ in range(4):
        ask(shop)
    oms.become("good")
    assert ask(shop)[0] == 200
    oms.become("500")
    for _ in range(4):
        ask(shop)

    assert ExternalOms.objects.get().failures == 4
    assert len(oms.asked()) == 9


def test_what_it_does_not_know_or_says_badly_is_no_failure(shop, oms):
    for mode in ("404", "html") * 5:
        oms.become(mode)
        ask(shop)

    row = ExternalOms.objects.get()
    assert (row.failures, row.rests_until, len(oms.asked())) == (0, None, 10)
    assert row.last_error == "answer_invalid"


def test_after_the_rest_one_may_try_and_its_success_ends_it(shop, oms):
    break_it(shop)
    rest_is_over(shop)
    oms.become("good")

    assert ask(shop)[0] == 200

    row = ExternalOms.objects.get()
    assert (row.failures, row.rests_until) == (0, None)
    assert ask(shop)[0] == 200
    assert row.last_error == "status_500"  # shown in the console


def test_after_the_rest_a_failure_begins_another(shop, oms):
    break_it(shop)
    rest_is_over(shop)

    assert ask(shop)[0] == 503
    assert ask(shop)[0] == 503

    assert len(oms.asked()) == 6
    assert ExternalOms.objects.get().failures == 6


def test_while_one_tries_nobody_else_does(shop, oms):
    break_it(shop)
    rest_is_over(shop)

    oms_health.check(shop.tenant, patience=2)  # this request tries and has no answer yet

    with pytest.raises(oms_health.OmsRests) as refused:
        oms_health.check(shop.tenant, patience=2)
    assert refused.value.facts["retry_after"] <= 3


def test_one_whose_try_was_never_heard_of_again_is_followed_by_another(shop, oms):
    break_it(shop)
    rest_is_over(shop)
    oms_health.check(shop.tenant, patience=2)
    rest_is_over(shop)

    oms_health.check(shop.tenant, patience=2)


def test_every_process_knows_that_it_rests(shop, oms):
    break_it(shop)
    asking = ASK.format(database=connection.settings_dict["NAME"], slug=shop.tenant.slug)
    environment = os.environ | {"EGRESS_ALLOWED_HOSTS": oms.allowed_host}

    done = subprocess.run(
        [sys.executable, "-c", asking],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout.strip(), done.stderr[-2000:]) == ("OmsRests", "")
    assert len(oms.asked()) == 5


def test_another_tenants_oms_is_asked_meanwhile(shop, fake_oms):
    break_it(shop)

    assert ask(FederatedShop(fake_oms("good")))[0] == 200


def test_orders_asked_by_our_id_are_answered_meanwhile(shop):
    answer = shop.captured(order())
    break_it(shop)

    assert shop.order(answer["origin_id"])


def test_redis_has_no_part_in_it(shop, oms, monkeypatch):
    def refuse(*_):
        raise AssertionError("It was asked.")

    monkeypatch.setattr("redis.connection.AbstractConnection.connect", refuse)
    monkeypatch.setattr("redis.connection.AbstractConnection.send_packed_command", refuse)
    break_it(shop)
    rest_is_over(shop)
    oms.become("good")

    assert ask(shop)[0] == 200


def test_its_state_is_shown_to_operators(shop, oms, client):
    ask(shop)
    oms.become("good")
    ask(shop)

    lines = client.get("/metrics").content.decode().splitlines()

    label = f'tenant="{shop.tenant.slug}"'
    values = dict(line.rsplit(" ", 1) for line in lines if label in line)
    assert float(values[f"ordermgmt_external_oms_success_age_seconds{{{label}}}"]) < 60
    assert float(values[f"ordermgmt_external_oms_failures{{{label}}}"]) == 0
    checks = client.get("/readyz").json()
    assert checks["gauges"]["external_oms_failures"] == 0


def test_one_that_fails_is_named_by_readyz_which_stays_well(shop, client):
    break_it(shop)

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["checks"]["external_oms_failures"] == "5 > 4"


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"rests_until": Now()}, "external_oms_rests_only_after_failures"),
        ({"last_error": "timed_out"}, "external_oms_error_has_a_time"),
        ({"last_error_at": Now()}, "external_oms_error_has_a_time"),
    ],
)
def test_the_database_promises(members, name):
    with pytest.raises(IntegrityError, match=name):
        ExternalOms.objects.create(tenant_id=1, **members)

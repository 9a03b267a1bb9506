"""Tests of the configuration routes (docs/contract.md, Configuration)."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.test import Client as Caller

from configuration import keys
from configuration.models import Setting, SettingChange
from configuration.services import clients
from tests.factories import ClientFactory, TenantFactory, bearer

pytestmark = pytest.mark.django_db
ROOT = "/v0/config/sales_order"
READ, WRITE = "newstore:configuration:read", "newstore:configuration:write"
BARE = {"external_oms", "external_order_webhook"}
WEBHOOK = {"url": "https://example.com/", "api_key": "canary-canary-canary-1234", "timeout": 20}


@pytest.fixture
def shop():
    return ClientFactory()


def get(client, key, scope=""):
    return Caller().get(f"{ROOT}/{key}", headers=bearer(client, scope))


def post(client, key, body, scope="", **headers):
    return Caller().post(
        f"{ROOT}/{key}",
        json.dumps(body),
        content_type="application/json",
        headers=bearer(client, scope) | headers,
    )


@pytest.mark.parametrize("key", keys.KEYS.values(), ids=lambda key: key.name)
class TestEveryKey:
    def test_never_set_answers_its_default_and_no_time(self, shop, key):
        answer = get(shop, key.name)

        assert answer.status_code == 200
        assert answer.json() == {"value": key.dump(key.default), "updated_at": None}
        assert answer["Content-Type"] == "application/json"

    def test_takes_the_documented_sample_and_gives_it_back(self, shop, key):
        set_ = post(shop, key.name, {"value": key.example})
        got = get(shop, key.name)

        assert (set_.status_code, got.status_code) == (200, 200)
        assert got.json()["value"] == key.example
        assert got.json()["updated_at"].endswith(("Z", "+00:00"))
        if key.name in BARE:
            assert set_.content == b""
        else:
            assert set_.json() == got.json()
        assert set_["ETag"] == got["ETag"] == '"1"'
        assert SettingChange.objects.get().author == f"client:{shop.name}"

    def test_belongs_to_one_tenant(self, shop, key):
        post(shop, key.name, {"value": key.example})

        assert get(ClientFactory(), key.name).json()["updated_at"] is None

    @pytest.mark.parametrize(
        "body", [{}, {"value": None}, {"Value": 1}, [], "x", 1, None, {"value": {"deep": []}}]
    )
    def test_refuses_a_body_without_a_fitting_value(self, shop, key, body):
        answer = post(shop, key.name, body)

        assert answer.status_code == 400
        problem = answer.json()
        assert answer["Content-Type"] == "application/problem+json"
        assert problem["error_code"] == "bad_request"
        assert problem["message"] == problem["messages"][0]
        assert problem["message"].startswith(
            f"Validation of {key.name} configuration failed with error: "
        )
        assert not Setting.objects.exists()

    def test_ignores_what_stands_beside_the_value(self, shop, key):
        body = {"value": key.example, "updated_at": "1999-01-01T00:00:00Z", "x": 1}

        assert post(shop, key.name, body).status_code == 200
        assert not get(shop, key.name).json()["updated_at"].startswith("1999")

    def test_needs_the_scope_to_write(self, shop, key):
        answer = post(shop, key.name, {"value": key.example}, scope=READ)

        assert answer.status_code == 403
        assert answer.json()["error_code"] == "insufficient_scope"
        assert not Setting.objects.exists()

    def test_needs_the_scope_to_read(self, shop, key):
        assert get(shop, key.name, scope="orders:read").status_code == 403

    def test_needs_a_token(self, key):
        answer = Caller().get(f"{ROOT}/{key.name}")

        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_has_no_other_methods(self, shop, key):
        answer = Caller().delete(f"{ROOT}/{key.name}", headers=bearer(shop))

        assert answer.status_code == 405
        assert set(answer["Allow"].split(", ")) >= {"GET", "POST"}

    def test_replaces_the_version_that_was_read_and_no_other(self, shop, key):
        version = {"If-Match": get(shop, key.name)["ETag"]}

        assert post(shop, key.name, {"value": key.example}, **version).status_code == 200
        late = post(shop, key.name, {"value": key.example}, **version)

        assert late.status_code == 412
        assert late.json()["error_code"] == "version_mismatch"
        assert SettingChange.objects.count() == 1


@pytest.mark.parametrize(
    "tag", ['"7"', 'W/"7"', 'w/"0"', "W/0", "0", "garbage", '"x"', '"1", "2"', ""]
)
def test_a_tag_that_is_not_the_version_is_a_412(shop, tag):
    answer = post(shop, "on_hold_timer_duration", {"value": 20}, **{"If-Match": tag})

    assert answer.status_code == 412
    assert not Setting.objects.exists()


@pytest.mark.parametrize("tag", ["*", '"0"', '"7", "0"', 'W/"0"', '"7", W/"0"'])
def test_a_tag_that_allows_the_version_is_no_hindrance(shop, tag):
    answer = post(shop, "on_hold_timer_duration", {"value": 20}, **{"If-Match": tag})

    assert answer.status_code == 200


@pytest.mark.parametrize("key", ["foo", "__all__", "external_oms/x", "External_OMS"])
def test_an_unknown_key_is_a_404_in_json(shop, key):
    answer = get(shop, key)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


class TestSequence:
    NS = {"prefix": "NS", "size": 16, "start": 1, "step": 2}

    @pytest.mark.parametrize("member", [{"prefix": "UN"}, {"size": 17}, {"start": 3}])
    def test_is_set_once_and_the_409_says_so(self, shop, member):
        key = "sales_order_generator_sequence"
        assert post(shop, key, {"value": self.NS}).status_code == 200

        same = post(shop, key, {"value": dict(reversed(self.NS.items()))})
        other = post(shop, key, {"value": self.NS | member})

        assert (same.status_code, other.status_code) == (200, 409)
        assert other["Content-Type"] == "application/problem+json"
        problem = other.json()
        assert problem["error_code"] == "setting_is_immutable"
        assert problem["message"] == problem["messages"][0]
        assert "is set once" in problem["message"]
        assert get(shop, key).json()["value"] == self.NS
        assert SettingChange.objects.count() == 1

    def test_that_names_nothing_is_refused(self, shop):
        answer = post(shop, "sales_order_generator_sequence", {"value": {}})

        assert answer.status_code == 400
        assert "name at least one of prefix, size, start, step" in answer.json()["message"]
        assert not Setting.objects.exists()

    @pytest.mark.parametrize(
        "value",
        [{}, {"size": 1, "start": 10}, {"prefix": "Ä"}, {"size": 0}, {"size": 3, "x": 1}],
    )
    def test_a_refused_one_leaves_nothing_behind(self, shop, value):
        answer = post(shop, "sales_order_generator_sequence", {"value": value})

        assert answer.status_code == 400
        assert not SettingChange.objects.exists()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_sequences WHERE sequencename LIKE 'order_num%%'"
            )
            assert cursor.fetchone() == (0,)


class TestWebhook:
    key = "external_order_webhook"

    def test_shows_its_key_only_to_who_may_write(self, shop):
        post(shop, self.key, {"value": WEBHOOK})

        assert get(shop, self.key).json()["value"] == WEBHOOK
        masked = get(shop, self.key, scope=READ)
        assert masked.json()["value"] == WEBHOOK | {"api_key": "••••1234"}

    def test_its_mask_can_be_sent_back(self, shop):
        post(shop, self.key, {"value": WEBHOOK})
        masked_value = get(shop, self.key, scope=READ).json()["value"]

        assert post(shop, self.key, {"value": masked_value | {"timeout": 3}}).status_code == 200
        assert get(shop, self.key).json()["value"] == WEBHOOK | {"timeout": 3}

    def test_its_mask_is_not_enough_for_another_host(self, shop):
        post(shop, self.key, {"value": WEBHOOK})
        masked_value = get(shop, self.key, scope=READ).json()["value"]

        answer = post(shop, self.key, {"value": masked_value | {"url": "https://evil.example/"}})

        assert answer.status_code == 400
        assert answer.json()["error_code"] == "api_key_required"
        assert get(shop, self.key).json()["value"] == WEBHOOK

    @pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://example.com/", "javascript:x"])
    def test_never_points_inside(self, shop, url):
        answer = post(shop, self.key, {"value": WEBHOOK | {"url": url}})

        assert answer.status_code == 400
        assert not Setting.objects.exists()

    def test_a_refusal_never_repeats_the_key(self, shop):
        body = {"value": WEBHOOK | {"api_key": "canary canary", "url": 1}}

        assert b"canary" not in post(shop, self.key, body).content


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_the_loser_of_a_documented_race_gets_the_documented_words(self):
        shop = ClientFactory()
        post(shop, "external_oms", {"value": {"enabled": False}})

        with transaction.atomic(), ThreadPoolExecutor(1) as other:
            Setting.objects.select_for_update().get()
            answer = other.submit(self.post, shop, "external_oms", {"enabled": True}).result(5)

        assert answer.status_code == 409
        assert answer.json()["error_code"] == "concurrent_update_on_tenant_setting"
        assert answer.json()["message"] == (
            "Concurrent update detected on external_oms configuration setting."
        )

    def test_of_32_different_sequences_at_once_one_is_set(self):
        shop, ready = ClientFactory(), Barrier(32, timeout=20)
        headers = bearer(shop)

        def set_one(n):
            ready.wait()
            value = {"prefix": f"P{n}"}
            return self.post(shop, "sales_order_generator_sequence", value, headers)

        with ThreadPoolExecutor(32) as writers:
            statuses = sorted(answer.status_code for answer in writers.map(set_one, range(32)))

        assert statuses == [200] + [409] * 31
        assert SettingChange.objects.count() == 1

    @staticmethod
    def post(client, key, value, headers=None):
        try:
            return Caller().post(
                f"{ROOT}/{key}",
                json.dumps({"value": value}),
                content_type="application/json",
                headers=headers or bearer(client),
            )
        finally:
            connection.close()


def test_a_token_that_may_only_write_may_not_read():
    client = clients.create(tenant=TenantFactory(), name="writer", scopes=[WRITE]).client

    assert get(client, "external_oms").status_code == 403
    assert post(client, "external_oms", {"value": {"enabled": True}}).status_code == 200

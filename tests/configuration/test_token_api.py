"""Tests of the token routes (docs/contract.md, Tokens and headers)."""

import base64
import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.test import Client as Caller
from django.utils import timezone
from oauth2_provider.models import AccessToken

from configuration import tasks
from configuration.services import clients, tenants, tokens
from ordermgmt.http.authentication import client_of
from tests.factories import ClientFactory, TenantFactory

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
# Scopes that public clients request, and the scopes that they get.
FOREIGN_SCOPES = [
    ("iam:providers:read", "orders:read orders:write"),
    ("openid", "orders:read orders:write"),
    ("openid profile iam:roles:write", "orders:read orders:write"),
    ("openid orders:read", "orders:read"),
    ("orders:read orders:read *", "orders:read"),
    ("ORDERS:READ", "orders:read orders:write"),
    ("  ", "orders:read orders:write"),
]


@pytest.fixture
def shop():
    return clients.create(
        tenant=TenantFactory(slug="acme"), name="shop", scopes=["orders:read", "orders:write"]
    )


def realm(tenant="acme", last="token"):
    return f"/auth/realms/{tenant}/protocol/openid-connect/{last}"


def send(path, fields, *, as_json=False, **headers):
    body, media = (json.dumps(fields), "application/json") if as_json else (urlencode(fields), FORM)
    return Caller().post(path, body, content_type=media, headers=headers)


def credentials(shop, **more):
    return {
        "grant_type": "client_credentials",
        "client_id": shop.client.client_id,
        "client_secret": shop.secret,
    } | more


def basic(client_id, secret):
    text = f"{quote(client_id)}:{quote(secret)}"
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


class TestClientCredentials:
    @pytest.mark.parametrize("tenant", ["ACME", "Acme", "aCME"])
    def test_the_realm_may_be_written_in_capitals(self, shop, tenant):
        answer = send(realm(tenant), credentials(shop))

        assert answer.status_code == 200
        revocation = credentials(shop, token=answer.json()["access_token"])
        assert send(realm(tenant, "revoke"), revocation).status_code == 200
        assert not AccessToken.objects.exists()

    @pytest.mark.parametrize("as_json", [False, True])
    def test_parameters_that_are_not_ours_are_ignored(self, shop, as_json):
        fields = credentials(shop, audience="x\x07", resource="x" * 200)

        assert send(realm(), fields, as_json=as_json).status_code == 200
        if as_json:
            assert send(realm(), fields | {"n": 1, "o": {"a": []}}, as_json=True).status_code == 200

    @pytest.mark.parametrize("as_json", [False, True])
    def test_get_a_token_from_the_body(self, shop, as_json):
        answer = send(realm(), credentials(shop), as_json=as_json)

        assert answer.status_code == 200
        token = answer.json()
        assert token.pop("access_token")
        assert token == {
            "expires_in": 300,
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "orders:read orders:write",
        }
        assert answer["Cache-Control"] == "no-store"

    def test_get_a_token_from_http_basic_that_works(self, shop):
        headers = basic(shop.client.client_id, shop.secret)
        answer = send(
            realm(), {"grant_type": "client_credentials", "scope": "orders:read"}, **headers
        )

        client, grant = client_of(answer.json()["access_token"])

        assert (client, client.tenant.slug, client.actor) == (shop.client, "acme", "client:shop")
        assert grant.scopes == {"orders:read"}

    def test_store_no_token(self, shop):
        token = send(realm(), credentials(shop)).json()["access_token"]

        row = AccessToken.objects.values().get()

        assert token not in str(row)

    @pytest.mark.parametrize("scope", ["events:read", "orders:read events:read", "x events:read"])
    def test_give_no_scope_beyond_the_clients(self, shop, scope):
        answer = send(realm(), credentials(shop, scope=scope))

        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
        assert not AccessToken.objects.exists()

    @pytest.mark.parametrize(("scope", "granted"), FOREIGN_SCOPES)
    @pytest.mark.parametrize("as_json", [False, True])
    def test_ignore_scope_names_that_are_not_ours(self, shop, scope, granted, as_json):
        answer = send(realm(), credentials(shop, scope=scope), as_json=as_json)

        assert (answer.status_code, answer.json()["scope"]) == (200, granted)
        _, grant = client_of(answer.json()["access_token"])
        assert " ".join(sorted(grant.scopes)) == granted

    def test_refuse_all_wrong_credentials_with_the_same_words(self, shop):
        other = TenantFactory(slug="other")
        suspended = clients.create(tenant=TenantFactory(slug="gone"), name="x")
        tenants.update("gone", is_active=False)
        wrong = [
            send(realm(), credentials(shop, client_secret="wrong")),
            send(realm(), credentials(shop, client_secret="")),
            send(realm(), credentials(shop, client_id="nobody")),
            send(realm(), {"grant_type": "client_credentials"}),
            send(realm(other.slug), credentials(shop)),
            send(realm("unknown"), credentials(shop)),
            send(realm("gone"), credentials(suspended)),
            send(realm(), {"grant_type": "client_credentials"}, Authorization="Basic !!!"),
            send(realm(), {"grant_type": "client_credentials"}, Authorization="Basic AAAA"),
            send(realm(), {"grant_type": "client_credentials"}, Authorization="Bearer x"),
            send(realm(), {"grant_type": "client_credentials"}, **basic("a\0b", "c")),
        ]

        assert {answer.status_code for answer in wrong} == {401}
        assert {answer.content for answer in wrong} == {
            b'{"error":"invalid_client",'
            b'"error_description":"Invalid client or Invalid client credentials"}'
        }
        assert all("WWW-Authenticate" in answer for answer in wrong)
        assert not AccessToken.objects.exists()

    def test_are_sent_once_not_twice(self, shop):
        answer = send(realm(), credentials(shop), **basic(shop.client.client_id, shop.secret))

        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    @pytest.mark.parametrize(
        ("grant_type", "error"),
        [
            ("", "invalid_request"),
            ("password", "unsupported_grant_type"),
            ("x", "unsupported_grant_type"),
        ],
    )
    def test_are_the_only_grant_here(self, shop, grant_type, error):
        answer = send(realm(), credentials(shop, grant_type=grant_type))

        assert (answer.status_code, answer.json()["error"]) == (400, error)

    @pytest.mark.parametrize("parameter", ["client_secret", "password", "access_token", "token"])
    def test_never_travel_in_the_url(self, shop, parameter):
        answer = send(f"{realm()}?{parameter}=x", credentials(shop))

        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    @pytest.mark.parametrize(
        "body",
        [
            b"a=1&a=2",
            b"\xff=1",
            b"%ff=1",
            b"a=%00",
            "a=é".encode(),
            b"&".join(b"%d=1" % n for n in range(99)),
        ],
    )
    def test_a_broken_form_is_a_400(self, body):
        answer = Caller().post(realm(), body, content_type=FORM)

        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    @pytest.mark.parametrize(
        "body", [b"[]", b"{", b'{"client_id": 1}', b'{"a":1,"a":2}', b'{"a":"\\u0000"}', b"null"]
    )
    def test_broken_json_is_a_400(self, body):
        answer = Caller().post(realm(), body, content_type="application/json")

        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    @pytest.mark.parametrize(
        ("method", "media", "size", "status"),
        [
            ("GET", FORM, 0, 405),
            ("PUT", FORM, 1, 405),
            ("POST", "text/plain", 1, 415),
            ("POST", FORM, 1_000_000, 413),
        ],
    )
    def test_other_forms_are_refused_in_json(self, method, media, size, status):
        answer = Caller().generic(method, realm(), b"x" * size, content_type=media)

        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"

    def test_other_methods_are_told_which_is_allowed(self):
        for method in ("GET", "OPTIONS", "DELETE"):
            answer = Caller().generic(method, "/v0/token")
            assert (answer.status_code, answer["Allow"]) == (405, "POST")


class TestRevocation:
    def test_ends_the_clients_own_token(self, shop):
        token = tokens.issue_token(shop.client).access_token

        answer = send(realm(last="revoke"), credentials(shop, token=token))

        assert (answer.status_code, answer.content) == (200, b"")
        assert not AccessToken.objects.exists()
        assert send(realm(last="revoke"), credentials(shop, token=token)).status_code == 200

    def test_does_not_end_the_token_of_another_client(self, shop):
        token = tokens.issue_token(ClientFactory(tenant=shop.client.tenant)).access_token

        assert send(realm(last="revoke"), credentials(shop, token=token)).status_code == 200
        assert AccessToken.objects.count() == 1

    def test_needs_credentials_and_a_token(self, shop):
        assert send(realm(last="revoke"), {"token": "x"}).status_code == 401
        assert send(realm(last="revoke"), credentials(shop)).status_code == 400

    def test_says_that_a_refresh_token_cannot_be_ended_so(self, shop):
        token = tokens.refresh_token(shop.client, scope="orders:read")

        answer = send(realm(last="revoke"), credentials(shop, token=token))

        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_token_type")


class TestLegacy:
    def password(self, shop, **more):
        return {
            "grant_type": "password",
            "username": shop.client.client_id,
            "password": shop.secret,
        } | more

    @pytest.mark.parametrize("as_json", [False, True])
    def test_gives_a_token_for_a_day_and_a_refresh_token(self, shop, as_json):
        answer = send("/v0/token", self.password(shop), as_json=as_json, tenant="acme")

        token = answer.json()
        assert answer.status_code == 200
        assert set(token) == {"access_token", "refresh_token", "token_type", "scope", "expires_in"}
        assert (token["token_type"], token["expires_in"]) == ("Bearer", 86400)
        assert client_of(token["access_token"])[0] == shop.client

    @pytest.mark.parametrize("path", ["/v0/token", "/v0/refresh_token"])
    def test_renews_with_the_refresh_token(self, shop, path):
        first = send("/v0/token", self.password(shop)).json()

        answer = send(
            path, {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        )

        assert answer.status_code == 200
        assert answer.json()["access_token"] != first["access_token"]
        assert answer.json()["scope"] == first["scope"]

    @pytest.mark.parametrize(("scope", "granted"), FOREIGN_SCOPES)
    def test_ignores_scope_names_that_are_not_ours(self, shop, scope, granted):
        first = send("/v0/token", self.password(shop, scope=scope))
        assert (first.status_code, first.json()["scope"]) == (200, granted)

        whole = send("/v0/token", self.password(shop)).json()["refresh_token"]
        for path in ("/v0/token", "/v0/refresh_token"):
            fields = {"grant_type": "refresh_token", "refresh_token": whole, "scope": scope}
            answer = send(path, fields)
            assert (answer.status_code, answer.json()["scope"]) == (200, granted)
            whole = answer.json()["refresh_token"]

    def test_gives_no_scope_beyond_the_clients(self, shop):
        answer = send("/v0/token", self.password(shop, scope="openid events:read"))

        assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_scope")
        assert not AccessToken.objects.exists()

    def test_a_refresh_token_gives_no_scope_beyond_its_own_and_keeps_its_own(self, shop):
        first = send("/v0/token", self.password(shop, scope="orders:read")).json()
        fields = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}

        wider = send("/v0/token", fields | {"scope": "orders:write"})

        assert (wider.status_code, wider.json()["error_code"]) == (400, "invalid_scope")
        again = send("/v0/token", fields)
        assert (again.status_code, again.json()["scope"]) == (200, "orders:read")

    def test_a_refresh_token_dies_with_the_secret_the_tenant_and_age(self, shop, monkeypatch):
        def renew():
            return send(
                "/v0/token", {"grant_type": "refresh_token", "refresh_token": note}
            ).status_code

        note = tokens.refresh_token(shop.client, scope="orders:read")
        tenants.update("acme", is_active=False)
        assert renew() == 403
        tenants.update("acme", is_active=True)
        assert renew() == 200
        monkeypatch.setattr(tokens, "REFRESHABLE_FOR", dt.timedelta(seconds=-1))
        assert renew() == 403
        monkeypatch.undo()
        clients.rotate(shop.client.client_id)
        assert renew() == 403

    @pytest.mark.parametrize("token", ["x", "a.b.c", "", "é"])
    def test_a_forged_refresh_token_is_refused(self, shop, token):
        answer = send(
            "/v0/token", {"grant_type": "refresh_token", "refresh_token": token}, as_json=True
        )

        assert answer.status_code == (403 if token else 400)

    def test_wrong_credentials_are_a_403_with_the_documented_message(self, shop):
        answers = [
            send("/v0/token", self.password(shop, password="wrong")),
            send("/v0/token", self.password(shop, username="nobody")),
        ]

        for answer in answers:
            assert answer.status_code == answer.json()["status"] == 403
            assert answer.json()["message"] == "Authentication failed"
            assert answer["Content-Type"] == "application/problem+json"
        assert not AccessToken.objects.exists()

    @pytest.mark.parametrize("missing", ["grant_type", "username", "password"])
    def test_missing_fields_are_a_400_that_names_them(self, shop, missing):
        fields = self.password(shop)
        del fields[missing]

        answer = send("/v0/token", fields)

        assert answer.status_code == 400
        assert f"'{missing}' is a required property" in answer.json()["message"]

    def test_a_password_in_the_url_is_refused(self, shop):
        answer = send("/v0/token?password=x", self.password(shop))

        assert answer.status_code == 400
        assert "password is not allowed" in answer.json()["message"]


class TestForgetting:
    def test_is_what_beat_asks_for(self, settings):
        scheduled = [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]

        assert tasks.forget_expired_tokens.name in scheduled

    def test_deletes_what_expired_and_nothing_else(self, shop, monkeypatch):
        monkeypatch.setattr(tokens, "_BATCH", 2)
        live = tokens.issue_token(shop.client).access_token
        for _ in range(5):
            tokens.issue_token(shop.client, lifetime=dt.timedelta(seconds=-1))

        tasks.forget_expired_tokens()

        assert AccessToken.objects.get().expires > timezone.now()
        assert client_of(live)[0] == shop.client


@pytest.mark.django_db(transaction=True)
def test_a_rotation_waits_for_the_token_being_made_and_then_ends_it(shop, monkeypatch):
    making, continue_after_hold = Event(), Event()
    original = tokens.scopes.known

    def dawdle(names):
        making.set()
        continue_after_hold.wait(5)
        return original(names)

    def in_thread(action):
        try:
            return action()
        finally:
            connection.close()

    monkeypatch.setattr(tokens.scopes, "known", dawdle)
    with ThreadPoolExecutor(2) as people:
        issued = people.submit(in_thread, lambda: tokens.issue_token(shop.client))
        assert making.wait(5)
        rotated = people.submit(in_thread, lambda: clients.rotate(shop.client.client_id))
        with pytest.raises(TimeoutError):
            rotated.result(0.3)  # it waits
        continue_after_hold.set()
        issued.result(5)
        rotated.result(5)

    assert not AccessToken.objects.exists()

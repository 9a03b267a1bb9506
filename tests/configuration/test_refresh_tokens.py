"""Tests of refresh tokens, their families and their revocation."""

import datetime as dt
import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core import signing
from django.db import connection
from django.test import Client as Caller
from oauth2_provider.models import AccessToken

from configuration import tasks
from configuration.models import Client, RefreshFamily
from configuration.services import clients, tokens
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db
SCOPES = ["orders:read", "orders:write"]


@pytest.fixture
def shop():
    return clients.create(tenant=TenantFactory(slug="acme"), name="shop", scopes=SCOPES)


def send(path, **fields):
    return Caller().post(path, json.dumps(fields), content_type="application/json")


def sign_in(shop):
    """Return the first refresh token of a new family."""
    credentials = {"username": shop.client.client_id, "password": shop.secret}
    return send("/v0/token", grant_type="password", **credentials).json()["refresh_token"]


def renew(token, path="/v0/refresh_token"):
    return send(path, grant_type="refresh_token", refresh_token=token)


def successor(token):
    answer = renew(token)
    assert answer.status_code == 200, answer.content
    return answer.json()["refresh_token"]


def is_refused(token):
    """Return whether the token is refused as documented, without a new access token."""
    before = AccessToken.objects.count()
    answer = renew(token)
    if answer.status_code == 200:
        return False
    assert (answer.status_code, answer.json()["message"]) == (403, "Authentication failed")
    assert AccessToken.objects.count() == before
    return True


def in_thread(action):
    try:
        return action()
    finally:
        connection.close()


def let_pass(**time):
    """Move the last use of every family that far into the past."""
    for family in RefreshFamily.objects.all():
        family.rotated_at -= dt.timedelta(**time)
        family.save()


def of_former_version(client, scope="orders:read"):
    """Return a refresh token in the format of the release before families."""
    fingerprint = tokens._fingerprint(client)
    note = {"client": client.client_id, "scope": scope, "secret": fingerprint}
    return signing.dumps(note, salt="configuration.refresh_token")


class TestRevoking:
    def test_the_clients_tokens_ends_its_refresh_tokens(self, shop):
        token = sign_in(shop)
        clients.revoke_tokens(shop.client.client_id)

        assert is_refused(token)
        assert not is_refused(sign_in(shop))

    def test_by_switching_off_holds_when_it_is_on_again(self, shop):
        token = sign_in(shop)
        clients.switch(shop.client.client_id, is_active=False)
        clients.switch(shop.client.client_id, is_active=True)

        assert is_refused(token)
        assert not is_refused(sign_in(shop))

    @pytest.mark.parametrize("scopes", [["orders:read"], ["orders:read", "events:read"], []])
    def test_by_taking_a_scope_away(self, shop, scopes):
        token = sign_in(shop)
        clients.allow(shop.client.client_id, scopes=scopes)

        assert is_refused(token)

    def test_does_not_happen_by_another_scope_or_the_same(self, shop):
        token = sign_in(shop)
        clients.allow(shop.client.client_id, scopes=SCOPES)
        clients.allow(shop.client.client_id, scopes=[*SCOPES, "events:read"])

        assert renew(token).json()["scope"] == "orders:read orders:write"

    def test_ends_tokens_of_the_former_version_too(self, shop):
        token = of_former_version(shop.client)
        clients.revoke_tokens(shop.client.client_id)

        assert is_refused(token)

    def test_leaves_other_clients_alone(self, shop):
        other = clients.create(tenant=shop.client.tenant, name="other")
        token = sign_in(other)
        clients.revoke_tokens(shop.client.client_id)

        assert not is_refused(token)


class TestUsing:
    def test_gives_another_refresh_token_each_time(self, shop):
        token, successors = sign_in(shop), set()
        for _ in range(4):
            successors.add(token)
            token = successor(token)

        assert len(successors | {token}) == 5

    def test_a_second_time_at_once_gives_the_very_same_successor(self, shop):
        token = sign_in(shop)
        first = successor(token)

        assert [successor(token), successor(token)] == [first, first]
        assert successor(first) != first

    def test_a_second_time_within_half_a_minute_is_no_offense(self, shop):
        token = sign_in(shop)
        successor(token)
        let_pass(seconds=29)

        again = successor(token)
        assert not is_refused(again)

    def test_a_second_time_later_ends_the_family_and_no_other(self, shop):
        token, other = sign_in(shop), sign_in(shop)
        first = successor(token)
        let_pass(seconds=31)

        assert is_refused(token)
        assert is_refused(first)
        assert is_refused(token)
        assert not is_refused(other)

    def test_one_of_long_ago_ends_the_family(self, shop):
        token = sign_in(shop)
        latest = successor(successor(token))

        assert is_refused(token)
        assert is_refused(latest)

    @pytest.mark.parametrize("path", ["/v0/token", "/v0/refresh_token"])
    def test_one_of_the_former_version_works_once(self, shop, path):
        token = of_former_version(shop.client)

        first = renew(token, path).json()
        assert first["scope"] == "orders:read"
        assert renew(token, path).json()["refresh_token"] == first["refresh_token"]
        let_pass(seconds=31)
        assert is_refused(token)
        assert is_refused(first["refresh_token"])
        assert is_refused(token)

    def test_is_refused_after_thirty_days(self, shop, monkeypatch):
        token = successor(sign_in(shop))
        monkeypatch.setattr(tokens, "REFRESHABLE_FOR", dt.timedelta(seconds=-1))

        assert is_refused(token)

    def test_with_a_refused_scope_does_not_count(self, shop):
        token = sign_in(shop)
        fields = {"grant_type": "refresh_token", "refresh_token": token, "scope": "events:read"}

        assert send("/v0/token", **fields).status_code == 400
        assert not RefreshFamily.objects.exists()

    def test_is_not_found_in_the_database(self, shop):
        token = sign_in(shop)
        second = successor(token)

        [row] = RefreshFamily.objects.values()
        assert token not in str(row)
        assert second not in str(row)

    def test_cannot_be_repeated_once_its_family_is_forgotten(self, shop):
        token = sign_in(shop)
        second = successor(token)
        RefreshFamily.objects.all().delete()

        assert is_refused(second)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.mark.parametrize("former", [False, True])
    def test_all_get_one_successor(self, shop, former):
        token = of_former_version(shop.client) if former else sign_in(shop)
        ready = Barrier(8, timeout=20)

        def use():
            ready.wait()
            return renew(token).json()

        with ThreadPoolExecutor(8) as users:
            uses = [users.submit(in_thread, use) for _ in range(8)]
            answers = [used.result(20) for used in uses]

        assert len({answer["refresh_token"] for answer in answers}) == 1
        assert len({answer["access_token"] for answer in answers}) == 8
        assert RefreshFamily.objects.get().generation == 1

    def test_a_use_waits_for_another_of_the_same_token(self, shop, monkeypatch):
        """Fails without the client lock in `_holder`: the second use signs at another time."""
        token = successor(sign_in(shop))
        inside, original = self.dawdle(monkeypatch)
        with ThreadPoolExecutor(2) as users:
            first = users.submit(in_thread, lambda: successor(token))
            inside.wait()
            monkeypatch.setattr(tokens.scopes, "known", original)
            time.sleep(1.1)  # signatures have a resolution of one second
            second = users.submit(in_thread, lambda: successor(token))
            with pytest.raises(TimeoutError):
                second.result(0.3)
            inside.wait()
            assert second.result(10) == first.result(10)

        assert RefreshFamily.objects.get().generation == 2

    def test_a_revocation_waits_for_a_use_and_ends_what_it_gave(self, shop, monkeypatch):
        token = sign_in(shop)
        inside, _ = self.dawdle(monkeypatch)
        with ThreadPoolExecutor(2) as people:
            used = people.submit(in_thread, lambda: renew(token).json())
            inside.wait()
            revoked = people.submit(in_thread, lambda: clients.revoke_tokens(shop.client.client_id))
            with pytest.raises(TimeoutError):
                revoked.result(0.3)
            inside.wait()
            gained = used.result(10)
            revoked.result(10)
        monkeypatch.undo()

        assert not AccessToken.objects.exists()
        assert is_refused(gained["refresh_token"])
        assert Client.objects.get(pk=shop.client.pk).token_epoch == 1

    @staticmethod
    def dawdle(monkeypatch):
        """Stop a use at a barrier while it holds its locks, until the next barrier."""
        inside, original = Barrier(2, timeout=20), tokens.scopes.known

        def slow(names):
            inside.wait()
            inside.wait()
            return original(names)

        monkeypatch.setattr(tokens.scopes, "known", slow)
        return inside, original


class TestForgetting:
    def test_deletes_families_that_nobody_can_use_and_no_other(self, shop, monkeypatch):
        monkeypatch.setattr(tokens, "_BATCH", 2)
        for _ in range(5):
            successor(sign_in(shop))
        let_pass(days=32)
        live = successor(sign_in(shop))

        tasks.forget_expired_tokens()

        assert RefreshFamily.objects.count() == 1
        assert not is_refused(live)

    def test_keeps_an_ended_family_as_long_as_its_tokens_could_be_sent(self, shop):
        token = of_former_version(shop.client)
        successor(token)
        let_pass(days=29)
        assert is_refused(token)

        tasks.forget_expired_tokens()

        assert is_refused(token)

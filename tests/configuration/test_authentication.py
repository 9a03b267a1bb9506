"""Tests of authentication headers and of the delay of revocations."""

import datetime as dt
import time

import pytest
from django.test import Client as Caller

from configuration.services import clients, tenants, tokens
from ordermgmt.http import authentication
from ordermgmt.http.authentication import TokenRefused, client_of
from tests.factories import ClientFactory, bearer

pytestmark = pytest.mark.django_db
URL = "/v0/config/sales_order/external_oms"


@pytest.fixture(autouse=True)
def nothing_is_remembered():
    authentication.forget()


def status(**headers):
    return Caller().get(URL, headers=headers)


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "bearer x y",
        "Basic eDp5",
        "Token abc",
        "Bearer é",
        "Bearer a,Bearer b",
        "Bearer " + "x" * 16_384,
        "Bearer a\tb",
        "x",
        "Bearerabc",
        "Bearer \u0661",
    ],
)
def test_a_header_that_is_no_bearer_token_is_a_401(header):
    answer = status(Authorization=header)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_token_anywhere_but_in_the_header_is_none():
    token = bearer(ClientFactory())["Authorization"].split()[1]

    assert Caller().get(f"{URL}?access_token={token}").status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_as_http_says(scheme):
    token = bearer(ClientFactory())["Authorization"].split()[1]

    assert status(Authorization=f"{scheme} {token}").status_code == 200


@pytest.mark.parametrize(
    "token", ["unknown", "eyJhbGciOiJub25lIn0.e30.", "a" * 4000, "a==", "-._~+/"]
)
def test_a_token_that_is_not_ours_is_a_403_in_json(token):
    answer = status(Authorization=f"Bearer {token}")

    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert token not in answer.content.decode()


def test_all_that_is_refused_is_refused_alike():
    expired, suspended = ClientFactory(), ClientFactory()
    old = tokens.issue_token(expired, lifetime=dt.timedelta(seconds=-1)).access_token
    tenants.update(suspended.tenant.slug, is_active=False)
    answers = [
        status(Authorization=f"Bearer {token}", **{"Request-Id": "x"})
        for token in (old, tokens.issue_token(suspended).access_token, "unknown")
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1


class TestRemembering:
    def test_costs_one_query_a_second_not_one_a_request(self, django_assert_num_queries):
        token = tokens.issue_token(ClientFactory()).access_token

        with django_assert_num_queries(1):
            for _ in range(50):
                client, _grant = client_of(token)
                assert client.tenant.slug  # loaded without another query

    @pytest.mark.parametrize("end", ["revoke", "rotate", "suspend"])
    def test_is_over_within_a_second_of_a_revocation(self, monkeypatch, end):
        client = ClientFactory()
        token = tokens.issue_token(client).access_token
        client_of(token)

        {
            "revoke": lambda: tokens.revoke(client, token),
            "rotate": lambda: clients.rotate(client.client_id),
            "suspend": lambda: tenants.update(client.tenant.slug, is_active=False),
        }[end]()
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + authentication.REMEMBERED_FOR + 0.001)

        with pytest.raises(TokenRefused):
            client_of(token)
        assert authentication.REMEMBERED_FOR <= 1

    def test_does_not_outlive_the_token(self, monkeypatch):
        token = tokens.issue_token(ClientFactory()).access_token
        _, grant = client_of(token)

        monkeypatch.setattr(time, "time", lambda: grant.expires_at - 0.001)
        client_of(token)
        monkeypatch.setattr(time, "time", lambda: grant.expires_at)

        with pytest.raises(TokenRefused):
            client_of(token)

    def test_is_bounded(self, monkeypatch):
        monkeypatch.setattr(authentication, "REMEMBERED_AT_MOST", 3)
        client = ClientFactory()

        for _ in range(10):
            client_of(tokens.issue_token(client).access_token)

        assert len(authentication._remembered) <= 3

    def test_remembers_no_token_that_was_refused(self):
        with pytest.raises(TokenRefused):
            client_of("unknown")

        assert not authentication._remembered

    def test_holds_no_token_in_the_clear(self):
        token = tokens.issue_token(ClientFactory()).access_token
        client_of(token)

        assert token not in repr(authentication._remembered)

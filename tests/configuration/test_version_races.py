"""Race tests of concurrent changes to one row, of which one is refused.

They fail without the row lock of `versions.put`, `tenants.update` and `tokens.issue_token`.
"""

import pytest
from oauth2_provider.models import AccessToken

from configuration.models import Location, Tenant
from configuration.services import clients, locations, tenants, tokens, versions
from configuration.services.versions import VersionMismatch
from tests.factories import ClientFactory, LocationFactory, TenantFactory
from tests.orders.racing import alone, at_once, meet

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_of_two_changes_of_a_location_is_refused(monkeypatch):
    location = LocationFactory(code="B")
    meet(monkeypatch, versions, "check")

    def rename(name):
        return lambda: locations.put(
            tenant=location.tenant, code="B", type="dc", name=name, if_match={1}
        )

    with alone():
        first, second = sorted(at_once([rename("one"), rename("two")]), key=_is_refusal)

    assert isinstance(second, VersionMismatch)
    location = Location.objects.get()
    assert (location.name, location.version) == (first.name, 2)


def test_one_of_two_who_make_a_location_is_told_that_it_is_there(monkeypatch):
    tenant = TenantFactory()

    def make(name):
        return lambda: locations.put(tenant=tenant, code="B", type="dc", name=name, if_match={0})

    with alone():
        first, second = sorted(at_once([make("one"), make("two")]), key=_is_refusal)

    assert isinstance(second, VersionMismatch)
    assert Location.objects.get().name == first.name


def test_one_of_two_changes_of_a_tenant_is_refused(monkeypatch):
    tenants.create("acme")
    meet(monkeypatch, versions, "check")

    with alone():
        first, second = sorted(
            at_once(
                [
                    lambda: tenants.update("acme", name="one", if_match={1}),
                    lambda: tenants.update("acme", shop="two", if_match={1}),
                ]
            ),
            key=_is_refusal,
        )

    assert isinstance(second, VersionMismatch)
    tenant = Tenant.objects.get()
    assert (tenant.name, tenant.shop, tenant.version) == (first.name, first.shop, 2)


def test_a_client_that_is_switched_off_meanwhile_keeps_no_token(monkeypatch):
    client = ClientFactory()
    meet(monkeypatch, clients, "_locked")
    meet(monkeypatch, tokens.secrets, "token_urlsafe")

    with alone():
        at_once(
            [
                lambda: clients.switch(client.client_id, is_active=False),
                lambda: tokens.issue_token(client),
            ]
        )

    assert not AccessToken.objects.exists()


def _is_refusal(answer):
    return isinstance(answer, Exception)

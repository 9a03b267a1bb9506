"""Tests of tenants, clients, locations, service levels and their database constraints."""

import pytest
from django.contrib.auth.hashers import check_password
from django.db import IntegrityError, transaction
from oauth2_provider.models import AccessToken

from configuration.models import Client, Location, ServiceLevel, Tenant
from configuration.services import clients, locations, service_levels, tenants, tokens
from configuration.services.clients import BadClientName, ClientExists, ClientNotFound
from configuration.services.locations import BadLocation
from configuration.services.service_levels import BadServiceLevel
from configuration.services.tenants import BadSlug, TenantExists, TenantNotFound
from configuration.services.versions import VersionMismatch
from ordermgmt.errors import Forbidden
from ordermgmt.http.scopes import SCOPES, UnknownScope
from tests.factories import ClientFactory, LocationFactory, TenantFactory

pytestmark = pytest.mark.django_db


class TestTenant:
    def test_is_usable_as_it_is_made(self):
        tenant = tenants.create("acme")

        assert (tenant.name, tenant.is_active, tenant.checks_payment_totals) == ("acme", True, True)
        assert tenants.find("acme") == tenant

    def test_has_a_key_of_its_own_for_pseudonyms_which_is_sealed(self):
        one, other = TenantFactory(), TenantFactory()

        keys = {tenants.pseudonym_key(t.uuid, t.pseudonym_key) for t in (one, other)}

        assert {len(key) for key in keys} == {32}
        assert len(keys) == 2
        assert not any(key.hex() in one.pseudonym_key + other.pseudonym_key for key in keys)

    @pytest.mark.parametrize(
        "slug", ["", "a b", "a_b", "a.b", "ä", "a" * 64, "a\n", "../x", "a'--", "a\0"]
    )
    def test_has_a_slug_that_fits_a_header(self, slug):
        with pytest.raises(BadSlug):
            tenants.create(slug)

        assert not Tenant.objects.exists()

    def test_has_a_slug_in_small_letters_however_it_is_written(self):
        tenant = tenants.create("ACME")

        assert (tenant.slug, tenant.name) == ("acme", "acme")
        assert tenants.find("Acme") == tenant
        assert tenants.update("aCME", name="Acme").slug == "acme"
        for slug in ("ACME", "acme"):
            with pytest.raises(TenantExists):
                tenants.create(slug)
        with pytest.raises(TenantNotFound):
            tenants.find("ac\N{KELVIN SIGN}me")
        assert Tenant.objects.count() == 1

    def test_is_made_once(self):
        tenants.create("acme", name="First")

        with pytest.raises(TenantExists):
            tenants.create("acme", name="Second")

        assert tenants.find("acme").name == "First"

    def test_changes_only_in_what_is_named(self):
        tenants.create("acme", shop="shop-de")

        tenant = tenants.update("acme", uses_pii_tokens=True)

        assert (tenant.shop, tenant.uses_pii_tokens) == ("shop-de", True)
        assert Tenant.objects.get().uses_pii_tokens

    def test_that_does_not_exist_is_not_found(self):
        with pytest.raises(TenantNotFound):
            tenants.update("nobody", name="x")

    def test_counts_its_changes_and_refuses_one_made_by_an_old_picture(self):
        tenants.create("acme")
        tenants.update("acme", name="Acme", if_match={1})

        with pytest.raises(VersionMismatch):
            tenants.update("acme", name="Other", if_match={1})

        tenants.update("acme", name="Acme", if_match={2})  # no change
        tenant = tenants.find("acme")
        assert (tenant.name, tenant.version) == ("Acme", 2)

    @pytest.mark.parametrize("fields", [{"slug": "ACME"}, {"slug": ""}, {"pseudonym_key": ""}])
    def test_that_breaks_a_rule_is_refused_by_the_database_too(self, fields):
        with pytest.raises(IntegrityError), transaction.atomic():
            Tenant.objects.create(**{"slug": "a", "name": "a", "pseudonym_key": "x"} | fields)


class TestClient:
    def test_may_do_everything_but_read_personal_data_unless_told_otherwise(self):
        usual = [scope for scope in SCOPES if scope != "order-management:pii:read"]
        assert clients.create(tenant=TenantFactory(), name="shop").client.scopes == usual

    def test_keeps_its_secret_hashed(self):
        shop = clients.create(tenant=TenantFactory(), name="shop")

        stored = Client.objects.get().client_secret

        assert len(shop.secret) >= 43
        assert shop.secret not in stored
        assert stored.startswith("one_pass_sha256$")
        assert check_password(shop.secret, stored)
        assert not check_password(shop.secret + "x", stored)

    def test_may_not_have_a_scope_that_does_not_exist(self):
        with pytest.raises(UnknownScope):
            clients.create(tenant=TenantFactory(), name="shop", scopes=["orders:read", "all"])

        assert not Client.objects.exists()

    @pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x00", "x" * 201])
    def test_has_a_name_that_a_timeline_can_show(self, name):
        with pytest.raises(BadClientName):
            clients.create(tenant=TenantFactory(), name=name)

    def test_has_its_name_alone_within_its_tenant(self):
        first = ClientFactory(name="shop")
        ClientFactory(name="shop")  # of another tenant

        with pytest.raises(ClientExists):
            clients.create(tenant=first.tenant, name="shop")

        assert Client.objects.count() == 2

    def test_rotated_has_another_secret_and_no_tokens(self):
        shop, other = clients.create(tenant=TenantFactory(), name="shop"), ClientFactory()
        for client in (shop.client, other):
            tokens.issue_token(client)

        rotated = clients.rotate(shop.client.client_id)

        stored = Client.objects.get(pk=shop.client.pk).client_secret
        assert check_password(rotated.secret, stored)
        assert not check_password(shop.secret, stored)
        assert AccessToken.objects.get().application == other

    def test_rotated_meanwhile_gets_no_token_for_the_old_secret(self):
        shop = clients.create(tenant=TenantFactory(), name="shop")
        stale = tokens.authenticate(client_id=shop.client.client_id, client_secret=shop.secret)

        clients.rotate(shop.client.client_id)

        with pytest.raises(tokens.InvalidClient):
            tokens.issue_token(stale)
        assert not AccessToken.objects.exists()

    def test_loses_every_token_it_holds_and_no_other(self):
        client = ClientFactory()
        for holder in (client, client, ClientFactory()):
            tokens.issue_token(holder)

        assert clients.revoke_tokens(client.client_id) == 2
        assert AccessToken.objects.count() == 1

    def test_switched_off_holds_no_token_and_gets_none_until_it_is_on_again(self):
        shop = clients.create(tenant=TenantFactory(), name="shop")
        credentials = {"client_id": shop.client.client_id, "client_secret": shop.secret}
        stale = tokens.authenticate(**credentials)
        note = tokens.refresh_token(stale, scope="orders:read")
        tokens.issue_token(stale)

        clients.switch(shop.client.client_id, is_active=False)

        for refused in (
            lambda: tokens.authenticate(**credentials),
            lambda: tokens.issue_token(stale),
            lambda: tokens.refresh(note),
        ):
            with pytest.raises(Forbidden):
                refused()
        assert not AccessToken.objects.exists()
        clients.switch(shop.client.client_id, is_active=True)
        assert tokens.issue_token(tokens.authenticate(**credentials))

    def test_allowed_less_loses_the_tokens_that_could_do_more(self):
        client = ClientFactory()
        tokens.issue_token(client)

        clients.allow(client.client_id, scopes=["orders:read"])

        assert not AccessToken.objects.exists()
        assert Client.objects.get().scopes == ["orders:read"]

    def test_allowed_what_it_may_do_already_keeps_its_tokens(self):
        client = ClientFactory()
        tokens.issue_token(client)

        same = clients.allow(client.client_id, scopes=reversed(SCOPES), if_match={1})

        assert (same.version, AccessToken.objects.count()) == (1, 1)

    def test_is_not_allowed_what_does_not_exist(self):
        client = ClientFactory()
        tokens.issue_token(client)

        with pytest.raises(UnknownScope):
            clients.allow(client.client_id, scopes=["all"])

        assert AccessToken.objects.count() == 1
        assert Client.objects.get().scopes == list(SCOPES)

    def test_that_does_not_exist_is_not_found(self):
        with pytest.raises(ClientNotFound):
            clients.rotate("nobody")


class TestLocation:
    def test_put_again_is_changed_not_doubled(self):
        location = LocationFactory(code="B", type="store", country_codes=["DE", "AT", "DE"])

        locations.put(tenant=location.tenant, code="B", type="dc")

        row = Location.objects.get()
        assert (row.pk, row.type, row.country_codes) == (location.pk, "dc", [])

    def test_is_not_changed_by_whoever_saw_an_old_picture(self):
        location = LocationFactory(code="B")
        identity = {"tenant": location.tenant, "code": "B", "type": "dc"}
        locations.put(**identity, if_match={1})

        for stale in ({1}, {0}, set()):
            with pytest.raises(VersionMismatch):
                locations.put(**identity, name="Elsewhere", if_match=stale)

        row = Location.objects.get()
        assert (row.name, row.type, row.version) == ("B", "dc", 2)

    def test_that_is_gone_is_not_made_by_a_change(self):
        with pytest.raises(VersionMismatch):
            locations.put(tenant=TenantFactory(), code="B", type="dc", if_match={1})

        assert not Location.objects.exists()

    @pytest.mark.parametrize(
        "fields",
        [
            {"code": " "},
            {"type": "moon"},
            {"country_codes": ["de"]},
            {"country": "DEU"},
            {"country": "ZZ"},
            {"country_codes": ["DE", "UK"]},
            {"country_codes": ["EU"]},
        ],
    )
    def test_that_makes_no_sense_is_refused(self, fields):
        with pytest.raises(BadLocation):
            locations.put(**{"tenant": TenantFactory(), "code": "B", "type": "dc"} | fields)

        assert not Location.objects.exists()

    def test_without_countries_serves_all(self):
        assert LocationFactory().serves("JP")
        assert not LocationFactory(country_codes=["DE"]).serves("JP")


class TestServiceLevel:
    def test_put_again_is_changed_not_doubled(self):
        tenant = TenantFactory()
        for seconds in (60, None):
            service_levels.put(tenant=tenant, identifier="next day", remorse_period=seconds)

        assert ServiceLevel.objects.get().remorse_period is None

    def test_is_not_changed_by_whoever_saw_an_old_picture(self):
        tenant = TenantFactory()
        for version, seconds in enumerate((60, 90)):
            level = service_levels.put(
                tenant=tenant, identifier="x", remorse_period=seconds, if_match={version}
            )

        with pytest.raises(VersionMismatch):
            service_levels.put(tenant=tenant, identifier="x", remorse_period=5, if_match={1})

        assert (level.version, ServiceLevel.objects.get().remorse_period) == (2, 90)

    @pytest.mark.parametrize(
        "fields",
        [
            {"identifier": ""},
            {"identifier": "x" * 65},
            {"shipping_type": "mule"},
            {"remorse_period": -1},
        ],
    )
    def test_that_makes_no_sense_is_refused(self, fields):
        with pytest.raises(BadServiceLevel):
            service_levels.put(**{"tenant": TenantFactory(), "identifier": "x"} | fields)

        assert not ServiceLevel.objects.exists()

"""A tenant's configuration in the console: permissions, tenants, services and messages."""

import re

import pytest
from django.db import connection
from django.urls import reverse

from configuration import keys, services
from configuration.models import Client, Location, ServiceLevel, Setting, SettingChange, Tenant
from configuration.services import clients, tokens
from configuration.services.settings import history
from tests.console.people import signed_in
from tests.factories import ClientFactory, LocationFactory, ServiceLevelFactory, TenantFactory

pytestmark = pytest.mark.django_db
CANARY = "canary-canary-canary-1234"
XSS = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>"


def url(page, *args):
    return reverse(f"admin:configuration_{page}", args=args)


def lists(tenant):
    """Every list there is of a tenant's."""
    kinds = ("location", "servicelevel", "client", "tenant")
    return [url(f"{kind}_changelist") for kind in kinds] + [url("setting_list", tenant.slug)]


def forms(tenant):
    """Every page that can change a tenant, which is given one of each."""
    rows = {
        "location": LocationFactory(tenant=tenant),
        "servicelevel": ServiceLevelFactory(tenant=tenant),
        "client": ClientFactory(tenant=tenant),
        "tenant": tenant,
    }
    changes = [url(f"{kind}_change", row.pk) for kind, row in rows.items()]
    steps = [url("client_step", rows["client"].pk, step) for step in ("rotate", "revoke", "off")]
    settings = [url("setting_change", tenant.slug, name) for name in keys.KEYS]
    return changes + settings, steps


def fields(page):
    """What the page's form holds, as a browser would send it back."""
    form = page.context["form"]
    form_data = {}
    for bound in form:
        value = bound.value()
        if value is True:
            form_data[bound.name] = "on"
        elif value is not None and value is not False:
            form_data[bound.name] = value
    return form_data


def write(tenant, key, value):
    return services.write(tenant, key, key.parse(value), actor="client:web")


def draw(tenant):
    """Draw a number as a capture does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [services.sequence_name(tenant.pk)])


class TestRoles:
    @pytest.mark.parametrize("role", ["support", "supervisor", "admin", "operator"])
    def test_see_what_theirs_allows(self, role):
        tenant = TenantFactory()
        browser = signed_in(role, None if role == "operator" else tenant)
        pages, steps = forms(tenant)
        pages += lists(tenant)

        answers = {at: browser.get(at).status_code for at in pages}
        page = {browser.get(at).status_code for at in steps}

        assert set(answers.values()) == {403 if role == "support" else 200}, answers
        assert page == {200 if role in ("admin", "operator") else 403}

    @pytest.mark.parametrize("role", ["support", "supervisor"])
    def test_that_only_look_change_nothing(self, role):
        tenant = TenantFactory(name="Before")
        pages, steps = forms(tenant)
        adds = [url(f"{kind}_add") for kind in ("client", "location", "servicelevel", "tenant")]
        kinds = (Tenant, Client, Location, ServiceLevel, Setting)
        before = [list(kind.objects.values()) for kind in kinds]
        browser = signed_in(role, tenant)
        form_data = {
            "expected_version": 1,
            "name": "After",
            "value": 5,
            "enabled": "on",
            "scopes": "orders:read",
        }

        refused = {to: browser.post(to, form_data).status_code for to in pages + steps + adds}

        assert set(refused.values()) == {403}, refused
        assert before == [list(kind.objects.values()) for kind in kinds]

    def test_that_belong_to_a_tenant_make_no_other(self):
        assert signed_in("admin", TenantFactory()).get(url("tenant_add")).status_code == 403


class TestAnotherTenants:
    def test_pages_are_answered_like_those_that_do_not_exist(self):
        mine, other = TenantFactory(), TenantFactory()
        browser = signed_in("admin", mine)
        rows = [LocationFactory(tenant=other), ServiceLevelFactory(tenant=other)]
        rows += [ClientFactory(tenant=other), other]
        theirs = [url(f"{row._meta.model_name}_change", row.pk) for row in rows]
        absent = [url(f"{row._meta.model_name}_change", row.pk + 10_000) for row in rows]
        theirs += [url("client_step", rows[2].pk, "rotate")]
        absent += [url("client_step", rows[2].pk + 10_000, "rotate")]
        for name in ("list", "change", "preview"):
            args = [keys.BIG_SALES_ORDER.name] * (name != "list")
            theirs.append(url(f"setting_{name}", other.slug, *args))
            absent.append(url(f"setting_{name}", "nobody", *args))
        secret = Client.objects.get().client_secret

        for at, nowhere in zip(theirs, absent, strict=True):
            for ask in (browser.get, browser.post):
                answer, expected = ask(at), ask(nowhere)
                assert (answer.status_code, len(answer.content)) == (404, len(expected.content)), at

        assert Client.objects.get().client_secret == secret

    def test_rows_are_in_no_list(self):
        mine, other = TenantFactory(), TenantFactory(slug="other-tenant")
        LocationFactory(tenant=other, code="THEIRS")
        ServiceLevelFactory(tenant=other, identifier="THEIRS")
        ClientFactory(tenant=other, name="THEIRS")
        browser = signed_in("admin", mine)

        for kind in ("location", "servicelevel", "client", "tenant"):
            for query in ("", "?q=THEIRS", "?q=other-tenant"):
                page = browser.get(url(f"{kind}_changelist") + query)
                assert b"THEIRS</a>" not in page.content
                assert b"other-tenant</a>" not in page.content

    def test_a_tenants_name_in_capitals_means_the_same(self):
        tenant = TenantFactory(slug="acme", name="Acme Outdoor")
        browser = signed_in("operator")

        for name, args in (
            ("configuration_setting_list", ["ACME"]),
            ("configuration_setting_change", ["Acme", "big_sales_order"]),
            ("webhooks_externaloms_change", ["aCME"]),
        ):
            page = browser.get(reverse(f"admin:{name}", args=args))
            assert page.status_code == 200, name
        assert b"Acme Outdoor" in browser.get(f"{url('tenant_changelist')}?q=ACM").content
        assert browser.get(f"/console/?tenant={tenant.slug.upper()}").status_code == 200
        orders = browser.get(f"/console/orders/order/?tenant={tenant.slug.upper()}")
        assert orders.status_code == 200

    def test_rows_are_the_operators_business(self):
        tenant = TenantFactory(name="Acme")
        LocationFactory(tenant=tenant, code="DC1")
        browser = signed_in("operator")

        assert b"DC1" in browser.get(url("location_changelist")).content
        assert b"Acme" in browser.get(url("setting_changelist")).content
        form_data = {"tenant": tenant.pk, "code": "DC2", "name": "Two", "type": "dc", "priority": 1}
        browser.post(url("location_add"), form_data | {"expected_version": 0, "is_active": "on"})
        assert Location.objects.get(code="DC2").tenant == tenant

    def test_id_cannot_be_slipped_into_a_form(self):
        mine, other = TenantFactory(), TenantFactory()
        form_data = {"tenant": other.pk, "code": "DC1", "name": "One", "type": "dc", "priority": 1}

        signed_in("admin", mine).post(url("location_add"), form_data | {"expected_version": 0})

        assert Location.objects.get().tenant == mine


class TestSetting:
    @pytest.mark.parametrize("name", keys.KEYS)
    def test_has_a_form_that_takes_its_example(self, name):
        tenant, key = TenantFactory(), keys.find(name)
        at = url("setting_change", tenant.slug, name)
        browser = signed_in("admin", tenant)
        form_data = key.example if isinstance(key.example, dict) else {"value": key.example}

        answer = browser.post(at, fields(browser.get(at)) | form_data | {"for_good": "on"})

        assert answer.status_code == 302, answer.context["form"].errors
        stored = services.read(tenant, key)
        assert (key.dump(stored.value), stored.version) == (key.example, 1)
        assert stored.updated_by == "staff:admin@" + tenant.slug

    @pytest.mark.parametrize("name", keys.KEYS)
    def test_sent_as_it_was_opened_changes_nothing(self, name):
        tenant, key = TenantFactory(), keys.find(name)
        write(tenant, key, key.example)
        at = url("setting_change", tenant.slug, name)
        browser = signed_in("admin", tenant)

        browser.post(at, fields(browser.get(at)) | {"for_good": "on"})

        stored = services.read(tenant, key)
        assert (key.dump(stored.value), stored.version) == (key.example, 1)

    @pytest.mark.parametrize(
        ("name", "sent", "field"),
        [
            ("big_sales_order", {"soft_limit_for_big_orders": "-1"}, "soft_limit_for_big_orders"),
            ("big_sales_order", {"soft_limit_for_big_orders": "1", "hard_limit": "2"}, "__all__"),
            ("on_hold_timer_duration", {"value": "1", "unit": "s"}, "__all__"),
            ("external_oms", {"enabled": "on", "since": "now"}, "__all__"),
            ("cancellation_allowed_from", {"value": ["dc"], "x": "1"}, "__all__"),
            (
                "external_order_webhook",
                {"url": "https://example.com", "api_key": "k", "retries": "1"},
                "__all__",
            ),
            ("sales_order_generator_sequence", {}, "__all__"),
            ("sales_order_generator_sequence", {"size": "2", "length": "3"}, "__all__"),
            ("big_sales_order", {"soft_limit_for_big_orders": ""}, "soft_limit_for_big_orders"),
            (
                "big_sales_order",
                {"soft_limit_for_big_orders": "9" * 5000},
                "soft_limit_for_big_orders",
            ),
            ("on_hold_timer_duration", {"value": "2592001"}, "value"),
            ("on_hold_timer_duration", {"value": "ten"}, "value"),
            ("cancellation_allowed_from", {}, "value"),
            ("cancellation_allowed_from", {"value": ["moon"]}, "value"),
            ("external_order_webhook", {"url": "https://example.com"}, "api_key"),
            ("external_order_webhook", {"url": "http://example.com", "api_key": "k"}, "__all__"),
            ("external_order_webhook", {"url": "https://10.0.0.1", "api_key": "k"}, "__all__"),
            ("external_order_webhook", {"url": "https://example.com", "api_key": "a b"}, "api_key"),
            ("sales_order_generator_sequence", {"size": "2", "start": "100"}, "__all__"),
            ("sales_order_generator_sequence", {"prefix": "<b>"}, "prefix"),
        ],
    )
    def test_that_makes_no_sense_is_refused_beside_its_field(self, name, sent, field):
        tenant = TenantFactory()
        at = url("setting_change", tenant.slug, name)

        answer = signed_in("admin", tenant).post(
            at, {"expected_version": 0, "for_good": "on"} | sent
        )

        assert answer.status_code == 200
        assert list(answer.context["form"].errors) == [field]
        assert not Setting.objects.exists()

    def test_is_not_changed_by_a_form_opened_on_an_older_one(self):
        tenant, key = TenantFactory(), keys.ON_HOLD_TIMER_DURATION
        at = url("setting_change", tenant.slug, key.name)
        browser = signed_in("admin", tenant)
        opened = fields(browser.get(at))
        write(tenant, key, 20)

        answer = browser.post(at, opened | {"value": "30"})

        assert "It was changed meanwhile" in answer.content.decode()
        assert services.read(tenant, key).value == 20
        assert SettingChange.objects.count() == 1

    def test_tells_who_changed_what_from_what(self):
        tenant, key = TenantFactory(), keys.BIG_SALES_ORDER
        for limit in (300, 20):
            write(tenant, key, {"soft_limit_for_big_orders": limit})

        page = signed_in("supervisor", tenant).get(url("setting_change", tenant.slug, key.name))

        text = page.content.decode()
        assert "Soft limit for big orders: <del>300</del> → <ins>20</ins>" in text
        assert "Soft limit for big orders: <del>not set</del> → <ins>300</ins>" in text
        assert text.count("client web, version") == 2

    def test_that_does_not_exist_is_not_found(self):
        tenant = TenantFactory()

        answer = signed_in("admin", tenant).get(url("setting_change", tenant.slug, "nothing"))

        assert answer.status_code == 404

    def test_list_shows_all_with_defaults_in_the_same_number_of_queries(
        self, django_assert_max_num_queries
    ):
        tenant = TenantFactory()
        write(tenant, keys.ON_HOLD_TIMER_DURATION, 900)
        browser = signed_in("supervisor", tenant)
        at = url("setting_list", tenant.slug)
        browser.get(at)

        with django_assert_max_num_queries(12):
            text = browser.get(at).content.decode()

        assert all(name in text for name in keys.KEYS)
        assert "900 seconds (15 min)" in text
        assert text.count("The default; never set.") == 3


class TestSecretOfAWebhook:
    def webhook(self, tenant, **members):
        value = {"url": "https://example.com/", "api_key": CANARY, "timeout": 20}
        return write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, value | members)

    def test_is_on_no_page(self):
        tenant = TenantFactory()
        self.webhook(tenant)
        self.webhook(tenant, api_key="another-canary-canary-5678")
        self.webhook(tenant, timeout=5)
        browser = signed_in("admin", tenant)
        at = url("setting_change", tenant.slug, "external_order_webhook")
        bad = fields(browser.get(at)) | {"api_key": "typed-canary-canary", "timeout": "99"}

        text = [
            browser.get(at),
            browser.get(url("setting_list", tenant.slug)),
            browser.post(at, bad),
        ]

        for page in text:
            assert b"canary" not in page.content
            assert "••••".encode() in page.content
        assert b"Only a secret" not in text[0].content  # its last characters say that it changed

    def test_is_kept_by_a_form_that_leaves_it_empty(self):
        tenant = TenantFactory()
        self.webhook(tenant)
        browser = signed_in("admin", tenant)
        at = url("setting_change", tenant.slug, "external_order_webhook")

        browser.post(at, fields(browser.get(at)) | {"timeout": "7"})

        stored = services.read(tenant, keys.EXTERNAL_ORDER_WEBHOOK).value
        assert (stored.api_key, stored.timeout) == (CANARY, 7)

    def test_must_be_said_again_for_another_host(self):
        tenant = TenantFactory()
        self.webhook(tenant)
        browser = signed_in("admin", tenant)
        at = url("setting_change", tenant.slug, "external_order_webhook")

        answer = browser.post(at, fields(browser.get(at)) | {"url": "https://example.org/"})

        assert "Another host needs the api_key itself" in answer.content.decode()
        assert services.read(tenant, keys.EXTERNAL_ORDER_WEBHOOK).version == 1

    def test_is_in_no_log(self, caplog, capsys):
        tenant = TenantFactory()
        browser = signed_in("admin", tenant)
        at = url("setting_change", tenant.slug, "external_order_webhook")

        browser.post(at, {"expected_version": 0, "url": "https://example.com/", "api_key": CANARY})

        assert services.read(tenant, keys.EXTERNAL_ORDER_WEBHOOK).value.api_key == CANARY
        written = capsys.readouterr()
        assert CANARY not in caplog.text + written.out + written.err
        assert CANARY not in str(list(history(tenant, keys.EXTERNAL_ORDER_WEBHOOK).values()))


class TestSequence:
    KEY = keys.SALES_ORDER_GENERATOR_SEQUENCE

    def test_is_set_only_by_who_confirms_that_it_is_for_good(self):
        tenant = TenantFactory()
        at = url("setting_change", tenant.slug, self.KEY.name)
        browser = signed_in("admin", tenant)
        form_data = fields(browser.get(at)) | {"prefix": "AC", "size": "5"}

        unconfirmed = browser.post(at, form_data)

        assert list(unconfirmed.context["form"].errors) == ["for_good"]
        assert not Setting.objects.exists()
        assert browser.post(at, form_data | {"for_good": "on"}).status_code == 302
        assert services.read(tenant, self.KEY).value.prefix == "AC"

    def test_once_set_lets_only_its_size_be_raised(self):
        tenant = TenantFactory()
        write(tenant, self.KEY, {"prefix": "AC", "size": 5})
        at = url("setting_change", tenant.slug, self.KEY.name)
        browser = signed_in("admin", tenant)

        text = browser.get(at).content.decode()

        assert "AC00001" in text
        assert "data-preview" not in text
        form_data = {"expected_version": 1, "prefix": "XX", "size": "5", "start": "7", "step": "3"}
        browser.post(at, form_data)
        assert services.read(tenant, self.KEY).version == 1
        refused = browser.post(at, form_data | {"size": "4"})
        assert "Only its size can be raised" in refused.content.decode()
        assert browser.post(at, form_data | {"size": "6"}).status_code == 302
        stored = services.read(tenant, self.KEY)
        assert self.KEY.dump(stored.value) == {"prefix": "AC", "size": 6, "start": 1, "step": 1}
        assert stored.updated_by == f"staff:admin@{tenant.slug}"
        assert "AC000001" in browser.get(at).content.decode()

    @pytest.mark.parametrize("role", ["support", "supervisor"])
    def test_is_not_raised_by_who_is_no_admin(self, role):
        tenant = TenantFactory()
        write(tenant, self.KEY, {"prefix": "AC", "size": 5})
        at = url("setting_change", tenant.slug, self.KEY.name)
        form_data = {"expected_version": 1, "prefix": "AC", "size": "6", "start": "1", "step": "1"}

        assert signed_in(role, tenant).post(at, form_data).status_code == 403
        assert services.read(tenant, self.KEY).value.size == 5

    @pytest.mark.parametrize(
        ("drawn", "warning"),
        [
            (8, None),
            (9, "90 % of the order numbers are used, 1 are left"),
            (10, "All order numbers are used"),
        ],
    )
    def test_nearly_used_up_is_warned_of(self, drawn, warning):
        tenant = TenantFactory()
        write(tenant, self.KEY, {"size": 2, "start": 90})
        for _ in range(drawn):
            draw(tenant)
        browser = signed_in("admin", tenant)
        at = url("setting_change", tenant.slug, self.KEY.name)

        for page in (at, url("setting_list", tenant.slug), "/console/"):
            text = browser.get(page).content.decode()
            assert ("order numbers are used" in text) is bool(warning), page
            assert (warning or "") in text

    def test_is_previewed_without_being_set(self):
        tenant = TenantFactory()
        at = url("setting_preview", tenant.slug, self.KEY.name)
        browser = signed_in("admin", tenant)

        good = browser.get(at, {"prefix": "AC", "size": "3", "start": "7", "step": "2"})
        bad = browser.get(at, {"prefix": XSS, "size": "3"})

        assert good.json() == {"numbers": ["AC007", "AC009", "AC011", "AC013", "AC015"]}
        assert bad.json() == {"numbers": []}
        assert not Setting.objects.exists()


class TestClient:
    def test_is_made_with_a_secret_that_is_shown_once(self):
        tenant = TenantFactory()
        browser = signed_in("admin", tenant)

        new_order = browser.post(
            url("client_add"), {"expected_version": 0, "name": "shop", "scopes": ["orders:read"]}
        )

        client = Client.objects.get()
        secret = new_order.context["secret"]
        assert tokens.authenticate(client_id=client.client_id, client_secret=secret) == client
        assert (client.tenant, client.scopes) == (tenant, ["orders:read"])
        assert secret in new_order.content.decode()
        assert "no-store" in new_order.headers["Cache-Control"]
        later = [url("client_changelist"), url("client_change", client.pk), reverse("admin:index")]
        assert not [at for at in later if secret in browser.get(at).content.decode()]
        assert secret not in str(dict(browser.session))

    def test_of_a_name_that_is_taken_is_refused_and_none_is_made(self):
        client = ClientFactory(name="shop")

        answer = signed_in("admin", client.tenant).post(
            url("client_add"), {"expected_version": 0, "name": "shop", "scopes": ["orders:read"]}
        )

        assert "already has a client named shop" in answer.content.decode()
        assert Client.objects.get() == client

    def test_gets_another_secret_only_when_that_is_confirmed(self):
        new_order = clients.create(tenant=TenantFactory(), name="shop")
        browser = signed_in("admin", new_order.client.tenant)
        at = url("client_step", new_order.client.pk, "rotate")
        existing = {"client_id": new_order.client.client_id}

        page = browser.get(at)

        assert "stop working at once" in page.content.decode()
        assert tokens.authenticate(**existing, client_secret=new_order.secret)
        secret = browser.post(at).context["secret"]
        assert tokens.authenticate(**existing, client_secret=secret)
        with pytest.raises(tokens.InvalidClient):
            tokens.authenticate(**existing, client_secret=new_order.secret)
        assert secret not in browser.get(url("client_change", new_order.client.pk)).content.decode()

    def test_is_switched_off_and_on(self):
        client = ClientFactory()
        tokens.issue_token(client)
        browser = signed_in("admin", client.tenant)

        browser.post(url("client_step", client.pk, "off"))

        client.refresh_from_db()
        assert not client.is_active
        assert browser.post(url("client_step", client.pk, "off")).status_code == 404
        browser.post(url("client_step", client.pk, "on"))
        client.refresh_from_db()
        assert client.is_active
        page = browser.get(url("client_change", client.pk)).content.decode()
        assert "Switched off." in page
        assert "Switched on." in page

    def test_is_allowed_other_scopes(self):
        client = ClientFactory()
        browser = signed_in("admin", client.tenant)
        at = url("client_change", client.pk)

        browser.post(at, fields(browser.get(at)) | {"scopes": ["orders:read"], "name": "other"})

        client.refresh_from_db()
        assert client.scopes == ["orders:read"]
        assert client.name != "other"  # timelines name it so

    def test_is_not_changed_by_a_form_opened_on_an_older_one(self):
        client = ClientFactory()
        browser = signed_in("admin", client.tenant)
        at = url("client_change", client.pk)
        opened = fields(browser.get(at))
        browser.post(at, opened | {"scopes": ["orders:read"]})

        answer = browser.post(at, opened | {"scopes": ["orders:write"]})

        assert "It was changed meanwhile" in answer.content.decode()
        client.refresh_from_db()
        assert client.scopes == ["orders:read"]

    def test_may_not_be_given_what_does_not_exist(self):
        tenant = TenantFactory()

        answer = signed_in("admin", tenant).post(
            url("client_add"), {"expected_version": 0, "name": "shop", "scopes": ["all"]}
        )

        assert list(answer.context["form"].errors) == ["scopes"]
        assert not Client.objects.exists()


class TestLocation:
    def test_is_made_and_changed_line_by_line_of_its_address(self):
        tenant = TenantFactory()
        browser = signed_in("admin", tenant)
        form_data = {"code": "DC1", "name": "One", "type": "dc", "priority": "5", "is_active": "on"}
        browser.post(
            url("location_add"),
            form_data
            | {
                "expected_version": 0,
                "country_codes": ["DE", "AT"],
                "country": "DE",
                "city": "Berlin",
            },
        )
        location = Location.objects.get()
        at = url("location_change", location.pk)

        browser.post(at, fields(browser.get(at)) | {"priority": "7", "code": "DC2", "city": "Bonn"})

        location.refresh_from_db()
        assert (location.code, location.priority, location.version) == ("DC1", 7, 2)
        assert (location.country_codes, location.country) == (["AT", "DE"], "DE")
        assert location.address == {"city": "Bonn"}
        page = browser.get(at).content.decode()
        assert "City: Berlin → Bonn" in page
        assert "Priority: 5 → 7" in page

    def test_of_a_code_that_is_taken_is_refused(self):
        location = LocationFactory(code="DC1", type="store")

        answer = signed_in("admin", location.tenant).post(
            url("location_add"),
            {"expected_version": 0, "code": "DC1", "name": "Other", "type": "dc", "priority": "1"},
        )

        assert "There is one of that name already." in answer.content.decode()
        location.refresh_from_db()
        assert location.type == "store"

    def test_is_not_changed_by_a_form_opened_on_an_older_one(self):
        location = LocationFactory()
        browser = signed_in("admin", location.tenant)
        at = url("location_change", location.pk)
        opened = fields(browser.get(at))
        browser.post(at, opened | {"name": "First"})

        answer = browser.post(at, opened | {"name": "Second"})

        assert "It was changed meanwhile" in answer.content.decode()
        location.refresh_from_db()
        assert location.name == "First"

    def test_has_countries_that_are_chosen_by_name(self):
        """Germany, cut to two letters, was saved as Georgia."""
        page = signed_in("admin", TenantFactory()).get(url("location_add")).content.decode()

        for name in ("country", "country_codes"):
            [field] = re.findall(rf'<select name="{name}".*?</select>', page, re.DOTALL)
            options = re.findall(r'<option value="(\w*)"[^>]*>([^<]+)', field)
            assert ("DE", "Germany") in options
            assert ("XK", "Kosovo") in options
            names = [name for code, name in options if code]
            assert len(names) == 250
            assert names == sorted(names)

    def test_of_a_country_that_no_longer_exists_says_so(self):
        location = LocationFactory()
        Location.objects.update(country="AN", country_codes=["DE", "AN"])
        browser = signed_in("admin", location.tenant)
        at = url("location_change", location.pk)

        refused = browser.post(at, fields(browser.get(at)) | {"name": "Other"})
        assert "AN is not a country" in refused.content.decode()
        stored_order = {"name": "Other", "country": "", "country_codes": ["DE"]}
        assert browser.post(at, fields(browser.get(at)) | stored_order).status_code == 302

        location.refresh_from_db()
        assert (location.country, location.country_codes) == ("", ["DE"])

    @pytest.mark.parametrize(
        "members", [{"country_codes": "Germany"}, {"country": "Germany"}, {"country": "de"}]
    )
    def test_that_makes_no_sense_is_refused_and_keeps_what_was_typed(self, members):
        tenant = TenantFactory()
        form_data = {
            "expected_version": 0,
            "code": "DC1",
            "name": "One",
            "type": "dc",
            "priority": "1",
        }

        answer = signed_in("admin", tenant).post(url("location_add"), form_data | members)

        assert 'value="DC1"' in answer.content.decode()
        assert answer.context["form"].errors
        assert not Location.objects.exists()


class TestServiceLevel:
    def test_is_made_and_changed(self):
        tenant = TenantFactory()
        browser = signed_in("admin", tenant)
        form_data = {"expected_version": 0, "identifier": "next day", "name": "Next day"}
        browser.post(
            url("servicelevel_add"),
            form_data | {"shipping_type": "same_day_delivery", "remorse_period": 60},
        )
        level = ServiceLevel.objects.get()
        at = url("servicelevel_change", level.pk)

        browser.post(at, fields(browser.get(at)) | {"remorse_period": ""})

        level.refresh_from_db()
        assert (level.identifier, level.remorse_period, level.version) == ("next day", None, 2)

    def test_that_waits_too_long_is_refused(self):
        tenant = TenantFactory()
        form_data = {
            "expected_version": 0,
            "identifier": "x",
            "name": "x",
            "shipping_type": "same_day_delivery",
        }

        answer = signed_in("admin", tenant).post(
            url("servicelevel_add"), form_data | {"remorse_period": "2592001"}
        )

        assert "A remorse period is" in answer.content.decode()
        assert not ServiceLevel.objects.exists()


class TestTenant:
    def test_is_changed_by_its_admin_but_for_what_guards_the_installation(self):
        tenant = TenantFactory()
        browser = signed_in("admin", tenant)
        at = url("tenant_change", tenant.pk)
        form_data = fields(browser.get(at)) | {"name": "Acme Outdoor", "uses_pii_tokens": "on"}
        form_data |= {"lenient_price_details": "on"}

        browser.post(
            at, form_data | {"allows_http_webhooks": "on", "is_active": "", "slug": "evil"}
        )

        results = Tenant.objects.get()
        assert (results.name, results.uses_pii_tokens) == ("Acme Outdoor", True)
        assert results.lenient_price_details
        assert (results.slug, results.is_active, results.allows_http_webhooks) == (
            tenant.slug,
            True,
            False,
        )

    def test_is_made_and_suspended_by_an_operator(self):
        browser = signed_in("operator")
        form_data = {
            "expected_version": 0,
            "slug": "acme",
            "name": "Acme",
            "shop": "s",
            "shop_locale": "de-DE",
        }

        assert browser.post(url("tenant_add"), form_data).status_code == 302
        tenant = Tenant.objects.get()
        at = url("tenant_change", tenant.pk)
        opened = fields(browser.get(at))
        opened.pop("is_active", None)
        browser.post(at, opened)

        assert not Tenant.objects.get().is_active


class TestTexts:
    def test_are_shown_as_they_are_and_never_run(self):
        tenant = TenantFactory(name=XSS)
        LocationFactory(tenant=tenant, code=XSS, name=XSS)
        ServiceLevelFactory(tenant=tenant, identifier=XSS[:64], name=XSS)
        ClientFactory(tenant=tenant, name=XSS)
        browser = signed_in("admin", tenant)
        rows = (Location.objects.get(), ServiceLevel.objects.get(), Client.objects.get())
        at = [url(f"{row._meta.model_name}_change", row.pk) for row in (*rows, tenant)]
        at += [url("client_step", rows[2].pk, "rotate"), *lists(tenant)]
        browser.post(url("client_step", rows[2].pk, "off"))  # leaves a message

        for address in at:
            text = browser.get(address).content.decode()
            assert "<script>alert" not in text, address
            assert "<img src=x" not in text, address

    def test_with_a_nul_or_too_long_are_refused(self):
        tenant = TenantFactory()
        browser = signed_in("admin", tenant)
        form_data = {"expected_version": 0, "name": "One", "type": "dc", "priority": "1"}

        for code in ("a\0b", "x" * 129, " "):
            assert browser.post(url("location_add"), form_data | {"code": code}).status_code == 200
        for query in (
            "?q=%00",
            f"?q={'x' * 10_000}",
            "?q=%",
            "?tenant__slug__startswith=a",
            "?o=999",
            "?p=1000000000",
        ):
            for kind in ("location", "servicelevel", "client", "tenant"):
                assert browser.get(url(f"{kind}_changelist") + query).status_code < 500

        assert not Location.objects.exists()

    def test_of_a_form_without_its_token_change_nothing(self):
        location = LocationFactory(name="Before")
        browser = signed_in("admin", location.tenant)
        browser.handler.enforce_csrf_checks = True

        answer = browser.post(
            url("location_change", location.pk), {"expected_version": 1, "name": "After"}
        )

        assert answer.status_code == 403
        assert Location.objects.get().name == "Before"

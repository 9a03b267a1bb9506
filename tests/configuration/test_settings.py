"""Tests of settings: atomic writes, history and encrypted secrets."""

import json

import pytest
from django.db import IntegrityError, connection, transaction

from configuration import keys, services
from configuration.keys import ApiKeyRequired
from configuration.models import Setting, SettingChange
from configuration.services import AlreadySet, VersionMismatch, settings
from ordermgmt import encryption
from ordermgmt.http.destinations import BadDestination
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db
CANARY = "canary-canary-canary-1234"


def write(tenant, key, value, **kwargs):
    return services.write(tenant, key, key.parse(value), actor="client:web", **kwargs)


def webhook(**members):
    return {"url": "https://example.com/", "api_key": CANARY, "timeout": 20} | members


class TestWrite:
    def test_is_read_back_with_its_version_time_and_author(self):
        tenant = TenantFactory()

        written = write(tenant, keys.ON_HOLD_TIMER_DURATION, 20)

        assert services.read(tenant, keys.ON_HOLD_TIMER_DURATION) == written
        assert (written.value, written.version, written.updated_by) == (20, 1, "client:web")

    def test_is_nothing_to_another_tenant(self):
        write(TenantFactory(), keys.ON_HOLD_TIMER_DURATION, 20)

        other = services.read(TenantFactory(), keys.ON_HOLD_TIMER_DURATION)

        assert (other.value, other.version, other.updated_at) == (0, 0, None)

    def test_is_remembered_from_what_to_what_by_whom(self):
        tenant = TenantFactory()
        for seconds in (20, 30):
            write(tenant, keys.ON_HOLD_TIMER_DURATION, seconds)

        changes = settings.history(tenant, keys.ON_HOLD_TIMER_DURATION)

        assert list(changes.values_list("version", "old_value", "new_value", "author")) == [
            (2, 20, 30, "client:web"),
            (1, None, 20, "client:web"),
        ]

    def test_of_the_same_value_changes_nothing(self):
        tenant = TenantFactory()
        first = write(tenant, keys.CANCELLATION_ALLOWED_FROM, ["dc"])

        again = write(tenant, keys.CANCELLATION_ALLOWED_FROM, ["dc"])

        assert again == first
        assert SettingChange.objects.count() == 1

    def test_of_the_default_is_a_choice_too(self):
        tenant = TenantFactory()

        assert write(tenant, keys.ON_HOLD_TIMER_DURATION, 0).version == 1

    def test_with_another_version_in_mind_is_refused(self):
        tenant = TenantFactory()
        write(tenant, keys.ON_HOLD_TIMER_DURATION, 20, if_match={0})

        with pytest.raises(VersionMismatch):
            write(tenant, keys.ON_HOLD_TIMER_DURATION, 30, if_match={0})

        assert services.read(tenant, keys.ON_HOLD_TIMER_DURATION).value == 20
        assert write(tenant, keys.ON_HOLD_TIMER_DURATION, 30, if_match={1, 7}).version == 2

    def test_read_all_knows_every_key_in_one_query(self, django_assert_num_queries):
        tenant = TenantFactory()
        write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, webhook())

        with django_assert_num_queries(1):
            values = settings.read_all(tenant)

        assert list(values) == list(keys.KEYS)
        assert values["external_order_webhook"].value.api_key == CANARY
        assert values["big_sales_order"].version == 0


class TestHistory:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE configuration_settingchange SET author = 'nobody'",
            "DELETE FROM configuration_settingchange",
        ],
    )
    def test_cannot_be_rewritten_even_with_sql(self, statement):
        write(TenantFactory(), keys.ON_HOLD_TIMER_DURATION, 20)

        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

        assert SettingChange.objects.get().author == "client:web"


class TestSequence:
    NS = {"prefix": "NS", "size": 4, "start": 7, "step": 5}

    def draw(self, tenant):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(%s)", [services.sequence_name(tenant.pk)])
            return cursor.fetchone()[0]

    def test_counts_from_start_by_step_for_each_tenant_alone(self):
        one, other = TenantFactory(), TenantFactory()
        for tenant in (one, other):
            write(tenant, keys.SALES_ORDER_GENERATOR_SEQUENCE, self.NS)

        assert [self.draw(one) for _ in range(3)] == [7, 12, 17]
        assert self.draw(other) == 7

    def test_ends_before_a_number_outgrows_its_size(self):
        tenant = TenantFactory()
        write(tenant, keys.SALES_ORDER_GENERATOR_SEQUENCE, {"size": 1, "start": 8})

        assert [self.draw(tenant), self.draw(tenant)] == [8, 9]
        with pytest.raises(Exception, match="reached maximum value"), transaction.atomic():
            self.draw(tenant)

    def test_set_again_to_the_same_is_the_same(self):
        tenant = TenantFactory()
        first = write(tenant, keys.SALES_ORDER_GENERATOR_SEQUENCE, self.NS)

        assert write(tenant, keys.SALES_ORDER_GENERATOR_SEQUENCE, self.NS) == first
        assert SettingChange.objects.count() == 1

    @pytest.mark.parametrize("member", [{"prefix": "UN"}, {"size": 5}, {"start": 1}, {"step": 1}])
    def test_set_again_to_something_else_is_refused_and_nothing_is_touched(self, member):
        tenant = TenantFactory()
        first = write(tenant, keys.SALES_ORDER_GENERATOR_SEQUENCE, self.NS)
        self.draw(tenant)

        with pytest.raises(AlreadySet):
            write(tenant, keys.SALES_ORDER_GENERATOR_SEQUENCE, self.NS | member)

        assert services.read(tenant, keys.SALES_ORDER_GENERATOR_SEQUENCE) == first
        assert self.draw(tenant) == 12
        assert SettingChange.objects.count() == 1


class TestWebhookSecret:
    def test_is_nowhere_in_the_database_in_the_clear(self):
        tenant = TenantFactory()
        write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, webhook())
        write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, webhook(timeout=5))

        stored = json.dumps(
            [
                *Setting.objects.values_list("value"),
                *SettingChange.objects.values_list("old_value", "new_value"),
            ]
        )

        assert CANARY not in stored
        assert "••••1234" in stored.encode().decode("unicode_escape")
        assert services.read(tenant, keys.EXTERNAL_ORDER_WEBHOOK).value.api_key == CANARY

    def test_copied_to_another_tenant_does_not_open(self):
        one, other = TenantFactory(), TenantFactory()
        write(one, keys.EXTERNAL_ORDER_WEBHOOK, webhook())
        write(other, keys.EXTERNAL_ORDER_WEBHOOK, webhook(api_key="other"))

        stolen = Setting.objects.get(tenant=one).value
        Setting.objects.filter(tenant=other).update(value=stolen)

        with pytest.raises(encryption.CannotOpen):
            services.read(other, keys.EXTERNAL_ORDER_WEBHOOK)

    def test_is_kept_when_its_mask_is_sent(self):
        tenant = TenantFactory()
        write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, webhook())

        masked = webhook(api_key="••••1234", timeout=3, url="https://example.com/v2/")
        stored = write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, masked)

        assert (stored.value.api_key, stored.value.timeout) == (CANARY, 3)

    @pytest.mark.parametrize(
        "url", ["https://evil.com/", "https://example.com:8443/", "https://a.example.com/"]
    )
    def test_is_not_sent_elsewhere_on_the_word_of_its_mask(self, url):
        tenant = TenantFactory()
        write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, webhook())

        with pytest.raises(ApiKeyRequired):
            write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, webhook(api_key="••••1234", url=url))

        assert (
            services.read(tenant, keys.EXTERNAL_ORDER_WEBHOOK).value.url == "https://example.com/"
        )

    @pytest.mark.parametrize("api_key", ["••••", "••••9999"])
    def test_is_not_guessed_from_another_mask(self, api_key):
        tenant = TenantFactory()
        write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, webhook())

        with pytest.raises(ApiKeyRequired):
            write(tenant, keys.EXTERNAL_ORDER_WEBHOOK, webhook(api_key=api_key))

    def test_must_be_there_before_its_mask_can_be(self):
        with pytest.raises(ApiKeyRequired):
            write(TenantFactory(), keys.EXTERNAL_ORDER_WEBHOOK, webhook(api_key="••••1234"))

        assert not Setting.objects.exists()

    def test_plain_http_is_for_tenants_who_may(self):
        write(
            TenantFactory(allows_http_webhooks=True),
            keys.EXTERNAL_ORDER_WEBHOOK,
            webhook(url="http://example.com/"),
        )

        with pytest.raises(BadDestination):
            write(TenantFactory(), keys.EXTERNAL_ORDER_WEBHOOK, webhook(url="http://example.com/"))
        assert Setting.objects.count() == 1

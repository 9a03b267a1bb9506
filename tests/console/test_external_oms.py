"""The external OMS in the console: how it does, and what is found when somebody tries it."""

from typing import Any

import pytest
from django.urls import reverse

from configuration import keys, services
from configuration.models import Tenant
from tests.console.people import signed_in
from tests.factories import TenantFactory
from tests.webhooks.conftest import fake_oms
from webhooks.models import ExternalOms

__all__ = ["fake_oms"]
CUSTOMER = {"consumer_email": "ada@example.com"}
XSS = "<script>alert(1)</script>"


def page(tenant: Tenant) -> str:
    return reverse("admin:webhooks_externaloms_change", args=[tenant.slug])


def asking(oms: Any) -> Tenant:
    """A tenant that asks this OMS."""
    tenant = TenantFactory(allows_http_webhooks=True)
    value = {"url": oms.url, "api_key": oms.api_key, "timeout": 5}
    key = keys.EXTERNAL_ORDER_WEBHOOK
    services.write(tenant, key, key.parse(value), actor="test")
    return tenant


class TestTrying:
    """In no transaction: the network is never asked in one."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_a_sound_one_says_that_it_is(self, fake_oms):
        oms = fake_oms("good")
        tenant = asking(oms)

        text = signed_in("admin", tenant).post(page(tenant), CUSTOMER).content.decode()

        assert "It answers as it should" in text
        assert "An order nobody has" in text
        assert oms.api_key not in text

    def test_a_bad_one_says_what_is_to_be_repaired(self, fake_oms):
        tenant = asking(fake_oms("not_json"))

        answer = signed_in("admin", tenant).post(page(tenant), CUSTOMER)

        assert answer.context["wrong"] >= 1
        assert "to repair" in answer.content.decode()

    def test_is_for_those_who_may_change_where_it_is(self, fake_oms):
        oms = fake_oms("good")
        tenant = asking(oms)

        answer = signed_in("supervisor", tenant).post(page(tenant), CUSTOMER)

        assert answer.status_code == 403
        assert oms.asked() == []

    def test_of_another_tenant_is_not_found(self, fake_oms):
        oms = fake_oms("good")
        tenant = asking(oms)

        answer = signed_in("admin", TenantFactory()).post(page(tenant), CUSTOMER)

        assert answer.status_code == 404
        assert oms.asked() == []

    def test_one_that_is_nowhere_says_so(self):
        tenant = TenantFactory()

        answer = signed_in("admin", tenant).post(page(tenant), CUSTOMER)

        assert "has no external_order_webhook" in answer.content.decode()


@pytest.mark.django_db
class TestPage:
    def test_needs_an_order_or_a_customer_but_not_two(self):
        tenant = TenantFactory()
        browser = signed_in("admin", tenant)

        for body in ({}, CUSTOMER | {"consumer_token": "t"}):
            answer = browser.post(page(tenant), body)
            assert answer.context["form"].non_field_errors()
            assert answer.context["findings"] is None

    def test_tells_how_it_does(self):
        tenant = TenantFactory()
        browser = signed_in("supervisor", tenant)
        assert "It was never asked." in browser.get(page(tenant)).content.decode()
        ExternalOms.objects.create(
            tenant=tenant,
            failures=2,
            last_error="timeout",
            last_error_text=XSS,
            last_error_at="2024-05-01T12:00:00Z",
        )

        text = browser.get(page(tenant)).content.decode()

        assert "failing, 2 failures in a row" in text
        assert "&lt;script&gt;" in text
        assert XSS not in text

    def test_is_everybodys_own_and_all_of_them_an_operators(self):
        mine, other = TenantFactory(), TenantFactory(slug="others")
        ExternalOms.objects.create(tenant=other)
        at = reverse("admin:webhooks_externaloms_changelist")

        assert signed_in("admin", mine).get(at).headers["Location"] == page(mine)
        assert signed_in("admin", TenantFactory()).get(page(other)).status_code == 404
        assert "others</a>" in signed_in("operator").get(at).content.decode()
        assert signed_in("support", mine).get(page(mine)).status_code == 403

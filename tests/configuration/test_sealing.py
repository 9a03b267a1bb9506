"""Tests of resealing, which moves all stored secrets to the newest key unchanged."""

import base64
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from configuration import keys, services
from configuration.models import Setting, SettingChange, Tenant
from configuration.services import personal_tokens
from configuration.services.tenants import pseudonym_key
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db
OLD, NEW = (f"{name}:{base64.b64encode(name.encode() * 16).decode()}" for name in ("k1", "k2"))
KEY = keys.find("external_order_webhook")
WEBHOOK = {"url": "https://93.184.216.34/orders", "api_key": "canary-canary-canary-1234"}


@pytest.fixture
def tenant(settings) -> Tenant:
    settings.ENCRYPTION_KEYS = [OLD]
    tenant = TenantFactory()
    services.write(tenant, KEY, KEY.parse(WEBHOOK), actor="test")
    return tenant


def reseal() -> dict:
    out = StringIO()
    try:
        call_command("secrets", "reseal", "--json", stdout=out)
    except CommandError as refusal:
        return {**json.loads(out.getvalue()), "refusal": str(refusal)}
    return json.loads(out.getvalue())


def secrets(tenant: Tenant) -> tuple[bytes, object]:
    tenant.refresh_from_db()
    return pseudonym_key(tenant.uuid, tenant.pseudonym_key), services.read(tenant, KEY)


def test_after_it_the_old_key_is_not_needed(tenant, settings):
    before = secrets(tenant)
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    assert reseal() == {"secrets": 2, "resealed": 2, "failed": []}

    settings.ENCRYPTION_KEYS = [NEW]
    assert secrets(tenant) == before


def test_again_it_changes_nothing(tenant, settings):
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    reseal()
    stored = list(Setting.objects.values()), list(Tenant.objects.values())

    assert reseal()["resealed"] == 0
    assert (list(Setting.objects.values()), list(Tenant.objects.values())) == stored


def test_it_is_no_change_of_the_setting(tenant, settings):
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    reseal()

    assert Setting.objects.get().version == 1
    assert SettingChange.objects.count() == 1


def test_histories_need_no_sealing_because_they_hold_no_secret(tenant):
    assert "canary-canary" not in str(list(SettingChange.objects.values()))


def test_what_tokens_stand_for_is_sealed_anew_too(tenant, settings, monkeypatch):
    monkeypatch.setattr(personal_tokens, "_BATCH", 2)
    values = {f"NS-EU-{n}": f"Jane {n}" for n in range(5)}
    personal_tokens.remember(tenant, values)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    personal_tokens.remember(tenant, {"NS-EU-new": "John"})

    assert reseal() == {"secrets": 3, "resealed": 3, "failed": []}
    assert reseal()["resealed"] == 0

    settings.ENCRYPTION_KEYS = [NEW]
    stored = values | {"NS-EU-new": "John"}
    assert personal_tokens.recall(tenant, stored) == stored
    assert personal_tokens.recall(TenantFactory(), stored) == {}


def test_a_lost_key_is_told_and_does_not_keep_the_others_from_being_sealed(tenant, settings):
    settings.ENCRYPTION_KEYS = [NEW]
    other = TenantFactory()
    settings.ENCRYPTION_KEYS = [OLD.replace("k1:", "k3:"), NEW]

    answer = reseal()

    assert answer["resealed"] == 1
    assert [line.partition(": No key")[0] for line in answer["failed"]] == [
        f"{tenant.slug}: pseudonym_key",
        f"{tenant.slug}: external_order_webhook",
    ]
    assert "2 could not be opened" in answer["refusal"]
    other.refresh_from_db()
    assert other.pseudonym_key.startswith("v1.k3.")

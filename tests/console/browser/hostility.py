"""Every text of a tenant made hostile where it is stored, past all that would refuse it."""

import json
from typing import Any, Final

from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.db.models import Value
from django.db.models.functions import Cast, Concat, Left

from configuration import keys
from configuration.models import Tenant
from configuration.services import settings
from orders.models import Order
from orders.services import notes
from orders.services.holds import actions as hold_actions

HOSTILE: Final = "'\"><img src=x onerror=alert(1)></script><script>alert(2)</script>{{7*7}}"
APPS: Final = ("configuration", "webhooks", "orders")
# Codes, which only we write and which mean something to us; and secrets, which nobody is shown.
OURS: Final = {
    *("currency", "fulfillment_type", "shipping_method", "strategy", "location_type"),
    *("verb", "key", "slug", "shipping_type", "query", "pseudonym_key", "secret_hash"),
}


def spoil(slug: str) -> None:
    """Print, as JSON, which columns are hostile now, and which the database keeps from being."""
    tenant = Tenant.objects.get(slug=slug)
    settings.write(tenant, keys.ON_HOLD_TIMER_DURATION, 60, actor=HOSTILE)
    for order in Order.objects.filter(tenant=tenant):
        note = notes.Draft("x", "x", "user", [HOSTILE])
        notes.add(tenant=tenant, order=order.uuid, draft=note, actor=HOSTILE)
        hold_actions.place(tenant=tenant, reference=str(order.uuid), reason="x", actor=HOSTILE)
    details: dict[str, list[str]] = {"spoiled": [], "refused": []}
    for label in APPS:
        for model in apps.get_app_config(label).get_models():
            for column in _columns(model):
                rows = _rows(model, tenant)
                if rows.exists():
                    details[_spoil(rows, column)].append(f"{model._meta.model_name}.{column.name}")
    print(json.dumps(details))


def _rows(model: type[models.Model], tenant: Tenant) -> models.QuerySet[Any]:
    way = {"tenant": "pk", "savedview": "owner__membership__tenant"}
    every: models.QuerySet[Any] = model._default_manager.all()
    return every.filter(**{way.get(str(model._meta.model_name), "tenant"): tenant.pk})


def _columns(model: type[models.Model]) -> list[Any]:
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and not field.choices
        and field.name not in OURS
    ]


def _spoil(rows: models.QuerySet[Any], column: Any) -> str:
    """Different in each row, so that what must be unique is; cut where there is no more room."""
    text = Concat(Cast("pk", models.TextField()), Value(HOSTILE), output_field=models.TextField())
    try:
        with transaction.atomic():
            rows.update(**{column.name: Left(text, column.max_length or 1000)})
    except DatabaseError:
        return "refused"
    return "spoiled"

"""What the console's list of orders is found by, and the views people save of it.

Each index is built while orders keep coming in; should that be interrupted, run it again.
"""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

INDEXES = [
    ("order", models.Index(fields=["tenant", "-placed_at", "-id"], name="order_by_time")),
    (
        "order",
        models.Index(
            fields=["tenant", "status", "-placed_at", "-id"],
            name="order_by_status_and_time",
        ),
    ),
    (
        "order",
        models.Index(
            models.F("tenant"),
            django.db.models.functions.text.Lower("customer_email"),
            models.OrderBy(models.F("id"), descending=True),
            name="order_by_email",
            condition=models.Q(("customer_email", ""), _negated=True),
        ),
    ),
    ("item", models.Index(fields=["tenant", "product_id", "-order"], name="item_by_product")),
    (
        "item",
        models.Index(
            fields=["tenant", "serial_number"],
            name="item_by_serial_number",
            condition=models.Q(("serial_number", ""), _negated=True),
        ),
    ),
    (
        "item",
        models.Index(
            fields=["tenant", "order"],
            name="item_in_conflict",
            condition=models.Q(("conflict_reason", ""), _negated=True),
        ),
    ),
]


def _built_beside(model: str, index: models.Index) -> list:
    """An interrupted build leaves an index that is not valid: away with it first."""
    return [
        migrations.RunSQL(
            f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", migrations.RunSQL.noop
        ),
        AddIndexConcurrently(model_name=model, index=index),
    ]


class Migration(migrations.Migration):
    atomic = False  # an index is built beside others' writing only outside a transaction

    dependencies = [
        ("orders", "0006_notes_and_confirmed_items"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # It waits for transactions that began before it, and holds nobody up meanwhile.
        migrations.RunSQL("SET lock_timeout = 0", migrations.RunSQL.noop),
        *(step for model, index in INDEXES for step in _built_beside(model, index)),
        migrations.RunSQL("SET lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="order_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "query",
                    models.CharField(help_text="As the list's address has it.", max_length=2000),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("owner", "name"), name="view_has_a_name_of_its_owners"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="view_has_a_name"
                    ),
                ],
            },
        ),
    ]

"""Notes on orders, and which items Akinon's capture call confirmed."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.db import migrations, models


TENANT = """
ALTER TABLE orders_ordernote ADD CONSTRAINT note_shares_its_orders_tenant
FOREIGN KEY (tenant_id, order_id) REFERENCES orders_order (tenant_id, id) ON DELETE CASCADE
"""


class Migration(migrations.Migration):
    dependencies = [
        ("configuration", "0002_setting_changes_are_append_only"),
        ("orders", "0005_progress_of_items"),
    ]

    operations = [
        migrations.AddField(
            model_name="item",
            name="confirmed_at",
            field=models.DateTimeField(
                help_text="When Akinon's capture call confirmed it, by the database's clock.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="OrderNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4)),
                ("text", models.CharField(max_length=4000)),
                (
                    "source",
                    models.CharField(help_text="Who wrote it, as the caller says.", max_length=256),
                ),
                (
                    "source_type",
                    models.CharField(blank=True, help_text="user, system …", max_length=256),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=128), null=True, size=None
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="orders.item",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="orders.order",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="configuration.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "order", "uuid"), name="note_is_known_within_its_order"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="note_says_something"
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            TENANT,
            "ALTER TABLE orders_ordernote DROP CONSTRAINT note_shares_its_orders_tenant",
        ),
    ]

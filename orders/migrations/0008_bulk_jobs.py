"""The same done to many orders: jobs, and what became of each order."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


PROMISES = {
    "bulk_order_shares_its_orders_tenant": ("order_id", "orders_order"),
    "bulk_order_shares_its_jobs_tenant": ("job_id", "orders_bulkjob"),
}


def _promise(name: str, column: str, of: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE orders_bulkjoborder ADD CONSTRAINT {name} FOREIGN KEY (tenant_id, {column}) "
        f"REFERENCES {of} (tenant_id, id) ON DELETE CASCADE",
        f"ALTER TABLE orders_bulkjoborder DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("configuration", "0004_changes_are_counted_and_clients_switched"),
        ("orders", "0007_lists_of_the_console"),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkJob",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "verb",
                    models.CharField(
                        choices=[
                            ("hold", "Put on hold"),
                            ("release", "Release from support"),
                            ("approve", "Approve big orders"),
                            ("cancel", "Cancel"),
                        ],
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(max_length=1024)),
                (
                    "note",
                    models.CharField(blank=True, help_text="Of a cancellation.", max_length=4000),
                ),
                ("actor", models.CharField(help_text="In whose name: staff:…", max_length=300)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "finished_at",
                    models.DateTimeField(help_text="When nothing waited any longer.", null=True),
                ),
                (
                    "stopped_by",
                    models.CharField(blank=True, help_text="Who let the rest be.", max_length=300),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="configuration.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BulkJobOrder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(help_text="As chosen, from 0.")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("stopped", "Left as it was"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                (
                    "message",
                    models.CharField(
                        blank=True, help_text="What happened, or why not.", max_length=300
                    ),
                ),
                ("at", models.DateTimeField(null=True)),
                (
                    "job",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="orders",
                        to="orders.bulkjob",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
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
        ),
        migrations.AddIndex(
            model_name="bulkjob",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", True)),
                fields=["id"],
                name="bulk_job_unfinished",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkjob",
            constraint=models.UniqueConstraint(
                fields=("tenant", "id"), name="bulk_job_is_known_within_its_tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("verb__in", ["hold", "release", "approve", "cancel"])),
                name="bulk_verb_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="bulk_job_has_a_reason"
            ),
        ),
        migrations.AddIndex(
            model_name="bulkjoborder",
            index=models.Index(
                condition=models.Q(("outcome", "waiting")),
                fields=["job", "position"],
                name="bulk_order_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkjoborder",
            constraint=models.UniqueConstraint(
                fields=("job", "position"), name="bulk_order_has_its_place"
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkjoborder",
            constraint=models.UniqueConstraint(
                fields=("job", "order"), name="bulk_order_is_chosen_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkjoborder",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["waiting", "done", "refused", "stopped"])),
                name="bulk_outcome_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkjoborder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("at__isnull", True), ("outcome", "waiting")),
                    models.Q(
                        models.Q(("outcome", "waiting"), _negated=True), ("at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="bulk_order_has_a_time_once_it_is_over",
            ),
        ),
        *(_promise(name, *what) for name, what in PROMISES.items()),
    ]

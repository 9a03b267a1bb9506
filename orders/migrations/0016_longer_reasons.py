"""Longer reasons. PostgreSQL widens a varchar without rewriting the table or reading a row."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("orders", "0011_holds_are_named_by_the_database")]

    operations: ClassVar = [
        migrations.AlterField("Hold", "reason", models.CharField(max_length=4096)),
        migrations.AlterField("BulkJob", "reason", models.CharField(max_length=4096)),
        migrations.AlterField(
            "BulkJob",
            "note",
            models.CharField(blank=True, help_text="Of a cancellation.", max_length=4096),
        ),
    ]

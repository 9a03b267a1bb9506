"""Longer reasons. PostgreSQL widens a varchar without rewriting the table or reading a row."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("orders", "0012_names_are_compared_in_one_form")]

    operations: ClassVar = [
        migrations.AlterField("Hold", "reason", models.CharField(max_length=4096)),
        migrations.AlterField("BulkJob", "reason", models.CharField(max_length=4096)),
        migrations.AlterField(
            "BulkJob",
            "note",
            models.CharField(blank=True, help_text="Of a cancellation.", max_length=4096),
        ),
    ]

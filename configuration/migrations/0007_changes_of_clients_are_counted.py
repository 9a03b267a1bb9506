"""Clients count their changes, as all rows do that people change by forms."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("configuration", "0006_people_are_named")]

    operations = [
        migrations.AddField(
            model_name="client",
            name="version",
            field=models.PositiveIntegerField(
                db_default=1, help_text="Grows by one with every change."
            ),
        ),
    ]

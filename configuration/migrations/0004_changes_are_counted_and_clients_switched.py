"""Locations, service levels and tenants count their changes; clients can be switched off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("configuration", "0003_people_of_the_console"),
    ]

    operations = [
        migrations.AddField(
            model_name="client",
            name="is_active",
            field=models.BooleanField(
                db_default=True, help_text="One that is switched off gets no tokens."
            ),
        ),
        migrations.AddField(
            model_name="location",
            name="version",
            field=models.PositiveIntegerField(
                db_default=1, help_text="Grows by one with every change."
            ),
        ),
        migrations.AddField(
            model_name="servicelevel",
            name="version",
            field=models.PositiveIntegerField(
                db_default=1, help_text="Grows by one with every change."
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="version",
            field=models.PositiveIntegerField(
                db_default=1, help_text="Grows by one with every change."
            ),
        ),
    ]

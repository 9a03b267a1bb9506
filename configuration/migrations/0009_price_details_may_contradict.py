"""Tenants may have orders stored whose tax lines or discounts contradict their amounts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("configuration", "0008_states_of_policy_are_named")]

    operations = [
        # With a default of the database, for whoever still makes tenants without knowing of it.
        migrations.AddField(
            model_name="tenant",
            name="lenient_price_details",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Orders whose tax lines or discounts contradict their amounts are "
                "stored and marked, not refused.",
            ),
        ),
    ]

"""Clients have an epoch that refresh tokens carry, and a refresh token works once.

The former version goes on without either: its tokens have epoch 0, and are first of their family.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("configuration", "0009_price_details_may_contradict")]

    operations = [
        migrations.AddField(
            model_name="client",
            name="token_epoch",
            field=models.PositiveIntegerField(
                db_default=0,
                editable=False,
                help_text=(
                    "Grows when the client's tokens are revoked; older refresh tokens are refused."
                ),
            ),
        ),
        migrations.CreateModel(
            name="RefreshFamily",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "generation",
                    models.PositiveIntegerField(
                        default=0, help_text="Of the newest token; the first of a family has 0."
                    ),
                ),
                ("rotated_at", models.DateTimeField(help_text="When the newest token was issued.")),
                (
                    "is_ended",
                    models.BooleanField(
                        default=False,
                        help_text="A used token was sent again, so somebody may have a copy.",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="configuration.client",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["rotated_at"], name="refresh_family_by_age")],
            },
        ),
    ]

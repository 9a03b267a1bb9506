"""What a location does with an item: its request, packing, tracking; and its product code."""

import ordermgmt.database.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0004_waiting_orders_by_size"),
    ]

    operations = [
        migrations.AddField(
            model_name="item",
            name="carrier",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="item",
            name="epc",
            field=ordermgmt.database.fields.SnapshotField(
                default=dict, help_text="Electronic product code; empty when unknown."
            ),
        ),
        migrations.AddField(
            model_name="item",
            name="is_packing",
            field=models.BooleanField(default=False, help_text="The location is packing it."),
        ),
        migrations.AddField(
            model_name="item",
            name="request_version",
            field=models.PositiveIntegerField(
                default=0, help_text="The timeline's entry that gave it to its location."
            ),
        ),
        migrations.AddField(
            model_name="item",
            name="tracking_code",
            field=models.CharField(blank=True, max_length=256),
        ),
    ]

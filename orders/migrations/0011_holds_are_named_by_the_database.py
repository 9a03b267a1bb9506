"""Holds get their ids from the database, which makes them without a system call of ours."""

import django.contrib.postgres.functions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0010_holds_of_an_order")]

    operations = [
        migrations.AlterField(
            model_name="hold",
            name="uuid",
            field=models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID()),
        ),
    ]

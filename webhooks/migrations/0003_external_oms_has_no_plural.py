"""What the console calls several external OMS."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0002_external_oms_health")]

    operations = [
        migrations.AlterModelOptions(
            name="externaloms",
            options={"verbose_name": "external OMS", "verbose_name_plural": "external OMS"},
        ),
    ]

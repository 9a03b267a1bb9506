"""All holds an order ever had are found by an index: its page shows them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

NAME = "hold_of_an_order"


class Migration(migrations.Migration):
    atomic = False  # an index is built beside others' writing only outside a transaction

    dependencies = [("orders", "0009_people_have_roles")]

    operations = [
        # It waits for transactions that began before it, and holds nobody up meanwhile. What an
        # interrupted build left is not valid: away with it first.
        migrations.RunSQL("SET lock_timeout = 0", migrations.RunSQL.noop),
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}", migrations.RunSQL.noop),
        AddIndexConcurrently("hold", models.Index(fields=["tenant", "order"], name=NAME)),
        migrations.RunSQL("SET lock_timeout = '5s'", migrations.RunSQL.noop),
    ]

"""External ids are stored in NFC from now on; names that collide already are listed, not changed.

What colliding names mean, and what to do, is in docs/operators.md.
"""

import sys
from typing import Any

from django.db import migrations, models

MOST = 20
# Every kind of name of every order, in the form in which names are compared.
COLLISIONS = """
SELECT t.slug, n.name, string_agg(n.number, ', ' ORDER BY n.id), count(*) OVER ()
FROM (
  SELECT DISTINCT o.tenant_id, o.id, o.number, v.name
  FROM orders_order o CROSS JOIN LATERAL (VALUES (o.uuid::text), (o.number),
    (CASE WHEN o.external_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
          THEN lower(o.external_id) ELSE normalize(o.external_id) END)) AS v(name)
) n JOIN configuration_tenant t ON t.id = n.tenant_id
GROUP BY t.slug, n.tenant_id, n.name HAVING count(*) > 1
ORDER BY t.slug, n.name LIMIT %s
"""


def list_collisions(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # it reads every order
        cursor.execute(COLLISIONS, [MOST])
        rows = cursor.fetchall()
    if not rows:
        return
    lines = [
        f"  tenant {slug}: {name!r} names the orders {orders}" for slug, name, orders, _ in rows
    ]
    total = rows[0][3]
    sys.stdout.write(
        f"\n{total} names are those of several orders. Ask for these orders by their UUID"
        " (docs/operators.md, “Names that collide”).\n"
        + "\n".join(lines)
        + (f"\n  … and {total - len(rows)} more\n" if total > len(rows) else "\n")
    )


class Migration(migrations.Migration):
    dependencies = [
        ("configuration", "0001_initial"),
        ("orders", "0011_holds_are_named_by_the_database"),
    ]

    operations = [
        migrations.AlterField(
            model_name="order",
            name="external_id",
            field=models.CharField(
                help_text="What the caller calls it, in NFC; or the number.", max_length=64
            ),
        ),
        migrations.RunPython(list_collisions, migrations.RunPython.noop, elidable=True),
    ]

"""Codes of locations and service levels in Unicode's composed form, in which they are compared.

A code whose composed form another row of the tenant has stays as it is: no row is lost. An order
keeps the code that was written to it.
"""

from typing import ClassVar

from django.db import migrations

TABLES = {"configuration_location": "code", "configuration_servicelevel": "identifier"}
COMPOSE = """
UPDATE {table} t SET {column} = normalize({column}, NFC)
 WHERE {column} IS NOT NFC NORMALIZED
   AND NOT EXISTS (SELECT 1 FROM {table} other
                    WHERE other.tenant_id = t.tenant_id AND other.id <> t.id
                      AND normalize(other.{column}, NFC) = normalize(t.{column}, NFC))
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("configuration", "0011_personal_tokens")]

    operations: ClassVar = [
        migrations.RunSQL(COMPOSE.format(table=table, column=column), migrations.RunSQL.noop)
        for table, column in TABLES.items()
    ]

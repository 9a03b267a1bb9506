"""A row that belongs to an order belongs to that order's tenant: the database promises it."""

from django.db import migrations

CHILDREN = {
    "orders_shipment": "shipment_shares_its_orders_tenant",
    "orders_item": "item_shares_its_orders_tenant",
    "orders_hold": "hold_shares_its_orders_tenant",
    "orders_timelineentry": "timeline_entry_shares_its_orders_tenant",
}
# What a composite foreign key refers to must be unique.
KEY = "ALTER TABLE orders_order ADD CONSTRAINT order_is_known_within_its_tenant UNIQUE (tenant_id, id)"


def _child(table: str, name: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (tenant_id, order_id) "
        "REFERENCES orders_order (tenant_id, id) ON DELETE CASCADE",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.RunSQL(
            KEY, "ALTER TABLE orders_order DROP CONSTRAINT order_is_known_within_its_tenant"
        ),
        *(_child(table, name) for table, name in CHILDREN.items()),
    ]

"""What people of the console may do, as permissions; and a group for each of their roles."""

from django.db import migrations

from ordermgmt.console import roles


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("configuration", "0004_changes_are_counted_and_clients_switched"),
        ("webhooks", "0002_external_oms_health"),
        ("orders", "0008_bulk_jobs"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="order",
            options={
                "permissions": [
                    ("hold_order", "Can hold an order"),
                    ("release_order", "Can release an order's holds"),
                    ("extend_order", "Can extend an order's grace period"),
                    ("cancel_order", "Can cancel an order or items of it"),
                    ("note_order", "Can write notes on an order"),
                    ("approve_order", "Can approve a big order"),
                    ("export_order", "Can export orders"),
                ]
            },
        ),
        migrations.RunPython(roles.write, migrations.RunPython.noop),
    ]

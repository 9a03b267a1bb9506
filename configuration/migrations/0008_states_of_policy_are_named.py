"""Every change of what decides over a tenant's orders gives it a new name, whoever makes it.

A capture says by which name its rules were read, and is not written if it is another by then.
"""

import django.db.models.deletion
from django.db import migrations, models

CREATE = """
CREATE FUNCTION states_of_policy_are_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO configuration_policystate (tenant_id, name)
    SELECT id, gen_random_uuid()
      FROM (SELECT DISTINCT unnest(ARRAY[OLD.tenant_id, NEW.tenant_id])) AS changed(id)
     WHERE id IS NOT NULL
    ON CONFLICT (tenant_id) DO UPDATE SET name = EXCLUDED.name;
    RETURN NULL;
END $$;
CREATE TRIGGER states_of_policy_are_named
    AFTER INSERT OR UPDATE OR DELETE ON configuration_setting
    FOR EACH ROW EXECUTE FUNCTION states_of_policy_are_named();
CREATE TRIGGER states_of_policy_are_named
    AFTER INSERT OR UPDATE OR DELETE ON configuration_location
    FOR EACH ROW EXECUTE FUNCTION states_of_policy_are_named();
CREATE TRIGGER states_of_policy_are_named
    AFTER INSERT OR UPDATE OR DELETE ON configuration_servicelevel
    FOR EACH ROW EXECUTE FUNCTION states_of_policy_are_named();
-- Only now, that nobody can configure anything unseen.
INSERT INTO configuration_policystate (tenant_id, name)
SELECT id, gen_random_uuid() FROM configuration_tenant
ON CONFLICT (tenant_id) DO NOTHING;
"""
DROP = """
DROP TRIGGER states_of_policy_are_named ON configuration_setting;
DROP TRIGGER states_of_policy_are_named ON configuration_location;
DROP TRIGGER states_of_policy_are_named ON configuration_servicelevel;
DROP FUNCTION states_of_policy_are_named();
"""


class Migration(migrations.Migration):
    dependencies = [("configuration", "0007_changes_of_clients_are_counted")]

    operations = [
        migrations.CreateModel(
            name="PolicyState",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="configuration.tenant",
                    ),
                ),
                ("name", models.UUIDField()),
            ],
        ),
        migrations.RunSQL(CREATE, DROP),
    ]

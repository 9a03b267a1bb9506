"""Every change of what decides over a tenant's orders gets a number, whoever makes it.

A capture says by which number its rules were read, and is not written if it is another by then.
"""

import django.db.models.deletion
from django.db import migrations, models

CREATE = """
CREATE SEQUENCE policy_version;
INSERT INTO configuration_policyversion (tenant_id, version)
SELECT id, nextval('policy_version') FROM configuration_tenant;

CREATE FUNCTION changes_of_policy_are_numbered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO configuration_policyversion (tenant_id, version)
    SELECT id, nextval('policy_version')
      FROM (SELECT DISTINCT unnest(ARRAY[OLD.tenant_id, NEW.tenant_id])) AS changed(id)
     WHERE id IS NOT NULL
    ON CONFLICT (tenant_id) DO UPDATE SET version = EXCLUDED.version;
    RETURN NULL;
END $$;
CREATE TRIGGER changes_of_policy_are_numbered
    AFTER INSERT OR UPDATE OR DELETE ON configuration_setting
    FOR EACH ROW EXECUTE FUNCTION changes_of_policy_are_numbered();
CREATE TRIGGER changes_of_policy_are_numbered
    AFTER INSERT OR UPDATE OR DELETE ON configuration_location
    FOR EACH ROW EXECUTE FUNCTION changes_of_policy_are_numbered();
CREATE TRIGGER changes_of_policy_are_numbered
    AFTER INSERT OR UPDATE OR DELETE ON configuration_servicelevel
    FOR EACH ROW EXECUTE FUNCTION changes_of_policy_are_numbered();
"""
DROP = """
DROP TRIGGER changes_of_policy_are_numbered ON configuration_setting;
DROP TRIGGER changes_of_policy_are_numbered ON configuration_location;
DROP TRIGGER changes_of_policy_are_numbered ON configuration_servicelevel;
DROP FUNCTION changes_of_policy_are_numbered();
DROP SEQUENCE policy_version;
"""


class Migration(migrations.Migration):
    dependencies = [("configuration", "0007_changes_of_clients_are_counted")]

    operations = [
        migrations.CreateModel(
            name="PolicyVersion",
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
                ("version", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(CREATE, DROP),
    ]

"""The history of settings cannot be rewritten, whoever is connected to the database."""

from django.db import migrations

CREATE = """
CREATE FUNCTION setting_changes_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The history of settings is append-only.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER setting_changes_are_append_only
    BEFORE UPDATE OR DELETE ON configuration_settingchange
    FOR EACH ROW EXECUTE FUNCTION setting_changes_are_append_only();
"""
DROP = """
DROP TRIGGER setting_changes_are_append_only ON configuration_settingchange;
DROP FUNCTION setting_changes_are_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("configuration", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]

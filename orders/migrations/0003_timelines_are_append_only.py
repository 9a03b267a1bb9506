"""What happened to an order cannot be rewritten, whoever is connected to the database."""

from django.db import migrations

CREATE = """
CREATE FUNCTION timelines_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The timeline of an order is append-only.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER timelines_are_append_only
    BEFORE UPDATE OR DELETE ON orders_timelineentry
    FOR EACH ROW EXECUTE FUNCTION timelines_are_append_only();
"""
DROP = """
DROP TRIGGER timelines_are_append_only ON orders_timelineentry;
DROP FUNCTION timelines_are_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_children_share_their_orders_tenant")]

    operations = [migrations.RunSQL(CREATE, DROP)]

from django.db import migrations

# Every name that models, jobs and datasets had, found without reading all their entries.
TABLES = ("projects_modelendpointevent", "etl_datasourceevent", "datasets_datasetevent")


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_state_before'),
    ]

    operations = [
        migrations.RunSQL(
            f"CREATE INDEX {table}_names ON {table} (organization_id, pgh_obj_id, name)",
            f"DROP INDEX {table}_names",
        )
        for table in TABLES
    ]

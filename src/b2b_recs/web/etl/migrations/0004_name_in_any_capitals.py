import django.db.models.functions.text
from django.db import migrations, models

from b2b_recs.web.tenancy.alike import set_apart


def apart(apps, schema_editor):
    set_apart(apps.get_model("etl", "DataSource").objects, "configuration_id", "job")


class Migration(migrations.Migration):
    dependencies = [
        ("etl", "0003_seen_tables"),
    ]

    operations = [
        migrations.RunPython(apart, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="datasource", name="job_name_once_in_its_model"),
        migrations.AddConstraint(
            model_name="datasource",
            constraint=models.UniqueConstraint(
                models.F("configuration"),
                django.db.models.functions.text.Lower("name"),
                name="job_name_once_in_its_model",
            ),
        ),
    ]

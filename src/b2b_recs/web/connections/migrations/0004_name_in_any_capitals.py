import django.db.models.functions.text
from django.db import migrations, models

from b2b_recs.web.tenancy.alike import set_apart


def apart(apps, schema_editor):
    set_apart(apps.get_model("connections", "Connection").objects, "model_id", "connection")


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0003_test_trouble"),
    ]

    operations = [
        migrations.RunPython(apart, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="connection", name="connection_name_once_in_its_model"),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.UniqueConstraint(
                models.F("model"),
                django.db.models.functions.text.Lower("name"),
                name="connection_name_once_in_its_model",
            ),
        ),
    ]

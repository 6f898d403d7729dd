from django.db import migrations

# Every event table, so that the newest entries of an organization are found without reading the others.
TABLES = {
    "accounts": ("apikey", "invitation", "membership"),
    "api": ("keptanswer",),
    "connections": ("connection", "storedsecret"),
    "datasets": ("dataset", "datasetversion"),
    "deployments": ("deployment",),
    "etl": ("datasource", "datasourcetable", "etlconfiguration", "etlrun"),
    "experiments": ("experiment", "trainedmodel"),
    "features": ("featureconfig",),
    "monitoring": ("predictionlog", "systemmetrics"),
    "projects": ("modelendpoint", "schedule"),
    "runs": ("runlogline",),
    "training": ("pipelineconfiguration", "pipelinerun"),
}


def index(table, column="organization_id"):
    return migrations.RunSQL(
        f"CREATE INDEX {table}_recent ON {table} ({column}, pgh_created_at DESC, pgh_id DESC)",
        f"DROP INDEX {table}_recent",
    )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_apikey'),
        ('api', '0001_initial'),
        ('connections', '0001_initial'),
        ('datasets', '0001_initial'),
        ('deployments', '0001_initial'),
        ('etl', '0001_initial'),
        ('experiments', '0001_initial'),
        ('features', '0001_initial'),
        ('monitoring', '0001_initial'),
        ('projects', '0001_initial'),
        ('runs', '0001_initial'),
        ('training', '0001_initial'),
    ]

    operations = [
        index("accounts_organizationevent", "id"),
        *(index(f"{app}_{table}event") for app, tables in TABLES.items() for table in tables),
    ]

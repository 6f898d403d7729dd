from django.db import migrations

# The newest entry of an object before another one, also of an object with a hundred thousand of them.
TABLES = (
    "accounts_apikeyevent", "accounts_invitationevent", "accounts_membershipevent", "accounts_organizationevent",
    "api_keptanswerevent", "connections_connectionevent", "connections_storedsecretevent", "datasets_datasetevent",
    "datasets_datasetversionevent", "deployments_deploymentevent", "etl_datasourceevent", "etl_datasourcetableevent",
    "etl_etlconfigurationevent", "etl_etlrunevent", "experiments_experimentevent", "experiments_trainedmodelevent",
    "features_featureconfigevent", "monitoring_predictionlogevent", "monitoring_systemmetricsevent",
    "projects_modelendpointevent", "projects_scheduleevent", "runs_runloglineevent",
    "training_pipelineconfigurationevent", "training_pipelinerunevent",
)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0001_recent_first'),
    ]

    operations = [
        migrations.RunSQL(
            f"CREATE INDEX {table}_before ON {table} (pgh_obj_id, pgh_id DESC)",
            f"DROP INDEX {table}_before",
        )
        for table in TABLES
    ]

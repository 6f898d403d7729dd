import b2b_recs.web.tenancy.fields
import django.db.models.deletion
import django.utils.timezone
import pghistory.utils
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models
from b2b_recs.web.tenancy.operations import ComposeForeignKey, ProtectAudit, ProtectTenantTable
from b2b_recs.web.audit.triggers import AddTrigger


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('datasets', '0001_initial'),
        ('projects', '0001_initial'),
        ('training', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Experiment',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('algorithm', models.CharField(max_length=60)),
                ('parameters', models.JSONField(default=dict)),
                ('metrics', models.JSONField(default=dict)),
                ('tags', models.JSONField(blank=True, default=list)),
                ('seconds', models.FloatField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('pipeline_run', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='experiments', to='training.pipelinerun')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ExperimentEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('algorithm', models.CharField(max_length=60)),
                ('parameters', models.JSONField(default=dict)),
                ('metrics', models.JSONField(default=dict)),
                ('tags', models.JSONField(blank=True, default=list)),
                ('seconds', models.FloatField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='experiments.experiment')),
                ('pipeline_run', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='training.pipelinerun')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='TrainedModel',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('algorithm', models.CharField(max_length=60)),
                ('parameters', models.JSONField(default=dict)),
                ('artifact_id', models.CharField(max_length=128)),
                ('metrics', models.JSONField(default=dict)),
                ('status', models.CharField(choices=[('candidate', 'Candidate'), ('blessed', 'Blessed'), ('deployed', 'Deployed'), ('retired', 'Retired')], default='candidate', max_length=10)),
                ('seconds', models.FloatField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('dataset_version', b2b_recs.web.tenancy.fields.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='trained_models', to='datasets.datasetversion')),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='trained_models', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('pipeline_run', b2b_recs.web.tenancy.fields.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='trained_models', to='training.pipelinerun')),
                ('trained_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-number'],
            },
        ),
        migrations.CreateModel(
            name='TrainedModelEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('number', models.PositiveIntegerField()),
                ('algorithm', models.CharField(max_length=60)),
                ('parameters', models.JSONField(default=dict)),
                ('artifact_id', models.CharField(max_length=128)),
                ('metrics', models.JSONField(default=dict)),
                ('status', models.CharField(choices=[('candidate', 'Candidate'), ('blessed', 'Blessed'), ('deployed', 'Deployed'), ('retired', 'Retired')], default='candidate', max_length=10)),
                ('seconds', models.FloatField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('dataset_version', b2b_recs.web.tenancy.fields.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='datasets.datasetversion')),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='experiments.trainedmodel')),
                ('pipeline_run', b2b_recs.web.tenancy.fields.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='training.pipelinerun')),
                ('trained_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        AddTrigger(
            model_name='experiment',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "experiments_experimentevent" ("algorithm", "created_at", "id", "metrics", "organization_id", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_run_id", "seconds", "tags") VALUES (NEW."algorithm", NEW."created_at", NEW."id", NEW."metrics", NEW."organization_id", NEW."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."pipeline_run_id", NEW."seconds", NEW."tags"); RETURN NULL;', hash='a0d0834b3cba8dcec60cd96f88c1bf1f5f4941fb', operation='INSERT', pgid='pgtrigger_created_insert_305f1', table='experiments_experiment', when='AFTER')),
        ),
        AddTrigger(
            model_name='experiment',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "experiments_experimentevent" ("algorithm", "created_at", "id", "metrics", "organization_id", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_run_id", "seconds", "tags") VALUES (NEW."algorithm", NEW."created_at", NEW."id", NEW."metrics", NEW."organization_id", NEW."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."pipeline_run_id", NEW."seconds", NEW."tags"); RETURN NULL;', hash='fc50e39e04df6b1d47fdeb82dc54d246b6c8d4f1', operation='UPDATE', pgid='pgtrigger_changed_update_5895f', table='experiments_experiment', when='AFTER')),
        ),
        AddTrigger(
            model_name='experiment',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "experiments_experimentevent" ("algorithm", "created_at", "id", "metrics", "organization_id", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_run_id", "seconds", "tags") VALUES (OLD."algorithm", OLD."created_at", OLD."id", OLD."metrics", OLD."organization_id", OLD."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."pipeline_run_id", OLD."seconds", OLD."tags"); RETURN NULL;', hash='78cfeff37ab10063bff3241e68aaeea7c6ba86d0', operation='DELETE', pgid='pgtrigger_removed_delete_2d038', table='experiments_experiment', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='trainedmodel',
            constraint=models.UniqueConstraint(fields=('model', 'number'), name='trained_model_number_once'),
        ),
        AddTrigger(
            model_name='trainedmodel',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "experiments_trainedmodelevent" ("algorithm", "artifact_id", "created_at", "dataset_version_id", "id", "metrics", "model_id", "number", "organization_id", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_run_id", "seconds", "status", "trained_by_id") VALUES (NEW."algorithm", NEW."artifact_id", NEW."created_at", NEW."dataset_version_id", NEW."id", NEW."metrics", NEW."model_id", NEW."number", NEW."organization_id", NEW."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."pipeline_run_id", NEW."seconds", NEW."status", NEW."trained_by_id"); RETURN NULL;', hash='e1e27c2f34fc9f9d7504ef0d54dbb70340c417f3', operation='INSERT', pgid='pgtrigger_created_insert_718d4', table='experiments_trainedmodel', when='AFTER')),
        ),
        AddTrigger(
            model_name='trainedmodel',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "experiments_trainedmodelevent" ("algorithm", "artifact_id", "created_at", "dataset_version_id", "id", "metrics", "model_id", "number", "organization_id", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_run_id", "seconds", "status", "trained_by_id") VALUES (NEW."algorithm", NEW."artifact_id", NEW."created_at", NEW."dataset_version_id", NEW."id", NEW."metrics", NEW."model_id", NEW."number", NEW."organization_id", NEW."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."pipeline_run_id", NEW."seconds", NEW."status", NEW."trained_by_id"); RETURN NULL;', hash='eb8f94fbbbcec8c8719c49d33367028a30d5b159', operation='UPDATE', pgid='pgtrigger_changed_update_8b201', table='experiments_trainedmodel', when='AFTER')),
        ),
        AddTrigger(
            model_name='trainedmodel',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "experiments_trainedmodelevent" ("algorithm", "artifact_id", "created_at", "dataset_version_id", "id", "metrics", "model_id", "number", "organization_id", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pipeline_run_id", "seconds", "status", "trained_by_id") VALUES (OLD."algorithm", OLD."artifact_id", OLD."created_at", OLD."dataset_version_id", OLD."id", OLD."metrics", OLD."model_id", OLD."number", OLD."organization_id", OLD."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."pipeline_run_id", OLD."seconds", OLD."status", OLD."trained_by_id"); RETURN NULL;', hash='7ecf437dcf3c25b969e04d2773eebe1ee83e411d', operation='DELETE', pgid='pgtrigger_removed_delete_3f125', table='experiments_trainedmodel', when='AFTER')),
        ),
        ProtectTenantTable("Experiment"),
        ProtectAudit("ExperimentEvent"),
        ProtectTenantTable("TrainedModel"),
        ProtectAudit("TrainedModelEvent"),
        ComposeForeignKey("Experiment", "pipeline_run"),
        ComposeForeignKey("TrainedModel", "dataset_version"),
        ComposeForeignKey("TrainedModel", "model"),
        ComposeForeignKey("TrainedModel", "pipeline_run"),
    ]

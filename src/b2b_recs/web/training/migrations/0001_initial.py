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
        ('projects', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PipelineConfiguration',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('spec', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('model', b2b_recs.web.tenancy.fields.TenantOneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='pipeline', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PipelineConfigurationEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('spec', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('model', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='training.pipelineconfiguration')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PipelineRun',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('running', 'Running'), ('completed', 'Completed'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='pending', max_length=10)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('stages', models.JSONField(default=list)),
                ('fraction', models.FloatField(blank=True, null=True)),
                ('rows_read', models.BigIntegerField(default=0)),
                ('rows_loaded', models.BigIntegerField(default=0)),
                ('rows_rejected', models.BigIntegerField(default=0)),
                ('rows_expected', models.BigIntegerField(blank=True, null=True)),
                ('bytes', models.BigIntegerField(default=0)),
                ('results', models.JSONField(blank=True, default=dict)),
                ('error_code', models.CharField(blank=True, max_length=60)),
                ('error', models.TextField(blank=True)),
                ('advice', models.TextField(blank=True)),
                ('cancel_requested', models.BooleanField(default=False)),
                ('triggered_by', models.CharField(choices=[('manual', 'By hand'), ('schedule', 'Schedule'), ('api', 'API'), ('command', 'Command line'), ('pipeline', 'Pipeline')], default='manual', max_length=10)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('heartbeat_at', models.DateTimeField(blank=True, null=True)),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='pipeline_runs', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('started_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PipelineRunEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('running', 'Running'), ('completed', 'Completed'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='pending', max_length=10)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('cancel_requested', models.BooleanField(default=False)),
                ('triggered_by', models.CharField(choices=[('manual', 'By hand'), ('schedule', 'Schedule'), ('api', 'API'), ('command', 'Command line'), ('pipeline', 'Pipeline')], default='manual', max_length=10)),
                ('error_code', models.CharField(blank=True, max_length=60)),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='id_organization_status_attempt_cancel_requested_triggered_by_started_by_error_code_model_tenant_events', to='training.pipelinerun')),
                ('started_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        AddTrigger(
            model_name='pipelineconfiguration',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "training_pipelineconfigurationevent" ("created_at", "id", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "spec", "updated_at") VALUES (NEW."created_at", NEW."id", NEW."model_id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."spec", NEW."updated_at"); RETURN NULL;', hash='94b3b4d9ac6d1319a6eeb4e9a602a339befc0c5b', operation='INSERT', pgid='pgtrigger_created_insert_32e2d', table='training_pipelineconfiguration', when='AFTER')),
        ),
        AddTrigger(
            model_name='pipelineconfiguration',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "training_pipelineconfigurationevent" ("created_at", "id", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "spec", "updated_at") VALUES (NEW."created_at", NEW."id", NEW."model_id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."spec", NEW."updated_at"); RETURN NULL;', hash='c86d76f06a538497a5d83b7968e2828f26e95e1c', operation='UPDATE', pgid='pgtrigger_changed_update_7a049', table='training_pipelineconfiguration', when='AFTER')),
        ),
        AddTrigger(
            model_name='pipelineconfiguration',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "training_pipelineconfigurationevent" ("created_at", "id", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "spec", "updated_at") VALUES (OLD."created_at", OLD."id", OLD."model_id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."spec", OLD."updated_at"); RETURN NULL;', hash='32c171f643e18d3ab3ebeef9d513769ed73a093f', operation='DELETE', pgid='pgtrigger_removed_delete_1978b', table='training_pipelineconfiguration', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='pipelinerun',
            index=models.Index(fields=['organization', '-created_at'], name='pipeline_run_recent'),
        ),
        migrations.AddIndex(
            model_name='pipelinerun',
            index=models.Index(fields=['model', '-id'], name='pipeline_run_of_a_model'),
        ),
        AddTrigger(
            model_name='pipelinerun',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "training_pipelinerunevent" ("attempt", "cancel_requested", "error_code", "id", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "started_by_id", "status", "triggered_by") VALUES (NEW."attempt", NEW."cancel_requested", NEW."error_code", NEW."id", NEW."model_id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."started_by_id", NEW."status", NEW."triggered_by"); RETURN NULL;', hash='e73890b81bf9e329e09c4688ea803315fd907e3c', operation='INSERT', pgid='pgtrigger_created_insert_2a06e', table='training_pipelinerun', when='AFTER')),
        ),
        AddTrigger(
            model_name='pipelinerun',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."attempt" IS DISTINCT FROM (NEW."attempt") OR OLD."cancel_requested" IS DISTINCT FROM (NEW."cancel_requested") OR OLD."error_code" IS DISTINCT FROM (NEW."error_code") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."model_id" IS DISTINCT FROM (NEW."model_id") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."started_by_id" IS DISTINCT FROM (NEW."started_by_id") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."triggered_by" IS DISTINCT FROM (NEW."triggered_by"))', func='INSERT INTO "training_pipelinerunevent" ("attempt", "cancel_requested", "error_code", "id", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "started_by_id", "status", "triggered_by") VALUES (NEW."attempt", NEW."cancel_requested", NEW."error_code", NEW."id", NEW."model_id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."started_by_id", NEW."status", NEW."triggered_by"); RETURN NULL;', hash='1fb460e684925701e5885dc2283dd41d608fd50b', operation='UPDATE', pgid='pgtrigger_changed_update_86401', table='training_pipelinerun', when='AFTER')),
        ),
        AddTrigger(
            model_name='pipelinerun',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "training_pipelinerunevent" ("attempt", "cancel_requested", "error_code", "id", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "started_by_id", "status", "triggered_by") VALUES (OLD."attempt", OLD."cancel_requested", OLD."error_code", OLD."id", OLD."model_id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."started_by_id", OLD."status", OLD."triggered_by"); RETURN NULL;', hash='d876e09e14d30a4535bdbda76bc87aee5377e2a3', operation='DELETE', pgid='pgtrigger_removed_delete_2763c', table='training_pipelinerun', when='AFTER')),
        ),
        ProtectTenantTable("PipelineConfiguration"),
        ProtectAudit("PipelineConfigurationEvent"),
        ProtectTenantTable("PipelineRun"),
        ProtectAudit("PipelineRunEvent"),
        ComposeForeignKey("PipelineConfiguration", "model"),
        ComposeForeignKey("PipelineRun", "model"),
    ]

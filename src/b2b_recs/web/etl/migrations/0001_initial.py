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
        ('connections', '0001_initial'),
        ('projects', '0001_initial'),
        ('training', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DataSource',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('enabled', models.BooleanField(default=True)),
                ('draft', models.BooleanField(default=False)),
                ('wizard_step', models.PositiveSmallIntegerField(default=1)),
                ('wizard_completed_steps', models.JSONField(blank=True, default=list)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('connection', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='connections.connection')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='DataSourceTable',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('spec', models.JSONField(default=dict)),
                ('last_row_count', models.BigIntegerField(blank=True, null=True)),
                ('last_synced_at', models.DateTimeField(blank=True, null=True)),
                ('data_source', b2b_recs.web.tenancy.fields.TenantOneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='table', to='etl.datasource')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='DataSourceTableEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('spec', models.JSONField(default=dict)),
                ('data_source', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='etl.datasource')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='etl.datasourcetable')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ETLConfiguration',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('schedule_kind', models.CharField(choices=[('manual', 'By hand'), ('minutes', 'Every few minutes'), ('hourly', 'Hourly'), ('daily', 'Daily'), ('weekly', 'Weekly'), ('monthly', 'Monthly'), ('cron', 'Cron')], default='manual', max_length=10)),
                ('schedule_time', models.TimeField(blank=True, null=True)),
                ('schedule_weekday', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('schedule_day_of_month', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('cron', models.CharField(blank=True, max_length=100)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('enabled', models.BooleanField(default=True)),
                ('lookback_days', models.PositiveIntegerField(default=90)),
                ('last_run_at', models.DateTimeField(blank=True, null=True)),
                ('last_run_status', models.CharField(blank=True, choices=[('pending', 'Pending'), ('running', 'Running'), ('completed', 'Completed'), ('partial', 'Partial'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], max_length=10)),
                ('last_run_message', models.TextField(blank=True)),
                ('model', b2b_recs.web.tenancy.fields.TenantOneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='etl', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='DataSourceEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=100)),
                ('enabled', models.BooleanField(default=True)),
                ('draft', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('connection', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='connections.connection')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='etl.datasource')),
                ('configuration', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='etl.etlconfiguration')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='datasource',
            name='configuration',
            field=b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='etl.etlconfiguration'),
        ),
        migrations.CreateModel(
            name='ETLConfigurationEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('schedule_kind', models.CharField(choices=[('manual', 'By hand'), ('minutes', 'Every few minutes'), ('hourly', 'Hourly'), ('daily', 'Daily'), ('weekly', 'Weekly'), ('monthly', 'Monthly'), ('cron', 'Cron')], default='manual', max_length=10)),
                ('schedule_time', models.TimeField(blank=True, null=True)),
                ('schedule_weekday', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('schedule_day_of_month', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('cron', models.CharField(blank=True, max_length=100)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('enabled', models.BooleanField(default=True)),
                ('lookback_days', models.PositiveIntegerField(default=90)),
                ('model', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='etl.etlconfiguration')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ETLRun',
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
                ('data_source', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='etl.datasource')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('pipeline_run', b2b_recs.web.tenancy.fields.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='etl_runs', to='training.pipelinerun')),
                ('started_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ETLRunEvent',
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
                ('data_source', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='etl.datasource')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='id_organization_status_attempt_cancel_requested_triggered_by_started_by_error_code_data_source_tenant_events', to='etl.etlrun')),
                ('started_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        AddTrigger(
            model_name='datasourcetable',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "etl_datasourcetableevent" ("data_source_id", "id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "spec") VALUES (NEW."data_source_id", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."spec"); RETURN NULL;', hash='63b55cd9e3002f4d359ba346e3f7061a73ec04f9', operation='INSERT', pgid='pgtrigger_created_insert_21bdc', table='etl_datasourcetable', when='AFTER')),
        ),
        AddTrigger(
            model_name='datasourcetable',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."data_source_id" IS DISTINCT FROM (NEW."data_source_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."spec" IS DISTINCT FROM (NEW."spec"))', func='INSERT INTO "etl_datasourcetableevent" ("data_source_id", "id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "spec") VALUES (NEW."data_source_id", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."spec"); RETURN NULL;', hash='03f37a39093c4c7656a79afea9467f947680266f', operation='UPDATE', pgid='pgtrigger_changed_update_4e7ae', table='etl_datasourcetable', when='AFTER')),
        ),
        AddTrigger(
            model_name='datasourcetable',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "etl_datasourcetableevent" ("data_source_id", "id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "spec") VALUES (OLD."data_source_id", OLD."id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."spec"); RETURN NULL;', hash='1098019d854fda0c915c230ee922080ced6413fe', operation='DELETE', pgid='pgtrigger_removed_delete_e8456', table='etl_datasourcetable', when='AFTER')),
        ),
        AddTrigger(
            model_name='etlconfiguration',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "etl_etlconfigurationevent" ("cron", "enabled", "id", "lookback_days", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "schedule_day_of_month", "schedule_kind", "schedule_time", "schedule_weekday", "time_zone") VALUES (NEW."cron", NEW."enabled", NEW."id", NEW."lookback_days", NEW."model_id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."schedule_day_of_month", NEW."schedule_kind", NEW."schedule_time", NEW."schedule_weekday", NEW."time_zone"); RETURN NULL;', hash='6b71634dc6145e5394723af57fc1b54493374a8a', operation='INSERT', pgid='pgtrigger_created_insert_2897c', table='etl_etlconfiguration', when='AFTER')),
        ),
        AddTrigger(
            model_name='etlconfiguration',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."cron" IS DISTINCT FROM (NEW."cron") OR OLD."enabled" IS DISTINCT FROM (NEW."enabled") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."lookback_days" IS DISTINCT FROM (NEW."lookback_days") OR OLD."model_id" IS DISTINCT FROM (NEW."model_id") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."schedule_day_of_month" IS DISTINCT FROM (NEW."schedule_day_of_month") OR OLD."schedule_kind" IS DISTINCT FROM (NEW."schedule_kind") OR OLD."schedule_time" IS DISTINCT FROM (NEW."schedule_time") OR OLD."schedule_weekday" IS DISTINCT FROM (NEW."schedule_weekday") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone"))', func='INSERT INTO "etl_etlconfigurationevent" ("cron", "enabled", "id", "lookback_days", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "schedule_day_of_month", "schedule_kind", "schedule_time", "schedule_weekday", "time_zone") VALUES (NEW."cron", NEW."enabled", NEW."id", NEW."lookback_days", NEW."model_id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."schedule_day_of_month", NEW."schedule_kind", NEW."schedule_time", NEW."schedule_weekday", NEW."time_zone"); RETURN NULL;', hash='381ea9f7091cefba2e638bfb741a97cb7457b1f9', operation='UPDATE', pgid='pgtrigger_changed_update_f54b1', table='etl_etlconfiguration', when='AFTER')),
        ),
        AddTrigger(
            model_name='etlconfiguration',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "etl_etlconfigurationevent" ("cron", "enabled", "id", "lookback_days", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "schedule_day_of_month", "schedule_kind", "schedule_time", "schedule_weekday", "time_zone") VALUES (OLD."cron", OLD."enabled", OLD."id", OLD."lookback_days", OLD."model_id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."schedule_day_of_month", OLD."schedule_kind", OLD."schedule_time", OLD."schedule_weekday", OLD."time_zone"); RETURN NULL;', hash='c322c196d8884e611268abcc7c12b88d4acb9a50', operation='DELETE', pgid='pgtrigger_removed_delete_f9971', table='etl_etlconfiguration', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='datasource',
            constraint=models.UniqueConstraint(fields=('configuration', 'name'), name='job_name_once_in_its_model'),
        ),
        AddTrigger(
            model_name='datasource',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "etl_datasourceevent" ("configuration_id", "connection_id", "created_at", "draft", "enabled", "id", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "updated_at") VALUES (NEW."configuration_id", NEW."connection_id", NEW."created_at", NEW."draft", NEW."enabled", NEW."id", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."updated_at"); RETURN NULL;', hash='db50f7d9a385f99f43ab8d000836096507506584', operation='INSERT', pgid='pgtrigger_created_insert_3c771', table='etl_datasource', when='AFTER')),
        ),
        AddTrigger(
            model_name='datasource',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."configuration_id" IS DISTINCT FROM (NEW."configuration_id") OR OLD."connection_id" IS DISTINCT FROM (NEW."connection_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."draft" IS DISTINCT FROM (NEW."draft") OR OLD."enabled" IS DISTINCT FROM (NEW."enabled") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at"))', func='INSERT INTO "etl_datasourceevent" ("configuration_id", "connection_id", "created_at", "draft", "enabled", "id", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "updated_at") VALUES (NEW."configuration_id", NEW."connection_id", NEW."created_at", NEW."draft", NEW."enabled", NEW."id", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."updated_at"); RETURN NULL;', hash='53d66a5ecf01a468371c6ca42ef6a3bdbc5fc2bb', operation='UPDATE', pgid='pgtrigger_changed_update_097b6', table='etl_datasource', when='AFTER')),
        ),
        AddTrigger(
            model_name='datasource',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "etl_datasourceevent" ("configuration_id", "connection_id", "created_at", "draft", "enabled", "id", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "updated_at") VALUES (OLD."configuration_id", OLD."connection_id", OLD."created_at", OLD."draft", OLD."enabled", OLD."id", OLD."name", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."updated_at"); RETURN NULL;', hash='f3877a2e1dfb38211cb9f3a567bffd2b6cbf215f', operation='DELETE', pgid='pgtrigger_removed_delete_a1258', table='etl_datasource', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='etlrun',
            index=models.Index(fields=['organization', '-created_at'], name='etl_run_recent'),
        ),
        migrations.AddIndex(
            model_name='etlrun',
            index=models.Index(fields=['data_source', '-id'], name='etl_run_of_a_job'),
        ),
        AddTrigger(
            model_name='etlrun',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "etl_etlrunevent" ("attempt", "cancel_requested", "data_source_id", "error_code", "id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "started_by_id", "status", "triggered_by") VALUES (NEW."attempt", NEW."cancel_requested", NEW."data_source_id", NEW."error_code", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."started_by_id", NEW."status", NEW."triggered_by"); RETURN NULL;', hash='187b814883332ff5f5ffe1f8f7b3a6cfd3ad8644', operation='INSERT', pgid='pgtrigger_created_insert_4f2ff', table='etl_etlrun', when='AFTER')),
        ),
        AddTrigger(
            model_name='etlrun',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."attempt" IS DISTINCT FROM (NEW."attempt") OR OLD."cancel_requested" IS DISTINCT FROM (NEW."cancel_requested") OR OLD."data_source_id" IS DISTINCT FROM (NEW."data_source_id") OR OLD."error_code" IS DISTINCT FROM (NEW."error_code") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."started_by_id" IS DISTINCT FROM (NEW."started_by_id") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."triggered_by" IS DISTINCT FROM (NEW."triggered_by"))', func='INSERT INTO "etl_etlrunevent" ("attempt", "cancel_requested", "data_source_id", "error_code", "id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "started_by_id", "status", "triggered_by") VALUES (NEW."attempt", NEW."cancel_requested", NEW."data_source_id", NEW."error_code", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."started_by_id", NEW."status", NEW."triggered_by"); RETURN NULL;', hash='5a05f823145ff6f3b4a450501ee2326d9c69eeb7', operation='UPDATE', pgid='pgtrigger_changed_update_f36c6', table='etl_etlrun', when='AFTER')),
        ),
        AddTrigger(
            model_name='etlrun',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "etl_etlrunevent" ("attempt", "cancel_requested", "data_source_id", "error_code", "id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "started_by_id", "status", "triggered_by") VALUES (OLD."attempt", OLD."cancel_requested", OLD."data_source_id", OLD."error_code", OLD."id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."started_by_id", OLD."status", OLD."triggered_by"); RETURN NULL;', hash='a730c6419ec3ba1f11d6019503ff5837bbe5db7a', operation='DELETE', pgid='pgtrigger_removed_delete_3aa00', table='etl_etlrun', when='AFTER')),
        ),
        ProtectTenantTable("DataSource"),
        ProtectTenantTable("DataSourceTable"),
        ProtectAudit("DataSourceTableEvent"),
        ProtectTenantTable("ETLConfiguration"),
        ProtectAudit("DataSourceEvent"),
        ProtectAudit("ETLConfigurationEvent"),
        ProtectTenantTable("ETLRun"),
        ProtectAudit("ETLRunEvent"),
        ComposeForeignKey("DataSource", "connection"),
        ComposeForeignKey("DataSourceTable", "data_source"),
        ComposeForeignKey("ETLConfiguration", "model"),
        ComposeForeignKey("DataSource", "configuration"),
        ComposeForeignKey("ETLRun", "data_source"),
        ComposeForeignKey("ETLRun", "pipeline_run"),
    ]

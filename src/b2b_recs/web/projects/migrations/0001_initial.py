import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import pghistory.utils
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models
from b2b_recs.web.tenancy.operations import ProtectAudit, ProtectTenantTable
from b2b_recs.web.audit.triggers import AddTrigger


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ModelEndpoint',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('description', models.TextField(blank=True)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('paused', 'Paused'), ('archived', 'Archived')], default='draft', max_length=10)),
                ('currency', models.CharField(default='EUR', max_length=3)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('region', models.CharField(blank=True, max_length=64)),
                ('warehouse_dataset', models.CharField(blank=True, max_length=128)),
                ('artifact_bucket', models.CharField(blank=True, max_length=255)),
                ('endpoint_address', models.CharField(blank=True, max_length=500)),
                ('endpoint_active', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('last_trained_at', models.DateTimeField(blank=True, null=True)),
                ('last_deployed_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ModelEndpointEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=100)),
                ('description', models.TextField(blank=True)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('paused', 'Paused'), ('archived', 'Archived')], default='draft', max_length=10)),
                ('currency', models.CharField(default='EUR', max_length=3)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('region', models.CharField(blank=True, max_length=64)),
                ('warehouse_dataset', models.CharField(blank=True, max_length=128)),
                ('artifact_bucket', models.CharField(blank=True, max_length=255)),
                ('endpoint_address', models.CharField(blank=True, max_length=500)),
                ('endpoint_active', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('last_trained_at', models.DateTimeField(blank=True, null=True)),
                ('last_deployed_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='projects.modelendpoint')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Schedule',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('target_kind', models.CharField(choices=[('etl', 'ETL job'), ('pipeline', 'Pipeline')], max_length=10)),
                ('target_id', models.BigIntegerField(help_text='Id of the job (DataSource) or of the model.')),
                ('kind', models.CharField(choices=[('manual', 'By hand'), ('minutes', 'Every few minutes'), ('hourly', 'Hourly'), ('daily', 'Daily'), ('weekly', 'Weekly'), ('monthly', 'Monthly'), ('cron', 'Cron')], default='manual', max_length=10)),
                ('cron', models.CharField(blank=True, max_length=100)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('enabled', models.BooleanField(default=True)),
                ('next_at', models.DateTimeField(blank=True, null=True)),
                ('last_fired_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
        ),
        migrations.CreateModel(
            name='ScheduleEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('target_kind', models.CharField(choices=[('etl', 'ETL job'), ('pipeline', 'Pipeline')], max_length=10)),
                ('target_id', models.BigIntegerField(help_text='Id of the job (DataSource) or of the model.')),
                ('kind', models.CharField(choices=[('manual', 'By hand'), ('minutes', 'Every few minutes'), ('hourly', 'Hourly'), ('daily', 'Daily'), ('weekly', 'Weekly'), ('monthly', 'Monthly'), ('cron', 'Cron')], default='manual', max_length=10)),
                ('cron', models.CharField(blank=True, max_length=100)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('enabled', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='projects.schedule')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='modelendpoint',
            constraint=models.UniqueConstraint(models.F('organization'), django.db.models.functions.text.Lower('name'), name='model_name_once_in_its_organization'),
        ),
        AddTrigger(
            model_name='modelendpoint',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "projects_modelendpointevent" ("artifact_bucket", "created_at", "created_by_id", "currency", "description", "endpoint_active", "endpoint_address", "id", "last_deployed_at", "last_trained_at", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region", "status", "time_zone", "updated_at", "warehouse_dataset") VALUES (NEW."artifact_bucket", NEW."created_at", NEW."created_by_id", NEW."currency", NEW."description", NEW."endpoint_active", NEW."endpoint_address", NEW."id", NEW."last_deployed_at", NEW."last_trained_at", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."region", NEW."status", NEW."time_zone", NEW."updated_at", NEW."warehouse_dataset"); RETURN NULL;', hash='b9f3227f35925353dfc3fb1c38355f85d26f1a57', operation='INSERT', pgid='pgtrigger_created_insert_44bf9', table='projects_modelendpoint', when='AFTER')),
        ),
        AddTrigger(
            model_name='modelendpoint',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "projects_modelendpointevent" ("artifact_bucket", "created_at", "created_by_id", "currency", "description", "endpoint_active", "endpoint_address", "id", "last_deployed_at", "last_trained_at", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region", "status", "time_zone", "updated_at", "warehouse_dataset") VALUES (NEW."artifact_bucket", NEW."created_at", NEW."created_by_id", NEW."currency", NEW."description", NEW."endpoint_active", NEW."endpoint_address", NEW."id", NEW."last_deployed_at", NEW."last_trained_at", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."region", NEW."status", NEW."time_zone", NEW."updated_at", NEW."warehouse_dataset"); RETURN NULL;', hash='25acd365775dedb3aee4c9c5340683fd50a23b40', operation='UPDATE', pgid='pgtrigger_changed_update_4c758', table='projects_modelendpoint', when='AFTER')),
        ),
        AddTrigger(
            model_name='modelendpoint',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "projects_modelendpointevent" ("artifact_bucket", "created_at", "created_by_id", "currency", "description", "endpoint_active", "endpoint_address", "id", "last_deployed_at", "last_trained_at", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region", "status", "time_zone", "updated_at", "warehouse_dataset") VALUES (OLD."artifact_bucket", OLD."created_at", OLD."created_by_id", OLD."currency", OLD."description", OLD."endpoint_active", OLD."endpoint_address", OLD."id", OLD."last_deployed_at", OLD."last_trained_at", OLD."name", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."region", OLD."status", OLD."time_zone", OLD."updated_at", OLD."warehouse_dataset"); RETURN NULL;', hash='ce93c4d6b17ca787294fb62b685ff8d76da712d7', operation='DELETE', pgid='pgtrigger_removed_delete_2b491', table='projects_modelendpoint', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='schedule',
            index=models.Index(condition=models.Q(('enabled', True)), fields=['next_at'], name='schedule_due'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.UniqueConstraint(fields=('organization', 'target_kind', 'target_id'), name='schedule_once_for_its_target'),
        ),
        AddTrigger(
            model_name='schedule',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "projects_scheduleevent" ("created_at", "cron", "enabled", "id", "kind", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "target_id", "target_kind", "time_zone", "updated_at") VALUES (NEW."created_at", NEW."cron", NEW."enabled", NEW."id", NEW."kind", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."target_id", NEW."target_kind", NEW."time_zone", NEW."updated_at"); RETURN NULL;', hash='90654db342c4b17a7ee1004c90fdcf891c12b05f', operation='INSERT', pgid='pgtrigger_created_insert_7121d', table='projects_schedule', when='AFTER')),
        ),
        AddTrigger(
            model_name='schedule',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."cron" IS DISTINCT FROM (NEW."cron") OR OLD."enabled" IS DISTINCT FROM (NEW."enabled") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."target_id" IS DISTINCT FROM (NEW."target_id") OR OLD."target_kind" IS DISTINCT FROM (NEW."target_kind") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at"))', func='INSERT INTO "projects_scheduleevent" ("created_at", "cron", "enabled", "id", "kind", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "target_id", "target_kind", "time_zone", "updated_at") VALUES (NEW."created_at", NEW."cron", NEW."enabled", NEW."id", NEW."kind", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."target_id", NEW."target_kind", NEW."time_zone", NEW."updated_at"); RETURN NULL;', hash='d5aa2b3f55afa97e7207d7603807c9a2fcc00687', operation='UPDATE', pgid='pgtrigger_changed_update_b861c', table='projects_schedule', when='AFTER')),
        ),
        AddTrigger(
            model_name='schedule',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "projects_scheduleevent" ("created_at", "cron", "enabled", "id", "kind", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "target_id", "target_kind", "time_zone", "updated_at") VALUES (OLD."created_at", OLD."cron", OLD."enabled", OLD."id", OLD."kind", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."target_id", OLD."target_kind", OLD."time_zone", OLD."updated_at"); RETURN NULL;', hash='7f9bd2fb58b24f37b557893887042023a08b89dd', operation='DELETE', pgid='pgtrigger_removed_delete_f1c20', table='projects_schedule', when='AFTER')),
        ),
        ProtectTenantTable("ModelEndpoint"),
        ProtectAudit("ModelEndpointEvent"),
        ProtectTenantTable("Schedule"),
        ProtectAudit("ScheduleEvent"),
    ]

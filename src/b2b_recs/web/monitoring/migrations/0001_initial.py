import b2b_recs.web.tenancy.fields
import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
from django.db import migrations, models
from b2b_recs.web.tenancy.operations import ComposeForeignKey, ProtectAudit, ProtectTenantTable
from b2b_recs.web.audit.triggers import AddTrigger


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('deployments', '0001_initial'),
        ('projects', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='PredictionLog',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('window_start', models.DateTimeField()),
                ('window_end', models.DateTimeField()),
                ('requests', models.BigIntegerField(default=0)),
                ('predictions', models.BigIntegerField(default=0)),
                ('errors', models.BigIntegerField(default=0)),
                ('mean_latency_ms', models.FloatField(blank=True, null=True)),
                ('latency', models.JSONField(blank=True, default=dict)),
                ('deployment', b2b_recs.web.tenancy.fields.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='prediction_logs', to='deployments.deployment')),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='prediction_logs', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'ordering': ['-window_start'],
            },
        ),
        migrations.CreateModel(
            name='PredictionLogEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('window_start', models.DateTimeField()),
                ('window_end', models.DateTimeField()),
                ('deployment', b2b_recs.web.tenancy.fields.TenantForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='deployments.deployment')),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='monitoring.predictionlog')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SystemMetrics',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('date', models.DateField()),
                ('endpoints_total', models.IntegerField(default=0)),
                ('endpoints_active', models.IntegerField(default=0)),
                ('runs_total', models.IntegerField(default=0)),
                ('runs_successful', models.IntegerField(default=0)),
                ('predictions', models.BigIntegerField(default=0)),
                ('compute_cost', models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                ('storage_cost', models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'ordering': ['-date'],
            },
        ),
        migrations.CreateModel(
            name='SystemMetricsEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('date', models.DateField()),
                ('endpoints_total', models.IntegerField(default=0)),
                ('endpoints_active', models.IntegerField(default=0)),
                ('runs_total', models.IntegerField(default=0)),
                ('runs_successful', models.IntegerField(default=0)),
                ('predictions', models.BigIntegerField(default=0)),
                ('compute_cost', models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                ('storage_cost', models.DecimalField(decimal_places=4, default=0, max_digits=14)),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='monitoring.systemmetrics')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='predictionlog',
            constraint=models.UniqueConstraint(fields=('model', 'deployment', 'window_start'), name='prediction_log_once_an_hour', nulls_distinct=False),
        ),
        AddTrigger(
            model_name='predictionlog',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."deployment_id" IS DISTINCT FROM (NEW."deployment_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."model_id" IS DISTINCT FROM (NEW."model_id") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."window_end" IS DISTINCT FROM (NEW."window_end") OR OLD."window_start" IS DISTINCT FROM (NEW."window_start"))', func='INSERT INTO "monitoring_predictionlogevent" ("deployment_id", "id", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "window_end", "window_start") VALUES (NEW."deployment_id", NEW."id", NEW."model_id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."window_end", NEW."window_start"); RETURN NULL;', hash='73322d07fbf35571673223a9923049e370da52f5', operation='UPDATE', pgid='pgtrigger_changed_update_1a476', table='monitoring_predictionlog', when='AFTER')),
        ),
        AddTrigger(
            model_name='predictionlog',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "monitoring_predictionlogevent" ("deployment_id", "id", "model_id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "window_end", "window_start") VALUES (OLD."deployment_id", OLD."id", OLD."model_id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."window_end", OLD."window_start"); RETURN NULL;', hash='36cb6d2653575444632b8b685ea4a65f82179c9d', operation='DELETE', pgid='pgtrigger_removed_delete_74cf6', table='monitoring_predictionlog', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='systemmetrics',
            constraint=models.UniqueConstraint(fields=('organization', 'date'), name='system_metrics_once_a_day'),
        ),
        AddTrigger(
            model_name='systemmetrics',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "monitoring_systemmetricsevent" ("compute_cost", "date", "endpoints_active", "endpoints_total", "id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predictions", "runs_successful", "runs_total", "storage_cost") VALUES (NEW."compute_cost", NEW."date", NEW."endpoints_active", NEW."endpoints_total", NEW."id", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."predictions", NEW."runs_successful", NEW."runs_total", NEW."storage_cost"); RETURN NULL;', hash='8802f3b8687fc66fbed521d4b024f8919853e676', operation='UPDATE', pgid='pgtrigger_changed_update_cd157', table='monitoring_systemmetrics', when='AFTER')),
        ),
        AddTrigger(
            model_name='systemmetrics',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "monitoring_systemmetricsevent" ("compute_cost", "date", "endpoints_active", "endpoints_total", "id", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "predictions", "runs_successful", "runs_total", "storage_cost") VALUES (OLD."compute_cost", OLD."date", OLD."endpoints_active", OLD."endpoints_total", OLD."id", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."predictions", OLD."runs_successful", OLD."runs_total", OLD."storage_cost"); RETURN NULL;', hash='6616fa1eac27ebfd94a16cfae9aa45129c187f18', operation='DELETE', pgid='pgtrigger_removed_delete_a204f', table='monitoring_systemmetrics', when='AFTER')),
        ),
        ProtectTenantTable("PredictionLog"),
        ProtectAudit("PredictionLogEvent"),
        ProtectTenantTable("SystemMetrics"),
        ProtectAudit("SystemMetricsEvent"),
        ComposeForeignKey("PredictionLog", "deployment"),
        ComposeForeignKey("PredictionLog", "model"),
    ]

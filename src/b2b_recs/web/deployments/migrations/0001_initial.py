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
        ('experiments', '0001_initial'),
        ('projects', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Deployment',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('artifact_id', models.CharField(max_length=128)),
                ('status', models.CharField(choices=[('active', 'Active'), ('retired', 'Retired'), ('failed', 'Failed')], default='active', max_length=10)),
                ('environment', models.CharField(default='local', max_length=40)),
                ('service', models.CharField(blank=True, max_length=200)),
                ('revision', models.CharField(blank=True, max_length=200)),
                ('address', models.CharField(blank=True, max_length=500)),
                ('traffic_share', models.FloatField(default=1.0)),
                ('health_address', models.CharField(blank=True, max_length=500)),
                ('health_state', models.CharField(blank=True, max_length=40)),
                ('last_check_at', models.DateTimeField(blank=True, null=True)),
                ('gate', models.JSONField(default=dict)),
                ('notes', models.TextField(blank=True)),
                ('deployed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('deactivated_at', models.DateTimeField(blank=True, null=True)),
                ('deployed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='deployments', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
                ('trained_model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='experiments.trainedmodel')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='DeploymentEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('artifact_id', models.CharField(max_length=128)),
                ('status', models.CharField(choices=[('active', 'Active'), ('retired', 'Retired'), ('failed', 'Failed')], default='active', max_length=10)),
                ('environment', models.CharField(default='local', max_length=40)),
                ('service', models.CharField(blank=True, max_length=200)),
                ('revision', models.CharField(blank=True, max_length=200)),
                ('address', models.CharField(blank=True, max_length=500)),
                ('traffic_share', models.FloatField(default=1.0)),
                ('health_address', models.CharField(blank=True, max_length=500)),
                ('gate', models.JSONField(default=dict)),
                ('notes', models.TextField(blank=True)),
                ('deployed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('deactivated_at', models.DateTimeField(blank=True, null=True)),
                ('deployed_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='deployments.deployment')),
                ('trained_model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='experiments.trainedmodel')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='deployment',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'active')), fields=('model',), name='one_active_deployment_of_a_model'),
        ),
        AddTrigger(
            model_name='deployment',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "deployments_deploymentevent" ("address", "artifact_id", "deactivated_at", "deployed_at", "deployed_by_id", "environment", "gate", "health_address", "id", "model_id", "notes", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "revision", "service", "status", "traffic_share", "trained_model_id") VALUES (NEW."address", NEW."artifact_id", NEW."deactivated_at", NEW."deployed_at", NEW."deployed_by_id", NEW."environment", NEW."gate", NEW."health_address", NEW."id", NEW."model_id", NEW."notes", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."revision", NEW."service", NEW."status", NEW."traffic_share", NEW."trained_model_id"); RETURN NULL;', hash='99aa71486765b42bb67ee6b1df59e02cde65c290', operation='INSERT', pgid='pgtrigger_created_insert_08c58', table='deployments_deployment', when='AFTER')),
        ),
        AddTrigger(
            model_name='deployment',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."address" IS DISTINCT FROM (NEW."address") OR OLD."artifact_id" IS DISTINCT FROM (NEW."artifact_id") OR OLD."deactivated_at" IS DISTINCT FROM (NEW."deactivated_at") OR OLD."deployed_at" IS DISTINCT FROM (NEW."deployed_at") OR OLD."deployed_by_id" IS DISTINCT FROM (NEW."deployed_by_id") OR OLD."environment" IS DISTINCT FROM (NEW."environment") OR OLD."gate" IS DISTINCT FROM (NEW."gate") OR OLD."health_address" IS DISTINCT FROM (NEW."health_address") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."model_id" IS DISTINCT FROM (NEW."model_id") OR OLD."notes" IS DISTINCT FROM (NEW."notes") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."revision" IS DISTINCT FROM (NEW."revision") OR OLD."service" IS DISTINCT FROM (NEW."service") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."traffic_share" IS DISTINCT FROM (NEW."traffic_share") OR OLD."trained_model_id" IS DISTINCT FROM (NEW."trained_model_id"))', func='INSERT INTO "deployments_deploymentevent" ("address", "artifact_id", "deactivated_at", "deployed_at", "deployed_by_id", "environment", "gate", "health_address", "id", "model_id", "notes", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "revision", "service", "status", "traffic_share", "trained_model_id") VALUES (NEW."address", NEW."artifact_id", NEW."deactivated_at", NEW."deployed_at", NEW."deployed_by_id", NEW."environment", NEW."gate", NEW."health_address", NEW."id", NEW."model_id", NEW."notes", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."revision", NEW."service", NEW."status", NEW."traffic_share", NEW."trained_model_id"); RETURN NULL;', hash='f138257c66599fd850814f731e7e0232720968b8', operation='UPDATE', pgid='pgtrigger_changed_update_d9f2b', table='deployments_deployment', when='AFTER')),
        ),
        AddTrigger(
            model_name='deployment',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "deployments_deploymentevent" ("address", "artifact_id", "deactivated_at", "deployed_at", "deployed_by_id", "environment", "gate", "health_address", "id", "model_id", "notes", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "revision", "service", "status", "traffic_share", "trained_model_id") VALUES (OLD."address", OLD."artifact_id", OLD."deactivated_at", OLD."deployed_at", OLD."deployed_by_id", OLD."environment", OLD."gate", OLD."health_address", OLD."id", OLD."model_id", OLD."notes", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."revision", OLD."service", OLD."status", OLD."traffic_share", OLD."trained_model_id"); RETURN NULL;', hash='81dbd97da762b8a33a186ee5df627ba0c63f1ead', operation='DELETE', pgid='pgtrigger_removed_delete_0ac57', table='deployments_deployment', when='AFTER')),
        ),
        ProtectTenantTable("Deployment"),
        ProtectAudit("DeploymentEvent"),
        ComposeForeignKey("Deployment", "model"),
        ComposeForeignKey("Deployment", "trained_model"),
    ]

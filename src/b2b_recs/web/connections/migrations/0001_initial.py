import b2b_recs.web.tenancy.fields
import django.db.models.deletion
import django.utils.timezone
import pghistory.utils
import pgtrigger.compiler
from django.db import migrations, models
from b2b_recs.web.tenancy.operations import ComposeForeignKey, ProtectAudit, ProtectTenantTable
from b2b_recs.web.audit.triggers import AddTrigger


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('projects', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('source_type', models.CharField(max_length=40)),
                ('parameters', models.JSONField(default=dict)),
                ('enabled', models.BooleanField(default=True)),
                ('last_test_at', models.DateTimeField(blank=True, null=True)),
                ('last_test_status', models.CharField(choices=[('never', 'Never tested'), ('passed', 'Passed'), ('failed', 'Failed'), ('unknown', 'Could not be tested')], default='never', max_length=10)),
                ('last_test_message', models.TextField(blank=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='connections', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ConnectionEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=100)),
                ('source_type', models.CharField(max_length=40)),
                ('parameters', models.JSONField(default=dict)),
                ('enabled', models.BooleanField(default=True)),
                ('last_test_at', models.DateTimeField(blank=True, null=True)),
                ('last_test_status', models.CharField(choices=[('never', 'Never tested'), ('passed', 'Passed'), ('failed', 'Failed'), ('unknown', 'Could not be tested')], default='never', max_length=10)),
                ('last_test_message', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='connections.connection')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='StoredSecret',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=255)),
                ('ciphertext', models.BinaryField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='StoredSecretEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=255)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='connections.storedsecret')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(fields=('model', 'name'), name='connection_name_once_in_its_model'),
        ),
        AddTrigger(
            model_name='connection',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "connections_connectionevent" ("created_at", "enabled", "id", "last_test_at", "last_test_message", "last_test_status", "model_id", "name", "organization_id", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source_type", "updated_at") VALUES (NEW."created_at", NEW."enabled", NEW."id", NEW."last_test_at", NEW."last_test_message", NEW."last_test_status", NEW."model_id", NEW."name", NEW."organization_id", NEW."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."source_type", NEW."updated_at"); RETURN NULL;', hash='5afbe5653b06492cbaacbce07d9ab6b87dbdfad9', operation='INSERT', pgid='pgtrigger_created_insert_d49e3', table='connections_connection', when='AFTER')),
        ),
        AddTrigger(
            model_name='connection',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."enabled" IS DISTINCT FROM (NEW."enabled") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."last_test_at" IS DISTINCT FROM (NEW."last_test_at") OR OLD."last_test_message" IS DISTINCT FROM (NEW."last_test_message") OR OLD."last_test_status" IS DISTINCT FROM (NEW."last_test_status") OR OLD."model_id" IS DISTINCT FROM (NEW."model_id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."parameters" IS DISTINCT FROM (NEW."parameters") OR OLD."source_type" IS DISTINCT FROM (NEW."source_type") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at"))', func='INSERT INTO "connections_connectionevent" ("created_at", "enabled", "id", "last_test_at", "last_test_message", "last_test_status", "model_id", "name", "organization_id", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source_type", "updated_at") VALUES (NEW."created_at", NEW."enabled", NEW."id", NEW."last_test_at", NEW."last_test_message", NEW."last_test_status", NEW."model_id", NEW."name", NEW."organization_id", NEW."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."source_type", NEW."updated_at"); RETURN NULL;', hash='dcb5e93c854b6036a4afc1a9d310745050196b90', operation='UPDATE', pgid='pgtrigger_changed_update_f46a1', table='connections_connection', when='AFTER')),
        ),
        AddTrigger(
            model_name='connection',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "connections_connectionevent" ("created_at", "enabled", "id", "last_test_at", "last_test_message", "last_test_status", "model_id", "name", "organization_id", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "source_type", "updated_at") VALUES (OLD."created_at", OLD."enabled", OLD."id", OLD."last_test_at", OLD."last_test_message", OLD."last_test_status", OLD."model_id", OLD."name", OLD."organization_id", OLD."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."source_type", OLD."updated_at"); RETURN NULL;', hash='3c80d3d3d37e3ef89121270c5f11873eb54b9ea7', operation='DELETE', pgid='pgtrigger_removed_delete_ea9c2', table='connections_connection', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='storedsecret',
            constraint=models.UniqueConstraint(fields=('organization', 'name'), name='secret_name_once'),
        ),
        AddTrigger(
            model_name='storedsecret',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "connections_storedsecretevent" ("created_at", "id", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "updated_at") VALUES (NEW."created_at", NEW."id", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."updated_at"); RETURN NULL;', hash='e5da755a1e6b1dd15997c0caf7ff530460a7bf94', operation='INSERT', pgid='pgtrigger_created_insert_f5c17', table='connections_storedsecret', when='AFTER')),
        ),
        AddTrigger(
            model_name='storedsecret',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."organization_id" IS DISTINCT FROM (NEW."organization_id") OR OLD."updated_at" IS DISTINCT FROM (NEW."updated_at"))', func='INSERT INTO "connections_storedsecretevent" ("created_at", "id", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "updated_at") VALUES (NEW."created_at", NEW."id", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."updated_at"); RETURN NULL;', hash='038fde25a9e47a234614eff11e75a46750becdd7', operation='UPDATE', pgid='pgtrigger_changed_update_bd2c3', table='connections_storedsecret', when='AFTER')),
        ),
        AddTrigger(
            model_name='storedsecret',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "connections_storedsecretevent" ("created_at", "id", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "updated_at") VALUES (OLD."created_at", OLD."id", OLD."name", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."updated_at"); RETURN NULL;', hash='154b4de11769e65abbd0803cbc820819ec1570c3', operation='DELETE', pgid='pgtrigger_removed_delete_6ae0e', table='connections_storedsecret', when='AFTER')),
        ),
        ProtectTenantTable("Connection"),
        ProtectAudit("ConnectionEvent"),
        ProtectTenantTable("StoredSecret"),
        ProtectAudit("StoredSecretEvent"),
        ComposeForeignKey("Connection", "model"),
    ]

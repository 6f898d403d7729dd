import django.db.models.deletion
import django.utils.timezone
import pghistory.utils
import pgtrigger.compiler
from django.db import migrations, models
from b2b_recs.web.tenancy.operations import ProtectAudit, ProtectTenantTable
from b2b_recs.web.audit.triggers import AddTrigger


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='RunLogLine',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('run_kind', models.CharField(max_length=10)),
                ('run_id', models.BigIntegerField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('level', models.CharField(choices=[('debug', 'Debug'), ('info', 'Info'), ('warning', 'Warning'), ('error', 'Error')], default='info', max_length=10)),
                ('message', models.TextField()),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='RunLogLineEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('run_kind', models.CharField(max_length=10)),
                ('run_id', models.BigIntegerField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('level', models.CharField(choices=[('debug', 'Debug'), ('info', 'Info'), ('warning', 'Warning'), ('error', 'Error')], default='info', max_length=10)),
                ('message', models.TextField()),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='runs.runlogline')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='runlogline',
            index=models.Index(fields=['organization', 'run_kind', 'run_id', 'id'], name='run_log_of_a_run'),
        ),
        AddTrigger(
            model_name='runlogline',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "runs_runloglineevent" ("at", "id", "level", "message", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "run_id", "run_kind") VALUES (NEW."at", NEW."id", NEW."level", NEW."message", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."run_id", NEW."run_kind"); RETURN NULL;', hash='f21f7aa1eb9a7f0789b93fa6f1d9bc98d3684aea', operation='UPDATE', pgid='pgtrigger_changed_update_8c175', table='runs_runlogline', when='AFTER')),
        ),
        AddTrigger(
            model_name='runlogline',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "runs_runloglineevent" ("at", "id", "level", "message", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "run_id", "run_kind") VALUES (OLD."at", OLD."id", OLD."level", OLD."message", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."run_id", OLD."run_kind"); RETURN NULL;', hash='12a319c5d7d1b902ca4f3f239945e0683032272a', operation='DELETE', pgid='pgtrigger_removed_delete_e9eca', table='runs_runlogline', when='AFTER')),
        ),
        ProtectTenantTable("RunLogLine"),
        ProtectAudit("RunLogLineEvent"),
    ]

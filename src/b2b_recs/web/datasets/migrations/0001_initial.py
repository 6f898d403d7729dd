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
            name='Dataset',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('description', models.TextField(blank=True)),
                ('spec', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='datasets', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='DatasetEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=100)),
                ('description', models.TextField(blank=True)),
                ('spec', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('model', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='projects.modelendpoint')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='datasets.dataset')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='DatasetVersion',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('fingerprint', models.CharField(max_length=128)),
                ('table_versions', models.JSONField(default=dict)),
                ('rows', models.BigIntegerField(default=0)),
                ('customers', models.BigIntegerField(default=0)),
                ('products', models.BigIntegerField(default=0)),
                ('first_at', models.DateTimeField(blank=True, null=True)),
                ('last_at', models.DateTimeField(blank=True, null=True)),
                ('steps', models.JSONField(default=list)),
                ('sql', models.TextField(blank=True)),
                ('quality', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('dataset', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='datasets.dataset')),
                ('organization', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization')),
            ],
            options={
                'ordering': ['-number'],
            },
        ),
        migrations.CreateModel(
            name='DatasetVersionEvent',
            fields=[
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('number', models.PositiveIntegerField()),
                ('fingerprint', models.CharField(max_length=128)),
                ('table_versions', models.JSONField(default=dict)),
                ('rows', models.BigIntegerField(default=0)),
                ('customers', models.BigIntegerField(default=0)),
                ('products', models.BigIntegerField(default=0)),
                ('first_at', models.DateTimeField(blank=True, null=True)),
                ('last_at', models.DateTimeField(blank=True, null=True)),
                ('steps', models.JSONField(default=list)),
                ('sql', models.TextField(blank=True)),
                ('quality', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('dataset', b2b_recs.web.tenancy.fields.TenantForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='datasets.dataset')),
                ('organization', models.ForeignKey(db_constraint=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.organization')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='tenant_events', to='datasets.datasetversion')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='dataset',
            constraint=models.UniqueConstraint(fields=('model', 'name'), name='dataset_name_once_in_its_model'),
        ),
        AddTrigger(
            model_name='dataset',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "datasets_datasetevent" ("created_at", "description", "id", "model_id", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "spec", "updated_at") VALUES (NEW."created_at", NEW."description", NEW."id", NEW."model_id", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."spec", NEW."updated_at"); RETURN NULL;', hash='211b053594e2c68a722e98d92fbe67b9ed3cce10', operation='INSERT', pgid='pgtrigger_created_insert_4431e', table='datasets_dataset', when='AFTER')),
        ),
        AddTrigger(
            model_name='dataset',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "datasets_datasetevent" ("created_at", "description", "id", "model_id", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "spec", "updated_at") VALUES (NEW."created_at", NEW."description", NEW."id", NEW."model_id", NEW."name", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."spec", NEW."updated_at"); RETURN NULL;', hash='624d5ccd7d4453289b4ade7402b012c182595ec2', operation='UPDATE', pgid='pgtrigger_changed_update_0e1e3', table='datasets_dataset', when='AFTER')),
        ),
        AddTrigger(
            model_name='dataset',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "datasets_datasetevent" ("created_at", "description", "id", "model_id", "name", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "spec", "updated_at") VALUES (OLD."created_at", OLD."description", OLD."id", OLD."model_id", OLD."name", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."spec", OLD."updated_at"); RETURN NULL;', hash='d22040af85a3038adc785965cbf32292aa409571', operation='DELETE', pgid='pgtrigger_removed_delete_c19e3', table='datasets_dataset', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='datasetversion',
            constraint=models.UniqueConstraint(fields=('dataset', 'number'), name='dataset_version_number_once'),
        ),
        AddTrigger(
            model_name='datasetversion',
            trigger=pgtrigger.compiler.Trigger(name='created_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "datasets_datasetversionevent" ("created_at", "customers", "dataset_id", "fingerprint", "first_at", "id", "last_at", "number", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "products", "quality", "rows", "sql", "steps", "table_versions") VALUES (NEW."created_at", NEW."customers", NEW."dataset_id", NEW."fingerprint", NEW."first_at", NEW."id", NEW."last_at", NEW."number", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."products", NEW."quality", NEW."rows", NEW."sql", NEW."steps", NEW."table_versions"); RETURN NULL;', hash='09efb518624b86abf4f6e4150eaf76656a06112d', operation='INSERT', pgid='pgtrigger_created_insert_d67cb', table='datasets_datasetversion', when='AFTER')),
        ),
        AddTrigger(
            model_name='datasetversion',
            trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "datasets_datasetversionevent" ("created_at", "customers", "dataset_id", "fingerprint", "first_at", "id", "last_at", "number", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "products", "quality", "rows", "sql", "steps", "table_versions") VALUES (NEW."created_at", NEW."customers", NEW."dataset_id", NEW."fingerprint", NEW."first_at", NEW."id", NEW."last_at", NEW."number", NEW."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."products", NEW."quality", NEW."rows", NEW."sql", NEW."steps", NEW."table_versions"); RETURN NULL;', hash='3ac0ff8f429f80de5bcd18c1dacc31e1e797e241', operation='UPDATE', pgid='pgtrigger_changed_update_f16f8', table='datasets_datasetversion', when='AFTER')),
        ),
        AddTrigger(
            model_name='datasetversion',
            trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "datasets_datasetversionevent" ("created_at", "customers", "dataset_id", "fingerprint", "first_at", "id", "last_at", "number", "organization_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "products", "quality", "rows", "sql", "steps", "table_versions") VALUES (OLD."created_at", OLD."customers", OLD."dataset_id", OLD."fingerprint", OLD."first_at", OLD."id", OLD."last_at", OLD."number", OLD."organization_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."products", OLD."quality", OLD."rows", OLD."sql", OLD."steps", OLD."table_versions"); RETURN NULL;', hash='5b11f3626540fe4f8b1cbaa2b23e1927e5a84769', operation='DELETE', pgid='pgtrigger_removed_delete_d2b0c', table='datasets_datasetversion', when='AFTER')),
        ),
        ProtectTenantTable("Dataset"),
        ProtectAudit("DatasetEvent"),
        ProtectTenantTable("DatasetVersion"),
        ProtectAudit("DatasetVersionEvent"),
        ComposeForeignKey("Dataset", "model"),
        ComposeForeignKey("DatasetVersion", "dataset"),
    ]

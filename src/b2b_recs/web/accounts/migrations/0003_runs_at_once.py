import django.core.validators
import pgtrigger.compiler
from django.db import migrations, models

from b2b_recs.web.audit.triggers import AddTrigger, RemoveTrigger

# The worker reads no row of an organization, and needs this one number of each to hand out their runs.
RUNS_AT_ONCE = """
CREATE FUNCTION b2b_recs_runs_at_once(organization text) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT runs_at_once FROM accounts_organization WHERE id = organization::bigint
$$;
REVOKE ALL ON FUNCTION b2b_recs_runs_at_once(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION b2b_recs_runs_at_once(text) TO b2b_recs_worker, b2b_recs_operator;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_apikey"),
    ]

    operations = [
        RemoveTrigger(
            model_name="organization",
            name="created_insert",
        ),
        RemoveTrigger(
            model_name="organization",
            name="changed_update",
        ),
        RemoveTrigger(
            model_name="organization",
            name="removed_delete",
        ),
        migrations.AddField(
            model_name="organization",
            name="runs_at_once",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="How many of its runs may be under way at the same time, 0 for any number; empty: as the installation's settings say.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(1000)],
            ),
        ),
        migrations.AddField(
            model_name="organizationevent",
            name="runs_at_once",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="How many of its runs may be under way at the same time, 0 for any number; empty: as the installation's settings say.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(1000)],
            ),
        ),
        AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="created_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_organizationevent" ("created_at", "id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "runs_at_once", "slug", "suspended") VALUES (NEW."created_at", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'created\', NEW."id", NEW."runs_at_once", NEW."slug", NEW."suspended"); RETURN NULL;',
                    hash="505163fc6ee90233097c876a22acaf3b03ff8abf",
                    operation="INSERT",
                    pgid="pgtrigger_created_insert_7f4aa",
                    table="accounts_organization",
                    when="AFTER",
                ),
            ),
        ),
        AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="changed_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "accounts_organizationevent" ("created_at", "id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "runs_at_once", "slug", "suspended") VALUES (NEW."created_at", NEW."id", NEW."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'changed\', NEW."id", NEW."runs_at_once", NEW."slug", NEW."suspended"); RETURN NULL;',
                    hash="2a81ede534a6ad47aa9769cdce8bb06a65d3b01d",
                    operation="UPDATE",
                    pgid="pgtrigger_changed_update_90385",
                    table="accounts_organization",
                    when="AFTER",
                ),
            ),
        ),
        AddTrigger(
            model_name="organization",
            trigger=pgtrigger.compiler.Trigger(
                name="removed_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_organizationevent" ("created_at", "id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "runs_at_once", "slug", "suspended") VALUES (OLD."created_at", OLD."id", OLD."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'removed\', OLD."id", OLD."runs_at_once", OLD."slug", OLD."suspended"); RETURN NULL;',
                    hash="b53b83d2e56cf61d713e351fb0345840b61783a0",
                    operation="DELETE",
                    pgid="pgtrigger_removed_delete_90bb9",
                    table="accounts_organization",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(RUNS_AT_ONCE, "DROP FUNCTION b2b_recs_runs_at_once(text)"),
    ]

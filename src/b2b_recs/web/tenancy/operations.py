"""Migration operations that put tables under protection.

They run as the owner, right after the table is made, so that no table of an organization is ever without policies.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

WEB, WORKER, OPERATOR = "b2b_recs_web", "b2b_recs_worker", "b2b_recs_operator"

# nullif: an ended transaction leaves an empty string behind. The sub-select makes it a constant an index can use.
ORGANIZATION = "(SELECT nullif(current_setting('app.org_id', true), '')::bigint)"
USER = "(SELECT nullif(current_setting('app.user_id', true), '')::bigint)"
# What a signed-in person may read before choosing an organization.
OWN_MEMBERSHIPS = f"user_id = {USER}"
OWN_ORGANIZATIONS = f"id IN (SELECT m.organization_id FROM accounts_membership m WHERE m.user_id = {USER})"  # noqa: S608
OWN_INVITATIONS = f"lower(email) = (SELECT u.email FROM accounts_user u WHERE u.id = {USER})"  # noqa: S608

REFUSE = """
CREATE OR REPLACE FUNCTION b2b_recs_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""
GUARD_OPERATORS = f"""
CREATE OR REPLACE FUNCTION b2b_recs_guard_operators() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user IN ('{WEB}', '{WORKER}') THEN
        RAISE EXCEPTION 'Only an operator can make an operator.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
"""
_ON_DELETE = {
    models.CASCADE: "CASCADE",
    models.PROTECT: "NO ACTION",
    models.RESTRICT: "NO ACTION",
    models.DO_NOTHING: "NO ACTION",
}


class _Protection(Operation):
    """An operation on one model's table that changes nothing in Django's own state."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing: the protection lives in the database only."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Run the statements of ``forwards``."""
        model = to_state.apps.get_model(app_label, self.model_name)
        for statement in self.forwards(model, schema_editor.quote_name):
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Run the statements of ``backwards``."""
        model = from_state.apps.get_model(app_label, self.model_name)
        for statement in self.backwards(model, schema_editor.quote_name):
            schema_editor.execute(statement, params=None)

    def forwards(self, model: type[models.Model], quote: Any) -> list[str]:
        """The statements that protect."""
        raise TypeError(f"{type(self).__name__} says nothing to do.")

    def backwards(self, model: type[models.Model], quote: Any) -> list[str]:
        """The statements that take the protection away."""
        raise TypeError(f"{type(self).__name__} says nothing to undo.")

    def describe(self) -> str:
        """One line for ``migrate``."""
        return f"{type(self).__name__} {self.model_name}"


class ProtectTenantTable(_Protection):
    """Row-level security on a table of organizations, and the key other tables' composite keys point to.

    ``own_rows`` is a further condition under which a signed-in person may read a row of an organization they have
    not chosen, ``column`` the one that holds the organization (None: the table has no composite key).
    """

    def __init__(self, model_name: str, own_rows: str = "", column: str = "organization_id") -> None:
        super().__init__(model_name)
        self.own_rows = own_rows
        self.column = column

    def forwards(self, model: type[models.Model], quote: Any) -> list[str]:
        """Policies, rights and the unique key."""
        table = quote(model._meta.db_table)
        condition = f"{self.column} = {ORGANIZATION}"
        statements = [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {table} FOR ALL TO {WEB}, {WORKER} USING ({condition}) WITH CHECK ({condition})",
            f"CREATE POLICY everything ON {table} FOR ALL TO {OPERATOR}, CURRENT_USER USING (true) WITH CHECK (true)",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {WEB}, {WORKER}, {OPERATOR}",
        ]
        if self.own_rows:
            statements.append(f"CREATE POLICY own_rows ON {table} FOR SELECT TO {WEB} USING ({self.own_rows})")
        if self.column != "id":
            name = quote(f"{model._meta.db_table}_organization_key")
            statements.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE ({self.column}, id)")
        return statements

    def backwards(self, model: type[models.Model], quote: Any) -> list[str]:
        """Drop what forwards made."""
        table = quote(model._meta.db_table)
        statements = [f"DROP POLICY tenant ON {table}", f"DROP POLICY everything ON {table}"]
        if self.own_rows:
            statements.append(f"DROP POLICY own_rows ON {table}")
        if self.column != "id":
            statements.append(
                f"ALTER TABLE {table} DROP CONSTRAINT {quote(model._meta.db_table + '_organization_key')}"
            )
        return [*statements, f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"]


class ProtectAudit(_Protection):
    """An event table: readable by its organization, written only by triggers, changed by nobody."""

    def __init__(self, model_name: str, column: str = "organization_id") -> None:
        super().__init__(model_name)
        self.column = column

    def forwards(self, model: type[models.Model], quote: Any) -> list[str]:
        """Policies, rights and the trigger that refuses changes."""
        table = quote(model._meta.db_table)
        statements = [REFUSE]
        if self.column:
            condition = f"{self.column} = {ORGANIZATION}"
            roles = f"{WEB}, {WORKER}"
            statements += [
                f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
                f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
                f"CREATE POLICY tenant ON {table} FOR ALL TO {roles} USING ({condition}) WITH CHECK ({condition})",
                f"CREATE POLICY everything ON {table} FOR ALL TO {OPERATOR}, CURRENT_USER"
                " USING (true) WITH CHECK (true)",
            ]
        rights = "SELECT, INSERT" if self.column else "INSERT"
        return [
            *statements,
            f"REVOKE ALL ON {table} FROM {WEB}, {WORKER}, {OPERATOR}",
            f"GRANT {rights} ON {table} TO {WEB}, {WORKER}",
            f"GRANT SELECT, INSERT ON {table} TO {OPERATOR}",
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION b2b_recs_refuse_change()",
        ]

    def backwards(self, model: type[models.Model], quote: Any) -> list[str]:
        """Drop what forwards made."""
        table = quote(model._meta.db_table)
        statements = [f"DROP TRIGGER refuse_change ON {table}"]
        if self.column:
            statements += [f"DROP POLICY tenant ON {table}", f"DROP POLICY everything ON {table}"]
        return statements


class ComposeForeignKey(_Protection):
    """The real constraint of a TenantForeignKey: both rows belong to the same organization."""

    def __init__(self, model_name: str, field_name: str) -> None:
        super().__init__(model_name)
        self.field_name = field_name

    def forwards(self, model: type[models.Model], quote: Any) -> list[str]:
        """The constraint, with the database's own answer to deleting the parent."""
        field = model._meta.get_field(self.field_name)
        column, table = quote(field.column), quote(model._meta.db_table)
        parent = quote(field.related_model._meta.db_table)
        answer = field.remote_field.on_delete
        action = f"SET NULL ({column})" if answer is models.SET_NULL else _ON_DELETE[answer]
        return [
            f"ALTER TABLE {table} ADD CONSTRAINT {self._name(model, quote)}"
            f" FOREIGN KEY (organization_id, {column}) REFERENCES {parent} (organization_id, id)"
            f" ON DELETE {action} DEFERRABLE INITIALLY IMMEDIATE"
        ]

    def backwards(self, model: type[models.Model], quote: Any) -> list[str]:
        """Drop the constraint."""
        return [f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {self._name(model, quote)}"]

    def _name(self, model: type[models.Model], quote: Any) -> str:
        return str(quote(f"{model._meta.db_table}_{self.field_name}_same_organization"))

    def describe(self) -> str:
        """One line for ``migrate``."""
        return f"Compose the key {self.model_name}.{self.field_name} with its organization"


class OperatorsAreMadeByOperators(_Protection):
    """On the table of users: pages and jobs cannot turn a user into an operator."""

    def forwards(self, model: type[models.Model], quote: Any) -> list[str]:
        """The triggers."""
        table = quote(model._meta.db_table)
        end = "EXECUTE FUNCTION b2b_recs_guard_operators()"
        return [
            GUARD_OPERATORS,
            f"CREATE TRIGGER guard_operators_insert BEFORE INSERT ON {table} FOR EACH ROW WHEN (NEW.is_operator) {end}",
            f"CREATE TRIGGER guard_operators_update BEFORE UPDATE ON {table}"
            f" FOR EACH ROW WHEN (NEW.is_operator AND NOT OLD.is_operator) {end}",
        ]

    def backwards(self, model: type[models.Model], quote: Any) -> list[str]:
        """Drop the triggers."""
        table = quote(model._meta.db_table)
        return [
            f"DROP TRIGGER guard_operators_insert ON {table}",
            f"DROP TRIGGER guard_operators_update ON {table}",
        ]

"""Every change is kept, by triggers, and nobody takes it away."""

from __future__ import annotations

import psycopg
import pytest
from django.apps import apps
from tenant_rows import Tenant
from web_support import TestDatabase

from b2b_recs.web.accounts.models import ApiKeyEvent, User
from b2b_recs.web.connections.models import Connection, ConnectionEvent, StoredSecretEvent
from b2b_recs.web.etl.models import ETLRun, ETLRunEvent
from b2b_recs.web.tenancy import audit_context, scope, unscoped
from b2b_recs.web.tenancy.models import PlatformEvent, TenantEvent, TenantModel

EVENTS = [model for model in apps.get_models() if issubclass(model, TenantEvent | PlatformEvent)]
SECRET_COLUMNS = {"ciphertext", "hash", "token_hash", "password"}


def test_every_table_of_organizations_has_an_event_table() -> None:
    audited = {model.pgh_tracked_model for model in EVENTS}
    tables = {model for model in apps.get_models() if issubclass(model, TenantModel)}
    assert tables <= audited
    assert User in audited


def test_changes_by_every_way_of_writing_are_kept_with_before_after_and_who(
    platform_database: TestDatabase, acme: Tenant
) -> None:
    with scope(acme.id, user_id=7, audit={"user": 7, "address": "203.0.113.9", "request": "r1"}):
        connection = Connection.objects.get()
        connection.name = "by save"
        connection.save()
        Connection.objects.filter(id=connection.id).update(name="by update")
        connection.refresh_from_db()
        connection.name = "by bulk"
        Connection.objects.bulk_update([connection], ["name"])
    with platform_database.connect("operator") as session:
        session.execute("UPDATE connections_connection SET name = 'by hand'")
    with scope(acme.id):
        events = list(ConnectionEvent.objects.order_by("pgh_id").values_list("pgh_label", "name", "pgh_context"))
    who = {"user": 7, "address": "203.0.113.9", "request": "r1"}
    assert events == [
        ("created", "shop", None),
        ("changed", "by save", who),
        ("changed", "by update", who),
        ("changed", "by bulk", who),
        ("changed", "by hand", None),
    ]


def test_a_removed_row_stays_in_the_audit(acme: Tenant) -> None:
    with scope(acme.id):
        key = acme.rows["ApiKey"]
        key.delete()
        assert list(ApiKeyEvent.objects.values_list("pgh_label", flat=True).order_by("pgh_id")) == [
            "created",
            "removed",
        ]


def test_the_pulse_of_a_run_makes_no_events_its_decisions_do(acme: Tenant) -> None:
    with scope(acme.id):
        ETLRun.objects.update(rows_read=10, stages=[{"name": "read"}], fraction=0.5)
        assert ETLRunEvent.objects.count() == 1
        ETLRun.objects.update(cancel_requested=True)
        assert ETLRunEvent.objects.count() == 2


def test_notes_are_added_to_those_around(acme: Tenant) -> None:
    with scope(acme.id, audit={"process": "worker"}), audit_context(run=5):
        Connection.objects.update(name="noted")
    with scope(acme.id):
        assert ConnectionEvent.objects.latest("pgh_id").pgh_context == {"process": "worker", "run": 5}


@pytest.mark.parametrize("role", ["web", "worker", "operator", "owner"])
def test_the_audit_cannot_be_changed_by_any_role(platform_database: TestDatabase, acme: Tenant, role: str) -> None:
    tables = [model._meta.db_table for model in EVENTS]
    with platform_database.connect(role) as session:
        for table in tables:
            for statement in ("DELETE FROM {}", "UPDATE {} SET pgh_label = 'x'", "TRUNCATE {}"):
                session.execute("SELECT set_config('app.org_id', %s, true)", (str(acme.id),))
                session.execute("SELECT set_config('pgtrigger.ignore', '{}', true)")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(psycopg.sql.SQL(statement).format(psycopg.sql.Identifier(table)))
                session.rollback()


def test_no_event_table_has_a_column_for_a_secret(acme: Tenant) -> None:
    for model in EVENTS:
        assert not SECRET_COLUMNS & {field.column for field in model._meta.fields}, model
    assert unscoped(StoredSecretEvent).filter(name="secret").exists()


def test_members_read_the_audit_of_their_organization_only(acme: Tenant, rival: Tenant) -> None:
    with scope(acme.id):
        assert set(unscoped(ConnectionEvent, "default").values_list("organization_id", flat=True)) == {acme.id}

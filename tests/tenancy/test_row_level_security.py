"""The database keeps organizations apart, whatever the code forgets."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models
from tenant_rows import Tenant
from web_support import TestDatabase

from b2b_recs.web.connections.models import Connection
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope, unscoped
from b2b_recs.web.tenancy.models import PlatformEvent, TenantEvent, TenantModel

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]
EVENT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantEvent | PlatformEvent)]
TABLES = [model._meta.db_table for model in TENANT_MODELS]


def rows_seen(database: TestDatabase, role: str, table: str, organization_id: int | None) -> set[int]:
    """The organizations whose rows that role sees with ``app.org_id`` set (or not)."""
    with database.connect(role) as session:
        if organization_id is not None:
            session.execute("SELECT set_config('app.org_id', %s, true)", (str(organization_id),))
        query = psycopg.sql.SQL("SELECT DISTINCT organization_id FROM {}").format(psycopg.sql.Identifier(table))
        return {row[0] for row in session.execute(query)}


@pytest.mark.parametrize("role", ["web", "worker"])
def test_each_role_of_the_application_sees_one_organization_in_every_table(
    platform_database: TestDatabase, acme: Tenant, rival: Tenant, role: str
) -> None:
    for table in TABLES:
        assert rows_seen(platform_database, role, table, acme.id) == {acme.id}, table
        assert rows_seen(platform_database, role, table, None) == set(), table


@pytest.mark.parametrize("role", ["owner", "operator"])
def test_the_same_queries_see_both_under_the_roles_that_may(
    platform_database: TestDatabase, acme: Tenant, rival: Tenant, role: str
) -> None:
    """The test above would fail if the application ran under one of these."""
    for table in TABLES:
        assert rows_seen(platform_database, role, table, acme.id) == {acme.id, rival.id}, table


@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_row_cannot_be_written_into_or_moved_to_another_organization(
    platform_database: TestDatabase, acme: Tenant, rival: Tenant, role: str
) -> None:
    with platform_database.connect(role) as session:
        session.execute("SELECT set_config('app.org_id', %s, false)", (str(acme.id),))
        session.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("UPDATE connections_connection SET organization_id = %s", (rival.id,))
        session.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(
                "INSERT INTO runs_runlogline (organization_id, run_kind, run_id, at, level, message)"
                " VALUES (%s, 'etl', 1, now(), 'info', 'planted')",
                (rival.id,),
            )
        session.rollback()
        changed = session.execute(
            "UPDATE connections_connection SET name = 'x' WHERE id = %s", (rival.id_of("Connection"),)
        )
        assert changed.rowcount == 0
        deleted = session.execute("DELETE FROM runs_runlogline WHERE organization_id = %s", (rival.id,))
        assert deleted.rowcount == 0


def test_a_foreign_key_into_another_organization_is_refused_even_for_the_operator(acme: Tenant, rival: Tenant) -> None:
    foreign = rival.id_of("ModelEndpoint")
    with pytest.raises(IntegrityError, match="same_organization"), scope(acme.id):
        Connection.objects.create(organization_id=acme.id, model_id=foreign, name="x", source_type="postgresql")
    with scope(rival.id):
        Dataset.objects.update(name="another name")
    with pytest.raises(IntegrityError, match="same_organization"):
        unscoped(Dataset).filter(organization_id=acme.id).update(model_id=foreign)


def test_the_database_itself_protects_a_connection_that_jobs_use(platform_database: TestDatabase, acme: Tenant) -> None:
    with platform_database.connect("operator") as session, pytest.raises(psycopg.errors.ForeignKeyViolation):
        session.execute("DELETE FROM connections_connection WHERE id = %s", (acme.id_of("Connection"),))
    with scope(acme.id), pytest.raises(models.ProtectedError):
        Connection.objects.get().delete()
    with scope(acme.id):
        assert DataSource.objects.count() == 1


def test_threads_that_share_the_pool_never_see_each_others_organization(acme: Tenant, rival: Tenant) -> None:
    names = {tenant.id: tenant.rows["ModelEndpoint"].name for tenant in (acme, rival)}
    barrier = threading.Barrier(8)

    def look(start: int) -> list[tuple[int, list[str]]]:
        barrier.wait()
        seen = []
        for step in range(20):
            tenant = (acme, rival)[(start + step) % 2]
            with scope(tenant.id):
                # over _base_manager, so that only the database decides
                seen.append((tenant.id, [row.name for row in unscoped(ModelEndpoint, "default")]))
            seen.append((0, [row.name for row in unscoped(ModelEndpoint, "default")]))
            connection.close()
        return seen

    with ThreadPoolExecutor(8) as pool:
        results = [entry for seen in pool.map(look, range(8)) for entry in seen]
    assert len(results) == 8 * 40
    assert all(found == ([names[wanted]] if wanted else []) for wanted, found in results)


def test_web_and_worker_cannot_bypass_row_level_security(platform_database: TestDatabase) -> None:
    with platform_database.superuser() as session:
        found = session.execute(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname LIKE 'b2b\\_recs\\_%'"
        ).fetchall()
        owned = session.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'b2b_recs_owner'"
        ).fetchone()
    assert {name for name, *_ in found} == {f"b2b_recs_{role}" for role in ("owner", "web", "worker", "operator")}
    assert not any(superuser or bypass for _, superuser, bypass in found)
    assert owned == (0,)


def test_every_table_with_an_organization_is_forced_under_policies(platform_database: TestDatabase) -> None:
    """Asked of the catalogue, so that a table nobody thought of fails as well."""
    with platform_database.superuser() as session:
        tables = session.execute(
            """
            SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
                   (SELECT array_agg(p.polname::text ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
            WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped
            """
        ).fetchall()
    names = {name for name, *_ in tables}
    assert names >= set(TABLES)
    for name, enabled, forced, policies in tables:
        assert enabled and forced, name
        assert {"tenant", "everything"} <= set(policies), name


def test_every_key_between_tables_of_organizations_is_composite(platform_database: TestDatabase) -> None:
    with platform_database.superuser() as session:
        constraints = {
            (table, tuple(columns))
            for table, columns in session.execute(
                """
                SELECT c.conrelid::regclass::text, array_agg(a.attname::text ORDER BY k.position)
                FROM pg_constraint c
                CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY k(number, position)
                JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
                WHERE c.contype IN ('f', 'u') GROUP BY c.oid, c.conrelid
                """
            )
        }
    checked = 0
    for model in TENANT_MODELS:
        assert (model._meta.db_table, ("organization_id", "id")) in constraints, model
        for field in model._meta.concrete_fields:
            if field.is_relation and issubclass(field.related_model, TenantModel):
                assert (model._meta.db_table, ("organization_id", field.column)) in constraints, field
                checked += 1
    assert checked > 20


def test_a_signed_in_person_sees_their_own_memberships_and_nobody_elses(
    platform_database: TestDatabase, acme: Tenant, rival: Tenant
) -> None:
    from b2b_recs.web.accounts.models import Membership, Organization
    from b2b_recs.web.tenancy import person

    viewer = acme.people["viewer"]
    with person(viewer.id):
        mine: list[Any] = list(unscoped(Membership, "default").values_list("user_id", "organization_id"))
        assert mine == [(viewer.id, acme.id)]
        assert [row.id for row in unscoped(Organization, "default")] == [acme.id]
        assert list(unscoped(ModelEndpoint, "default")) == []


def test_pages_cannot_make_an_operator(platform_database: TestDatabase, acme: Tenant) -> None:
    with platform_database.connect("web") as session:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="Only an operator"):
            session.execute("UPDATE accounts_user SET is_operator = true")
        session.rollback()
        session.execute("UPDATE accounts_user SET full_name = 'still allowed'")
        session.rollback()
    with platform_database.connect("operator") as session:
        session.execute("UPDATE accounts_user SET is_operator = true WHERE id = %s", (acme.people["owner"].id,))

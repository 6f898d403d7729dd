"""Fixtures of tests that need the control database: migrated once, four roles, emptied after each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
import pytest
from psycopg import sql

from b2b_recs.runtime.database import ControlDatabase
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import load_keys

KEPT = ("django_migrations", "django_content_type", "auth_permission")
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND NOT tablename = ANY (%s)"


@dataclass(frozen=True)
class TestDatabase:
    """The migrated control database of this test process."""

    __test__ = False
    control: ControlDatabase

    def connect(self, role: str) -> psycopg.Connection[Any]:
        """A connection of ``web``, ``worker``, ``operator`` or ``owner``, outside Django."""
        return psycopg.connect(self.control.url(*self.control.login(role)))

    def superuser(self) -> psycopg.Connection[Any]:
        """A connection that every protection lets pass."""
        return psycopg.connect(self.control.url(*self.control.administrator), autocommit=True)

    @cached_property
    def _cleaner(self) -> psycopg.Connection[Any]:
        """A session that stays: a new one learns of every table again, which takes longer than many a test."""
        session = self.superuser()
        session.execute("SET session_replication_role = replica")
        return session

    @cached_property
    def _filled(self) -> sql.Composed:
        """The query for the names of the tables that have rows."""
        names = [name for (name,) in self._cleaner.execute(TABLES, (list(KEPT),)).fetchall()]
        each = [
            sql.SQL("CASE WHEN EXISTS (SELECT 1 FROM {}) THEN {} END").format(sql.Identifier(name), name)
            for name in names
        ]
        return sql.SQL("SELECT array_remove(ARRAY[{}], NULL)").format(sql.SQL(", ").join(each))

    def empty(self) -> None:
        """Delete every row a test can have made, also after a test that ended all sessions."""
        try:
            self._delete()
        except psycopg.OperationalError:
            self.__dict__.pop("_cleaner").close()
            self._delete()

    def _delete(self) -> None:
        found = self._cleaner.execute(self._filled, prepare=True).fetchone()
        assert found is not None
        with self._cleaner.transaction():
            for name in found[0]:
                self._cleaner.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))

    def close(self) -> None:
        """End the session that stays."""
        self._cleaner.close()


def become(control: ControlDatabase, role: str) -> None:
    """Let Django's default connection log in as that role from now on."""
    from django.db import connections

    for alias, login in (("default", role), ("operator", "operator")):
        connection = connections[alias]
        connection.close()
        if "pool" in connection.settings_dict["OPTIONS"]:
            connection.close_pool()
        entry = control.django(login)
        entry.pop("OPTIONS")
        connection.settings_dict.update(entry)
        connections.settings[alias].update(entry)


@pytest.fixture(scope="session")
def migrated_database(postgres_server: Any, django_db_blocker: Any) -> Iterator[TestDatabase]:
    """The control database after ``migrate``; Django's connections lead there."""
    from django.core.management import call_command
    from django.db import connections

    keys = load_keys(Home.current())
    base = {"host": postgres_server.host, "port": str(postgres_server.port), "dbname": "b2b_recs_pages"}
    owner = ("b2b_recs_owner", keys.passwords["owner"])
    administrator = (postgres_server.user, postgres_server.password)
    control = ControlDatabase(base, owner, administrator, keys, True)
    control.ensure()
    with django_db_blocker.unblock():
        become(control, "owner")
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        become(control, "web")
    database = TestDatabase(control)
    yield database
    database.close()
    with django_db_blocker.unblock():
        connections.close_all()
        connections["default"].close_pool()


@pytest.fixture
def platform_database(migrated_database: TestDatabase, django_db_blocker: Any) -> Iterator[TestDatabase]:
    """The migrated database, empty; Django may use it, as the web role, with real commits."""
    from django.core.cache import cache
    from django.db import connections

    with django_db_blocker.unblock():
        cache.clear()
        yield migrated_database
        for connection in connections.all(initialized_only=True):
            connection.close()
        migrated_database.empty()


@pytest.fixture
def acme(platform_database: TestDatabase) -> Any:
    """An organization with people and one row in every table."""
    from tenant_rows import make_tenant

    return make_tenant("Acme")


@pytest.fixture
def rival(platform_database: TestDatabase) -> Any:
    """Another organization, as full as ``acme``."""
    from tenant_rows import make_tenant

    return make_tenant("Rival")

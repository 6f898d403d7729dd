"""The file of first tables: it is what the migrations do, put once, all or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from recorded_tables import described, in_empty_database, recorded
from web_support import TestDatabase

from b2b_recs.web.operations import first_tables
from b2b_recs.web.operations.first_tables import FILE, put_first_tables


def test_the_file_is_what_the_migrations_do(migrated_database: TestDatabase, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        written, there = recorded(migrated_database)
        assert written == FILE.read_text("utf-8"), "A migration was added or changed: run make schema."
        with in_empty_database(migrated_database):
            put_first_tables(connection)
            assert described() ^ there == set()


def test_an_empty_database_gets_every_table_once(migrated_database: TestDatabase, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock(), in_empty_database(migrated_database):
        assert put_first_tables(connection) is True
        loader = MigrationLoader(connection)
        assert set(loader.applied_migrations) == set(loader.disk_migrations)
        assert put_first_tables(connection) is False


def test_a_file_that_fails_in_the_middle_leaves_nothing(
    migrated_database: TestDatabase, django_db_blocker: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.sql"
    broken.write_text(FILE.read_text("utf-8") + "SELECT 1 / 0;\n")
    monkeypatch.setattr(first_tables, "FILE", broken)
    with django_db_blocker.unblock(), in_empty_database(migrated_database):
        with pytest.raises(DatabaseError, match="division by zero"):
            put_first_tables(connection)
        assert connection.introspection.table_names() == []

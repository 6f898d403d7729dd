"""``make schema``: writes down the SQL of all migrations. Not a test; test_first_tables compares with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.db import connection
from web_support import TestDatabase, become

from b2b_recs.web.operations.first_tables import FILE, recorded_tables

NAME = "first_tables"


@contextmanager
def in_empty_database(database: TestDatabase) -> Iterator[None]:
    """Django's default connection leads to an empty database of the tests' server, as its owner."""
    with database.superuser() as server:
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    empty = replace(database.control, base={**database.control.base, "dbname": NAME})
    empty.ensure()
    become(empty, "owner")
    try:
        yield
    finally:
        become(database.control, "web")


def recorded(database: TestDatabase) -> str:
    """The SQL of all migrations, carried out in an empty database."""
    with in_empty_database(database):
        return recorded_tables(connection)


def test_the_tables_are_written_down(migrated_database: TestDatabase, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        FILE.write_text(recorded(migrated_database), "utf-8")

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


def recorded(database: TestDatabase) -> tuple[str, set[str]]:
    """The SQL of all migrations, carried out in an empty database, and what is in it then."""
    with in_empty_database(database):
        return recorded_tables(connection), described()


# Everything of the schema that a program can come to miss, one line each.
_DESCRIBE = """
SELECT format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
          WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'function ' || pg_get_functiondef(oid) || coalesce(proacl::text, '') FROM pg_proc
          WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT format('policy %s %s %s %s', tablename, policyname, qual, with_check) FROM pg_policies
UNION ALL SELECT format('table %s %s %s', relname, relrowsecurity, relacl) FROM pg_class
          WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
UNION ALL SELECT format('value %s %s', enumtypid::regtype, enumlabel) FROM pg_enum
"""


def described() -> set[str]:
    """What is in the database that Django's default connection leads to."""
    with connection.cursor() as cursor:
        cursor.execute(_DESCRIBE)
        return {str(line) for (line,) in cursor.fetchall()}


def test_the_tables_are_written_down(migrated_database: TestDatabase, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        FILE.write_text(recorded(migrated_database)[0], "utf-8")

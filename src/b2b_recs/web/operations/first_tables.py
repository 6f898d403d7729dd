"""The tables of a new installation in one file of SQL: what all migrations do, without working each of them out anew.

A hundred migrations on an empty database take 12 s of a processor, nearly all of it Django putting its models together
again after each operation; their SQL alone takes a fraction of a second. ``make schema`` writes the file, a test fails
when it is not what the migrations do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from psycopg import ClientCursor

FILE = Path(__file__).with_name("first_tables.sql")
APPLIED = "INSERT INTO django_migrations (app, name, applied) VALUES"
# Two that start at the same moment: the second waits, and finds the tables.
LOCK = 7_303_014_250_118_806
# What only asks, or marks a place within a transaction, is not written down; a statement may begin with a comment.
_CHANGES = re.compile(r"(?:\s+|--[^\n]*(?:\n|$))*(?!(?:SELECT|SAVEPOINT|RELEASE)\b)\w", re.IGNORECASE)
# How Django notes a migration, which the last statement of the file does for all of them.
_NOTE = 'INSERT INTO "django_migrations"'
_MOMENT = re.compile(r"'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^']*'::timestamptz")


def put_first_tables(connection: BaseDatabaseWrapper) -> bool:
    """Give an empty database the tables of the file, all or none; False when it has had migrations before."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if MigrationRecorder(connection).has_table():
            return False
        # without parameters the text may hold many statements, and a percent sign is one
        cursor.execute(FILE.read_text("utf-8"))
        return True


def recorded_tables(connection: BaseDatabaseWrapper) -> str:
    """Carry out every migration in an empty database; returns the SQL they sent, as the file has it."""
    statements: list[str] = []
    with _written_down(connection, statements):
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    rows = ",\n".join(f"    ('{app}', '{name}', now())" for app, name in applied)
    return "".join(f"{statement.strip().rstrip(';')};\n" for statement in [*statements, f"{APPLIED}\n{rows}"])


@contextmanager
def _written_down(connection: BaseDatabaseWrapper, statements: list[str]) -> Iterator[None]:
    """Every statement that changes something is added to the list, with its parameters in place."""

    def note(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        text = sql if isinstance(sql, str) else sql.as_string(context["cursor"].connection)
        if _CHANGES.match(text) and not text.startswith(_NOTE):
            statements.append(_with_parameters(context["cursor"], text, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield


def _with_parameters(cursor: Any, text: str, params: Any) -> str:
    """The statement as the server gets it, its parameters as literals; a moment is the one of use."""
    if params is not None:
        text = ClientCursor(cursor.connection).mogrify(text, params)
    return _MOMENT.sub("now()", text)

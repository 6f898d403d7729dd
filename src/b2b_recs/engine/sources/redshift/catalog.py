"""What a Redshift database says about its own tables, by views that every release and every login has."""

from __future__ import annotations

from b2b_recs.engine.sources.contract import ColumnInfo, TableInfo
from b2b_recs.engine.sources.postgresql.errors import missing_permission, missing_table
from b2b_recs.engine.sources.quoting import quote_text_without_backslash
from b2b_recs.engine.sources.redshift.connection import Session
from b2b_recs.engine.sources.redshift.types import TIMES, base_name

_TABLES = "SELECT table_schema, table_name, table_type FROM svv_tables ORDER BY 1, 2"
# Only for logins that may see it: rows and megabytes of the tables of this database.
_SIZES = 'SELECT "schema", "table", tbl_rows, size FROM svv_table_info'
_COLUMNS = """
SELECT column_name, data_type, is_nullable, numeric_precision, numeric_scale, character_maximum_length
FROM svv_columns WHERE table_schema = {schema} AND table_name = {table} ORDER BY ordinal_position
"""
_KEY = """
SELECT con.conkey FROM pg_constraint con JOIN pg_class c ON c.oid = con.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE con.contype = 'p' AND n.nspname = {schema} AND c.relname = {table}
"""
_NUMBERS = """
SELECT a.attnum, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attnum > 0 AND n.nspname = {schema} AND c.relname = {table}
"""
_EXISTS = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = {schema} AND c.relname = {table}
"""
_KINDS = {"BASE TABLE": "table", "TABLE": "table", "VIEW": "view", "EXTERNAL TABLE": "external table"}
_MEGABYTE = 1024 * 1024


def list_tables(session: Session) -> list[TableInfo]:
    """Tables, views and external tables the login can see, ordered by schema and name."""
    # Asked before the list: a login that may not see it loses only the snapshot that this begins.
    sizes = {(schema, name): (_whole(rows), _whole(size)) for schema, name, rows, size in session.optional(_SIZES)}
    found = []
    for schema, name, kind in session.query(_TABLES, "the database"):
        if schema and name and schema != "information_schema" and not schema.startswith("pg_"):
            rows, size = sizes.get((schema, name), (None, None))
            shown = _KINDS.get(str(kind), str(kind).lower())
            found.append(TableInfo(schema, name, shown, rows, None if size is None else size * _MEGABYTE))
    return found


def list_columns(session: Session, schema: str, table: str) -> list[ColumnInfo]:
    """Columns of a table in its order. Raises TableMissing, PermissionMissing."""
    names = {"schema": quote_text_without_backslash(schema), "table": quote_text_without_backslash(table)}
    subject = f"{schema}.{table}"
    rows = session.query(_COLUMNS.format(**names), subject)
    if not rows:
        # The snapshot may still hold a table that is gone by now.
        session.fresh_snapshot()
        if session.query(_EXISTS.format(**names), subject):
            raise missing_permission(subject, "permission denied.")
        raise missing_table(subject, session.parameters.host)
    keys = _key(session, names, subject)
    return [_column(row, keys) for row in rows]


def _key(session: Session, names: dict[str, str], subject: str) -> dict[str, int]:
    """Places in the primary key by column; Redshift notes keys and does not enforce them."""
    constraint = session.query(_KEY.format(**names), subject)
    if not constraint:
        return {}
    by_number = {number: str(name) for number, name in session.query(_NUMBERS.format(**names), subject)}
    numbers = str(constraint[0][0]).strip("{}").split(",")
    return {by_number[number]: at for at, number in enumerate(numbers, start=1) if number in by_number}


def _column(row: tuple[str | None, ...], keys: dict[str, int]) -> ColumnInfo:
    name, kind, nullable, precision, scale, length = row
    base = base_name(str(kind))
    shown = str(kind)
    if base == "numeric" and precision:
        shown = f"numeric({precision},{scale or 0})"
    elif base.startswith("character") and length and "(" not in shown:
        shown = f"{shown}({length})"
    return ColumnInfo(
        name=str(name),
        source_type=shown,
        nullable=str(nullable).upper() != "NO",
        key_position=keys.get(str(name)),
        is_time=base in TIMES,
        precision=_whole(precision) if base == "numeric" else None,
        scale=_whole(scale) if base == "numeric" else None,
        base_type=base,
    )


def _whole(text: str | None) -> int | None:
    return int(float(text)) if text else None

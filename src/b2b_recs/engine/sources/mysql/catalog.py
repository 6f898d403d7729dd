"""What a MySQL or MariaDB server says about its own tables."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from b2b_recs.engine.sources.contract import ColumnInfo, TableInfo
from b2b_recs.engine.sources.mysql.connection import Session
from b2b_recs.engine.sources.mysql.errors import missing_permission, missing_table
from b2b_recs.engine.sources.mysql.types import rule_name
from b2b_recs.engine.sources.quoting import quote_backticks, quote_plain_text

_KINDS = {"BASE TABLE": "table", "SYSTEM VERSIONED": "table", "VIEW": "view", "TEMPORARY": "table"}

_TABLES = """
SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS, DATA_LENGTH, UPDATE_TIME
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = {schema} AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')
ORDER BY TABLE_NAME
"""

_READABLE = """
SELECT DISTINCT TABLE_NAME FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = {schema} AND PRIVILEGES LIKE '%select%'
"""

_TABLE = "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {table}"

_COLUMNS = """
SELECT c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.IS_NULLABLE, c.NUMERIC_PRECISION, c.NUMERIC_SCALE,
       c.PRIVILEGES LIKE '%select%', k.ORDINAL_POSITION
FROM information_schema.COLUMNS c
LEFT JOIN information_schema.KEY_COLUMN_USAGE k
  ON k.TABLE_SCHEMA = {schema} AND k.TABLE_NAME = {table} AND k.CONSTRAINT_NAME = 'PRIMARY'
 AND k.COLUMN_NAME = c.COLUMN_NAME
WHERE c.TABLE_SCHEMA = {schema} AND c.TABLE_NAME = {table}
ORDER BY c.ORDINAL_POSITION
"""

# MariaDB's JSON is text under a check of its table.
_CHECKS = """
SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = {schema} AND TABLE_NAME = {table} AND CHECK_CLAUSE LIKE '%json_valid(%'
"""
_JSON_CHECK = re.compile(r"json_valid\(`((?:[^`]|``)+)`\)", re.IGNORECASE)
_TIMES = ("date", "datetime", "timestamp")


def list_tables(session: Session) -> list[TableInfo]:
    """Tables and views of the connection's database that the login may read, by name."""
    schema = quote_plain_text(session.parameters.database)
    readable = {name for (name,) in session.query(_READABLE.format(schema=schema))}
    return [
        TableInfo(
            schema=home,
            name=name,
            kind=_KINDS.get(kind, "table"),
            row_estimate=None if kind == "VIEW" or rows is None else int(rows),
            size_bytes=None if kind == "VIEW" or size is None else int(size),
            last_change=_moment(changed),
        )
        for home, name, kind, rows, size, changed in session.query(_TABLES.format(schema=schema))
        if name in readable
    ]


def list_columns(session: Session, schema: str, table: str) -> list[ColumnInfo]:
    """Columns of a table that the login may read, in table order. Raises TableMissing, PermissionMissing."""
    names = _names(schema, table)
    subject, host = f"{schema}.{table}", session.parameters.host
    rows = session.query(_COLUMNS.format(**names), subject)
    if not rows:
        if session.query(_TABLE.format(**names), subject):
            raise missing_permission(subject, "no column of it is shown to this login.")
        raise missing_table(host, subject)
    readable = [row for row in rows if row[6] == "1"]
    if not readable:
        raise missing_permission(subject, "the right to SELECT is not granted.")
    has_text = any(row[1].lower() == "longtext" for row in readable)
    json = _json_columns(session, names, subject) if session.is_mariadb and has_text else frozenset()
    return [_column(row, row[0].lower() in json) for row in readable]


def _names(schema: str, table: str) -> dict[str, str]:
    for name in (schema, table):
        # A comparison would take such a name for another; the door of names refuses it.
        quote_backticks(name)
    return {"schema": quote_plain_text(schema), "table": quote_plain_text(table)}


def _json_columns(session: Session, names: dict[str, str], subject: str) -> frozenset[str]:
    """Names, in small letters, of the columns whose check says that they hold JSON."""
    clauses = [str(clause) for (clause,) in session.query(_CHECKS.format(**names), subject)]
    return frozenset(
        found.group(1).replace("``", "`").lower()
        for clause in clauses
        if (found := _JSON_CHECK.fullmatch(clause.strip()))
    )


def _column(row: tuple[str | None, ...], is_json: bool) -> ColumnInfo:
    name, data_type, declared, nullable, precision, scale, _, position = row
    digits = None if precision is None else int(precision)
    base = rule_name(str(data_type), str(declared), digits, is_json)
    sized = base in ("decimal", "float", "double")
    return ColumnInfo(
        name=str(name),
        source_type="json" if is_json else str(declared)[:120],
        nullable=nullable == "YES",
        key_position=None if position is None else int(position),
        is_time=base in _TIMES,
        precision=digits if sized else None,
        scale=int(scale) if sized and scale is not None else None,
        base_type=base,
    )


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None

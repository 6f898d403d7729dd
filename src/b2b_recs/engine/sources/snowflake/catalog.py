"""What a Snowflake database says about its own tables."""

from __future__ import annotations

from datetime import UTC, datetime

from b2b_recs.engine.sources.contract import ColumnInfo, TableInfo
from b2b_recs.engine.sources.quoting import quote_name
from b2b_recs.engine.sources.snowflake.connection import NAME_BYTES, Session
from b2b_recs.engine.sources.snowflake.types import base_name, digits, is_time

_TABLES = """
SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ROW_COUNT, BYTES,
       TO_VARCHAR(CONVERT_TIMEZONE('UTC', LAST_ALTERED), 'YYYY-MM-DD HH24:MI:SS')
FROM {database}.INFORMATION_SCHEMA.TABLES
WHERE TABLE_SCHEMA <> 'INFORMATION_SCHEMA'
ORDER BY TABLE_SCHEMA, TABLE_NAME
"""
_KINDS = {
    "BASE TABLE": "table",
    "VIEW": "view",
    "MATERIALIZED VIEW": "materialized view",
    "EXTERNAL TABLE": "external table",
    "TEMPORARY TABLE": "table",
}
_OWN_ROWS = ("BASE TABLE", "TEMPORARY TABLE")
# Places of what DESCRIBE TABLE and SHOW PRIMARY KEYS answer.
_NAME, _TYPE, _KIND, _NULL = 0, 1, 2, 3
_KEY_COLUMN, _KEY_POSITION = 4, 5


def list_tables(session: Session) -> list[TableInfo]:
    """Tables and views the role can see, by schema and name; a view has no row estimate."""
    sql = _TABLES.format(database=quoted(session.database))
    return [
        TableInfo(
            str(schema),
            str(name),
            _KINDS.get(str(kind), str(kind).lower()),
            None if rows is None else int(rows),
            None if size is None else int(size),
            # Of a view it is when its definition was altered.
            _moment(changed) if kind in _OWN_ROWS else None,
        )
        for schema, name, kind, rows, size, changed in session.query(sql, "the database")
    ]


def list_columns(session: Session, schema: str, table: str) -> list[ColumnInfo]:
    """Columns in table order. Raises TableMissing, which Snowflake also says of what a role may not see."""
    origin = qualified(session, schema, table)
    rows = session.query(f"DESCRIBE TABLE {origin}", f"{schema}.{table}")
    keys = {
        str(row[_KEY_COLUMN]): int(row[_KEY_POSITION])
        for row in session.optional(f"SHOW PRIMARY KEYS IN TABLE {origin}")
    }
    return [_column(row, keys) for row in rows if str(row[_KIND]) in ("COLUMN", "VIRTUAL_COLUMN")]


def qualified(session: Session, schema: str, table: str) -> str:
    """The quoted full name of a table."""
    return ".".join(map(quoted, (session.database, schema, table)))


def quoted(name: str) -> str:
    """A quoted name. Raises BadInput for one that cannot be."""
    return quote_name(name, limit=NAME_BYTES)


def _column(row: tuple[object, ...], keys: dict[str, int]) -> ColumnInfo:
    name, shown = str(row[_NAME]), str(row[_TYPE])
    precision, scale = digits(shown)
    return ColumnInfo(
        name=name,
        source_type=shown,
        nullable=str(row[_NULL]) == "Y",
        key_position=keys.get(name),
        is_time=is_time(shown),
        precision=precision,
        scale=scale,
        base_type=base_name(shown),
    )


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC) if text is not None else None

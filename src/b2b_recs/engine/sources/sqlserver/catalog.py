"""What a SQL Server database says about its own tables."""

from __future__ import annotations

from datetime import UTC, datetime

from b2b_recs.engine.sources.contract import ColumnInfo, TableInfo
from b2b_recs.engine.sources.quoting import quote_brackets, quote_plain_text
from b2b_recs.engine.sources.sqlserver.connection import Session
from b2b_recs.engine.sources.sqlserver.errors import missing_table

_PAGE_BYTES = 8192

_MAY_READ = """
(HAS_PERMS_BY_NAME(QUOTENAME(s.name) + '.' + QUOTENAME(o.name), 'OBJECT', 'SELECT') = 1 OR EXISTS (
    SELECT 1 FROM sys.columns p WHERE p.object_id = o.object_id AND HAS_PERMS_BY_NAME(
        QUOTENAME(s.name) + '.' + QUOTENAME(o.name), 'OBJECT', 'SELECT', p.name, 'COLUMN') = 1))
"""

_TABLES = f"""
SELECT s.name, o.name, CASE o.type WHEN 'V' THEN 'view' ELSE 'table' END,
       CONVERT(nvarchar(20), CASE WHEN o.type = 'U' THEN (SELECT SUM(p.row_count) FROM sys.dm_db_partition_stats p
            WHERE p.object_id = o.object_id AND p.index_id IN (0, 1)) END),
       CONVERT(nvarchar(20), CASE WHEN o.type = 'U' THEN (SELECT SUM(p.used_page_count) FROM sys.dm_db_partition_stats p
            WHERE p.object_id = o.object_id) END)
FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND {_MAY_READ}
ORDER BY s.name, o.name
"""  # noqa: S608 - constants only

# The rows of tables without the right to look at statistics of the database.
_PLAIN_TABLES = f"""
SELECT s.name, o.name, CASE o.type WHEN 'V' THEN 'view' ELSE 'table' END,
       CONVERT(nvarchar(20), CASE WHEN o.type = 'U' THEN (SELECT SUM(p.rows) FROM sys.partitions p
            WHERE p.object_id = o.object_id AND p.index_id IN (0, 1)) END), CONVERT(nvarchar(20), NULL)
FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND {_MAY_READ}
ORDER BY s.name, o.name
"""  # noqa: S608 - constants only
# Whether the statistics of the database may be seen, and those of the server; Azure SQL Database (edition 5) has none
# of its own.
_MAY_LOOK = """
SELECT CONVERT(nvarchar(9), HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'VIEW DATABASE STATE')),
       CASE WHEN HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') = 1
              OR CONVERT(int, SERVERPROPERTY('EngineEdition')) = 5 THEN '1' ELSE '0' END
"""
# The server's wall clock is taken back to UTC by the offset it has now.
_CHANGES = """
SELECT s.name, o.name, CONVERT(nvarchar(30),
       DATEADD(minute, -DATEPART(tzoffset, SYSDATETIMEOFFSET()), MAX(u.last_user_update)), 126)
FROM sys.dm_db_index_usage_stats u
JOIN sys.objects o ON o.object_id = u.object_id JOIN sys.schemas s ON s.schema_id = o.schema_id
WHERE u.database_id = DB_ID() AND o.type = 'U' AND u.last_user_update IS NOT NULL
GROUP BY s.name, o.name
"""

# A type made by users is followed to the system's own behind it; those of the CLR share one number.
_COLUMNS = """
SELECT c.name, COALESCE(b.name, t.name), t.name, CONVERT(nvarchar(9), c.max_length), CONVERT(nvarchar(9), c.precision),
       CONVERT(nvarchar(9), c.scale), CONVERT(nvarchar(9), c.is_nullable), CONVERT(nvarchar(9), k.key_ordinal)
FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
JOIN sys.columns c ON c.object_id = o.object_id
JOIN sys.types t ON t.user_type_id = c.user_type_id
LEFT JOIN sys.types b ON b.user_type_id = c.system_type_id AND t.is_user_defined = 1 AND t.is_assembly_type = 0
LEFT JOIN sys.indexes i ON i.object_id = o.object_id AND i.is_primary_key = 1
LEFT JOIN sys.index_columns k ON k.object_id = o.object_id AND k.index_id = i.index_id AND k.column_id = c.column_id
WHERE s.name = {schema} AND o.name = {table} AND o.type IN ('U', 'V')
  AND HAS_PERMS_BY_NAME(QUOTENAME(s.name) + '.' + QUOTENAME(o.name), 'OBJECT', 'SELECT', c.name, 'COLUMN') = 1
ORDER BY c.column_id
"""

_TIMES = ("date", "datetime", "datetime2", "smalldatetime", "datetimeoffset")
_ONE_BYTE = ("char", "varchar")
_TWO_BYTES = ("nchar", "nvarchar", "sysname")
_SIZED = (*_ONE_BYTE, *_TWO_BYTES, "binary", "varbinary")


def list_tables(session: Session) -> list[TableInfo]:
    """Tables and views the login may read, ordered by schema and name."""
    may_look, may_look_further = (said == "1" for said in session.query(_MAY_LOOK)[0])
    # Asked before the list: a login that may not see it all the same loses only the state seen so far.
    changes = {(schema, name): at for schema, name, at in session.optional(_CHANGES)} if may_look_further else {}
    return [
        TableInfo(
            schema=schema,
            name=name,
            kind=kind,
            row_estimate=None if rows is None else int(rows),
            size_bytes=None if pages is None else int(pages) * _PAGE_BYTES,
            last_change=_moment(changes.get((schema, name))),
        )
        for schema, name, kind, rows, pages in session.query(_TABLES if may_look else _PLAIN_TABLES)
    ]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def list_columns(session: Session, schema: str, table: str) -> list[ColumnInfo]:
    """Columns of a table that the login may read, in table order. Raises TableMissing."""
    # The door of names refuses what no table can be called.
    quote_brackets(schema)
    quote_brackets(table)
    named = {"schema": "N" + quote_plain_text(schema), "table": "N" + quote_plain_text(table)}
    rows = session.query(_COLUMNS.format(**named), f"{schema}.{table}")
    if not rows:
        raise missing_table(f"{schema}.{table}", session.parameters.host)
    return [_column(row) for row in rows]


def _column(row: tuple[str | None, ...]) -> ColumnInfo:
    name, base, shown, length, precision, scale, nullable, position = row
    base, size = str(base).lower(), int(length or 0)
    digits, fraction = int(precision or 0), int(scale or 0)
    decimal = base in ("decimal", "numeric", "money", "smallmoney")
    characters = size // 2 if base in _TWO_BYTES and size > 0 else size
    return ColumnInfo(
        name=str(name),
        source_type=_declared(str(shown), base, characters, digits, fraction),
        nullable=nullable == "1",
        key_position=int(position) if position and position != "0" else None,
        is_time=base in _TIMES,
        precision=digits if decimal else max(characters, 0) or None if base in _SIZED else None,
        scale=fraction if decimal else None,
        base_type=base,
        type_kind="own character set" if base in _ONE_BYTE else "",
    )


def _declared(shown: str, base: str, characters: int, digits: int, fraction: int) -> str:
    if base in _SIZED and shown == base:
        return f"{shown}({'max' if characters < 0 else characters})"
    if base in ("decimal", "numeric"):
        return f"{shown}({digits},{fraction})"
    return f"{shown}({fraction})" if base in ("datetime2", "datetimeoffset", "time") else shown

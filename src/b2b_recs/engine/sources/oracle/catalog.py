"""What an Oracle database says of its tables and columns."""

from __future__ import annotations

from dataclasses import replace

from b2b_recs.engine.errors import TableMissing
from b2b_recs.engine.sources.contract import ColumnInfo, TableInfo
from b2b_recs.engine.sources.oracle.connection import Session
from b2b_recs.engine.sources.oracle.types import Kind, kind_of, rule_name, shown_type
from b2b_recs.engine.sources.quoting import quote_name

NAME_BYTES = 128

_TABLES = """
SELECT t.owner, t.table_name, 'table', t.num_rows FROM all_tables t
 WHERE t.owner NOT IN (SELECT u.username FROM all_users u WHERE u.oracle_maintained = 'Y')
   AND t.nested = 'NO' AND t.secondary = 'N' AND t.table_name NOT LIKE 'BIN$%'
UNION ALL
SELECT v.owner, v.view_name, 'view', NULL FROM all_views v
 WHERE v.owner NOT IN (SELECT u.username FROM all_users u WHERE u.oracle_maintained = 'Y')
 ORDER BY 1, 2
"""
_COLUMNS = """
SELECT c.column_name, c.data_type, c.data_precision, c.data_scale, c.char_length, c.data_length, c.nullable
  FROM all_tab_cols c
 WHERE c.owner = :owner AND c.table_name = :name AND c.hidden_column = 'NO'
 ORDER BY c.column_id
"""
_KEY = """
SELECT k.column_name, k.position FROM all_constraints c
  JOIN all_cons_columns k ON k.owner = c.owner AND k.constraint_name = c.constraint_name
 WHERE c.owner = :owner AND c.table_name = :name AND c.constraint_type = 'P'
"""
_TIMES = (Kind.DATE, Kind.TIMESTAMP, Kind.ZONED)


def list_tables(session: Session) -> list[TableInfo]:
    """Tables and views the login can read, those of the system left out; row counts are the statistics'."""
    rows = session.query(_TABLES, {}, "the list of tables")
    return [
        TableInfo(str(owner), str(name), str(kind), None if count is None else int(count))
        for owner, name, kind, count in rows
    ]


def list_columns(session: Session, schema: str, table: str) -> list[ColumnInfo]:
    """Columns that can be read, in table order. Raises TableMissing, BadInput for a name no table can have."""
    for name in (schema, table):
        quote_name(name, limit=NAME_BYTES)
    names = {"owner": schema, "name": table}
    subject = f"{schema}.{table}"
    rows = session.query(_COLUMNS, names, subject)
    if not rows:
        raise TableMissing(
            f"There is no table {subject}, or this login may not read it.",
            advice=f"Choose another table, or ask for: GRANT SELECT ON {subject}.",
        )
    key = {str(name): int(position) for name, position in session.query(_KEY, names, subject)}
    columns = [_column(row, key) for row in rows]
    return [column for column in columns if kind_of(column) is not Kind.UNREADABLE]


def _column(row: tuple[object, ...], key: dict[str, int]) -> ColumnInfo:
    name, data_type, precision, scale, characters, length, nullable = row
    digits = None if precision is None else int(str(precision))
    places = None if scale is None else int(str(scale))
    size = int(str(characters or 0)) or int(str(length or 0))
    column = ColumnInfo(
        str(name),
        shown_type(str(data_type), digits, places, size),
        nullable=nullable != "N",
        key_position=key.get(str(name)),
        precision=38 if digits is None and places is not None else digits,
        scale=places,
        base_type=rule_name(str(data_type), digits, places),
    )
    if column.base_type == "FLOAT":
        # Its precision counts bits, which say nothing of digits.
        return replace(column, precision=None, scale=None)
    return replace(column, is_time=kind_of(column) in _TIMES)

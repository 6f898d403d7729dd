"""What a PostgreSQL database says about its own tables."""

from __future__ import annotations

from dataclasses import dataclass

from b2b_recs.engine.sources.contract import ColumnInfo, TableInfo
from b2b_recs.engine.sources.postgresql.connection import Session
from b2b_recs.engine.sources.postgresql.errors import missing_permission, missing_table
from b2b_recs.engine.sources.postgresql.types import TELLS_JSON
from b2b_recs.engine.sources.quoting import quote_text

_SYSTEM = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

# Until a server has looked at a table it says 0 pages and -1 rows; before version 14 it said 0 rows, as of an empty
# one.
_NEVER_NOTED = "CASE WHEN current_setting('server_version_num')::int >= 140000 THEN -1 ELSE 0 END"

# The size is what the server noted last: looking at the files would wait for whoever has locked the table.
_TABLES = f"""
SELECT n.nspname::text, c.relname::text,
       CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                      WHEN 'f' THEN 'foreign table' ELSE 'table' END,
       CASE WHEN c.relkind = 'v' OR size.rows < 0 THEN NULL ELSE size.rows::bigint END,
       CASE WHEN c.relkind IN ('v', 'f') OR NOT size.measured THEN NULL
            ELSE size.pages * current_setting('block_size')::bigint END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.relkind = 'p'
                THEN (SELECT coalesce(sum(l.reltuples) FILTER (WHERE l.reltuples >= 0), 0)
                      FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid WHERE t.isleaf)
                ELSE c.reltuples::float8 END AS rows,
           CASE WHEN c.relkind = 'p'
                THEN (SELECT coalesce(sum(l.relpages), 0)
                      FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid WHERE t.isleaf)
                ELSE c.relpages END AS pages,
           CASE WHEN c.relkind = 'p'
                THEN NOT EXISTS (SELECT FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid
                                 WHERE t.isleaf AND l.relpages = 0 AND l.reltuples <= {_NEVER_NOTED})
                ELSE c.relpages > 0 OR c.reltuples > {_NEVER_NOTED} END AS measured) size
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND {_SYSTEM}
  AND has_schema_privilege(n.oid, 'USAGE')
  AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))
ORDER BY 1, 2
"""  # noqa: S608 - constants only

_TABLE = """
SELECT c.oid::bigint, has_schema_privilege(n.oid, 'USAGE'),
       has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'),
       c.relkind::text, c.reltuples::float8
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = {schema} AND c.relname = {table} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

# The key of a table binds the rows of its partitions, and not those of tables that inherit from it.
# Domains are followed to the type behind them; the outermost length or precision wins. A length of -1 gives a name to
# cast to that cuts nothing: without one, "character" and "bit" stand for one character and one bit.
_COLUMNS = """
WITH RECURSIVE resolved AS (
    SELECT a.attnum, a.atttypid AS typid, a.atttypmod AS typmod, 0 AS depth
    FROM pg_attribute a
    WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT r.attnum, t.typbasetype, CASE WHEN r.typmod >= 0 THEN r.typmod ELSE t.typtypmod END, r.depth + 1
    FROM resolved r JOIN pg_type t ON t.oid = r.typid WHERE t.typtype = 'd'
), base AS (
    SELECT DISTINCT ON (attnum) * FROM resolved ORDER BY attnum, depth DESC
)
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       (SELECT array_position(i.indkey::int2[], a.attnum) + 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        WHERE i.indrelid = a.attrelid AND i.indisprimary AND (c.relkind = 'p' OR NOT EXISTS (
            SELECT FROM pg_inherits h WHERE h.inhparent = c.oid)))::int,
       t.typname::text,
       CASE WHEN t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A' THEN 'array'
            WHEN t.typtype = 'e' THEN 'enum' WHEN t.typtype = 'c' THEN 'composite'
            WHEN t.typtype IN ('r', 'm') THEN 'range' ELSE 'base' END,
       b.typmod, tn.nspname::text, format_type(t.oid, -1), b.depth > 0,
       current_setting('server_version_num')::int >= {tells_json}
FROM pg_attribute a JOIN base b USING (attnum) JOIN pg_type t ON t.oid = b.typid
JOIN pg_namespace tn ON tn.oid = t.typnamespace
WHERE a.attrelid = {oid} AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
ORDER BY a.attnum
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column with what rendering needs: the SQL name of its base type and the schema of that type."""

    info: ColumnInfo
    cast: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table the login may read; ``rows`` is the server's estimate, negative when unknown."""

    oid: int
    kind: str
    rows: float


def list_tables(session: Session) -> list[TableInfo]:
    """Tables, views and foreign tables the login may read, ordered by schema and name; partitions are left out."""
    return [
        TableInfo(schema, name, kind, None if rows is None else int(rows), None if size is None else int(size))
        for schema, name, kind, rows, size in session.query(_TABLES)
    ]


def find_table(session: Session, schema: str, table: str) -> Table:
    """The table of that name. Raises TableMissing, PermissionMissing."""
    subject = f"{schema}.{table}"
    rows = session.query(_TABLE.format(schema=quote_text(schema), table=quote_text(table)), subject)
    # A privilege that is NULL belongs to a table dropped since the snapshot began.
    if not rows or rows[0][2] is None:
        raise missing_table(subject, session.parameters.host)
    oid, usage, select, kind, estimate = rows[0]
    if not (usage and select):
        raise missing_permission(subject, "permission denied for " + ("table." if usage else "schema."))
    return Table(oid, kind, estimate)


def list_columns(session: Session, schema: str, table: str) -> list[Column]:
    """Columns of a table that the login may read, in table order. Raises TableMissing, PermissionMissing."""
    oid = find_table(session, schema, table).oid
    return [_column(row) for row in session.query(_COLUMNS.format(oid=oid, tells_json=TELLS_JSON), f"{schema}.{table}")]


def _column(row: tuple[object, ...]) -> Column:
    name, shown, nullable, position, base, kind, typmod, namespace, cast, _, tells_json = row
    precision, scale = _digits(str(base), typmod)
    info = ColumnInfo(
        name=str(name),
        source_type=str(shown),
        nullable=bool(nullable),
        key_position=position if isinstance(position, int) else None,
        is_time=base in ("date", "timestamp", "timestamptz"),
        precision=precision,
        scale=scale,
        base_type=str(base),
        type_kind=str(kind),
        tells_json=bool(tells_json),
    )
    return Column(info, str(cast), str(namespace))


def _digits(base: str, typmod: object) -> tuple[int | None, int | None]:
    """Precision and scale of numeric(p, s) from its type modifier; the scale is signed."""
    if base != "numeric" or not isinstance(typmod, int) or typmod < 4:
        return None, None
    packed = typmod - 4
    return (packed >> 16) & 0xFFFF, ((packed & 0x7FF) ^ 1024) - 1024

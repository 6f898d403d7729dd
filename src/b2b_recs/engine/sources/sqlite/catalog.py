"""Which tables a SQLite file has, and what their columns are."""

from __future__ import annotations

from b2b_recs.engine.errors import BadInput, EngineError, TableMissing
from b2b_recs.engine.sources.contract import ColumnInfo, TableInfo
from b2b_recs.engine.sources.quoting import quote_sqlite
from b2b_recs.engine.sources.sqlite.session import Session
from b2b_recs.engine.sources.sqlite.types import TIME_NAMES, base_name, digits

SCHEMA = "main"
# Schema, name, kind, number of columns, whether without row numbers, whether strict.
_LIST = "PRAGMA main.table_list"
_KINDS = ("table", "view", "virtual")
_HIDDEN_OF_VIRTUAL = 1


def list_tables(session: Session) -> list[TableInfo]:
    """Tables and views by name, SQLite's own and the parts of virtual tables left out."""
    listed = sorted((str(row[1]), str(row[2])) for row in session.query(_LIST) if row[0] == SCHEMA)
    tables = [(name, kind) for name, kind in listed if kind in _KINDS and not _own(name)]
    return [TableInfo(SCHEMA, name, kind, _estimate(session, name, kind)) for name, kind in tables]


def list_columns(session: Session, schema: str, table: str) -> list[ColumnInfo]:
    """Columns in table order, generated ones included. Raises TableMissing, BadInput."""
    kind, without_rowid = _kind(session, schema, table)
    described = session.query(f"PRAGMA main.table_xinfo({quote_sqlite(table)})", (), table)
    # Number, name, type, NOT NULL, default, place in the key, how it is hidden.
    rows = [(row[1], row[2], row[3], row[5]) for row in described if row[6] != _HIDDEN_OF_VIRTUAL]
    keys = [row for row in rows if row[3]]
    # Only the key that is the row's number, and keys of tables without one, are never NULL without saying so.
    alias = len(keys) == 1 and str(keys[0][1]).upper() == "INTEGER" and not without_rowid and kind == "table"
    found = []
    for name, declared, not_null, position in rows:
        precision, scale = digits(str(declared))
        found.append(
            ColumnInfo(
                name=str(name),
                source_type=str(declared),
                nullable=not (not_null or (position and (alias or without_rowid))),
                key_position=int(position) or None,
                is_time=base_name(str(declared)) in TIME_NAMES,
                precision=precision,
                scale=scale,
                base_type=base_name(str(declared)),
            )
        )
    return found


def origin(table: str) -> str:
    """The table's quoted name."""
    return f"{quote_sqlite(SCHEMA)}.{quote_sqlite(table)}"


def _kind(session: Session, schema: str, table: str) -> tuple[str, bool]:
    quote_sqlite(table)
    rows = [(row[2], row[4]) for row in session.query(_LIST) if row[:2] == (SCHEMA, table)]
    if not rows or rows[0][0] not in _KINDS or schema != SCHEMA or _own(table):
        raise TableMissing(f"{session.place} has no table {table[:100]}.", advice="Choose a table from the list.")
    return str(rows[0][0]), bool(rows[0][1])


def _estimate(session: Session, name: str, kind: str) -> int | None:
    """The largest row number, which is about the number of rows; None for what has no numbers."""
    if kind != "table":
        return None
    try:
        rows = session.query(f"SELECT max(_rowid_) FROM {origin(name)}", (), name)  # noqa: S608 - quoted name
    except (EngineError, BadInput):
        return None
    largest = rows[0][0]
    return 0 if largest is None else max(0, largest) if isinstance(largest, int) else None


def _own(name: str) -> bool:
    return name.lower().startswith("sqlite_")

"""A SQLite file that another program writes, as the source contract's suite needs it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
from contract.lines import Catalogued, catalogued

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import open_source
from b2b_recs.runtime.guard import OutgoingGuard

_DECLARED = {"integer": "INTEGER", "text": "TEXT", "time": "DATETIME", "decimal": "DECIMAL(10,2)"}


class SQLiteArena:
    """One file in WAL mode, so that it can be written while it is read."""

    type = "sqlite"
    schema = "main"

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "shop.db"
        self.execute("PRAGMA journal_mode = WAL")

    def execute(self, *statements: str) -> None:
        """Run trusted SQL as the owner."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        for statement in statements:
            connection.execute(statement)
        connection.close()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of trusted SQL."""
        connection = sqlite3.connect(self.path)
        found = connection.execute(statement).fetchall()
        connection.close()
        return found

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        self.execute(f"DROP TABLE IF EXISTS {_quoted(table)}")
        described = ", ".join(
            f"{_quoted(name)} {_DECLARED[kind]}{' PRIMARY KEY' if name == key else ''}"
            for name, kind in columns.items()
        )
        self.execute(f"CREATE TABLE {_quoted(table)} ({described})")
        self.add(table, rows)

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        connection = sqlite3.connect(self.path)
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            connection.executemany(
                f"INSERT INTO {_quoted(table)} VALUES ({marks})", [[_stored(value) for value in row] for row in rows]
            )
        connection.commit()
        connection.close()

    def drop(self, table: str) -> None:
        self.execute(f"DROP TABLE {_quoted(table)}")

    def drop_column(self, table: str, column: str) -> None:
        self.execute(f"ALTER TABLE {_quoted(table)} DROP COLUMN {_quoted(column)}")

    def rename(self, table: str, name: str) -> None:
        self.execute(f"ALTER TABLE {_quoted(table)} RENAME TO {_quoted(name)}")

    def named(self, table: str) -> str:
        return table

    def catalogue(self) -> dict[str, Catalogued]:
        """What the file's own schema says, its own tables left out."""
        return catalogued(
            self.rows(
                "SELECT m.name, c.name, c.\"notnull\" OR (c.pk AND c.type = 'INTEGER'), c.pk, m.type "
                "FROM sqlite_master m, pragma_table_xinfo(m.name) c "
                "WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, c.cid"
            )  # type: ignore[arg-type]
        )

    def parameters(self, **changes: Any) -> dict[str, Any]:
        return {"file": str(self.path)} | changes

    def open(self, **changes: Any) -> Source:
        guard = OutgoingGuard(enabled=False, folders=[self.path.parent])
        return open_source(self.type, self.parameters(**changes), guard)

    def sessions(self) -> int:
        """How often the file is open here."""
        return sum(file.path == str(self.path) for file in psutil.Process().open_files())

    def end_sessions(self) -> None:
        """Cut the file off, as a full disk or a careless copy does."""
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.truncate(self.path, 64 * 1024)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _stored(value: Any) -> Any:
    """Times as the text most programs write; decimals as SQLite takes them from text, by the column's affinity."""
    return str(value) if isinstance(value, datetime | Decimal) else value

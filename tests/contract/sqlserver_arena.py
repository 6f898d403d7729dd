"""A double of SQL Server as the source contract's suite needs it; the driver is Microsoft's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from contract.lines import Catalogued
from contract.mysql_arena import dial
from doubles.tds_server import DATABASE, USER, Table, TDSServer

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import open_source

PASSWORD = "canary-};p{wd='x'"


class SQLServerArena:
    """One database of the double."""

    type = "sqlserver"
    schema = "dbo"

    def __init__(self, server: TDSServer) -> None:
        self.server = server

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        """The table anew, with these columns and rows."""
        self.server.make(table, Table(dict(columns), key), [_kept(row) for row in rows])

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Further rows."""
        self.server.add(table, [_kept(row) for row in rows])

    def drop(self, table: str) -> None:
        """No such table any more."""
        self.server.drop(table)

    def drop_column(self, table: str, column: str) -> None:
        """The table without a column."""
        self.server.drop_column(table, column)

    def rename(self, table: str, name: str) -> None:
        """The table under another name."""
        self.server.rename(table, name)

    def revoke(self, table: str) -> None:
        """Take the right to read the table from the reader."""
        words = f"The SELECT permission was denied on the object '{table}', database 'shop', schema 'dbo'."
        self.server.failures.append((rf"FROM \[dbo\]\.\[{table}\]", 229, words))

    def grant(self, table: str) -> None:
        """Give it back."""
        self.server.failures.clear()

    def named(self, table: str) -> str:
        """Tables are listed under their own names."""
        return table

    def catalogue(self) -> dict[str, Catalogued]:
        """What the engine that holds the double's tables says of them; it knows nothing of keys."""
        return {table: Catalogued(columns) for table, columns in self.server.held().items()}

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the reading login, with changes."""
        good = {"host": "127.0.0.1", "port": self.server.port, "database": DATABASE, "username": USER}
        return {**good, "password": PASSWORD, "ssl_mode": "disable", **changes}

    def open(self, **changes: Any) -> Source:
        """An open source as the reading login."""
        return open_source(self.type, self.parameters(**changes), dial)

    def sessions(self) -> int:
        """How many clients are connected."""
        return self.server.sessions()

    def end_sessions(self) -> None:
        """Cut every client off."""
        self.server.end_sessions()


def _kept(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row as the double keeps it."""
    return tuple(
        f"{value.isoformat(sep=' ', timespec='microseconds')}0" if isinstance(value, datetime)
        else str(value) if isinstance(value, Decimal) else value
        for value in row
    )  # fmt: skip

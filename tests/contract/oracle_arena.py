"""An Oracle double as the source contract's suite needs it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from contract.lines import Catalogued
from doubles.oracle import OracleDouble
from doubles.oracle_sql import OWNER, Declared

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import open_source
from b2b_recs.runtime.guard import resolve

READER, PASSWORD, SERVICE = "reader", "canary-r3ader's \\ sécret", "SHOPPDB1"
TYPES = {
    "integer": Declared("NUMBER", "BIGINT", precision=18, scale=0),
    "text": Declared("VARCHAR2", "VARCHAR", length=4000),
    "time": Declared("TIMESTAMP(6)", "TIMESTAMP", scale=6),
    "decimal": Declared("NUMBER", "DECIMAL(10,2)", precision=10, scale=2),
}


def dial(host: str, port: int) -> str:
    """The first address of a host, unguarded: tests read servers of their own."""
    return resolve(host, port)[0]


class OracleArena:
    """One service in memory, read through the vendor's client."""

    type = "oracle"
    schema = OWNER

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.server = OracleDouble(READER, PASSWORD, SERVICE, context)

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        """The table anew."""
        self.server.shop.make(table, {name: TYPES[kind] for name, kind in columns.items()}, rows, key)

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Further rows."""
        self.server.shop.add(table, rows)

    def drop(self, table: str) -> None:
        """No such table any more."""
        self.server.shop.drop(table)

    def drop_column(self, table: str, column: str) -> None:
        """The table without a column."""
        self.server.shop.drop_column(table, column)

    def rename(self, table: str, name: str) -> None:
        """The table under another name."""
        self.server.shop.rename(table, name)

    def revoke(self, table: str) -> None:
        """Take the right to read the table from the reader."""
        self.server.shop.hidden.add(table)

    def grant(self, table: str) -> None:
        """Give it back."""
        self.server.shop.hidden.discard(table)

    def named(self, table: str) -> str:
        """Tables are listed under their own names."""
        return table

    def catalogue(self) -> dict[str, Catalogued]:
        """What the engine that holds the double's tables says of them; it knows nothing of keys."""
        return {table: Catalogued(columns) for table, columns in self.server.shop.held().items()}

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the reading login, with changes."""
        good = {
            "host": "127.0.0.1",
            "port": self.server.port,
            "service_name": SERVICE,
            "username": READER,
            "password": PASSWORD,
        }
        return good | changes

    def open(self, **changes: Any) -> Source:
        """An open source as the reading login."""
        return open_source(self.type, self.parameters(**changes), dial)

    def sessions(self) -> int:
        """Connections that are open."""
        return self.server.sessions()

    def end_sessions(self) -> None:
        """Cut every connection and stop listening."""
        self.server.close()

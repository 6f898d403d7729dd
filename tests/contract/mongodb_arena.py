"""A MongoDB double as the source contract's suite needs it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import bson
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from contract.lines import Catalogued
from doubles.mongodb import CODEC, MongoDouble

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import open_source

READER, PASSWORD = "reader", "canary-r3ader's secret"


def dial(host: str, port: int) -> str:
    """The first address of a host, unguarded: tests read servers of their own."""
    from b2b_recs.runtime.guard import resolve

    return resolve(host, port)[0]


class MongoDBArena:
    """One database in memory, read through the vendor's client."""

    type = "mongodb"
    schema = "shop"

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.server = MongoDouble(READER, PASSWORD, self.schema, context)

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        """The collection anew, one document a row."""
        self.columns = {**getattr(self, "columns", {}), table: list(columns)}
        self.server.collections[table] = []
        self.add(table, rows)

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Further documents."""
        names = self.columns[table]
        self.server.collections[table] += [
            stored({"_id": ObjectId(), **dict(zip(names, row, strict=True))}) for row in rows
        ]

    def put(self, table: str, *documents: dict[str, Any]) -> None:
        """A collection of just these documents, with ids 0, 1, 2 and so on where they say nothing else."""
        self.server.collections[table] = [stored({"_id": at, **document}) for at, document in enumerate(documents)]

    def drop(self, table: str) -> None:
        """No such collection any more."""
        del self.server.collections[table]

    def drop_column(self, table: str, column: str) -> None:
        """The documents without a field."""
        for document in self.server.collections[table]:
            document.pop(column, None)

    def rename(self, table: str, name: str) -> None:
        """The table under another name."""
        self.server.collections[name] = self.server.collections.pop(table)

    def revoke(self, table: str) -> None:
        """Take the right to read the collection from the reader."""
        self.server.hidden.add(table)

    def grant(self, table: str) -> None:
        """Give it back."""
        self.server.hidden.discard(table)

    def named(self, table: str) -> str:
        """Collections are listed under their own names."""
        return table

    def catalogue(self) -> dict[str, Catalogued]:
        """What the double holds: the fields of all documents, in the order in which they turn up."""
        held = self.server.collections.items()
        return {
            name: Catalogued(tuple(dict.fromkeys(field for document in documents for field in document)))
            for name, documents in held
        }

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the reading login, with changes."""
        good = {
            "host": "127.0.0.1",
            "port": self.server.port,
            "database": self.schema,
            "username": READER,
            "password": PASSWORD,
            "ssl_mode": "disable",
        }
        return good | changes

    def open(self, **changes: Any) -> Source:
        """An open source as the reading login."""
        return open_source(self.type, self.parameters(**changes), dial)

    def sessions(self) -> int:
        """Connections and cursors that are open on the server."""
        return self.server.sessions() + len(self.server.cursors)

    def end_sessions(self) -> None:
        """Cut every connection and stop listening."""
        self.server.close()


def stored(document: dict[str, Any]) -> dict[str, Any]:
    """A document as the server holds it: written and read back once."""
    return bson.decode(bson.encode({name: _native(value) for name, value in document.items()}), CODEC)


def _native(value: Any) -> Any:
    if isinstance(value, Decimal):
        return Decimal128(value)
    if isinstance(value, bool) or not isinstance(value, int | datetime):
        return value
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return value if -(2**31) <= value < 2**31 else Int64(value)


def closed_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])

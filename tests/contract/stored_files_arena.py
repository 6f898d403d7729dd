"""Tables as files in a store, in one format, as the source contract's suite needs them."""

from __future__ import annotations

import io
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
from contract.csv_text import csv_of
from relay import Relay

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import open_source

_ARROW = {"integer": pa.int64(), "text": pa.string(), "time": pa.timestamp("us"), "decimal": pa.decimal128(10, 2)}


@dataclass
class Table:
    """What a file holds, to write it anew when it changes."""

    columns: dict[str, str]
    rows: list[Sequence[Any]] = field(default_factory=list)


class StoredFilesArena(ABC):
    """A place with one file for each table, reached through a relay that can be cut."""

    type: ClassVar[str]
    schema: ClassVar[str] = ""

    def __init__(self, port: int, form: str) -> None:
        self.form = form
        self.relay = Relay(port)
        self.asked: list[tuple[str, int]] = []
        self._tables: dict[str, Table] = {}

    @abstractmethod
    def put(self, name: str, content: bytes) -> None:
        """Write one file, as its owner."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove one file, as its owner."""

    @abstractmethod
    def listed(self) -> dict[str, int]:
        """The files of the place and their sizes, as its owner lists them."""

    def put_all(self, files: Mapping[str, bytes]) -> None:
        """Write many files, as their owner."""
        for name, content in files.items():
            self.put(name, content)

    def remove_all(self, names: Iterable[str]) -> None:
        """Remove many files, as their owner."""
        for name in names:
            self.remove(name)

    @abstractmethod
    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the login that may only read, with changes."""

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        self._tables[table] = Table(dict(columns), list(rows))
        self.put(self.named(table), self.content(table))

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        self._tables[table].rows += rows
        self.put(self.named(table), self.content(table))

    def drop(self, table: str) -> None:
        del self._tables[table]
        self.remove(self.named(table))

    def drop_column(self, table: str, column: str) -> None:
        known = self._tables[table]
        at = list(known.columns).index(column)
        del known.columns[column]
        known.rows = [[value for number, value in enumerate(row) if number != at] for row in known.rows]
        self.put(self.named(table), self.content(table))

    def rename(self, table: str, name: str) -> None:
        self._tables[name] = self._tables.pop(table)
        self.put(self.named(name), self.content(name))
        self.remove(self.named(table))

    def named(self, table: str) -> str:
        return f"{table}.{self.form}"

    def content(self, table: str) -> bytes:
        """The file of a table."""
        known = self._tables[table]
        return file_of(self.form, known.columns, known.rows)

    def dial(self, host: str, port: int) -> str:
        """This machine for the names of test servers, the system's answer for others."""
        self.asked.append((host, port))
        if host.endswith(".store.test"):
            return "127.0.0.1"
        return str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])

    def open(self, **changes: Any) -> Source:
        return open_source(self.type, self.parameters(**changes), self.dial)

    def sessions(self) -> int:
        return self.relay.connections()

    def end_sessions(self) -> None:
        self.relay.cut()

    def close(self) -> None:
        """Give up the relay."""
        self.relay.close()


def file_of(form: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A file of these rows."""
    if form == "parquet":
        arrays = [pa.array([row[at] for row in rows], _ARROW[logical]) for at, logical in enumerate(columns.values())]
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(arrays, names=list(columns)), sink, row_group_size=5000)
        return sink.getvalue()
    return csv_of(columns, rows)

"""A double of SQL Server: tables in memory, and the statements of a client that reads, answered over the real protocol.

It is no SQL Server: the catalogue's views are recognised by their names and answered from a list, and a SELECT is
rewritten for SQLite, which knows nothing of the server's types. What it proves is that the client's own driver
connects, is told errors, reads Arrow, and lets go.
"""

from __future__ import annotations

import contextlib
import re
import socket
import sqlite3
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from doubles import tds
from doubles.tsql import SyntaxFault
from doubles.tsql_conversions import NotConverted
from doubles.tsql_table import TypedTable

VERSION = "16.0.1000.6"
DATABASE, USER = "shop", "reader"
# What SQLite keeps for each type of a column.
KINDS = {"integer": "int", "decimal": "decimal", "text": "short text", "time": "time"}
# name, base type, shown type, length, precision, scale: as sys.columns has them.
SYSTEM_COLUMNS = {
    "integer": ("bigint", "8", "19", "0"),
    "decimal": ("decimal", "9", "10", "2"),
    "text": ("nvarchar", "1200", "0", "0"),
    "time": ("datetime2", "8", "27", "7"),
}
_NAMES = re.compile(r"\[(?:[^\]]|\]\])*\]|N?'(?:[^']|'')*'")
_MARK = "\x01%d\x01"
_ONE = "\x01\\d+\x01"


@dataclass
class Table:
    """A table: its columns by logical type and its key."""

    columns: dict[str, str]
    key: str | None = None


@dataclass
class TDSServer:
    """Listens on a free loopback port and serves one database to one login.

    ``answers`` are further answers by a pattern of the statement: the columns and the rows. With ``context`` it can
    encrypt, and does for a client that wants it, or for every one with ``insists``.
    """

    password: str
    context: ssl.SSLContext | None = None
    insists: bool = False
    # How each client that logged in came: whether encrypted, and what it had asked for.
    logins: list[tuple[bool, int]] = field(default_factory=list)
    answers: list[tuple[str, Sequence[tds.Column], Sequence[Sequence[Any]]]] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    # Tables of any types, which are listed and answered by themselves.
    typed: dict[str, TypedTable] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    failures: list[tuple[str, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open: set[socket.socket] = set()
        # When each table was last changed, as the server's statistics of use have it.
        self._changed: dict[str, datetime] = {}
        self._lock = threading.RLock()
        self._rows = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._rows.create_aggregate("exact_sum", 1, _ExactSum)  # type: ignore[arg-type]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def make(self, name: str, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """The table anew."""
        with self._lock:
            self._rows.execute(f"DROP TABLE IF EXISTS {_quoted(name)}")
            self._rows.execute(f"CREATE TABLE {_quoted(name)} ({', '.join(map(_quoted, table.columns))})")
            self.tables[name] = table
            self._changed.pop(name, None)
            self.add(name, rows)

    def add(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        """Further rows; times as the 27 characters the server prints."""
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            with self._lock:
                self._rows.executemany(f"INSERT INTO {_quoted(name)} VALUES ({marks})", rows)
                self._changed[name] = datetime.now(UTC).replace(tzinfo=None)

    def drop(self, name: str) -> None:
        """No such table any more."""
        with self._lock:
            self._rows.execute(f"DROP TABLE {_quoted(name)}")
            del self.tables[name]

    def rename(self, name: str, new: str) -> None:
        """The table under another name."""
        with self._lock:
            self._rows.execute(f"ALTER TABLE {_quoted(name)} RENAME TO {_quoted(new)}")
            self.tables[new] = self.tables.pop(name)

    def drop_column(self, name: str, column: str) -> None:
        """The table without a column."""
        with self._lock:
            self._rows.execute(f"ALTER TABLE {_quoted(name)} DROP COLUMN {_quoted(column)}")
            del self.tables[name].columns[column]

    def held(self) -> dict[str, tuple[str, ...]]:
        """The tables as SQLite's own catalogue has them, with their columns in order."""
        with self._lock:
            found = self._rows.execute(
                "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c "
                "WHERE m.type = 'table' ORDER BY m.name, c.cid"
            ).fetchall()
        columns: dict[str, tuple[str, ...]] = {}
        for table, column in found:
            columns[table] = (*columns.get(table, ()), column)
        return columns

    def sessions(self) -> int:
        """How many clients are connected."""
        return len(self._open)

    def end_sessions(self) -> None:
        """Cut every client off."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop listening, and cut every client off."""
        self._listener.close()
        self.end_sessions()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        wire = tds.Wire(connection)
        try:
            while True:
                kind, content = wire.receive()
                if kind == tds.PRELOGIN:
                    self._agree(wire, content)
                else:
                    wire.stream(self._answer(kind, content, wire))
        except (tds.Gone, OSError):
            pass
        finally:
            self._open.discard(connection)
            connection.close()

    def _agree(self, wire: tds.Wire, content: bytes) -> None:
        """Settle whether the two encrypt, and begin with it."""
        wire.asked = tds.asked_encryption(content)
        wanted = wire.asked in (tds.ON, tds.REQUIRED)
        if self.context is None:
            wire.send(tds.prelogin())
        elif wanted or self.insists:
            wire.send(tds.prelogin(tds.REQUIRED if self.insists else tds.ON))
            wire.encrypt(self.context)
        else:
            wire.send(tds.prelogin())

    def _answer(self, kind: int, content: bytes, wire: tds.Wire) -> Iterator[bytes]:
        if kind == tds.LOGIN:
            self.logins.append((wire.encrypted, wire.asked))
            yield self._login(tds.login_fields(content))
        elif kind == tds.TRANSACTION:
            begins = struct.unpack_from("<H", content, struct.unpack_from("<I", content)[0])[0] == 5
            yield tds.transaction_begun(7) if begins else tds.transaction_ended(7, committed=False)
        elif kind == tds.ATTENTION:
            yield tds.cancelled()
        else:
            yield from self._statement(content[struct.unpack_from("<I", content)[0] :].decode("utf-16-le"))

    def _login(self, given: dict[str, str]) -> bytes:
        if (given["user"], given["password"]) != (USER, self.password):
            return tds.failure(18456, f"Login failed for user '{given['user']}'.", severity=14)
        if given["database"] != DATABASE:
            text = f'Cannot open database "{given["database"]}" requested by the login. The login failed.'
            return tds.failure(4060, text, severity=11)
        return tds.logged_in(DATABASE)

    def _statement(self, sql: str) -> Iterator[bytes]:
        self.statements.append(sql)
        for pattern, number, text in self.failures:
            if re.search(pattern, sql):
                yield tds.failure(number, text)
                return
        for pattern, columns, rows in [*self.answers, *self._catalogue(sql)]:
            if re.search(pattern, sql):
                yield from _result(columns, rows)
                return
        if sql.startswith("SELECT"):
            yield from self._select(sql)
        else:
            yield tds.done()

    def _catalogue(self, sql: str) -> Iterator[tuple[str, Sequence[tds.Column], Sequence[Sequence[Any]]]]:
        """What the views of the system say of the tables as they are now."""
        yield "'ProductVersion'", _texts(2), [(VERSION, "0")]
        yield "VIEW DATABASE STATE", _texts(2), [("1", "1")]
        changes = [("dbo", name, at.isoformat(timespec="milliseconds")) for name, at in self._changed.items()]
        yield r"sys\.dm_db_index_usage_stats", _texts(3), changes
        if "FROM sys.objects o" not in sql:
            return
        if "JOIN sys.columns c" not in sql:
            rows = [("dbo", name, "table", self._count(name), "1") for name in sorted(self.tables)]
            yield "sys.schemas", _texts(5), rows
            return
        schema, name = (text[2:-1].replace("''", "'") for text in re.findall(r"N'(?:[^']|'')*'", sql)[:2])
        if name in self.typed:
            yield "sys.columns", _texts(8), self.typed[name].listed()
            return
        table = self.tables.get(name) if schema == "dbo" else None
        described = []
        for column, kind in table.columns.items() if table else ():
            base, *sizes = SYSTEM_COLUMNS[kind]
            is_key = table is not None and column == table.key
            described.append((column, base, base, *sizes, "0" if is_key else "1", "1" if is_key else None))
        yield "sys.columns", _texts(8), described

    def _count(self, name: str) -> str:
        with self._lock:
            return str(self._rows.execute(f"SELECT COUNT(*) FROM {_quoted(name)}").fetchone()[0])

    def _select(self, sql: str) -> Iterator[bytes]:
        found = re.search(r" FROM \[dbo\]\.\[(\w+)\]", sql)
        if found and found.group(1) in self.typed:
            try:
                yield from _result(*self.typed[found.group(1)].answer(sql))
            except (SyntaxFault, NotConverted) as error:
                yield tds.failure(102, f"Incorrect syntax: {error}")
            return
        try:
            query, columns = self._rewritten(sql)
            with self._lock:
                rows = self._rows.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            number, text = (208, "Invalid object name") if "no such table" in str(error) else (102, "Incorrect syntax")
            yield tds.failure(number, f"{text}: {error}")
            return
        yield from _result(columns, rows)

    def _rewritten(self, sql: str) -> tuple[str, list[tds.Column]]:
        """The statement for SQLite, and the types of its columns."""
        held: list[str] = []

        def hold(found: re.Match[str]) -> str:
            held.append(found.group())
            return _MARK % (len(held) - 1)

        text = _NAMES.sub(hold, sql)
        table = next((self.tables[name] for mark in re.findall(_ONE, text)
                      if (name := _plain(held[_number(mark)])) in self.tables), Table({}))  # fmt: skip
        items = text.removeprefix("SELECT ").split(" FROM ")[0]
        items, top = re.subn(r"^TOP \((\d+)\) ", "", items)
        columns = [self._column(item, held, table) for item in _split(items)]
        for pattern, replacement in _REWRITES:
            text = re.sub(pattern, replacement, text)
        limit = re.match(r"SELECT TOP \((\d+)\) ", text)
        if top and limit:
            text = f"SELECT {text[limit.end() :]} LIMIT {limit.group(1)}"
        return re.sub(_ONE, lambda mark: _for_sqlite(held[_number(mark.group())]), text), columns

    def _column(self, item: str, held: list[str], table: Table) -> tds.Column:
        if item.startswith("COUNT_BIG") or item == "1":
            return tds.Column("", "int")
        if item.startswith("SUM"):
            return tds.Column("", "decimal", 38, int(re.findall(r"\d+", item)[-1]))
        if re.fullmatch(_ONE, item):
            name = _plain(held[_number(item)])
            kind = KINDS.get(table.columns.get(name, "text"), "short text")
            return tds.Column(name, kind, 10, 2) if kind == "decimal" else tds.Column(name, kind)
        return tds.Column("", "short text")


class _ExactSum:
    def __init__(self) -> None:
        self.total: Decimal | None = None

    def step(self, value: Any) -> None:
        if value is not None:
            self.total = (self.total or Decimal(0)) + Decimal(value)

    def finalize(self) -> str | None:
        return None if self.total is None else str(self.total)


_REWRITES: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (rf"CONVERT\(nvarchar\((1000)\), (CONVERT\(nvarchar\(\w+\), {_ONE}(?:, \d+)?\)|{_ONE})\)", r"substr(\2, 1, \1)"),
    (rf"CONVERT\(nvarchar\(\w+\), ({_ONE})(?:, \d+)?\)", r"CAST(\1 AS TEXT)"),
    (rf"CAST\(({_ONE}) AS datetime2\(7\)\)", r"substr(replace(\1, 'T', ' ') || "
     r"CASE WHEN instr(\1, '.') THEN '' ELSE '.' END || '0000000', 1, 27)"),
    (rf"SUM\(CAST\(({_ONE}) AS decimal\(38, \d+\)\)\)", r"exact_sum(\1)"),
    (r"COUNT_BIG\(\*\)", "COUNT(*)"),
    (r"OFFSET 0 ROWS FETCH NEXT (\d+) ROWS ONLY", r"LIMIT \1"),
)  # fmt: skip


def _result(columns: Sequence[tds.Column], rows: Sequence[Sequence[Any]]) -> Iterator[bytes]:
    yield tds.described(columns)
    for row in rows:
        yield tds.row(columns, row)
    yield tds.done(rows=len(rows))


def _texts(count: int) -> list[tds.Column]:
    return [tds.Column(f"c{at}", "short text") for at in range(count)]


def _split(items: str) -> list[str]:
    """The items of a select list: the commas outside brackets part them."""
    found, depth, start = [], 0, 0
    for at, character in enumerate(items):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            found.append(items[start:at].strip())
            start = at + 1
    return [*found, items[start:].strip()]


def _number(mark: str) -> int:
    return int(mark.strip("\x01"))


def _plain(held: str) -> str:
    return held[1:-1].replace("]]", "]") if held.startswith("[") else held


def _for_sqlite(held: str) -> str:
    if held == "[dbo]":
        return "main"
    return _quoted(_plain(held)) if held.startswith("[") else held.removeprefix("N")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

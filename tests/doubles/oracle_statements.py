"""Statements of the Oracle double: what a client asks to execute, and a cursor's rows as it reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from doubles.oracle_sql import as_number
from doubles.oracle_wire import Reader, counted, fraction, integer, number, read_number, text

PROTOCOL, DATA_TYPES, FUNCTION, ERROR, ROW_HEADER, ROW, PARAMETER, STATUS, DESCRIBE, PIGGYBACK = (
    1,
    2,
    3,
    4,
    6,
    7,
    8,
    9,
    16,
    17,
)
VARCHAR, NUMBER, LONG, RAW, LONG_RAW, DOUBLE, CLOB, BLOB = 1, 2, 8, 23, 24, 101, 112, 113
NO_DATA = 1403
_LONGEST_TEXT, _LONGEST_RAW = 4000, 2000


class Execute:
    """The parts of an execute message that matter: statement, cursor, rows wanted, and what is bound or defined."""

    def __init__(self, message: Reader) -> None:
        self._message = message
        message.integer()  # options
        self.cursor = message.integer()
        has_sql = message.byte()
        message.integer()
        message.byte()
        message.integer()
        message.raw(2)
        message.integer()
        self.rows = message.integer()
        message.integer()
        message.byte()
        self._binds = message.integer()
        message.raw(5)
        message.byte()
        self._defines = message.integer()
        message.integer()
        message.raw(3)
        message.integer()
        message.byte()
        message.integer()
        message.integer()
        message.byte()
        message.integer()
        message.byte()
        self.sql = message.text().decode() if has_sql else ""
        for _ in range(13):
            message.integer()

    def read_binds(self) -> list[Any]:
        """The values that are bound, in order."""
        types = [self._described() for _ in range(self._binds)]
        if not types:
            return []
        self._message.byte()
        values = [self._message.text() for _ in types]
        return [
            (read_number(value) if kind == NUMBER else value.decode() or None)
            for kind, value in zip(types, values, strict=True)
        ]

    def read_defines(self) -> list[int]:
        """The types the client wants the columns as."""
        return [self._described() for _ in range(self._defines)]

    def _described(self) -> int:
        kind = self._message.byte()
        self._message.raw(3)
        for _ in range(6):
            self._message.integer()
        self._message.byte()
        self._message.integer()
        return kind


class Cursor:
    """An answer of which some rows have been fetched."""

    def __init__(self, number: int, columns: Sequence[tuple[str, str]], rows: list[tuple[Any, ...]]) -> None:
        self.number, self._names, self._rows = number, [name for name, _ in columns], rows
        self._types = [_type_of(kind, [row[at] for row in rows]) for at, (_, kind) in enumerate(columns)]
        self.needs_define = any(kind in (CLOB, BLOB) for kind, _, _, _ in self._types)
        self._next = 0

    def define(self, kinds: list[int]) -> None:
        """Send these columns as other types from now on."""
        if kinds:
            self._types = [(kind, *old[1:]) for kind, old in zip(kinds, self._types, strict=True)]

    def described(self) -> bytes:
        """Names and types."""
        made = bytes([DESCRIBE, 0]) + integer(1000) + integer(len(self._names)) + b"\x01"
        for at, (name, (kind, precision, scale, size)) in enumerate(zip(self._names, self._types, strict=True), 1):
            made += bytes([kind, 0, precision & 0xFF, scale & 0xFF]) + integer(size) + integer(0) + integer(0)
            made += (
                integer(0) + integer(0) + integer(873) + bytes([1 if kind in (VARCHAR, CLOB) else 0]) + integer(size)
            )
            made += b"\x01\x00" + counted(name.encode()) + integer(0) + integer(0) + integer(at) + integer(0)
        return made + integer(0) * 6

    def rows(self, count: int) -> bytes:
        """The next rows and whether there are more."""
        page = self._rows[self._next : self._next + count]
        self._next += len(page)
        made = [bytes([ROW_HEADER, 0]) + integer(0) * 6] if page else []
        for row in page:
            made.append(bytes([ROW]))
            made += [_value(kind[0], value) for kind, value in zip(self._types, row, strict=True)]
        ended = self._next >= len(self._rows) and not (count == 0 and self.needs_define)
        words = "ORA-01403: no data found\n" if ended else ""
        return b"".join(made) + error(NO_DATA if ended else 0, words, self.number, self._next)


def _type_of(kind: str, values: list[Any]) -> tuple[int, int, int, int]:
    """Oracle's type, precision, scale and size for a column of DuckDB's."""
    if kind.startswith("DECIMAL"):
        precision, scale = (int(part) for part in re.findall(r"\d+", kind))
        return NUMBER, precision, scale, 22
    if kind in ("HUGEINT", "NUMBER"):
        return NUMBER, 38, 0, 22
    if kind.endswith(("INT", "INTEGER")):
        return NUMBER, 18, 0, 22
    if kind in ("DOUBLE", "FLOAT"):
        return DOUBLE, 0, 0, 8
    longest = max(
        (len(value) if isinstance(value, bytes) else len(str(value).encode()) for value in values if value is not None),
        default=1,
    )
    if kind == "BLOB":
        return (RAW if longest <= _LONGEST_RAW else BLOB), 0, 0, _LONGEST_RAW
    return (VARCHAR if longest <= _LONGEST_TEXT else CLOB), 0, 0, _LONGEST_TEXT


def _value(kind: int, value: Any) -> bytes:
    ends = integer(0) * 2 if kind in (LONG, LONG_RAW) else b""
    if value is None or value in ("", b""):
        return b"\x00" + ends
    if kind == NUMBER:
        return text(number(as_number(value)))
    if kind == DOUBLE:
        return text(fraction(float(value)))
    return text(value if isinstance(value, bytes) else str(value).encode()) + ends


def error(number: int, words: str, cursor: int = 0, rows: int = 0) -> bytes:
    """How a call ended; number 0 means well."""
    made = bytes([ERROR]) + integer(0) * 6 + integer(cursor) + integer(0) + bytes(6)
    made += integer(0) + integer(0) + b"\x00" + integer(0) + integer(0)  # a row's place
    made += integer(0) + bytes(2) + integer(0) + integer(0) + integer(0)
    made += integer(0) + integer(0) + integer(0) + integer(number) + integer(rows)
    return made + (text(words.encode()) if number else b"")

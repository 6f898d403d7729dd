# ruff: noqa: DTZ001 - times without a zone are what is tested
"""What the suites of the contract share: a table of lines, its arena, and how a read is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest, Source
from b2b_recs.engine.sources.registry import SOURCE_TYPES

LOGICAL = {
    "integer": (WarehouseType.INT64, None),
    "time": (WarehouseType.DATETIME, None),
    "decimal": (WarehouseType.NUMERIC, (10, 2)),
    "text": (WarehouseType.STRING, None),
}
COLUMNS = {"id": "integer", "at": "time", "word": "text"}
# An order that is neither that of names nor one with the key in front.
SHUFFLED = {"price": "decimal", "word": "text", "at": "time", "id": "integer"}


def lines_with(tick: timedelta) -> list[tuple[int, datetime | None, str]]:
    """(id, at, word): ten rows; 4, 5 and 6 share a time, 9 is a tick past midnight and 10 has no time."""
    return [*LINES[:8], (9, datetime(2024, 1, 7) + tick, "i"), LINES[9]]


LINES: list[tuple[int, datetime | None, str]] = [
    (1, datetime(2024, 1, 1), "a"),
    (2, datetime(2024, 1, 2), "b"),
    (3, datetime(2024, 1, 3), "c"),
    (4, datetime(2024, 1, 4), "d"),
    (5, datetime(2024, 1, 4), "e"),
    (6, datetime(2024, 1, 4), "f"),
    (7, datetime(2024, 1, 5), "g"),
    (8, datetime(2024, 1, 6), "h"),
    (9, datetime(2024, 1, 7, 0, 0, 0, 1), "i"),
    (10, None, "j"),
]


@dataclass(frozen=True)
class Catalogued:
    """A table as its server describes it when the source is not asked; None where that catalogue does not say."""

    columns: tuple[str, ...]
    required: frozenset[str] | None = None
    key: tuple[str, ...] | None = None
    kind: str = "table"


def catalogued(rows: Iterable[tuple[str, str, Any, Any, str]]) -> dict[str, Catalogued]:
    """Tables by name from rows of a catalogue: table, column, whether it is required, place in the key, kind."""
    tables: dict[str, list[tuple[str, Any, Any, str]]] = {}
    for table, *column in rows:
        tables.setdefault(table, []).append((column[0], column[1], column[2], column[3]))
    return {
        table: Catalogued(
            tuple(name for name, *_ in columns),
            frozenset(name for name, required, _, _ in columns if required),
            tuple(name for place, name in sorted((place, name) for name, _, place, _ in columns if place)),
            columns[0][3],
        )
        for table, columns in tables.items()
    }


class Arena(Protocol):
    """A server of one kind with a login that may only read.

    Logical column types are integer, text, time (wall clock) and decimal (10, 2). ``named`` gives the name under which
    the source lists a table; ``sessions`` counts what the reader still has open on the server.

    Where a suite says that it ``revokes``, ``revoke(table)`` and ``grant(table)`` take the right to read it and give it
    back. Besides, an arena has a ``catalogue()`` of Catalogued tables by name, or for files ``listed()`` with their
    sizes: what there is, asked by another way than the source's.
    """

    type: str
    schema: str

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None: ...

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None: ...

    def drop(self, table: str) -> None: ...

    def drop_column(self, table: str, column: str) -> None: ...

    def rename(self, table: str, name: str) -> None: ...

    def named(self, table: str) -> str: ...

    def parameters(self, **changes: Any) -> dict[str, Any]: ...

    def open(self, **changes: Any) -> Source: ...

    def sessions(self) -> int: ...

    def end_sessions(self) -> None: ...


def request_for(
    source: Source, arena: Any, table: str, logical: Mapping[str, str] | None = None, **more: Any
) -> ReadRequest:
    """A read of every column as proposed; ``logical`` types are chosen by hand where the source knows only text."""
    columns = source.columns(arena.schema, table)
    mapping = SOURCE_TYPES[arena.type].propose(columns, {}, "UTC")
    return ReadRequest(
        arena.schema, table, tuple(by_hand(column, (logical or {}).get(column.name)) for column in mapping), **more
    )


def by_hand(column: ColumnMapping, logical: str | None) -> ColumnMapping:
    """The column as proposed, or of the type somebody who knows it chooses where text was proposed."""
    if logical in (None, "text") or column.warehouse_type is not WarehouseType.STRING:
        return column
    kind, digits = LOGICAL[logical or "text"]
    precision, scale = digits or (None, None)
    return replace(column, warehouse_type=kind, precision=precision, scale=scale)

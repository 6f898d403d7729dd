"""A source whose columns already have the names they get in the warehouse, so that a copy knows no other names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

import pyarrow as pa

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.spec import CopySpec, Incremental
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import (
    FILE_COLUMN,
    Batch,
    CheckResult,
    ColumnInfo,
    FileInfo,
    KeyRange,
    ReadRequest,
    RejectedRow,
    Source,
    TableInfo,
)

Value = TypeVar("Value")


def renamed_spec(spec: CopySpec) -> CopySpec:
    """The same copy, whose columns are named as in the warehouse everywhere."""
    new = spec.names
    load = spec.load
    if isinstance(load, Incremental):
        cursor, key = _one(new, load.cursor), tuple(_one(new, name) for name in load.key)
        load = load.model_copy(update={"cursor": cursor, "key": key})
    changes: dict[str, Any] = {
        "load": load,
        "columns": tuple(_one(new, name) for name in spec.columns),
        "types": tuple(replace(mapping, name=_one(new, mapping.name)) for mapping in spec.types),
        "partition_by": spec.partition_by and _one(new, spec.partition_by),
        "cluster_by": tuple(_one(new, name) for name in spec.cluster_by),
        "names": {},
    }
    return spec.model_copy(update=changes).renamed_from({called: name for name, called in new.items()})


def renamed_columns(columns: Sequence[ColumnInfo], names: Mapping[str, str]) -> list[ColumnInfo]:
    """The columns by their names in the warehouse. Raises BadInput when two of them would have the same."""
    found = [replace(column, name=_one(names, column.name)) for column in columns]
    seen: dict[str, str] = {}
    for column, before in zip(found, columns, strict=True):
        other = seen.setdefault(column.name.casefold(), before.name)
        blamed = next((name for name in (before.name, other) if name in names), None)
        if other != before.name and blamed is not None:
            raise BadInput(
                f"The columns “{other[:100]}” and “{before.name[:100]}” would both be called {column.name[:100]}.",
                field="names",
                column=blamed,
                advice="Give one of them another name.",
            )
    return found


class Renamed(Source):
    """Another source with new names (in the source → in the warehouse); it is opened and closed by whoever made it."""

    def __init__(self, source: Source, names: Mapping[str, str]) -> None:
        self._source = source
        self._new = {old: new for old, new in names.items() if old != FILE_COLUMN}
        self._old = {new: old for old, new in self._new.items()}

    def check(self) -> CheckResult:
        return self._source.check()

    def tables(self) -> list[TableInfo]:
        return self._source.tables()

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        return renamed_columns(self._source.columns(schema, table), self._new)

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        found = self._source.samples(schema, table, [_one(self._old, name) for name in columns], count)
        return {_one(self._new, name): values for name, values in found.items()}

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        return self._source.max_cursor(schema, table, _one(self._old, cursor))

    def largest(self, schema: str, table: str, cursor: ColumnMapping) -> str | None:
        return self._source.largest(schema, table, self._asked(cursor))

    def count(self, request: ReadRequest) -> int:
        return self._source.count(self._request(request))

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        for batch in self._source.read(self._request(request), cancelled):
            fields = [field.with_name(_one(self._new, field.name)) for field in batch.rows.schema]
            rows = pa.RecordBatch.from_arrays(batch.rows.columns, schema=pa.schema(fields))
            rejected = [
                RejectedRow(self._named(row.row), _one(self._new, row.column), row.reason) for row in batch.rejected
            ]
            yield Batch(rows, rejected, self._named(batch.unasked))

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        asked = [_one(self._old, name) for name in columns]
        return self._named(self._source.totals(self._request(request), asked))

    def key_ranges(self, request: ReadRequest, column: str, parts: int) -> tuple[KeyRange, ...]:
        found = self._source.key_ranges(self._request(request), _one(self._old, column), parts)
        return tuple(replace(one, column=_one(self._new, one.column)) for one in found)

    def beside(self) -> Source:
        return Renamed(self._source.beside(), self._new)

    def files(self, schema: str, table: str) -> list[FileInfo]:
        return self._source.files(schema, table)

    def remember(self, shapes: Mapping[tuple[str, str], str]) -> None:
        self._source.remember(shapes)

    def shapes(self) -> Mapping[tuple[str, str], str]:
        return self._source.shapes()

    def close(self) -> None:
        self._source.close()

    def _asked(self, column: ColumnMapping) -> ColumnMapping:
        return replace(column, name=_one(self._old, column.name))

    def _named(self, by_name: Mapping[str, Value]) -> dict[str, Value]:
        return {_one(self._new, name): value for name, value in by_name.items()}

    def _request(self, request: ReadRequest) -> ReadRequest:
        """The request in the words of the source."""
        window, within = request.window, request.key_range
        return replace(
            request,
            columns=tuple(self._asked(column) for column in request.columns),
            window=window and replace(window, cursor=_one(self._old, window.cursor)),
            order_by=tuple(_one(self._old, name) for name in request.order_by),
            key_range=within and replace(within, column=_one(self._old, within.column)),
        )


def _one(names: Mapping[str, str], name: str) -> str:
    return names.get(name, name)

"""The first rows of a table: to be looked at, or to be taken away as CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from b2b_recs.engine.profile.columns import Column, Kind, columns_of
from b2b_recs.engine.profile.values import Plain, plain
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.parts import plain_schema

MOST_ROWS = 10_000
_BATCH = 500
# What a spreadsheet takes for a formula when a cell begins with it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Preview:
    """Columns and first rows of a version, every value a plain one and whole."""

    columns: list[Column]
    rows: list[list[Plain]]


def preview(table: LocalTable, version: int | None, rows: int) -> Preview:
    """The first rows of a version. Raises WarehouseTableMissing."""
    columns = columns_of(table.schema(version))
    found = [[plain(value) for value in row] for batch in first_rows(table, version, rows) for row in _values(batch)]
    return Preview(columns, found)


def first_rows(table: LocalTable, version: int | None, rows: int) -> Iterator[pa.RecordBatch]:
    """Batches of the first rows of a version, at most ``rows``. Raises WarehouseTableMissing at once."""
    scanner = table.arrow_dataset(version).scanner(batch_size=_BATCH, batch_readahead=1, fragment_readahead=1)
    return _limited(scanner.to_batches(), rows)


def as_csv(columns: list[Column], batches: Iterator[pa.RecordBatch]) -> Iterator[str]:
    """Lines of CSV with a heading. Numbers stay numbers, NULL is an empty cell, and no text begins a formula."""
    yield _line([safe(column.name) for column in columns])
    for batch in batches:
        rows = [[_cell(value, column) for value, column in zip(row, columns, strict=True)] for row in _values(batch)]
        yield "".join(map(_line, rows))


def as_parquet(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """A Parquet file, piece by piece."""
    held = _Pieces()
    with pq.ParquetWriter(held, plain_schema(schema), compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield held.taken()
    yield held.taken()


def safe(text: str) -> str:
    """The text of a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


class _Pieces(io.RawIOBase):
    """A file to write into whose bytes are taken away as they come."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = bytearray()
        self._at = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Any) -> int:
        """Keep bytes until they are taken."""
        size = memoryview(data).nbytes
        self._bytes += data
        self._at += size
        return size

    def tell(self) -> int:
        """Bytes written so far."""
        return self._at

    def taken(self) -> bytes:
        """The bytes that came since this was asked last."""
        found = bytes(self._bytes)
        self._bytes.clear()
        return found


def _limited(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    left = rows
    for batch in batches:
        if left <= 0:
            return
        if batch.num_rows:
            yield batch.slice(0, left)
            left -= batch.num_rows


def _values(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*(_python(array) for array in batch.columns), strict=True)


def _python(array: pa.Array) -> list[Any]:
    """Values of an array; times outside the years Python knows as text."""
    try:
        return list(array.to_pylist())
    except (OverflowError, ValueError):
        return list(array.cast(pa.string()).to_pylist())


def _cell(value: Any, column: Column) -> str:
    shown = plain(value)
    if shown is None:
        return ""
    if isinstance(shown, bool):
        return "true" if shown else "false"
    return str(shown) if column.kind is Kind.NUMBER else safe(str(shown))


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()

"""Reading in batches: rows of SQLite become columns of the warehouse's types, what cannot is rejected."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import Batch, ReadRequest, RejectedRow
from b2b_recs.engine.sources.sqlite.select import Query
from b2b_recs.engine.sources.sqlite.session import Session
from b2b_recs.engine.sources.sqlite.values import to_arrow

_FIRST_ROWS, _MOST_ROWS = 500, 100_000
_LONGEST_SHOWN = 60
Row = tuple[Any, ...]


def read_batches(
    session: Session, request: ReadRequest, query: Query, cancelled: Callable[[], bool]
) -> Iterator[Batch]:
    """Batches of the query. Raises Cancelled when asked to stop, else the engine's error for SQLite's."""

    def produce() -> Iterator[Batch]:
        for rows in _rows(session, request, query):
            yield batch_of(rows, request)

    yield from read_ahead(produce, request, cancelled, session.interrupt)


def _rows(session: Session, request: ReadRequest, query: Query) -> Iterator[list[Row]]:
    """The rows, some at a time; read once more with tolerance, after those handed over, when a text is no UTF-8."""
    done = 0
    for tolerant in (False, True):
        cursor = session.cursor(query.sql, query.values, request.table, tolerant=tolerant)
        try:
            skip, step = done, _FIRST_ROWS
            while skip > 0:
                skip -= len(cursor.fetchmany(min(skip, _MOST_ROWS)))
            while rows := cursor.fetchmany(step):
                done += len(rows)
                step = _next_step(rows, request.batch_bytes)
                yield rows
            return
        except sqlite3.OperationalError as error:
            if tolerant or "decode to UTF-8" not in str(error):
                raise session.failed(error, request.table) from None
        except sqlite3.Error as error:
            raise session.failed(error, request.table) from None
        finally:
            cursor.close()


def _next_step(rows: list[Row], batch_bytes: int) -> int:
    """How many rows make about ``batch_bytes``, by the size of the last ones."""
    some = rows[:: max(1, len(rows) // 50)]
    size = sum(len(value) if isinstance(value, str | bytes) else 8 for row in some for value in row)
    return max(1, min(_MOST_ROWS, batch_bytes * len(some) // max(1, size)))


def batch_of(rows: Sequence[Row], request: ReadRequest) -> Batch:
    """The rows in the warehouse's types, and those that cannot be."""
    columns = request.columns
    if not columns:
        return Batch(pa.RecordBatch.from_struct_array(pa.array([{}] * len(rows), pa.struct([]))))
    arrays: list[pa.Array] = []
    faults: dict[int, tuple[str, str]] = {}
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        array, refused = to_arrow(values, column)
        arrays.append(array)
        for at, reason in refused.items():
            faults.setdefault(at, (column.name, reason))
    raw = pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])
    if not faults:
        return cast_batch(raw, columns, request.time_zone)
    batch = cast_batch(raw.filter(pa.array([at not in faults for at in range(len(rows))])), columns, request.time_zone)
    rejected = [_rejected(rows[at], columns, *fault) for at, fault in sorted(faults.items())]
    return Batch(batch.rows, [*rejected, *batch.rejected])


def _rejected(row: Row, columns: Sequence[ColumnMapping], name: str, reason: str) -> RejectedRow:
    texts = {column.name: shown(value) for column, value in zip(columns, row, strict=True)}
    value = texts[name] or ""
    cut = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
    return RejectedRow(texts, name, f"{name}: {cut} {reason}")


def shown(value: Any) -> str | None:
    """A value as text: bytes as SQLite writes them, text that is no UTF-8 with its bytes spelled out."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return f"X'{value.hex().upper()}'"
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return repr(value)

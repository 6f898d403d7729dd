"""Reading in batches: what the driver hands over becomes the warehouse's types; refused rows are taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import Batch, ColumnInfo, ReadRequest
from b2b_recs.engine.sources.foreign_shapes import without_foreign_shapes
from b2b_recs.engine.sources.sqlserver.connection import Session
from b2b_recs.engine.sources.sqlserver.types import Kind, kind_of

_MOST_ROWS, _FEWEST_ROWS = 65_536, 64
# Bytes of room for a character, and for a value of any other type.
_CHARACTER, _PLAIN = 4, 40
_BOUND = (Kind.TEXT, Kind.BYTES)
_CLOCKS = (Kind.DATETIME, Kind.TICKS, Kind.OFFSET, Kind.TIME)
# The server prints seven digits, the last of which is a tenth of a microsecond, and a blank before an offset.
_LAST_DIGIT = r"(\.[0-9]{6})0"


def read_batches(
    session: Session, request: ReadRequest, columns: Sequence[ColumnInfo], sql: str, cancelled: Callable[[], bool]
) -> Iterator[Batch]:
    """Batches of the query, whose columns are ``columns``. Raises Cancelled when asked to stop.

    However it ends, the server's statement has ended when this does.
    """

    def produce() -> Iterator[Batch]:
        for raw in session.batches(sql, f"{request.schema}.{request.table}", rows_of(request, columns)):
            yield _batch(raw, request, columns)

    yield from read_ahead(produce, request, cancelled, session.interrupt)


def rows_of(request: ReadRequest, columns: Sequence[ColumnInfo]) -> int:
    """How many rows the driver may make room for: each takes the longest values that its columns may have."""
    sizes = [(column.precision or 0) * _CHARACTER if kind_of(column) in _BOUND else _PLAIN for column in columns]
    return max(_FEWEST_ROWS, min(_MOST_ROWS, request.batch_bytes // sum(max(size, _PLAIN) for size in sizes)))


def _batch(raw: pa.RecordBatch, request: ReadRequest, columns: Sequence[ColumnInfo]) -> Batch:
    arrays = [
        natural(values, column, wanted.warehouse_type)
        for values, column, wanted in zip(raw.columns, columns, request.columns, strict=True)
    ]
    batch = pa.RecordBatch.from_arrays(arrays, [wanted.name for wanted in request.columns])
    batch, refused = without_foreign_shapes(batch, _shapes(request, columns))
    cast = cast_batch(batch, request.columns, request.time_zone)
    return Batch(cast.rows, [*refused, *cast.rejected]) if refused else cast


def natural(values: pa.Array, column: ColumnInfo, wanted: WarehouseType) -> pa.Array:
    """The values of one column; a time whose last digit is no zero stays the text it is, and is refused later.

    A column wanted as text stays as the server printed it.
    """
    if kind_of(column) not in _CLOCKS or wanted is WarehouseType.STRING:
        return values
    text = pc.replace_substring_regex(values.cast(pa.string()), _LAST_DIGIT, r"\1")
    return pc.replace_substring_regex(text, " ([+-])", r"\1") if kind_of(column) is Kind.OFFSET else text


def _shapes(request: ReadRequest, columns: Sequence[ColumnInfo]) -> list[str]:
    """The columns of shapes that become GEOGRAPHY."""
    return [
        column.name
        for column, wanted in zip(columns, request.columns, strict=True)
        if kind_of(column) is Kind.SHAPE and wanted.warehouse_type is WarehouseType.GEOGRAPHY
    ]

"""Reading in batches: the server's rows become Arrow, then the warehouse's types; refused rows are taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import Batch, ColumnInfo, ReadRequest
from b2b_recs.engine.sources.foreign_shapes import without_foreign_shapes
from b2b_recs.engine.sources.mysql.connection import Session
from b2b_recs.engine.sources.mysql.natural import natural
from b2b_recs.engine.sources.mysql.types import Kind, kind_of

# A block of texts about doubles when it becomes columns of fixed width.
_GROWTH = 2


def read_batches(
    session: Session, request: ReadRequest, columns: Sequence[ColumnInfo], sql: str, cancelled: Callable[[], bool]
) -> Iterator[Batch]:
    """Batches of the query, whose columns are ``columns``. Raises Cancelled when asked to stop.

    However it ends, the server's statement has ended when this does.
    """

    def produce() -> Iterator[Batch]:
        for block in session.rows(sql, f"{request.schema}.{request.table}", request.batch_bytes // _GROWTH):
            yield _batch(block, request, columns)

    yield from read_ahead(produce, request, cancelled, session.interrupt)


def _batch(block: Sequence[pa.Array], request: ReadRequest, columns: Sequence[ColumnInfo]) -> Batch:
    arrays = [
        natural(sent, column, wanted.warehouse_type)
        for sent, column, wanted in zip(block, columns, request.columns, strict=True)
    ]
    names = [wanted.name for wanted in request.columns]
    raw = pa.RecordBatch.from_arrays(arrays, names)
    raw, refused = without_foreign_shapes(raw, _shapes(request, columns))
    batch = cast_batch(raw, request.columns, request.time_zone)
    return Batch(batch.rows, [*refused, *batch.rejected]) if refused else batch


def _shapes(request: ReadRequest, columns: Sequence[ColumnInfo]) -> list[str]:
    """The columns of shapes that become GEOGRAPHY."""
    return [
        column.name
        for column, wanted in zip(columns, request.columns, strict=True)
        if kind_of(column) is Kind.SHAPE and wanted.warehouse_type is WarehouseType.GEOGRAPHY
    ]

"""Reading in batches: the server's rows become Arrow, then the warehouse's types; refused rows are taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import Batch, ColumnInfo, ReadRequest, RejectedRow
from b2b_recs.engine.sources.mysql.connection import Session
from b2b_recs.engine.sources.mysql.natural import natural
from b2b_recs.engine.sources.mysql.select import FOREIGN_SHAPE
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
    raw, refused = _without_foreign_shapes(raw, request, columns)
    batch = cast_batch(raw, request.columns, request.time_zone)
    return Batch(batch.rows, [*refused, *batch.rejected]) if refused else batch


def _without_foreign_shapes(
    raw: pa.RecordBatch, request: ReadRequest, columns: Sequence[ColumnInfo]
) -> tuple[pa.RecordBatch, list[RejectedRow]]:
    """The rows without shapes of another reference system, and those rows."""
    refused: list[RejectedRow] = []
    for at, column in enumerate(columns):
        if kind_of(column) is not Kind.SHAPE or request.columns[at].warehouse_type is not WarehouseType.GEOGRAPHY:
            continue
        foreign = pc.fill_null(pc.starts_with(raw.column(at), FOREIGN_SHAPE), False)
        if not pc.any(foreign).as_py():
            continue
        for row in raw.filter(foreign).to_pylist():
            texts = {name: None if value is None else str(value) for name, value in row.items()}
            shown = str(texts[column.name])[:60]
            reason = f"{column.name}: {shown} is a shape of another reference system than WGS 84"
            refused.append(RejectedRow(texts, column.name, reason))
        raw = raw.filter(pc.invert(foreign))
    return raw, refused

"""Reading in batches: rows of text from the server's cursor become Arrow, and then the warehouse's types."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import Batch, ColumnInfo, ReadRequest
from b2b_recs.engine.sources.interrupting import Interruption
from b2b_recs.engine.sources.known_columns import Columns, column_of
from b2b_recs.engine.sources.redshift.connection import Session
from b2b_recs.engine.sources.redshift.select import FLOATS
from b2b_recs.engine.sources.slicing import sized


def read_batches(
    session: Session, request: ReadRequest, table: Columns, sql: str, cancelled: Callable[[], bool]
) -> Iterator[Batch]:
    """Batches of the query. Raises Cancelled when asked to stop, else the engine's error for the driver's.

    However it ends, the server's cursor has ended when this does; a read to its end keeps the snapshot.
    """
    subject = f"{request.schema}.{request.table}"
    columns = [column_of(table, wanted.name, request) for wanted in request.columns]
    done = False

    def produce() -> Iterator[Batch]:
        nonlocal done
        # Only Arrow is kept, because Python's texts take many times the room.
        fetched = (_arrow(rows, columns) for rows in session.rows(sql, subject))
        for raw in sized(fetched, request.batch_bytes):
            yield cast_batch(raw, request.columns, request.time_zone)
        session.end_cursor(subject)
        done = True

    try:
        yield from read_ahead(produce, request, cancelled, Interruption(session.interrupt, session.hang_up))
    finally:
        if not done:
            session.forget()


def _arrow(rows: list[tuple[str | None, ...]], columns: list[ColumnInfo]) -> pa.RecordBatch:
    arrays = [_array(list(values), column) for values, column in zip(zip(*rows, strict=True), columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=[f"c{at}" for at in range(len(columns))])


def _array(texts: list[str | None], column: ColumnInfo) -> pa.Array:
    """One column as the most exact Arrow the text stands for; casting does the rest."""
    if column.base_type == "binary varying":
        return pa.array([None if text is None else bytes.fromhex(text) for text in texts], pa.binary())
    if column.base_type in FLOATS:
        return pa.array([None if text is None else float(text) for text in texts], pa.float64())
    values = pa.array(texts, pa.string())
    if column.base_type == "boolean":
        return pc.equal(values, "t")
    return values

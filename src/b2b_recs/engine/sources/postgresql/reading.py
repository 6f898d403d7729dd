"""Reading in batches: what the driver hands over becomes the warehouse's types, refused rows are taken out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

import adbc_driver_manager
import pyarrow as pa

from b2b_recs.engine.schema.arrow import arrow_schema, convert
from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.contract import Batch, ReadRequest, RejectedRow
from b2b_recs.engine.sources.postgresql.connection import Session
from b2b_recs.engine.sources.postgresql.select import Refusal, Selection


def read_batches(
    session: Session, request: ReadRequest, selection: Selection, cancelled: Callable[[], bool]
) -> Iterator[Batch]:
    """Batches of the selection. Raises Cancelled when asked to stop, else the engine's error for the driver's.

    However it ends, the server's statement has ended when this does.
    """
    cursor = session.cursor()
    broken: list[Exception] = []

    def produce() -> Iterator[Batch]:
        try:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(request.batch_bytes)})
            cursor.execute(selection.sql)
            decoder = _Decoder(request, selection.refusals)
            for record_batch in cursor.fetch_record_batch():
                yield decoder.decode(record_batch)
        except (adbc_driver_manager.Error, OSError, pa.ArrowException) as error:
            broken.append(error)
        finally:
            with contextlib.suppress(adbc_driver_manager.Error, OSError):
                cursor.close()

    try:
        yield from read_ahead(produce, request, cancelled, cursor.adbc_cancel)
        if broken:
            raise session.failed(broken[0], f"{request.schema}.{request.table}") from None
    finally:
        session.forget()


class _Decoder:
    """Turns the driver's batches into the warehouse's types and takes refused rows out."""

    def __init__(self, request: ReadRequest, refusals: tuple[Refusal, ...]) -> None:
        self._columns = request.columns
        self._schema = arrow_schema(request.columns)
        self._refusals = refusals

    def decode(self, batch: pa.RecordBatch) -> Batch:
        rejected: list[RejectedRow] = []
        if self._refusals:
            refused = batch.column(batch.num_columns - 1)
            if refused.null_count < len(refused):
                rejected = [self._rejected(text) for text in refused.drop_null().to_pylist()]
                batch = batch.filter(refused.is_null())
        arrays = [convert(batch.column(at), column) for at, column in enumerate(self._columns)]
        return Batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema), rejected)

    def _rejected(self, text: str) -> RejectedRow:
        position, *values = json.loads(text)
        refusal = self._refusals[int(position)]
        row = {column.name: value for column, value in zip(self._columns, values, strict=True)}
        value = row[refusal.column]
        shown = "NULL" if value is None else value if len(value) <= 60 else value[:60] + "…"
        return RejectedRow(row, refusal.column, f"{refusal.column}: {shown} {refusal.reason}")

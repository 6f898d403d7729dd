"""Reading in batches: what the driver hands over becomes the warehouse's types, refused rows are taken out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

import adbc_driver_manager
import pyarrow as pa

from b2b_recs.engine.schema.arrow import arrow_schema, convert
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.contract import Batch, ReadRequest, RejectedRow
from b2b_recs.engine.sources.interrupting import Interruption
from b2b_recs.engine.sources.postgresql.checks import Checks
from b2b_recs.engine.sources.postgresql.connection import Session
from b2b_recs.engine.sources.postgresql.printing import uuid_texts
from b2b_recs.engine.sources.postgresql.select import Selection

# Refused rows of one batch when they are read apart from the others.
_REFUSED_AT_ONCE = 5000


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
            decoder = _Decoder(request, selection)
            for record_batch in cursor.fetch_record_batch():
                yield decoder.decode(record_batch)
            if decoder.refused:
                cursor.execute(selection.refused)
                for record_batch in cursor.fetch_record_batch():
                    yield from decoder.refusals(record_batch.column(0))
        except (adbc_driver_manager.Error, OSError, pa.ArrowException) as error:
            broken.append(error)
        finally:
            with contextlib.suppress(adbc_driver_manager.Error, OSError):
                cursor.close()

    try:
        yield from read_ahead(produce, request, cancelled, Interruption(cursor.adbc_cancel, session.hang_up))
        if broken:
            raise session.failed(broken[0], f"{request.schema}.{request.table}") from None
    finally:
        session.forget()


class _Decoder:
    """Turns the driver's batches into the warehouse's types and takes refused rows out.

    ``refused``: rows that were taken out and whose texts and reasons are still to be asked for.
    """

    def __init__(self, request: ReadRequest, selection: Selection) -> None:
        self.refused = 0
        self._columns = request.columns
        self._schema = arrow_schema(request.columns)
        self._refusals = selection.refusals
        self._marked = bool(selection.refusals) and not selection.refused
        self._checks = Checks(request.columns, {refusal.column for refusal in selection.refusals})

    def decode(self, batch: pa.RecordBatch) -> Batch:
        rejected: list[RejectedRow] = []
        if self._marked:
            refused = batch.column(batch.num_columns - 1)
            if refused.null_count < len(refused):
                rejected = [self._rejected(text) for text in refused.drop_null().to_pylist()]
                batch = batch.filter(refused.is_null())
        elif (good := self._checks.good(batch)) is not None:
            rows = batch.num_rows
            batch = batch.filter(good)
            self.refused += rows - batch.num_rows
        arrays = [_arrived(batch.column(at), column) for at, column in enumerate(self._columns)]
        return Batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema), rejected)

    def refusals(self, texts: pa.Array) -> Iterator[Batch]:
        """Batches without rows, of refused rows that were asked for afterwards."""
        nothing = self._schema.empty_table().to_batches() or [pa.RecordBatch.from_pylist([], schema=self._schema)]
        for first in range(0, len(texts), _REFUSED_AT_ONCE):
            told = texts.slice(first, _REFUSED_AT_ONCE).to_pylist()
            yield Batch(nothing[0], [self._rejected(text) for text in told])

    def _rejected(self, text: str) -> RejectedRow:
        position, *values = json.loads(text)
        refusal = self._refusals[int(position)]
        row = {column.name: value for column, value in zip(self._columns, values, strict=True)}
        value = row[refusal.column]
        shown = "NULL" if value is None else value if len(value) <= 60 else value[:60] + "…"
        return RejectedRow(row, refusal.column, f"{refusal.column}: {shown} {refusal.reason}")


def _arrived(values: pa.Array, column: ColumnMapping) -> pa.Array:
    """The column's values, as the driver delivers them, in the warehouse's type."""
    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    return convert(uuid_texts(values) if pa.types.is_fixed_size_binary(values.type) else values, column)

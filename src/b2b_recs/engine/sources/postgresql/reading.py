"""Reading in batches: the driver works in its own thread, so that source and warehouse are busy at once."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import adbc_driver_manager
import pyarrow as pa

from b2b_recs.engine.errors import Cancelled
from b2b_recs.engine.schema.arrow import arrow_schema, convert
from b2b_recs.engine.sources.contract import Batch, ReadRequest, RejectedRow
from b2b_recs.engine.sources.postgresql.connection import Session
from b2b_recs.engine.sources.postgresql.select import Refusal, Selection

# Batches that may wait for the reader; with the one being made and the one in use, four are in memory.
_AHEAD = 2
_POLL_SECONDS = 0.2


def read_batches(
    session: Session, request: ReadRequest, selection: Selection, cancelled: Callable[[], bool]
) -> Iterator[Batch]:
    """Batches of the selection. Raises Cancelled when asked to stop, else the engine's error for the driver's.

    However it ends, the server's statement has ended when this does.
    """
    worker = _Worker(session.cursor(), request, selection)
    worker.start()
    try:
        while True:
            if cancelled():
                raise Cancelled(f"Reading {request.schema}.{request.table} was stopped.")
            try:
                item = worker.done.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                if isinstance(item, (adbc_driver_manager.Error, OSError, pa.ArrowException)):
                    raise session.failed(item, f"{request.schema}.{request.table}") from None
                raise item
            yield item
    finally:
        worker.stop()
        session.forget()


class _Worker(threading.Thread):
    """Runs one statement and puts its batches, then None or the error, into ``done``."""

    def __init__(self, cursor: Any, request: ReadRequest, selection: Selection) -> None:
        super().__init__(name="postgresql-read", daemon=True)
        self.done: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=_AHEAD)
        self._cursor = cursor
        self._request = request
        self._selection = selection
        self._stopping = threading.Event()

    def run(self) -> None:
        """Read until the end, an error, or a stop."""
        last: BaseException | None = None
        try:
            self._cursor.adbc_statement.set_options(
                **{"adbc.postgresql.batch_size_hint_bytes": str(self._request.batch_bytes)}
            )
            self._cursor.execute(self._selection.sql)
            decoder = _Decoder(self._request, self._selection.refusals)
            for record_batch in self._cursor.fetch_record_batch():
                if not self._put(decoder.decode(record_batch)):
                    break
        except BaseException as error:
            last = error
        finally:
            with contextlib.suppress(adbc_driver_manager.Error, OSError):
                self._cursor.close()
        self._put(last)

    def stop(self) -> None:
        """End the statement and the thread."""
        self._stopping.set()
        while self.is_alive():
            # Asked again and again: the statement may not have begun when first asked.
            with contextlib.suppress(adbc_driver_manager.Error, OSError, ValueError):
                self._cursor.adbc_cancel()
            self.join(timeout=0.05)

    def _put(self, item: Batch | BaseException | None) -> bool:
        while not self._stopping.is_set():
            try:
                self.done.put(item, timeout=_POLL_SECONDS)
                return True
            except queue.Full:
                continue
        return False


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

"""Reading in batches: straight from a stored table, or from the table that holds a query's rows."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.bigquery.catalog import Table
from b2b_recs.engine.sources.bigquery.connection import Session
from b2b_recs.engine.sources.bigquery.intervals import printed_intervals
from b2b_recs.engine.sources.bigquery.select import chosen, dialect, rows_query
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import Batch, ReadRequest
from b2b_recs.engine.sources.interrupting import Interruption
from b2b_recs.engine.sources.slicing import sized
from b2b_recs.engine.sources.sql_rows import filters


def read_batches(
    session: Session, request: ReadRequest, table: Table, moment: dt.datetime | None, cancelled: Callable[[], bool]
) -> Iterator[Batch]:
    """Batches of the request. Raises Cancelled when asked to stop, else the engine's error for the library's.

    However it ends, no query and no stream of it runs on when this does.
    """
    reading = _Reading(session, request, table, moment)

    def produce() -> Iterator[Batch]:
        for raw in sized(reading.batches(), request.batch_bytes):
            yield cast_batch(raw, request.columns, request.time_zone)

    # Closed, a session has neither calls nor queries that wait.
    yield from read_ahead(produce, request, cancelled, Interruption(reading.stop, session.close))


class _Reading:
    """One read, which another thread may stop."""

    def __init__(self, session: Session, request: ReadRequest, table: Table, moment: dt.datetime | None) -> None:
        self._session = session
        self._request = request
        self._table = table
        self._moment = moment
        self._subject = f"{request.schema}.{request.table}"
        self._job: Any = None
        self._calls: list[Any] = []
        self._stopped = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Raw batches, columns in the order of the request."""
        names = chosen(self._request, self._table)
        request, session = self._request, self._session
        if self._table.stored and not request.order_by and request.row_limit is None:
            restriction = filters(request, dialect(request, self._table, None))
            opened = session.opened(self._table.reference, names, restriction, self._moment, self._subject)
        else:
            opened = session.opened(self._queried(), names, "", None, self._subject)
        for batch in session.batches(opened, self._calls, self._subject):
            if self._stopped:
                return
            yield printed_intervals(batch.select(names))

    def stop(self) -> None:
        """End the query and the streams."""
        self._stopped = True
        if self._job is not None and self._job.state != "DONE":
            self._session.cancel(self._job)
        for call in self._calls:
            with contextlib.suppress(Exception):
                call.cancel()

    def _queried(self) -> Any:
        """The anonymous table with the rows of a query; BigQuery removes it after a day."""
        self._job = self._session.started(rows_query(self._request, self._table, self._moment), self._subject)
        return self._session.finished(self._job, self._subject)

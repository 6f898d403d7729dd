"""SQL Server as a source: one open connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from b2b_recs.engine.sources.contract import Batch, Dialer, ReadRequest
from b2b_recs.engine.sources.known_columns import column_of
from b2b_recs.engine.sources.sql_source import Questions, SqlSource
from b2b_recs.engine.sources.sqlserver.catalog import list_columns, list_tables
from b2b_recs.engine.sources.sqlserver.connection import Session
from b2b_recs.engine.sources.sqlserver.parameters import SQLServerParameters
from b2b_recs.engine.sources.sqlserver.reading import read_batches
from b2b_recs.engine.sources.sqlserver.select import (
    can_be_summed,
    cursor_text,
    select_count,
    select_max,
    select_rows,
    select_samples,
    select_totals,
)

_QUESTIONS: Questions[Session] = Questions(
    tables=list_tables,
    columns=list_columns,
    samples=lambda session, request, known, columns, count: select_samples(request, known, columns, count),
    largest=select_max,
    printed=cursor_text,
    count=select_count,
    totals=select_totals,
    summable=can_be_summed,
)


class SQLServerSource(SqlSource[Session]):
    """One database, seen through a session that only reads."""

    def __init__(self, parameters: SQLServerParameters, dial: Dialer) -> None:
        super().__init__(Session(parameters, dial), _QUESTIONS)

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches of the driver's Arrow, with everything it would damage sent as text."""
        known = self._columns(request)
        chosen = [column_of(known, wanted.name, request) for wanted in request.columns]
        yield from read_batches(self._session, request, chosen, select_rows(request, known), cancelled)

"""MySQL and MariaDB as sources: one open connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from b2b_recs.engine.sources.contract import Batch, Dialer, ReadRequest
from b2b_recs.engine.sources.mysql.catalog import list_columns, list_tables
from b2b_recs.engine.sources.mysql.connection import Session
from b2b_recs.engine.sources.mysql.parameters import MySQLParameters
from b2b_recs.engine.sources.mysql.reading import read_batches
from b2b_recs.engine.sources.mysql.select import (
    can_be_summed,
    cursor_text,
    select_count,
    select_max,
    select_rows,
    select_samples,
    select_totals,
)
from b2b_recs.engine.sources.sql_source import Questions, SqlSource

_QUESTIONS: Questions[Session] = Questions(
    tables=list_tables,
    columns=list_columns,
    samples=lambda session, request, known, columns, count: select_samples(
        request, known, columns, count, is_mariadb=session.is_mariadb
    ),
    largest=select_max,
    printed=cursor_text,
    count=select_count,
    totals=select_totals,
    summable=can_be_summed,
)


class MySQLSource(SqlSource[Session]):
    """One database, seen through a read-only session that holds a snapshot of its InnoDB tables."""

    def __init__(self, parameters: MySQLParameters, dial: Dialer) -> None:
        super().__init__(Session(parameters, dial), _QUESTIONS)

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches from the snapshot; what the server prints is exact and becomes Arrow without a detour."""
        known = self._columns(request)
        sql = select_rows(request, known, is_mariadb=self._session.is_mariadb)
        chosen = [known[wanted.name] for wanted in request.columns]
        yield from read_batches(self._session, request, chosen, sql, cancelled)

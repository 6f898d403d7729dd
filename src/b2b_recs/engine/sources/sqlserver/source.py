"""SQL Server as a source: one open connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from b2b_recs.engine.sources.contract import (
    Batch,
    CheckResult,
    ColumnInfo,
    Dialer,
    ReadRequest,
    Source,
    TableInfo,
)
from b2b_recs.engine.sources.sqlserver.catalog import list_columns, list_tables
from b2b_recs.engine.sources.sqlserver.connection import Session
from b2b_recs.engine.sources.sqlserver.parameters import SQLServerParameters
from b2b_recs.engine.sources.sqlserver.reading import read_batches
from b2b_recs.engine.sources.sqlserver.select import (
    can_be_summed,
    column_of,
    cursor_text,
    select_count,
    select_max,
    select_rows,
    select_samples,
    select_totals,
)


class SQLServerSource(Source):
    """One database, seen through a session that only reads."""

    def __init__(self, parameters: SQLServerParameters, dial: Dialer) -> None:
        self._session = Session(parameters, dial)

    def check(self) -> CheckResult:
        """Latency of one round trip, the server's version, and the tables the login may read."""
        self._session.fresh_snapshot()
        started = time.perf_counter()
        self._session.query("SELECT 1")
        latency = (time.perf_counter() - started) * 1000
        return CheckResult(latency, self._session.version, tuple(list_tables(self._session)))

    def tables(self) -> list[TableInfo]:
        """Tables and views of the database that the login may read."""
        self._session.fresh_snapshot()
        return list_tables(self._session)

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """Columns the login may read, in table order."""
        self._session.fresh_snapshot()
        return list_columns(self._session, schema, table)

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """The first ``count`` values per column, as the server prints them, cut after 1,000 characters."""
        if not columns:
            return {}
        sql = select_samples(schema, table, self._columns(schema, table), columns, count)
        rows = self._session.query(sql, f"{schema}.{table}")
        return {name: [row[at] for row in rows] for at, name in enumerate(columns)}

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest cursor value as exact text."""
        request = ReadRequest(schema, table, ())
        column = column_of(self._columns(schema, table), cursor, request)
        rows = self._session.query(select_max(request, column), f"{schema}.{table}", whole_table=True)
        return cursor_text(str(rows[0][0]), column) if rows else None

    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers, refused ones included."""
        sql = select_count(request, self._columns(request.schema, request.table))
        return int(self._session.query(sql, f"{request.schema}.{request.table}", whole_table=True)[0][0])

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sums of whole numbers, decimals and money; a column of another type is left out."""
        known = self._columns(request.schema, request.table)
        names = [name for name in columns if can_be_summed(column_of(known, name, request))]
        if not names:
            return {}
        sql = select_totals(request, known, names)
        (row,) = self._session.query(sql, f"{request.schema}.{request.table}", whole_table=True)
        return {name: None if value is None else Decimal(value) for name, value in zip(names, row, strict=True)}

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches of the driver's Arrow, with everything it would damage sent as text."""
        known = self._columns(request.schema, request.table)
        chosen = [column_of(known, wanted.name, request) for wanted in request.columns]
        yield from read_batches(self._session, request, chosen, select_rows(request, known), cancelled)

    def close(self) -> None:
        """End the session on the server."""
        self._session.close()

    def _columns(self, schema: str, table: str) -> dict[str, ColumnInfo]:
        return {column.name: column for column in list_columns(self._session, schema, table)}

"""MySQL and MariaDB as sources: one open connection."""

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
from b2b_recs.engine.sources.mysql.catalog import list_columns, list_tables
from b2b_recs.engine.sources.mysql.connection import Session
from b2b_recs.engine.sources.mysql.parameters import MySQLParameters
from b2b_recs.engine.sources.mysql.reading import read_batches
from b2b_recs.engine.sources.mysql.select import (
    can_be_summed,
    column_of,
    cursor_text,
    select_count,
    select_max,
    select_rows,
    select_samples,
    select_totals,
)


class MySQLSource(Source):
    """One database, seen through a read-only session that holds a snapshot of its InnoDB tables."""

    def __init__(self, parameters: MySQLParameters, dial: Dialer) -> None:
        self._session = Session(parameters, dial)

    def check(self) -> CheckResult:
        """Latency of one round trip, the server's version, and the tables the login may read."""
        started = time.perf_counter()
        self._session.fresh_snapshot()
        self._session.query("SELECT 1")
        latency = (time.perf_counter() - started) * 1000
        return CheckResult(latency, self._session.version, tuple(list_tables(self._session)))

    def tables(self) -> list[TableInfo]:
        """Tables and views of the connection's database that the login may read."""
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
        known = self._columns(schema, table)
        sql = select_samples(schema, table, known, columns, count, is_mariadb=self._session.is_mariadb)
        rows = self._session.query(sql, f"{schema}.{table}")
        return {name: [row[at] for row in rows] for at, name in enumerate(columns)}

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest cursor value as exact text; moments in UTC, with +00:00."""
        request = ReadRequest(schema, table, ())
        column = column_of(self._columns(schema, table), cursor, request)
        rows = self._session.query(select_max(request, column), f"{schema}.{table}", whole_table=True)
        return cursor_text(str(rows[0][0]), column) if rows else None

    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers, refused ones included."""
        sql = select_count(request, self._columns(request.schema, request.table))
        return int(self._session.query(sql, f"{request.schema}.{request.table}", whole_table=True)[0][0])

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sums of whole numbers and decimals; a column the server cannot add up exactly is left out."""
        known = self._columns(request.schema, request.table)
        names = [name for name in columns if can_be_summed(column_of(known, name, request))]
        if not names:
            return {}
        sql = select_totals(request, known, names)
        (row,) = self._session.query(sql, f"{request.schema}.{request.table}", whole_table=True)
        return {name: None if text is None else Decimal(text) for name, text in zip(names, row, strict=True)}

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches from the snapshot; what the server prints is exact and becomes Arrow without a detour."""
        known = self._columns(request.schema, request.table)
        sql = select_rows(request, known, is_mariadb=self._session.is_mariadb)
        chosen = [known[wanted.name] for wanted in request.columns]
        yield from read_batches(self._session, request, chosen, sql, cancelled)

    def close(self) -> None:
        """End the session on the server."""
        self._session.close()

    def _columns(self, schema: str, table: str) -> dict[str, ColumnInfo]:
        return {column.name: column for column in list_columns(self._session, schema, table)}

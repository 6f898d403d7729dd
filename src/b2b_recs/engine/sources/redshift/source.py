"""Amazon Redshift as a source: one open connection."""

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
from b2b_recs.engine.sources.known_columns import Columns, column_of
from b2b_recs.engine.sources.redshift.catalog import list_columns, list_tables
from b2b_recs.engine.sources.redshift.connection import READ_SECONDS, Session
from b2b_recs.engine.sources.redshift.parameters import RedshiftParameters
from b2b_recs.engine.sources.redshift.reading import read_batches
from b2b_recs.engine.sources.redshift.select import (
    dialect,
    largest_query,
    qualified,
    rows_query,
    travelling,
)
from b2b_recs.engine.sources.sql_rows import counting, summing

_SAMPLE_CHARACTERS = 1000


class RedshiftSource(Source):
    """One read-only session with a Redshift cluster or workgroup."""

    def __init__(self, parameters: RedshiftParameters, dial: Dialer) -> None:
        self._session = Session(parameters, dial)

    def check(self) -> CheckResult:
        """The round trip in milliseconds, the server's version, and every table the login can see."""
        self._session.fresh_snapshot()
        started = time.perf_counter()
        words = str(self._session.query("SELECT version()", "the database")[0][0])
        latency = (time.perf_counter() - started) * 1000
        version = words.rpartition("Redshift ")[2] if "Redshift " in words else words.split(" on ")[0]
        return CheckResult(latency, version, tuple(list_tables(self._session)))

    def tables(self) -> list[TableInfo]:
        """Tables, views and external tables the login can see."""
        self._session.fresh_snapshot()
        return list_tables(self._session)

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """Columns the login can read, in table order, seen afresh."""
        self._session.fresh_snapshot()
        return list_columns(self._session, schema, table)

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """Up to ``count`` values per column as the server prints them, cut after 1,000 characters; the first rows."""
        if not columns:
            return {}
        found, request = self._table(schema, table), ReadRequest(schema, table, ())
        values = ", ".join(travelling(column_of(found, name, request)) for name in columns)
        sql = f"SELECT {values} FROM {qualified(schema, table)} LIMIT {int(count)}"  # noqa: S608 - quoted names only
        rows = self._session.query(sql, f"{schema}.{table}")
        return {
            name: [None if row[at] is None else str(row[at])[:_SAMPLE_CHARACTERS] for row in rows]
            for at, name in enumerate(columns)
        }

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest cursor value as exact text."""
        column = column_of(self._table(schema, table), cursor, ReadRequest(schema, table, ()))
        rows = self._session.query(largest_query(column, schema, table), f"{schema}.{table}", seconds=READ_SECONDS)
        return rows[0][0] if rows else None

    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers."""
        sql = counting(request, dialect(request, self._table(request.schema, request.table)))
        return int(self._session.query(sql, _subject(request), seconds=READ_SECONDS)[0][0] or 0)

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sums of number columns, added up by the server."""
        if not columns:
            return {}
        written = dialect(request, self._table(request.schema, request.table))
        sql = summing(request, written, [f"SUM({written.column(name)})" for name in columns])
        row = self._session.query(sql, _subject(request), seconds=READ_SECONDS)[0]
        return {name: None if text is None else Decimal(text) for name, text in zip(columns, row, strict=True)}

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches from one snapshot of the table."""
        table = self._table(request.schema, request.table)
        yield from read_batches(self._session, request, table, rows_query(request, table), cancelled)

    def close(self) -> None:
        """End the session on the server."""
        self._session.close()

    def _table(self, schema: str, table: str) -> Columns:
        return {column.name: column for column in list_columns(self._session, schema, table)}


def _subject(request: ReadRequest) -> str:
    return f"{request.schema}.{request.table}"

"""SQLite as a source: one open file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from b2b_recs.engine.sources.contract import (
    Batch,
    CheckResult,
    ColumnInfo,
    Dialer,
    ReadRequest,
    Source,
    TableInfo,
)
from b2b_recs.engine.sources.sqlite.catalog import list_columns, list_tables
from b2b_recs.engine.sources.sqlite.parameters import SQLiteParameters
from b2b_recs.engine.sources.sqlite.reading import read_batches, shown
from b2b_recs.engine.sources.sqlite.select import (
    SAMPLE_CHARACTERS,
    Query,
    select_count,
    select_max,
    select_rows,
    select_samples,
    select_totals,
    text_of,
)
from b2b_recs.engine.sources.sqlite.session import Session


class SQLiteSource(Source):
    """One file, read only."""

    def __init__(self, parameters: SQLiteParameters, dial: Dialer) -> None:
        self._session = Session(parameters.file, dial)

    def check(self) -> CheckResult:
        """The time to read the file's catalogue, the version of SQLite, and every table."""
        started = time.perf_counter()
        self._session.fresh_snapshot()
        latency = (time.perf_counter() - started) * 1000
        return CheckResult(latency, f"{sqlite3.sqlite_version}", tuple(list_tables(self._session)))

    def tables(self) -> list[TableInfo]:
        """Tables, views and virtual tables, with the largest row number as the estimate."""
        self._session.fresh_snapshot()
        return list_tables(self._session)

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """Columns in table order, generated ones included, seen afresh."""
        self._session.fresh_snapshot()
        return list_columns(self._session, schema, table)

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """Up to ``count`` values per column as SQLite shows them, cut after 1,000 characters."""
        known = self._table(schema, table)
        request = ReadRequest(schema, table, ())
        if not columns:
            return {}
        query = select_samples(request, known, columns, count)
        rows = self._session.query(query.sql, query.values, table)
        return {name: [_cut(shown(row[at])) for row in rows] for at, name in enumerate(columns)}

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest cursor value of the declared kind as exact text."""
        query = select_max(ReadRequest(schema, table, ()), self._table(schema, table), cursor)
        return text_of(self._ask(query, table)[0])

    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers, refused ones included."""
        columns = self._table(request.schema, request.table)
        return int(self._ask(select_count(request, columns), request.table)[0])

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches from the open snapshot."""
        columns = self._table(request.schema, request.table)
        yield from read_batches(self._session, request, select_rows(request, columns), cancelled)

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sum of each column's numbers, as the decimals they are written as."""
        if not columns:
            return {}
        known = self._table(request.schema, request.table)
        found = self._ask(select_totals(request, known, columns), request.table)
        return {name: None if text is None else Decimal(text) for name, text in zip(columns, found, strict=True)}

    def close(self) -> None:
        """Close the file."""
        self._session.close()

    def _ask(self, query: Query, table: str) -> tuple[Any, ...]:
        return self._session.query(query.sql, query.values, table, whole_table=True)[0]

    def _table(self, schema: str, table: str) -> dict[str, ColumnInfo]:
        return {column.name: column for column in list_columns(self._session, schema, table)}


def _cut(text: str | None) -> str | None:
    return text if text is None else text[:SAMPLE_CHARACTERS]

"""SQLite as a source: one open file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import (
    Batch,
    CheckResult,
    ColumnInfo,
    Dialer,
    ReadRequest,
    Source,
    TableInfo,
)
from b2b_recs.engine.sources.quoting import quote_sqlite
from b2b_recs.engine.sources.sqlite.catalog import list_columns, list_tables, origin
from b2b_recs.engine.sources.sqlite.moments import (
    TIME_TYPES,
    as_stored,
    cursor_text,
    forms_query,
    least_stored,
    sign_in_order,
)
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
from b2b_recs.engine.sources.sqlite.types import rule_for


class SQLiteSource(Source):
    """One file, read only."""

    def __init__(self, parameters: SQLiteParameters, dial: Dialer) -> None:
        self._session = Session(parameters.file, dial)
        # The sign before the time of day by table and column, None where times are not in order as they are stored.
        self._signs: dict[tuple[str, str], str | None] = {}

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
        self._signs.clear()
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
        columns = self._table(schema, table)
        kind = rule_for(columns[cursor]).warehouse if cursor in columns else WarehouseType.STRING
        return self._largest(schema, table, ColumnMapping(cursor, "", kind), columns)

    def largest(self, schema: str, table: str, cursor: ColumnMapping) -> str | None:
        """The same of the kind the column becomes."""
        return self._largest(schema, table, cursor, self._table(schema, table))

    def _largest(self, schema: str, table: str, cursor: ColumnMapping, columns: Mapping[str, ColumnInfo]) -> str | None:
        request = ReadRequest(schema, table, (cursor,))
        _, timed = self._asked(request, columns, cursor.name)
        found = text_of(self._ask(select_max(request, columns, cursor.name, timed), table)[0])
        return cursor_text(found, timed[cursor.name]) if found is not None and cursor.name in timed else found

    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers, refused ones included."""
        columns = self._table(request.schema, request.table)
        asked, timed = self._asked(request, columns)
        return int(self._ask(select_count(asked, columns, timed), request.table)[0])

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches from the open snapshot."""
        columns = self._table(request.schema, request.table)
        asked, timed = self._asked(request, columns)
        yield from read_batches(self._session, request, select_rows(asked, columns, timed), cancelled)

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sum of each column's numbers, as the decimals they are written as."""
        if not columns:
            return {}
        known = self._table(request.schema, request.table)
        asked, timed = self._asked(request, known)
        found = self._ask(select_totals(asked, known, columns, timed), request.table)
        return {name: None if text is None else Decimal(text) for name, text in zip(columns, found, strict=True)}

    def close(self) -> None:
        """Close the file."""
        self._session.close()

    def _asked(
        self, request: ReadRequest, columns: Mapping[str, ColumnInfo], *more: str
    ) -> tuple[ReadRequest, dict[str, WarehouseType]]:
        """The request with its window as the times are written, and the columns to compare by a function.

        To go on after a row is to compare with the text the warehouse makes of it, which has more or fewer digits.
        """
        window = request.window
        compared = {*request.order_by, *more, *([window.cursor] if window else [])}
        kinds = {column.name: column.warehouse_type for column in request.columns if not column.format}
        times = {name: kinds[name] for name in compared if name in columns and kinds.get(name) in TIME_TYPES}
        signs = {name: self._sign(request, name) for name in times}
        timed = {name: kind for name, kind in times.items() if request.key_after or signs[name] is None}
        if window is not None and window.cursor in signs and window.cursor not in timed:
            sign = signs[window.cursor]
            least = least_stored if window.lower_inclusive else as_stored
            written = replace(window, lower=least(window.lower, sign), upper=as_stored(window.upper, sign))
            request = replace(request, window=written)
        return request, timed

    def _sign(self, request: ReadRequest, name: str) -> str | None:
        place = (request.table, name)
        if place not in self._signs:
            sql = forms_query(quote_sqlite(name), origin(request.table))
            forms = self._session.query(sql, (), request.table, whole_table=True)
            self._signs[place] = sign_in_order(str(row[0]) for row in forms)
        return self._signs[place]

    def _ask(self, query: Query, table: str) -> tuple[Any, ...]:
        return self._session.query(query.sql, query.values, table, whole_table=True)[0]

    def _table(self, schema: str, table: str) -> dict[str, ColumnInfo]:
        return {column.name: column for column in list_columns(self._session, schema, table)}


def _cut(text: str | None) -> str | None:
    return text if text is None else text[:SAMPLE_CHARACTERS]

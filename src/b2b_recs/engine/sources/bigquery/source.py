"""BigQuery as a source: one open connection."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from b2b_recs.engine.sources.bigquery.catalog import Table, find_table, list_tables
from b2b_recs.engine.sources.bigquery.connection import READ_SECONDS, Session
from b2b_recs.engine.sources.bigquery.parameters import BigQueryParameters
from b2b_recs.engine.sources.bigquery.reading import read_batches
from b2b_recs.engine.sources.bigquery.select import column_of, dialect, largest_query, origin, shown
from b2b_recs.engine.sources.bigquery.services import Services
from b2b_recs.engine.sources.contract import (
    Batch,
    CheckResult,
    ColumnInfo,
    Dialer,
    ReadRequest,
    Source,
    TableInfo,
)
from b2b_recs.engine.sources.quoting import quote_escaped_name
from b2b_recs.engine.sources.sql_rows import counting, summing

_SAMPLE_CHARACTERS = 1000
_NAME_BYTES = 1024


class BigQuerySource(Source):
    """One connection; after each look, stored tables are read as they were at the first question that followed."""

    def __init__(self, parameters: BigQueryParameters, services: Services, dial: Dialer) -> None:
        self._session = Session(parameters, services, dial)
        self._moment: dt.datetime | None = None

    def check(self) -> CheckResult:
        """The round trip in milliseconds, the service's version, and every table the account may see."""
        self._moment = None
        started = time.perf_counter()
        self._session.query("SELECT 1", "the project")
        latency = (time.perf_counter() - started) * 1000
        return CheckResult(latency, "API v2, Storage Read API v1", tuple(list_tables(self._session)))

    def tables(self) -> list[TableInfo]:
        """Tables and views the account may see."""
        self._moment = None
        return list_tables(self._session)

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """Columns in table order, seen afresh."""
        self._moment = None
        return list(find_table(self._session, schema, table).columns.values())

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """Up to ``count`` values per column as text, cut after 1,000 characters; free of charge but for views."""
        if not columns:
            return {}
        found, request, subject = self._table(schema, table), ReadRequest(schema, table, ()), f"{schema}.{table}"
        wanted = [column_of(found, name, request) for name in columns]
        if found.stored:
            whole = self._session.ask("get_table", found.reference, subject=subject)
            fields = [one for one in whole.schema if one.name in set(columns)]
            rows = self._session.ask("list_rows", whole, selected_fields=fields, max_results=count, subject=subject)
            values = {name: [row.get(name) for row in rows] for name in columns}
        else:
            names = ", ".join(quote_escaped_name(column.name, limit=_NAME_BYTES) for column in wanted)
            sql = f"SELECT {names} FROM {origin(found, None)} LIMIT {int(count)}"  # noqa: S608 - quoted names only
            asked = self._session.query(sql, subject)
            values = {name: [row[at] for row in asked] for at, name in enumerate(columns)}
        return {name: [_cut(shown(value)) for value in found] for name, found in values.items()}

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest cursor value as exact text."""
        found = self._table(schema, table)
        column = column_of(found, cursor, ReadRequest(schema, table, ()))
        sql = largest_query(column, found, self._seen())
        return shown(self._session.query(sql, f"{schema}.{table}", seconds=READ_SECONDS)[0][0])

    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers."""
        found = self._table(request.schema, request.table)
        sql = counting(request, dialect(request, found, self._seen()))
        return int(self._session.query(sql, _subject(request), seconds=READ_SECONDS)[0][0])

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sums of number columns, added up by BigQuery in its widest decimals."""
        if not columns:
            return {}
        found = self._table(request.schema, request.table)
        written = dialect(request, found, self._seen())
        sums = [f"SUM(CAST({written.column(name)} AS BIGNUMERIC)) AS c{at}" for at, name in enumerate(columns)]
        row = self._session.query(summing(request, written, sums), _subject(request), seconds=READ_SECONDS)[0]
        return {name: None if value is None else Decimal(value) for name, value in zip(columns, row, strict=True)}

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches of one state of the table; without an order no query is run and none is paid for."""
        found = self._table(request.schema, request.table)
        yield from read_batches(self._session, request, found, self._seen(), cancelled)

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def _table(self, schema: str, table: str) -> Table:
        return find_table(self._session, schema, table)

    def _seen(self) -> dt.datetime:
        """The moment whose state is seen, by BigQuery's own clock; asking costs nothing."""
        if self._moment is None:
            self._moment = self._session.query("SELECT CURRENT_TIMESTAMP() AS now", "the project")[0][0]
        return self._moment


def _subject(request: ReadRequest) -> str:
    return f"{request.schema}.{request.table}"


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:_SAMPLE_CHARACTERS]

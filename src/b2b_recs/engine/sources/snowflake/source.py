"""Snowflake as a source: one open session."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import (
    Batch,
    CheckResult,
    ColumnInfo,
    Dialer,
    ReadRequest,
    Source,
    TableInfo,
)
from b2b_recs.engine.sources.interrupting import Interruption
from b2b_recs.engine.sources.slicing import sized
from b2b_recs.engine.sources.snowflake.catalog import list_columns, list_tables, qualified, quoted
from b2b_recs.engine.sources.snowflake.connection import READ_SECONDS, Session
from b2b_recs.engine.sources.snowflake.moments import with_exact_times
from b2b_recs.engine.sources.snowflake.parameters import SnowflakeParameters
from b2b_recs.engine.sources.snowflake.select import (
    Columns,
    column_of,
    cursor_text,
    dialect,
    largest_query,
    rows_query,
)
from b2b_recs.engine.sources.snowflake.types import known, printed
from b2b_recs.engine.sources.sql_rows import counting, summing

_SAMPLE_CHARACTERS = 1000


class SnowflakeSource(Source):
    """One session of one user."""

    def __init__(self, parameters: SnowflakeParameters, dial: Dialer) -> None:
        self._session = Session(parameters, dial)

    def check(self) -> CheckResult:
        """The round trip in milliseconds, Snowflake's version, and every table the role can see."""
        started = time.perf_counter()
        version = str(self._session.query("SELECT CURRENT_VERSION()", "the account")[0][0])
        latency = (time.perf_counter() - started) * 1000
        return CheckResult(latency, version, tuple(list_tables(self._session)))

    def tables(self) -> list[TableInfo]:
        """Tables and views the role can see."""
        return list_tables(self._session)

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """Columns in table order, seen afresh."""
        return list_columns(self._session, schema, table)

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """Up to ``count`` values per column as text, cut after 1,000 characters; the first rows that come."""
        if not columns:
            return {}
        found, request = self._table(schema, table), ReadRequest(schema, table, ())
        texts = []
        for at, name in enumerate(columns):
            column = column_of(found, name, request)
            texts.append(f"LEFT({printed(quoted(name), known(column).form)}, {_SAMPLE_CHARACTERS}) AS C{at}")
        origin = qualified(self._session, schema, table)
        sql = f"SELECT {', '.join(texts)} FROM {origin} LIMIT {int(count)}"  # noqa: S608 - quoted names only
        rows = self._session.query(sql, f"{schema}.{table}")
        return {name: [row[at] for row in rows] for at, name in enumerate(columns)}

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest cursor value as exact text."""
        column = column_of(self._table(schema, table), cursor, ReadRequest(schema, table, ()))
        sql = largest_query(column, qualified(self._session, schema, table))
        rows = self._session.query(sql, f"{schema}.{table}", seconds=READ_SECONDS)
        return cursor_text(rows[0][0]) if rows else None

    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers."""
        table = self._table(request.schema, request.table)
        sql = counting(request, dialect(request, table, self._origin(request)))
        return int(self._session.query(sql, _subject(request), seconds=READ_SECONDS)[0][0])

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sums of number columns, added up by Snowflake."""
        if not columns:
            return {}
        table = self._table(request.schema, request.table)
        written = dialect(request, table, self._origin(request))
        sums = [f"TO_VARCHAR(SUM({written.column(name)})) AS C{at}" for at, name in enumerate(columns)]
        rows = self._session.query(summing(request, written, sums), _subject(request), seconds=READ_SECONDS)
        return {name: None if text is None else Decimal(text) for name, text in zip(columns, rows[0], strict=True)}

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches of one query, which sees one state of the table."""
        table = self._table(request.schema, request.table)
        sql = rows_query(request, table, self._origin(request))
        session, cursor = self._session, self._session.cursor()
        forms = [known(table[wanted.name]).form for wanted in request.columns]

        def produce() -> Iterator[Batch]:
            fetched = (batch for part in session.tables(cursor, sql, _subject(request)) for batch in part.to_batches())
            for raw in sized(fetched, request.batch_bytes):
                yield cast_batch(with_exact_times(raw, forms), request.columns, request.time_zone)

        try:
            interruption = Interruption(lambda: session.stop(cursor, sql), session.hang_up)
            yield from read_ahead(produce, request, cancelled, interruption)
        finally:
            with contextlib.suppress(Exception):
                cursor.close()

    def close(self) -> None:
        """End the session on the server."""
        self._session.close()

    def _table(self, schema: str, table: str) -> Columns:
        return {column.name: column for column in list_columns(self._session, schema, table)}

    def _origin(self, request: ReadRequest) -> str:
        return qualified(self._session, request.schema, request.table)


def _subject(request: ReadRequest) -> str:
    return f"{request.schema}.{request.table}"

"""PostgreSQL as a source: one open connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.contract import (
    Batch,
    CheckResult,
    ColumnInfo,
    KeyRange,
    ReadRequest,
    Source,
    TableInfo,
)
from b2b_recs.engine.sources.known_columns import column_of
from b2b_recs.engine.sources.postgresql.catalog import Column, find_table, list_columns, list_tables
from b2b_recs.engine.sources.postgresql.connection import Session
from b2b_recs.engine.sources.postgresql.encoding import ANY_BYTES, readable
from b2b_recs.engine.sources.postgresql.ranges import by_column, by_place, check_place
from b2b_recs.engine.sources.postgresql.reading import read_batches
from b2b_recs.engine.sources.postgresql.select import (
    PLACE,
    Server,
    select_count,
    select_max,
    select_rows,
    select_totals,
)
from b2b_recs.engine.sources.quoting import quote_name, quote_qualified

# A sample of a large table comes from pages all over it; a small one is read from its beginning.
_LARGE = 50_000
_SAMPLE_CHARACTERS = 1000


class PostgreSQLSource(Source):
    """One read-only session with a PostgreSQL server."""

    def __init__(self, session: Session) -> None:
        self._session = session
        # The file on the server's disk that a table's ranges of places lie in, by schema and name.
        self._places: dict[tuple[str, str], int] = {}

    def check(self) -> CheckResult:
        """The round trip in milliseconds, the server's version, and every table the login can read."""
        self._session.fresh_snapshot()
        started = time.perf_counter()
        version = str(self._session.query("SELECT current_setting('server_version')")[0][0])
        latency = (time.perf_counter() - started) * 1000
        return CheckResult(latency, version, tuple(list_tables(self._session)))

    def tables(self) -> list[TableInfo]:
        """Tables, views, materialized views and foreign tables the login can read."""
        self._session.fresh_snapshot()
        return list_tables(self._session)

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """Columns the login can read, in table order, seen afresh."""
        self._session.fresh_snapshot()
        return [column.info for column in list_columns(self._session, schema, table)]

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """Up to ``count`` values per column, as the server prints them, cut after 1,000 characters."""
        if not columns:
            return {}
        found = find_table(self._session, schema, table)
        cut = [f"left({quote_name(name)}::text, {_SAMPLE_CHARACTERS})" for name in columns]
        anything = self._server().encoding == ANY_BYTES
        texts = ", ".join(readable(text) if anything else text for text in cut)
        origin = quote_qualified(schema, table)
        rows: list[tuple[Any, ...]] = []
        if found.kind in ("r", "m") and found.rows > max(_LARGE, count * 50):
            percent = min(100.0, 150.0 * count / found.rows)
            rows = self._session.query(
                f"SELECT {texts} FROM {origin} TABLESAMPLE SYSTEM ({percent:.6f}) REPEATABLE (1) LIMIT {int(count)}",  # noqa: S608
                f"{schema}.{table}",
            )
        if len(rows) < count // 2 or not rows:
            rows = self._session.query(
                f"SELECT {texts} FROM {origin} LIMIT {int(count)}",  # noqa: S608 - quoted names only
                f"{schema}.{table}",
            )
        return {name: [row[at] for row in rows] for at, name in enumerate(columns)}

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest finite cursor value as exact text."""
        columns = self._table(schema, table)
        column = column_of(columns, cursor, ReadRequest(schema, table, ()))
        rows = self._session.query(select_max(schema, table, column), f"{schema}.{table}", whole_table=True)
        return str(rows[0][0]) if rows else None

    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers, refused ones included."""
        table = self._table(request.schema, request.table)
        subject = f"{request.schema}.{request.table}"
        return int(self._session.query(select_count(request, table), subject, whole_table=True)[0][0])

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches from one snapshot; the SELECT casts every column on the server."""
        self._check_zone(request.time_zone)
        table = self._table(request.schema, request.table)
        yield from read_batches(self._session, request, select_rows(request, table, self._server()), cancelled)
        if request.key_range is not None and request.key_range.column == PLACE:
            check_place(self._session, request, self._places[request.schema, request.table])

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sum of each column over the request, NaN where a value is no number."""
        if not columns:
            return {}
        sql = select_totals(request, self._table(request.schema, request.table), columns)
        row = self._session.query(sql, f"{request.schema}.{request.table}", whole_table=True)[0]
        return {name: None if text is None else Decimal(text) for name, text in zip(columns, row, strict=True)}

    def key_ranges(self, request: ReadRequest, column: str, parts: int) -> tuple[KeyRange, ...]:
        """Ranges of the place of rows on disk for a read in no order, else of ``column``."""
        if not request.order_by and request.window is None:
            ranges, file = by_place(self._session, request, self._server(), parts)
            self._places[request.schema, request.table] = file
            if ranges or not column:
                return ranges
        return by_column(self._session, request, self._table(request.schema, request.table), column, parts)

    def beside(self) -> PostgreSQLSource:
        """Another session in this one's snapshot."""
        other = PostgreSQLSource(self._session.beside())
        other._places = self._places
        return other

    def close(self) -> None:
        """End the session on the server."""
        self._session.close()

    def _server(self) -> Server:
        sql = "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"
        version, encoding = self._session.query(sql)[0]
        return Server(int(version), str(encoding))

    def _table(self, schema: str, table: str) -> dict[str, Column]:
        return {column.info.name: column for column in list_columns(self._session, schema, table)}

    def _check_zone(self, time_zone: str) -> None:
        if time_zone != "UTC":
            names = self._session.query("SELECT name FROM pg_timezone_names")
            if (time_zone,) not in names:
                raise BadInput(
                    f"The server does not know the time zone {time_zone}.",
                    advice="Choose a zone such as Europe/London.",
                    field="time_zone",
                )

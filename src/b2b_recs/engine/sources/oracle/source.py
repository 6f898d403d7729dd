"""Oracle as a source: one open connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

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
from b2b_recs.engine.sources.oracle.catalog import list_columns, list_tables
from b2b_recs.engine.sources.oracle.connection import READ_SECONDS, Session
from b2b_recs.engine.sources.oracle.parameters import OracleParameters
from b2b_recs.engine.sources.oracle.select import Writer

_SAMPLE_CHARACTERS = 1000
_FEWEST, _MOST = 50, 50_000
_SAMPLE_ROWS = 200


class OracleSource(Source):
    """One read-only session with a database."""

    def __init__(self, parameters: OracleParameters, dial: Dialer) -> None:
        self._session = Session(parameters, dial)

    def check(self) -> CheckResult:
        """The round trip in milliseconds, the server's version, and every table the login can read."""
        self._session.fresh_snapshot()
        started = time.perf_counter()
        self._session.query("SELECT 1 FROM dual", {}, "the database")
        latency = (time.perf_counter() - started) * 1000
        return CheckResult(latency, self._session.version, tuple(list_tables(self._session)))

    def tables(self) -> list[TableInfo]:
        """Tables and views the login can read, those of the system left out."""
        self._session.fresh_snapshot()
        return list_tables(self._session)

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """Columns the login can read, in table order, seen afresh."""
        self._session.fresh_snapshot()
        return list_columns(self._session, schema, table)

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """The first ``count`` values per column as text, cut after 1,000 characters."""
        known = self._columns(schema, table)
        if not columns:
            return {}
        statement = Writer(ReadRequest(schema, table, ()), known).samples(columns, count)
        rows = self._session.query(statement.sql, statement.values, f"{schema}.{table}")
        return {
            name: [None if row[at] is None else _text(row[at])[:_SAMPLE_CHARACTERS] for row in rows]
            for at, name in enumerate(columns)
        }

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest cursor value as exact text."""
        statement = Writer(ReadRequest(schema, table, ()), self._columns(schema, table)).largest(cursor)
        rows = self._session.query(statement.sql, statement.values, f"{schema}.{table}", seconds=READ_SECONDS)
        found = rows[0][0] if rows else None
        return None if found is None else str(found).strip()

    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers."""
        statement = Writer(request, self._columns(request.schema, request.table)).count()
        return int(self._session.query(statement.sql, statement.values, _subject(request), seconds=READ_SECONDS)[0][0])

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sums of number columns, added up by the server in its decimals of 38 digits and more."""
        if not columns:
            return {}
        statement = Writer(request, self._columns(request.schema, request.table)).totals(columns)
        (row,) = self._session.query(statement.sql, statement.values, _subject(request), seconds=READ_SECONDS)
        return {name: None if text is None else Decimal(text) for name, text in zip(columns, row, strict=True)}

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches from one snapshot of the table."""
        known = self._columns(request.schema, request.table)
        statement = Writer(request, known).rows()

        def produce() -> Iterator[Batch]:
            size = self._rows_of_a_batch(request, known)
            for frame in self._session.arrow(statement.sql, statement.values, _subject(request), size):
                for raw in pa.table(frame).to_batches():
                    yield cast_batch(raw, request.columns, request.time_zone)

        interruption = Interruption(self._session.interrupt, self._session.hang_up)
        yield from read_ahead(produce, request, cancelled, interruption)

    def close(self) -> None:
        """End the session on the server."""
        self._session.close()

    def _rows_of_a_batch(self, request: ReadRequest, known: Mapping[str, ColumnInfo]) -> int:
        """How many rows have about the bytes of a batch, from the widths of some.

        Declared lengths say little: VARCHAR2(4000) mostly holds words.
        """
        some = ReadRequest(
            request.schema, request.table, request.columns, row_limit=_SAMPLE_ROWS, time_zone=request.time_zone
        )
        first = Writer(some, known).rows()
        frames = self._session.arrow(first.sql, first.values, _subject(request), _SAMPLE_ROWS)
        tables = [pa.table(frame) for frame in frames]
        rows, width = sum(table.num_rows for table in tables), sum(table.nbytes for table in tables)
        return max(_FEWEST, min(_MOST, request.batch_bytes * rows // width)) if width else _FEWEST

    def _columns(self, schema: str, table: str) -> dict[str, ColumnInfo]:
        return {column.name: column for column in list_columns(self._session, schema, table)}


def _text(value: Any) -> str:
    return str(value.read()) if hasattr(value, "read") else str(value)


def _subject(request: ReadRequest) -> str:
    return f"{request.schema}.{request.table}"

"""A source that asks one session of a server in SQL: what such sources share, whatever the server's dialect."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from b2b_recs.engine.sources.contract import CheckResult, ColumnInfo, ReadRequest, Source, TableInfo
from b2b_recs.engine.sources.known_columns import Columns, column_of


class SqlSession(Protocol):
    """A session that reads, with a snapshot where the server has one."""

    version: str

    def fresh_snapshot(self) -> None:
        """See the database as it is now."""
        ...

    def query(self, sql: str, subject: str = "the database", *, whole_table: bool = False) -> list[tuple[Any, ...]]:
        """The rows of a small answer; a question about a whole table gets as long as a bulk read."""
        ...

    def close(self) -> None:
        """End the session on the server."""
        ...


AnySession = TypeVar("AnySession", bound=SqlSession)


@dataclass(frozen=True, slots=True)
class Questions(Generic[AnySession]):
    """How one kind of server is asked: what its catalogue says, and the statements in its dialect.

    ``largest`` selects the largest value of a cursor, ``printed`` makes exact text of what was selected;
    ``summable`` says whether the server adds a column up exactly.
    """

    tables: Callable[[AnySession], list[TableInfo]]
    columns: Callable[[AnySession, str, str], list[ColumnInfo]]
    samples: Callable[[AnySession, ReadRequest, Columns, Sequence[str], int], str]
    largest: Callable[[ReadRequest, ColumnInfo], str]
    printed: Callable[[str, ColumnInfo], str]
    count: Callable[[ReadRequest, Columns], str]
    totals: Callable[[ReadRequest, Columns, Sequence[str]], str]
    summable: Callable[[ColumnInfo], bool]


class SqlSource(Source, Generic[AnySession]):
    """One database, seen through a session that only reads."""

    def __init__(self, session: AnySession, questions: Questions[AnySession]) -> None:
        self._session = session
        self._ask = questions

    def check(self) -> CheckResult:
        """Latency of one round trip, the server's version, and the tables the login may read."""
        self._session.fresh_snapshot()
        started = time.perf_counter()
        self._session.query("SELECT 1")
        latency = (time.perf_counter() - started) * 1000
        return CheckResult(latency, self._session.version, tuple(self._ask.tables(self._session)))

    def tables(self) -> list[TableInfo]:
        """Tables and views of the connection's database that the login may read."""
        self._session.fresh_snapshot()
        return self._ask.tables(self._session)

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """Columns the login may read, in table order."""
        self._session.fresh_snapshot()
        return self._ask.columns(self._session, schema, table)

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """The first ``count`` values per column, as the server prints them, cut after 1,000 characters."""
        if not columns:
            return {}
        request = ReadRequest(schema, table, ())
        sql = self._ask.samples(self._session, request, self._columns(request), columns, count)
        rows = self._session.query(sql, f"{schema}.{table}")
        return {name: [row[at] for row in rows] for at, name in enumerate(columns)}

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """The largest cursor value as exact text."""
        request = ReadRequest(schema, table, ())
        column = column_of(self._columns(request), cursor, request)
        rows = self._session.query(self._ask.largest(request, column), f"{schema}.{table}", whole_table=True)
        return self._ask.printed(str(rows[0][0]), column) if rows else None

    def count(self, request: ReadRequest) -> int:
        """How many rows the request covers, refused ones included."""
        sql = self._ask.count(request, self._columns(request))
        return int(self._session.query(sql, f"{request.schema}.{request.table}", whole_table=True)[0][0])

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        """The exact sums of number columns; a column the server cannot add up exactly is left out."""
        known = self._columns(request)
        names = [name for name in columns if self._ask.summable(column_of(known, name, request))]
        if not names:
            return {}
        sql = self._ask.totals(request, known, names)
        (row,) = self._session.query(sql, f"{request.schema}.{request.table}", whole_table=True)
        return {name: None if text is None else Decimal(text) for name, text in zip(names, row, strict=True)}

    def close(self) -> None:
        """End the session on the server."""
        self._session.close()

    def _columns(self, request: ReadRequest) -> dict[str, ColumnInfo]:
        return {column.name: column for column in self._ask.columns(self._session, request.schema, request.table)}

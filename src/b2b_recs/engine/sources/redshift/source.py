"""Amazon Redshift as a source: what it declares, and one open connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import (
    Batch,
    Capabilities,
    CheckResult,
    ColumnInfo,
    Dialer,
    ParametersModel,
    ReadRequest,
    Source,
    SourceType,
    TableInfo,
)
from b2b_recs.engine.sources.redshift.catalog import list_columns, list_tables
from b2b_recs.engine.sources.redshift.connection import READ_SECONDS, Session
from b2b_recs.engine.sources.redshift.parameters import RedshiftParameters
from b2b_recs.engine.sources.redshift.reading import read_batches
from b2b_recs.engine.sources.redshift.select import (
    Columns,
    column_of,
    dialect,
    largest_query,
    qualified,
    rows_query,
    travelling,
)
from b2b_recs.engine.sources.redshift.types import RULES, propose
from b2b_recs.engine.sources.rules import TypeRule
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


class Redshift(SourceType):
    """The declaration of Amazon Redshift."""

    type: ClassVar[str] = "redshift"
    name: ClassVar[str] = "Amazon Redshift"
    category: ClassVar[str] = "warehouses"
    Parameters: ClassVar[ParametersModel] = RedshiftParameters
    capabilities: ClassVar[Capabilities] = Capabilities(checksum=True, unique_keys=False)
    rules: ClassVar[Mapping[str, TypeRule]] = RULES
    verified_against: ClassVar[str] = (
        "PostgreSQL 18 with views named like Redshift's, as a stand-in; not against Redshift itself"
    )
    grants: ClassVar[str] = """\
CREATE USER b2b_recs PASSWORD '...';
GRANT USAGE ON SCHEMA my_schema TO b2b_recs;
GRANT SELECT ON ALL TABLES IN SCHEMA my_schema TO b2b_recs;
ALTER DEFAULT PRIVILEGES IN SCHEMA my_schema GRANT SELECT ON TABLES TO b2b_recs;
GRANT SELECT ON svv_table_info TO b2b_recs;
"""

    def open(self, parameters: Any, dial: Dialer) -> RedshiftSource:
        """Connect. Raises HostUnknown, ConnectionRefused, AuthenticationRefused, DatabaseMissing, SourceRefused."""
        if not isinstance(parameters, RedshiftParameters):
            raise TypeError("parameters must be RedshiftParameters")
        return RedshiftSource(parameters, dial)

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        """The warehouse type of every column; times without a zone stay so, whatever ``time_zone`` is."""
        return propose(columns, samples)

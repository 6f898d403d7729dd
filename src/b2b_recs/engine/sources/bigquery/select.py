"""The SQL of reading one BigQuery table."""

from __future__ import annotations

import base64
import datetime as dt
import json
from decimal import Decimal
from typing import Any

from b2b_recs.engine.errors import BadInput, ColumnMissing
from b2b_recs.engine.sources.bigquery.catalog import Table, quoted
from b2b_recs.engine.sources.bigquery.types import COMPARED, sql_name
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest
from b2b_recs.engine.sources.quoting import quote_escaped_text
from b2b_recs.engine.sources.sql_rows import Dialect, covered


def dialect(request: ReadRequest, table: Table, moment: dt.datetime | None) -> Dialect:
    """How BigQuery writes what the request names; stored tables are seen as they were at ``moment``."""

    def literal(name: str, text: str) -> str:
        kind, value = sql_name(column_of(table, name, request).base_type), quote_escaped_text(text)
        if kind == "STRING":
            return value
        if kind == "BYTES":
            return f"FROM_HEX({value})"
        if kind not in COMPARED:
            raise BadInput(f"{name} cannot be compared.", advice="Choose another column.", field=name)
        return f"CAST({value} AS {kind})"

    def compared(name: str) -> str:
        return quoted(column_of(table, name, request).name)

    def beyond(name: str) -> str:
        return _beyond(column_of(table, name, request))

    return Dialect(origin(table, moment), compared, literal, every_partition(table), beyond)


def origin(table: Table, moment: dt.datetime | None) -> str:
    """The quoted full name of a table, and the moment at which it is looked at."""
    one = table.reference
    name = quoted(f"{one.project}.{one.dataset_id}.{one.table_id}")
    if moment is None or not table.stored:
        return name
    return f"{name} FOR SYSTEM_TIME AS OF TIMESTAMP '{moment.strftime('%Y-%m-%d %H:%M:%S.%f')}+00:00'"


def every_partition(table: Table) -> str:
    """A condition on the partition that every row meets, for tables that may not be queried without one; else empty."""
    if table.partition is None:
        return ""
    name, kind = table.partition
    least = "-9223372036854775808" if kind == "INT64" else f"CAST('0001-01-01' AS {kind})"
    return f"({quoted(name)} >= {least} OR {quoted(name)} IS NULL)"


def chosen(request: ReadRequest, table: Table) -> list[str]:
    """The names of the wanted columns. Raises ColumnMissing, and BadInput without a column."""
    if not request.columns:
        raise BadInput("No column is chosen.", advice="Choose at least one column.", field="columns")
    return [column_of(table, wanted.name, request).name for wanted in request.columns]


def rows_query(request: ReadRequest, table: Table, moment: dt.datetime | None) -> str:
    """The query of a read that needs an order, a limit, or a view."""
    names = ", ".join(map(quoted, chosen(request, table)))
    return f"SELECT {names} {covered(request, dialect(request, table, moment))}"


def largest_query(column: ColumnInfo, table: Table, moment: dt.datetime | None) -> str:
    """The query of the largest usable value of a column; NaN and infinity are no cursor."""
    name = quoted(column.name)
    usable = f"{name} IS NOT NULL"
    if beyond := _beyond(column):
        usable += f" AND NOT ({beyond})"
    if table.partition is not None:
        usable += f" AND {every_partition(table)}"
    return f"SELECT MAX({name}) AS largest FROM {origin(table, moment)} WHERE {usable}"  # noqa: S608 - quoted names


def _beyond(column: ColumnInfo) -> str:
    """SQL of whether a value is none to go on from, empty where all are."""
    name = quoted(column.name)
    return f"IS_NAN({name}) OR IS_INF({name})" if column.base_type == "FLOAT" else ""


def shown(value: Any) -> str | None:
    """A value of the library as exact text."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict | list):
        return json.dumps(value, default=_nested, ensure_ascii=False)
    return str(value)


def column_of(table: Table, name: str, request: ReadRequest) -> ColumnInfo:
    """The table's column of that name. Raises ColumnMissing."""
    try:
        return table.columns[name]
    except KeyError:
        raise ColumnMissing(
            f"{request.schema}.{request.table} has no column {name}.",
            advice="Open the job and choose its columns again.",
            field=name,
        ) from None


def _nested(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(shown(value))

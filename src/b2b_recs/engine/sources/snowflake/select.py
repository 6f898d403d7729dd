"""The SQL of reading one Snowflake table."""

from __future__ import annotations

import re
from collections.abc import Mapping

from b2b_recs.engine.errors import BadInput, ColumnMissing
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest
from b2b_recs.engine.sources.quoting import quote_escaped_text
from b2b_recs.engine.sources.snowflake.catalog import quoted
from b2b_recs.engine.sources.snowflake.types import Form, known, printed, travelling
from b2b_recs.engine.sources.sql_rows import Dialect, covered

Columns = Mapping[str, ColumnInfo]

# The type a text becomes when it is compared with a column.
_CASTS = {Form.TIME: "TIME(9)", Form.WALL: "TIMESTAMP_NTZ(9)", Form.MOMENT: "TIMESTAMP_TZ(9)", Form.FLOAT: "FLOAT"}
_NOT_NUMBERS = "('NaN'::FLOAT, 'inf'::FLOAT, '-inf'::FLOAT)"


def dialect(request: ReadRequest, columns: Columns, origin: str) -> Dialect:
    """How Snowflake writes what the request names."""

    def literal(name: str, text: str) -> str:
        column = column_of(columns, name, request)
        form, value = known(column).form, quote_escaped_text(text)
        if form is Form.TEXT:
            return value
        if form is Form.BYTES:
            return f"TO_BINARY({value}, 'HEX')"
        cast = _CASTS.get(form) or re.sub(r"[^A-Z0-9_(), ]", "", column.source_type)
        # A bound, the cursor less the lag, may have more digits than the column takes.
        cast = re.sub(r"^NUMBER\(\d+", "NUMBER(38", cast)
        return f"{value}::{cast}"

    def compared(name: str) -> str:
        return quoted(column_of(columns, name, request).name)

    return Dialect(origin, compared, literal, beyond=lambda name: _beyond(column_of(columns, name, request)))


def rows_query(request: ReadRequest, columns: Columns, origin: str) -> str:
    """The query of a read. Raises ColumnMissing, and BadInput without a column."""
    if not request.columns:
        raise BadInput("No column is chosen.", advice="Choose at least one column.", field="columns")
    values = []
    for wanted in request.columns:
        column = column_of(columns, wanted.name, request)
        values.append(travelling(quoted(column.name), known(column).form))
    aliased = [f"{value} AS B2B_RECS_{at}" for at, value in enumerate(values)]
    return f"SELECT {', '.join(aliased)} {covered(request, dialect(request, columns, origin))}"


def largest_query(column: ColumnInfo, origin: str) -> str:
    """The query of the largest usable value of a column; NaN and infinity are no cursor."""
    name, form = quoted(column.name), known(column).form
    usable = f"{name} IS NOT NULL"
    if beyond := _beyond(column):
        usable += f" AND NOT ({beyond})"
    value = name if form is Form.FLOAT else printed(name, form)
    return f"SELECT {value} AS B2B_RECS_0 FROM {origin} WHERE {usable} ORDER BY {name} DESC LIMIT 1"  # noqa: S608 - quoted names


def _beyond(column: ColumnInfo) -> str:
    """SQL of whether a value is none to go on from, empty where all are."""
    return f"{quoted(column.name)} IN {_NOT_NUMBERS}" if known(column).form is Form.FLOAT else ""


def cursor_text(value: object) -> str:
    """A cursor value as exact text, without digits below a microsecond that are all zero."""
    text = repr(value) if isinstance(value, float) else str(value)
    return re.sub(r"(:\d{2}\.\d{6})000(?=$|\+)", r"\1", text)


def column_of(columns: Columns, name: str, request: ReadRequest) -> ColumnInfo:
    """The table's column of that name. Raises ColumnMissing."""
    try:
        return columns[name]
    except KeyError:
        raise ColumnMissing(
            f"{request.schema}.{request.table} has no column {name}.",
            advice="Open the job and choose its columns again.",
            field=name,
        ) from None

"""The SQL of reading one Redshift table, in no newer words than Redshift has."""

from __future__ import annotations

import re

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest
from b2b_recs.engine.sources.known_columns import Columns, column_of
from b2b_recs.engine.sources.quoting import quote_name, quote_text_without_backslash
from b2b_recs.engine.sources.sql_rows import Dialect, covered

NAME_BYTES = 127
FLOATS = ("real", "double precision")
TIMES = ("date", "timestamp without time zone", "timestamp with time zone")


def quoted(name: str) -> str:
    """A quoted name. Raises BadInput for one that cannot be."""
    return quote_name(name, limit=NAME_BYTES)


def qualified(schema: str, table: str) -> str:
    """The quoted name of a table with its schema."""
    return f"{quoted(schema)}.{quoted(table)}"


def dialect(request: ReadRequest, columns: Columns) -> Dialect:
    """How Redshift writes what the request names."""

    def literal(name: str, text: str) -> str:
        column = column_of(columns, name, request)
        if column.base_type.startswith("character") or column.base_type == "text":
            return quote_text_without_backslash(text)
        cast = re.sub(r"[^a-z0-9_(), ]", "", column.source_type.lower())
        # A bound, the cursor less the lag, may have more digits than the column takes.
        cast = re.sub(r"^numeric\(\d+", "numeric(38", cast)
        return f"CAST({quote_text_without_backslash(text)} AS {cast})"

    return Dialect(
        qualified(request.schema, request.table),
        lambda name: quoted(column_of(columns, name, request).name),
        literal,
        beyond=lambda name: _beyond(column_of(columns, name, request)),
    )


def rows_query(request: ReadRequest, columns: Columns) -> str:
    """The query of a read. Raises ColumnMissing, and BadInput without a column."""
    if not request.columns:
        raise BadInput("No column is chosen.", advice="Choose at least one column.", field="columns")
    values = [travelling(column_of(columns, wanted.name, request)) for wanted in request.columns]
    return f"SELECT {', '.join(values)} {covered(request, dialect(request, columns))}"


def largest_query(column: ColumnInfo, schema: str, table: str) -> str:
    """The query of the largest usable value of a column; NaN, infinity and years past 9999 are no cursor."""
    name, beyond = quoted(column.name), _beyond(column)
    usable = f"{name} IS NOT NULL{f' AND NOT ({beyond})' if beyond else ''}"
    origin = qualified(schema, table)
    return f"SELECT {travelling(column)} FROM {origin} WHERE {usable} ORDER BY {name} DESC LIMIT 1"  # noqa: S608


def _beyond(column: ColumnInfo) -> str:
    """SQL of whether a value is none to go on from, empty where all are."""
    name = quoted(column.name)
    if column.base_type in FLOATS:
        words = (f"CAST('{word}' AS double precision)" for word in ("NaN", "Infinity", "-Infinity"))
        return f"{name} IN ({', '.join(words)})"
    if column.base_type in TIMES:
        return f"{name} >= CAST('10000-01-01' AS {column.base_type})"
    return ""


def travelling(column: ColumnInfo) -> str:
    """SQL of a column as it is read; all but these arrive as the server prints them."""
    name = quoted(column.name)
    if column.base_type == "real":
        # With all its digits; the server prints too few of a short one.
        return f"CAST({name} AS double precision)"
    if column.base_type == "binary varying":
        return f"from_varbyte({name}, 'hex')"
    return name

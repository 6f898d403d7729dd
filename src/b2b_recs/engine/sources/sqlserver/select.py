"""The SELECT that reads one table, and the texts of cursors and keys turned into its literals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest
from b2b_recs.engine.sources.foreign_shapes import FOREIGN_SHAPE
from b2b_recs.engine.sources.known_columns import Columns, checked_text, column_of
from b2b_recs.engine.sources.quoting import quote_brackets, quote_plain_text
from b2b_recs.engine.sources.sql_rows import Dialect, filters
from b2b_recs.engine.sources.sqlserver.types import Kind, kind_of

SAMPLE_CHARACTERS = 1_000
_SHORT_TEXT = 4_000

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_FLOAT = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.\d{1,7})?))? ?(Z|[+-]\d\d(?::?\d\d)?)?")
_CLOCK = re.compile(r"\d\d:\d\d:\d\d(\.\d{1,7})?")
_HEX = re.compile(r"(0x)?([0-9A-Fa-f]{2})*")
_UNIQUE = re.compile(r"[0-9A-Fa-f-]{36}")
_WITH_TIME = (Kind.DATETIME, Kind.TICKS, Kind.OFFSET)
_SUMMED = (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY)


def select_rows(request: ReadRequest, columns: Columns) -> str:
    """The query of a read. Raises ColumnMissing, and BadInput when no column is chosen."""
    if not request.columns:
        raise BadInput("No column is chosen.", advice="Choose at least one column.", field="columns")
    sent = [sent_as(column_of(columns, wanted.name, request)) for wanted in request.columns]
    return f"SELECT {', '.join(sent)} {_covered(request, columns)}"


def select_count(request: ReadRequest, columns: Columns) -> str:
    """The query that counts the rows of a request."""
    if request.row_limit is None:
        return f"SELECT COUNT_BIG(*) {_covered(request, columns, ordered=False)}"
    return f"SELECT COUNT_BIG(*) FROM (SELECT 1 AS one {_covered(request, columns)}) AS covered"  # noqa: S608 - quoted


def select_totals(request: ReadRequest, columns: Columns, names: Sequence[str]) -> str:
    """The query of the sums of these columns over a request; decimals of 38 digits hold them."""
    sums = []
    for name in names:
        column = column_of(columns, name, request)
        sums.append(f"SUM(CAST({quote_brackets(name)} AS decimal(38, {column.scale or 0})))")
    if request.row_limit is None:
        return f"SELECT {', '.join(sums)} {_covered(request, columns, ordered=False)}"
    inner = ", ".join(map(quote_brackets, names))
    return f"SELECT {', '.join(sums)} FROM (SELECT {inner} {_covered(request, columns)}) AS covered"  # noqa: S608


def can_be_summed(column: ColumnInfo) -> bool:
    """Whether the server adds the column up without losing a digit."""
    return kind_of(column) in _SUMMED


def select_max(request: ReadRequest, column: ColumnInfo) -> str:
    """The query of the largest cursor value as exact text."""
    name = quote_brackets(column.name)
    return (
        f"SELECT TOP (1) {shown(column)} FROM {_origin(request.schema, request.table)} "  # noqa: S608 - quoted names only
        f"WHERE {name} IS NOT NULL ORDER BY {_compared(column)} DESC"
    )


def select_samples(request: ReadRequest, columns: Columns, names: Sequence[str], count: int) -> str:
    """The query of some values as text, each cut after a thousand characters."""
    # LEFT of a long text would be one too, which the driver reads in another way.
    texts = [f"CONVERT(nvarchar({SAMPLE_CHARACTERS}), {shown(column_of(columns, name, request))})" for name in names]
    return f"SELECT TOP ({int(count)}) {', '.join(texts)} FROM {_origin(request.schema, request.table)}"  # noqa: S608 - as above


def sent_as(column: ColumnInfo) -> str:
    """SQL of a column that the driver hands over exactly: times, whose last digit it would cut, go as text."""
    name, kind = quote_brackets(column.name), kind_of(column)
    if kind is Kind.MONEY:
        return f"CAST({name} AS decimal({column.precision or 19}, 4))"
    if kind is Kind.REAL:
        return f"CAST({name} AS float)"
    if kind in (*_WITH_TIME, Kind.TIME):
        return f"CONVERT(nvarchar(40), {name}, 121)"
    if kind is Kind.TEXT and column.type_kind == "own character set":
        size = "max" if not column.precision or column.precision > _SHORT_TEXT else str(column.precision)
        return f"CONVERT(nvarchar({size}), {name})"
    if kind in (Kind.LONG_TEXT, Kind.OTHER):
        return f"CONVERT(nvarchar(max), {name})"
    if kind is Kind.LONG_BYTES:
        return f"CONVERT(varbinary(max), {name})"
    if kind is Kind.ROWVERSION:
        return f"CONVERT(varbinary(8), {name})"
    if kind is Kind.UNIQUE:
        return f"CONVERT(nvarchar(36), {name})"
    if kind is Kind.VARIANT:
        return _variant(name)
    if kind is Kind.METHOD_TEXT:
        return f"{name}.ToString()"
    if kind is Kind.SHAPE:
        text = f"{name}.STAsText()"
        foreign = f"CONCAT(N'{FOREIGN_SHAPE}', {name}.STSrid, N';', {text})"
        # A shape that is NULL has no number either, and CONCAT would make a text of that.
        return f"CASE WHEN {name}.STSrid NOT IN (0, 4326) THEN {foreign} ELSE {text} END"
    return name


def shown(column: ColumnInfo) -> str:
    """SQL of a column's exact text."""
    name, kind = quote_brackets(column.name), kind_of(column)
    if kind in (Kind.FLOAT, Kind.REAL):
        return f"CONVERT(nvarchar(60), CAST({name} AS float), 3)"
    if kind is Kind.DATE:
        return f"CONVERT(nvarchar(40), {name}, 23)"
    if kind in (Kind.INTEGER, Kind.BIT, Kind.DECIMAL, Kind.MONEY):
        return f"CONVERT(nvarchar(60), {sent_as(column)})"
    if kind in (Kind.BYTES, Kind.LONG_BYTES, Kind.ROWVERSION):
        return f"CONVERT(nvarchar(max), CONVERT(varbinary(max), {name}), 1)"
    return sent_as(column)


def _variant(name: str) -> str:
    """SQL of a value of any type as exact text, by its own type."""
    base = f"CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY({name}, 'BaseType'))"
    return (
        f"CASE WHEN {base} IN ('float', 'real') THEN CONVERT(nvarchar(4000), CAST({name} AS float), 3) "
        f"WHEN {base} IN ('money', 'smallmoney') THEN CONVERT(nvarchar(4000), CAST({name} AS decimal(19, 4))) "
        f"WHEN {base} IN ('date', 'datetime', 'datetime2', 'smalldatetime') "
        f"THEN CONVERT(nvarchar(4000), CAST({name} AS datetime2(7)), 121) "
        f"WHEN {base} = 'datetimeoffset' THEN CONVERT(nvarchar(4000), CAST({name} AS datetimeoffset(7)), 121) "
        f"WHEN {base} = 'time' THEN CONVERT(nvarchar(4000), CAST({name} AS time(7)), 121) "
        f"WHEN {base} IN ('binary', 'varbinary') THEN CONVERT(nvarchar(max), CAST({name} AS varbinary(8000)), 1) "
        f"ELSE CONVERT(nvarchar(4000), {name}) END"
    )


def cursor_text(text: str, column: ColumnInfo) -> str:
    """A cursor value as the server prints it; the blank before an offset, which no one else writes, is left out."""
    return re.sub(r" ([+-]\d\d:\d\d)$", r"\1", text) if kind_of(column) is Kind.OFFSET else text


def _covered(request: ReadRequest, columns: Columns, *, ordered: bool = True) -> str:
    """FROM to the row limit of a request."""
    dialect = Dialect(
        origin=_origin(request.schema, request.table),
        column=lambda name: _compared(column_of(columns, name, request)),
        literal=lambda name, text: literal(text, column_of(columns, name, request), request.time_zone),
    )
    conditions = filters(request, dialect)
    parts = [f"FROM {dialect.origin}", *([f"WHERE {conditions}"] if conditions else [])]
    if request.order_by and ordered:
        parts.append("ORDER BY " + ", ".join(map(dialect.column, request.order_by)))
    if request.row_limit is not None and ordered:
        if not request.order_by:
            parts.append("ORDER BY (SELECT NULL)")
        parts.append(f"OFFSET 0 ROWS FETCH NEXT {int(request.row_limit)} ROWS ONLY")
    return " ".join(parts)


def _origin(schema: str, table: str) -> str:
    return f"{quote_brackets(schema)}.{quote_brackets(table)}"


def _compared(column: ColumnInfo) -> str:
    """SQL by which a column is compared and ordered."""
    kind = kind_of(column)
    return sent_as(column) if kind in (Kind.LONG_TEXT, Kind.SHAPE, Kind.OTHER) else quote_brackets(column.name)


def literal(text: str, column: ColumnInfo, time_zone: str) -> str:
    """``text`` as a value of the column's type. Raises BadInput when it is none."""
    kind = kind_of(column)
    if kind in (Kind.INTEGER, Kind.BIT, Kind.DECIMAL, Kind.MONEY):
        return checked_text(text, _NUMBER, column)
    if kind in (Kind.FLOAT, Kind.REAL):
        return f"CAST('{checked_text(text, _FLOAT, column)}' AS float)"
    if kind is Kind.DATE:
        return f"CAST('{checked_text(text, _MOMENT, column)[:10]}' AS date)"
    if kind in _WITH_TIME:
        return _moment(checked_text(text, _MOMENT, column), kind, time_zone)
    if kind is Kind.TIME:
        return f"CAST('{checked_text(text, _CLOCK, column)}' AS time(7))"
    if kind in (Kind.BYTES, Kind.LONG_BYTES, Kind.ROWVERSION):
        return "0x" + checked_text(text, _HEX, column).removeprefix("0x")
    if kind is Kind.UNIQUE:
        return f"CAST('{checked_text(text, _UNIQUE, column)}' AS uniqueidentifier)"
    return "N" + quote_plain_text(text)


def _moment(text: str, kind: Kind, time_zone: str) -> str:
    """A date and time as the server reads it in any language, in the wall clock of the column."""
    found = _MOMENT.fullmatch(text)
    day, clock, zone = found.groups() if found else (text, None, None)
    if kind is Kind.OFFSET:
        offset = "+00:00" if zone in (None, "Z") else zone
        offset = offset if ":" in offset else f"{offset[:3]}:{offset[3:] or '00'}"
        return f"CAST('{day}T{clock or '00:00:00'}{offset}' AS datetimeoffset(7))"
    if zone:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{zone}").astimezone(ZoneInfo(time_zone))
        day, clock = moment.date().isoformat(), moment.time().isoformat()
    value = f"CAST('{day}T{clock or '00:00:00'}' AS datetime2(7))"
    # Ticks of 1/300 second are printed in milliseconds: only as a tick is the text the value it came from.
    return f"CAST({value} AS datetime)" if kind is Kind.TICKS else value

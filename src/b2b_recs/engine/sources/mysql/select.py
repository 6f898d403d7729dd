"""The SELECT that reads one table, and the texts of cursors and keys turned into its literals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest
from b2b_recs.engine.sources.foreign_shapes import FOREIGN_SHAPE
from b2b_recs.engine.sources.known_columns import Columns, checked_text, column_of
from b2b_recs.engine.sources.mysql.types import Kind, kind_of
from b2b_recs.engine.sources.quoting import quote_backticks, quote_plain_text
from b2b_recs.engine.sources.sql_rows import Dialect, counting, covered, summing

SAMPLE_CHARACTERS = 1_000
_WGS84 = "(0, 4326)"

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_SHORT_YEAR = re.compile(r"\+?0*\d{1,2}")
_FLOAT = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)?")
_CLOCK = re.compile(r"-?\d{1,3}:\d\d:\d\d(\.\d{1,6})?")
_HEX = re.compile(r"([0-9A-Fa-f]{2})*")
_NUMBERS = (Kind.INTEGER, Kind.WIDE_UNSIGNED, Kind.BITS, Kind.WIDE_BITS, Kind.DECIMAL)
# A sum of these is exact: the server adds them up as decimals of up to 65 digits.
_SUMMED = (Kind.INTEGER, Kind.WIDE_UNSIGNED, Kind.DECIMAL)
_LONGEST_SUMMED = 43


def select_rows(request: ReadRequest, columns: Columns, *, is_mariadb: bool) -> str:
    """The query of a read. Raises ColumnMissing, and BadInput when no column is chosen."""
    if not request.columns:
        raise BadInput("No column is chosen.", advice="Choose at least one column.", field="columns")
    sent = [sent_as(column_of(columns, wanted.name, request), is_mariadb) for wanted in request.columns]
    return f"SELECT {', '.join(sent)} {covered(request, _dialect(request, columns))}"


def select_count(request: ReadRequest, columns: Columns) -> str:
    """The query that counts the rows of a request."""
    return counting(request, _dialect(request, columns))


def select_totals(request: ReadRequest, columns: Columns, names: Sequence[str]) -> str:
    """The query of the sums of these columns over a request."""
    sums = [f"SUM({_compared(column_of(columns, name, request))})" for name in names]
    return summing(request, _dialect(request, columns), sums)


def can_be_summed(column: ColumnInfo) -> bool:
    """Whether the server adds the column up without losing a digit."""
    return kind_of(column) in _SUMMED and (column.precision or 0) <= _LONGEST_SUMMED


def select_max(request: ReadRequest, column: ColumnInfo) -> str:
    """The query of the largest usable cursor value; a zero date is no cursor."""
    compared, kind = _compared(column), kind_of(column)
    usable = f"{compared} IS NOT NULL"
    if beyond := _beyond(column):
        usable += f" AND NOT ({beyond})"
    exact = sent_as(column, is_mariadb=False) if kind in (Kind.FLOAT, Kind.DOUBLE) else compared
    shown = f"HEX({exact})" if kind is Kind.BYTES else exact
    origin = _origin(request.schema, request.table)
    return f"SELECT {shown} FROM {origin} WHERE {usable} ORDER BY {compared} DESC LIMIT 1"  # noqa: S608 - quoted names only


def select_samples(
    request: ReadRequest, columns: Columns, names: Sequence[str], count: int, *, is_mariadb: bool
) -> str:
    """The query of some values as text, each cut after a thousand characters."""
    texts = []
    for name in names:
        column = column_of(columns, name, request)
        sent = sent_as(column, is_mariadb)
        if kind_of(column) is Kind.BYTES:
            texts.append(f"CONCAT('\\x', LOWER(HEX(LEFT({sent}, {SAMPLE_CHARACTERS // 2 - 1}))))")
        else:
            texts.append(f"LEFT(CAST({sent} AS CHAR), {SAMPLE_CHARACTERS})")
    return f"SELECT {', '.join(texts)} FROM {_origin(request.schema, request.table)} LIMIT {int(count)}"  # noqa: S608 - as above


def sent_as(column: ColumnInfo, is_mariadb: bool) -> str:
    """SQL of a column whose text is the exact value."""
    name, kind = quote_backticks(column.name), kind_of(column)
    if kind is Kind.FLOAT or (kind is Kind.DOUBLE and column.scale is not None):
        # The server prints six digits of a float, and of a double as many as were declared; of a product, all.
        return f"({name} * 1e0)"
    if kind in (Kind.BITS, Kind.WIDE_BITS):
        return f"({name} + 0)"
    if kind is Kind.SHAPE:
        # MySQL writes latitude first for WGS 84 unless told otherwise; MariaDB has no such notion.
        text = f"ST_AsText({name})" if is_mariadb else f"ST_AsText({name}, 'axis-order=long-lat')"
        foreign = f"CONCAT('{FOREIGN_SHAPE}', ST_SRID({name}), ';', {text})"
        return f"CASE WHEN ST_SRID({name}) IN {_WGS84} THEN {text} ELSE {foreign} END"
    if kind is Kind.OTHER:
        return f"CAST({name} AS CHAR)"
    return name


def cursor_text(text: str, column: ColumnInfo) -> str:
    """A cursor value as the server sends it, made to say what it means: a moment names its zone."""
    return f"{text}+00:00" if kind_of(column) is Kind.TIMESTAMP else text


def _dialect(request: ReadRequest, columns: Columns) -> Dialect:
    return Dialect(
        origin=_origin(request.schema, request.table),
        column=lambda name: _compared(column_of(columns, name, request)),
        literal=lambda name, text: literal(text, column_of(columns, name, request), request.time_zone),
        beyond=lambda name: _beyond(column_of(columns, name, request)),
    )


def _beyond(column: ColumnInfo) -> str:
    """SQL of whether a value is none to go on from: a zero date; empty where all are."""
    times = (Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP)
    return f"{_compared(column)} = '0000-00-00'" if kind_of(column) in times else ""


def _origin(schema: str, table: str) -> str:
    return f"{quote_backticks(schema)}.{quote_backticks(table)}"


def _compared(column: ColumnInfo) -> str:
    """SQL by which a column is compared and ordered; words of an ENUM by their text, not by their place."""
    name, kind = quote_backticks(column.name), kind_of(column)
    if kind in (Kind.CHOICE, Kind.SHAPE, Kind.OTHER) or column.base_type == "json":
        return f"CAST({name} AS CHAR)" if kind is not Kind.SHAPE else f"ST_AsText({name})"
    return f"({name} + 0)" if kind in (Kind.BITS, Kind.WIDE_BITS) else name


def literal(text: str, column: ColumnInfo, time_zone: str) -> str:
    """``text`` as a value of the column's type. Raises BadInput when it is none."""
    kind = kind_of(column)
    if kind in _NUMBERS:
        digits = checked_text(text, _NUMBER, column)
        # Beside a year, one or two digits stand for a year of our time; none that a column holds is that small.
        return "0" if column.base_type == "year" and _SHORT_YEAR.fullmatch(digits) else digits
    if kind in (Kind.FLOAT, Kind.DOUBLE):
        digits = checked_text(text, _FLOAT, column)
        return digits if "e" in digits.lower() else f"{digits}e0"
    if kind in (Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP):
        return quote_plain_text(_moment(checked_text(text, _MOMENT, column), kind, time_zone))
    if kind is Kind.TIME:
        return quote_plain_text(checked_text(text, _CLOCK, column))
    if kind is Kind.BYTES:
        return f"X'{checked_text(text, _HEX, column)}'"
    return quote_plain_text(text)


def _moment(text: str, kind: Kind, time_zone: str) -> str:
    """A date and time as the session reads it: moments in UTC, wall clocks in the request's zone."""
    if len(text) <= 10 or not re.search(r"(Z|[+-]\d\d(:?\d\d)?)$", text[10:]):
        return text.replace("T", " ")
    moment = datetime.fromisoformat(text).astimezone(UTC if kind is Kind.TIMESTAMP else ZoneInfo(time_zone))
    return moment.replace(tzinfo=None).isoformat(sep=" ")

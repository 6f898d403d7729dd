"""The SELECT that reads one table: every column cast on the server, refused rows carried beside as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.types import ColumnMapping, Mode
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest
from b2b_recs.engine.sources.known_columns import column_of
from b2b_recs.engine.sources.postgresql.catalog import Column
from b2b_recs.engine.sources.postgresql.conversions import Given, Guard, convert, raw
from b2b_recs.engine.sources.postgresql.types import TELLS_JSON, Kind, rule_for
from b2b_recs.engine.sources.quoting import quote_name, quote_qualified, quote_text

# The column of every table that says where on disk a row lies.
PLACE = "ctid"


# The name of the table in a query.
_ROW = "source_row"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A column and the reason why one of its values may be refused."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Server:
    """What rendering asks of the server: its version as one number, such as 160003, and its encoding."""

    version: int
    encoding: str


@dataclass(frozen=True, slots=True)
class Selection:
    """A query text, and how it tells of refused rows.

    When ``refusals`` is not empty the result has one column more than asked for: NULL for a good row, else a JSON array
    of the refusal's position in ``refusals`` and then every column's text. With ``refused`` it has not: the values that
    arrive show whether there are refused rows, and ``refused`` is the query of that column for those alone.
    """

    sql: str
    refusals: tuple[Refusal, ...]
    refused: str = ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One column of a read: the SQL of its value and of its raw text, and the guards, all of them shown or not."""

    name: str
    value: str
    text: str
    guards: tuple[Guard, ...]
    shown: bool


def select_rows(request: ReadRequest, table: Mapping[str, Column], server: Server) -> Selection:
    """The query of a read. Raises ColumnMissing, and BadInput for a conversion that does not exist."""
    if not request.columns:
        raise BadInput("No column is chosen.", advice="Choose at least one column.", field="columns")
    columns = [_wanted(request, table, wanted, server) for wanted in request.columns]
    values = ", ".join(column.value for column in columns)
    rows = _rows(request, table)
    guarded = [column for column in columns if column.guards]
    refusals = tuple(Refusal(column.name, guard.reason) for column in guarded for guard in column.guards)
    if not refusals:
        return Selection(f"SELECT {values} {rows}", ())
    refused = " OR ".join(_any(column.guards) for column in guarded)
    rejected = _rejected(columns)
    # A read that may be resumed or ends at a limit needs its refused rows where they stand.
    if all(column.shown for column in guarded) and not request.order_by and request.row_limit is None:
        apart = _rows(request, table, f"({refused})")
        return Selection(f"SELECT {values} {rows}", refusals, f"SELECT {rejected} {apart}")
    return Selection(f"SELECT {values}, CASE WHEN {refused} THEN {rejected} END {rows}", refusals)


def _wanted(request: ReadRequest, table: Mapping[str, Column], wanted: ColumnMapping, server: Server) -> _Wanted:
    column = column_of(table, wanted.name, request)
    given = _given(column, wanted, request.time_zone, server)
    converted = convert(given)
    guards = converted.guards
    if wanted.mode is Mode.REQUIRED and column.info.nullable:
        empty = Guard(f"{given.sql} IS NULL", "is empty, and the column is required", shown=not converted.unsafe)
        guards = (empty, *guards)
    unsafe = converted.unsafe and bool(converted.guards)
    value = f"CASE WHEN {_any(guards)} THEN NULL ELSE {converted.value} END" if unsafe else converted.value
    return _Wanted(wanted.name, value, raw(given), guards, not unsafe and all(guard.shown for guard in guards))


def _rejected(columns: Sequence[_Wanted]) -> str:
    """SQL of what is told of a refused row."""
    guards = [guard for column in columns for guard in column.guards]
    cases = " ".join(f"WHEN {guard.condition} THEN '{at}'" for at, guard in enumerate(guards))
    return f"to_json(ARRAY[CASE {cases} END, {', '.join(column.text for column in columns)}])::text"


def select_count(request: ReadRequest, table: Mapping[str, Column]) -> str:
    """The query that counts the rows of a request."""
    if request.row_limit is None:
        return f"SELECT count(*) {_rows(request, table, ordered=False)}"
    return f"SELECT count(*) FROM (SELECT 1 {_rows(request, table, ordered=False)}) AS covered"  # noqa: S608 - as above


def select_max(schema: str, table: str, column: Column) -> str:
    """The query of the largest usable cursor value as exact text; infinity, NaN and years past 9999 are no cursor."""
    cursor = comparable(column)
    beyond = _beyond(column)
    usable = f"{quote_name(column.info.name)} IS NOT NULL{f' AND NOT ({beyond})' if beyond else ''}"
    origin = quote_qualified(schema, table)
    # Ordered by the first column of the inner answer: a bare name would mean the text in an outer one of that name.
    largest = f"SELECT {cursor} AS value FROM {origin} WHERE {usable} ORDER BY 1 DESC LIMIT 1"  # noqa: S608 - quoted
    return f"SELECT value::text FROM ({largest}) AS largest"  # noqa: S608 - the same


def _beyond(column: Column) -> str:
    """SQL of whether a value is none to go on from, as an index of the column can answer; empty where all are.

    NaN is above infinity, and a numeric beyond a thousand digits is as little use as the infinity of newer servers.
    """
    name, kind = quote_name(column.info.name), rule_for(column.info).kind
    if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return f"{name} >= '10000-01-01'::{kind} OR {name} = '-infinity'::{kind}"
    if kind is Kind.NUMERIC:
        return f"{name} >= '1e1000'::numeric OR {name} <= '-1e1000'::numeric"
    if kind is Kind.FLOAT:
        return f"{name} >= 'Infinity'::float8 OR {name} = '-Infinity'::float8"
    return ""


def select_totals(request: ReadRequest, table: Mapping[str, Column], names: Sequence[str]) -> str:
    """The query of the exact sums of number columns over a request, as text; NaN where one of the values is."""
    columns = [column_of(table, name, request) for name in names]
    sums = ", ".join(f"sum({_number(column)})::text" for column in columns)
    if request.row_limit is None:
        return f"SELECT {sums} {_rows(request, table, ordered=False)}"
    inner = ", ".join(quote_name(column.info.name) for column in columns)
    return f"SELECT {sums} FROM (SELECT {inner} {_rows(request, table, ordered=False)}) AS covered"  # noqa: S608


def _number(column: Column) -> str:
    through = "::text" if rule_for(column.info).kind in (Kind.UNSIGNED, Kind.WIDE_UNSIGNED) else ""
    return f"{quote_name(column.info.name)}{through}::numeric"


def select_span(request: ReadRequest, table: Mapping[str, Column], name: str) -> str:
    """The query of the smallest and largest value of a column over a request, as text."""
    column = comparable(column_of(table, name, request))
    return f"SELECT min({column})::text, max({column})::text {_rows(request, table, ordered=False)}"


def comparable(column: Column) -> str:
    """SQL by which a column is compared and ordered: itself, or in another type where it has no order of its own."""
    return quote_name(column.info.name) + _through(column)


def _through(column: Column) -> str:
    """The casts to a type that has an order; empty for most columns."""
    if rule_for(column.info).kind is Kind.UNSIGNED and column.info.base_type != "oid":
        return "::text::int8"
    foreign = column.namespace != "pg_catalog" and column.info.type_kind == "base"
    return "::text" if foreign else ""


def _key(column: Column) -> str:
    """SQL to order by: the table's own column, because a bare name would mean what the SELECT makes of it."""
    key = comparable(column)
    return f"{_ROW}.{key}" if key == quote_name(column.info.name) else key


def refuse_type(column: ColumnInfo, wanted: ColumnMapping) -> None:
    """Return when the server has a conversion of the column to the type. Raises BadInput when it has none."""
    server = Server(TELLS_JSON if column.tells_json else 0, "UTF8")
    convert(_given(Column(column, "", "pg_catalog"), replace(wanted, source_type=column.source_type), "UTC", server))


def _given(column: Column, wanted: ColumnMapping, time_zone: str, server: Server) -> Given:
    return Given(
        sql=quote_name(column.info.name),
        kind=rule_for(column.info).kind,
        target=wanted,
        precision=column.info.precision,
        scale=column.info.scale,
        base_type=column.info.base_type,
        namespace=column.namespace,
        time_zone=time_zone,
        server_version=server.version,
        server_encoding=server.encoding,
    )


def _any(guards: Sequence[Guard]) -> str:
    """True when one guard holds; they are tested in order, because a later one may fail where an earlier one holds."""
    if len(guards) <= 1:
        return guards[0].condition if guards else "false"
    return "CASE " + " ".join(f"WHEN {guard.condition} THEN true" for guard in guards) + " ELSE false END"


def _rows(request: ReadRequest, table: Mapping[str, Column], *more: str, ordered: bool = True) -> str:
    """FROM, WHERE with ``more`` conditions, ORDER BY and LIMIT of a request."""
    conditions = [*_window(request, table), *_range(request, table), *_after(request, table), *more]
    parts = [f"FROM {quote_qualified(request.schema, request.table)} AS {_ROW}"]
    if conditions:
        parts.append("WHERE " + " AND ".join(conditions))
    if request.order_by and (ordered or request.row_limit is not None):
        parts.append("ORDER BY " + ", ".join(_key(column_of(table, name, request)) for name in request.order_by))
    if request.row_limit is not None:
        parts.append(f"LIMIT {int(request.row_limit)}")
    return " ".join(parts)


def _window(request: ReadRequest, table: Mapping[str, Column]) -> list[str]:
    window = request.window
    if window is None:
        return []
    column = column_of(table, window.cursor, request)
    cursor, name = comparable(column), quote_name(window.cursor)
    conditions = []
    if window.lower is not None:
        conditions.append(f"{cursor} {'>=' if window.lower_inclusive else '>'} {literal(window.lower, column)}")
    if window.upper is not None:
        conditions.append(f"{cursor} <= {literal(window.upper, column)}")
    if not conditions:
        return [] if window.include_null else [f"{name} IS NOT NULL"]
    beyond = _beyond(column) if window.beyond else ""
    others = [*([beyond] if beyond else []), *([f"{name} IS NULL"] * window.include_null)]
    return [f"(({' AND '.join(conditions)}) OR {' OR '.join(others)})"] if others else conditions


def _range(request: ReadRequest, table: Mapping[str, Column]) -> list[str]:
    wanted = request.key_range
    if wanted is None:
        return []
    sides = ((">=", wanted.lower), ("<", wanted.upper))
    if wanted.column == PLACE:
        return [f"{PLACE} {sign} {quote_text(text)}::tid" for sign, text in sides if text is not None]
    column = column_of(table, wanted.column, request)
    return [f"{comparable(column)} {sign} {literal(text, column)}" for sign, text in sides if text is not None]


def _after(request: ReadRequest, table: Mapping[str, Column]) -> list[str]:
    if not request.key_after:
        return []
    if len(request.key_after) != len(request.order_by):
        raise BadInput("The place to resume at does not match the order of the read.", field="key_after")
    columns = [column_of(table, name, request) for name in request.order_by]
    keys = ", ".join(comparable(column) for column in columns)
    values = ", ".join(literal(text, column) for text, column in zip(request.key_after, columns, strict=True))
    return [f"({keys}) > ({values})"]


def literal(text: str, column: Column) -> str:
    """A text as a value of the type that the column is compared as."""
    if text.startswith("-") and rule_for(column.info).kind in (Kind.UNSIGNED, Kind.WIDE_UNSIGNED):
        # A type without a sign takes a number below zero for one of its largest.
        text = "0"
    cast = _through(column).rpartition("::")[2] or column.cast
    return f"{quote_text(text)}::{cast}"

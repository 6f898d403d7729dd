"""The queries about one table: names quoted, values bound, never written into the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from b2b_recs.engine.errors import BadInput, ColumnMissing
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest
from b2b_recs.engine.sources.quoting import quote_sqlite
from b2b_recs.engine.sources.sqlite.catalog import origin
from b2b_recs.engine.sources.sqlite.moments import FUNCTION, comparable
from b2b_recs.engine.sources.sqlite.types import TIME_NAMES, Affinity, affinity, base_name

Value = int | float | str
SAMPLE_CHARACTERS = 1000
# How SQL writes what a binary fraction cannot hold.
_INFINITE = "9e999"


@dataclass(frozen=True, slots=True)
class Query:
    """SQL and the values bound to it, in order."""

    sql: str
    values: tuple[Value, ...]


# Columns whose times are compared by a function, because they are written in several ways, and what they become.
Timed = Mapping[str, WarehouseType]


def select_rows(request: ReadRequest, columns: Mapping[str, ColumnInfo], timed: Timed) -> Query:
    """The columns of the request over the rows it covers, in its order."""
    names = ", ".join(name_of(column.name, columns, request) for column in request.columns) or "1"
    order = ", ".join(_compared(name, columns, request, timed) for name in request.order_by)
    covered, values = _covered(request, columns, timed)
    ordered = f" ORDER BY {order}" if order else ""
    return Query(f"SELECT {names} FROM {covered}{ordered}{_limit(request)}", values)  # noqa: S608 - quoted names


def select_count(request: ReadRequest, columns: Mapping[str, ColumnInfo], timed: Timed) -> Query:
    """How many rows the request covers."""
    covered, values = _covered(request, columns, timed)
    if request.row_limit is None:
        return Query(f"SELECT count(*) FROM {covered}", values)  # noqa: S608
    return Query(f"SELECT count(*) FROM (SELECT 1 FROM {covered}{_limit(request)})", values)  # noqa: S608


def select_totals(request: ReadRequest, columns: Mapping[str, ColumnInfo], names: Sequence[str], timed: Timed) -> Query:
    """The exact sums of columns over the rows the request covers."""
    sums = ", ".join(f"exact_sum({name_of(name, columns, request)})" for name in names)
    covered, values = _covered(request, columns, timed)
    return Query(f"SELECT {sums} FROM {covered}", values)  # noqa: S608


def select_samples(request: ReadRequest, columns: Mapping[str, ColumnInfo], names: Sequence[str], count: int) -> Query:
    """Some values; of a long one its beginning, so that a few of them take no memory to speak of."""
    chosen = [name_of(name, columns, request) for name in names]
    cut = [
        f"CASE WHEN length(CAST({name} AS BLOB)) > {4 * SAMPLE_CHARACTERS} "
        f"THEN substr({name}, 1, {SAMPLE_CHARACTERS}) ELSE {name} END"
        for name in chosen
    ]
    return Query(f"SELECT {', '.join(cut)} FROM {origin(request.table)} LIMIT {int(count)}", ())  # noqa: S608


def select_max(request: ReadRequest, columns: Mapping[str, ColumnInfo], cursor: str, timed: Timed) -> Query:
    """The largest value of the kind that the column declares; a text in a column of numbers is above all of them."""
    if cursor in timed:
        return Query(f"SELECT max({_compared(cursor, columns, request, timed)}) FROM {origin(request.table)}", ())  # noqa: S608
    name = name_of(cursor, columns, request)
    above = _above(columns[cursor])
    where = f" WHERE {name} < {above}" if above else ""
    if above == _INFINITE:
        where += f" AND {name} > -{_INFINITE}"
    return Query(f"SELECT max({name}) FROM {origin(request.table)}{where}", ())  # noqa: S608


def text_of(value: object) -> str | None:
    """A value as exact text; None for NULL and for bytes."""
    if value is None or isinstance(value, bytes):
        return None
    return repr(value) if isinstance(value, float) else str(value)


def bound(text: str, column: ColumnInfo) -> Value:
    """The value that an exact text stands for in a column, so that it compares as the column's own values do."""
    if affinity(column.source_type) is Affinity.TEXT:
        return text
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if value == value and text.strip() == text and "_" not in text:
            return value if isinstance(value, float) or -(2**63) <= value < 2**63 else float(value)
    return text


def _covered(request: ReadRequest, columns: Mapping[str, ColumnInfo], timed: Timed) -> tuple[str, tuple[Value, ...]]:
    conditions: list[str] = []
    values: list[Value] = []
    _add_window(request, columns, timed, conditions, values)
    if request.key_after:
        if len(request.key_after) != len(request.order_by):
            raise BadInput("The place to resume at does not match the order of the read.", field="key_after")
        names = ", ".join(_compared(name, columns, request, timed) for name in request.order_by)
        marks = ", ".join("?" for _ in request.order_by)
        conditions.append(f"({names}) > ({marks})")
        after = zip(request.order_by, request.key_after, strict=True)
        values += [_value(text, columns[name], timed) for name, text in after]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{origin(request.table)}{where}", tuple(values)


def _add_window(
    request: ReadRequest,
    columns: Mapping[str, ColumnInfo],
    timed: Timed,
    conditions: list[str],
    values: list[Value],
) -> None:
    window = request.window
    if window is None:
        return
    name, column = name_of(window.cursor, columns, request), columns[window.cursor]
    compared, bounds = _compared(window.cursor, columns, request, timed), []
    if window.lower is not None:
        bounds.append(f"{compared} {'>=' if window.lower_inclusive else '>'} ?")
        values.append(_value(window.lower, column, timed))
    if window.upper is not None:
        bounds.append(f"{compared} <= ?")
        values.append(_value(window.upper, column, timed))
    if not bounds and window.include_null:
        return
    inside = " AND ".join(bounds) or f"{name} IS NOT NULL"
    # What is no value of the column's kind has no place in a window; it is read, and told of, each time.
    beyond = _beyond(name, compared, column) if window.beyond else []
    parts = [f"({inside})", *beyond, *([f"{name} IS NULL"] * window.include_null)]
    conditions.append(f"({' OR '.join(parts)})")


def _beyond(name: str, compared: str, column: ColumnInfo) -> list[str]:
    """Conditions, one of which meets every value that is none of the column's kind, or infinite."""
    if compared != name:
        return [f"({compared} IS NULL AND {name} IS NOT NULL)"]
    above = _above(column)
    return [f"{name} >= {above}", *([f"{name} = -{_INFINITE}"] * (above == _INFINITE))] if above else []


def _compared(name: str, columns: Mapping[str, ColumnInfo], request: ReadRequest, timed: Timed) -> str:
    """SQL by which a column is compared and ordered."""
    quoted = name_of(name, columns, request)
    return f"{FUNCTION}({quoted}, '{timed[name]}')" if name in timed else quoted


def _value(text: str, column: ColumnInfo, timed: Timed) -> Value:
    """The value that a text stands for where the column is compared. Raises BadInput for a time that is none."""
    if column.name not in timed:
        return bound(text, column)
    found = comparable(text, timed[column.name])
    if found is None:
        raise BadInput(
            f"{text[:60]} is no time of the column {column.name}.",
            advice="Load into a new warehouse table.",
            field=column.name,
        )
    return found


def _above(column: ColumnInfo) -> str:
    """The least value above all of the kind a column declares: SQLite orders numbers, then text, then bytes."""
    kind = affinity(column.source_type)
    if kind is Affinity.BLOB:
        return ""
    if kind is Affinity.TEXT or base_name(column.source_type) in TIME_NAMES:
        return "x''"
    return _INFINITE


def _limit(request: ReadRequest) -> str:
    return "" if request.row_limit is None else f" LIMIT {int(request.row_limit)}"


def name_of(name: str, columns: Mapping[str, ColumnInfo], request: ReadRequest) -> str:
    """The quoted name of a column that is there. Raises ColumnMissing."""
    if name not in columns:
        raise ColumnMissing(
            f"{request.table} has no column {name} any more.",
            advice="Look at the columns again and choose those there.",
        )
    return quote_sqlite(name)

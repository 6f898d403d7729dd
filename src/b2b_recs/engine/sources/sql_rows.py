"""The rows a request covers, as the FROM, WHERE, ORDER BY and LIMIT of any server's SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.contract import ReadRequest


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server writes what a request names.

    ``origin`` is the quoted table; ``column`` gives the SQL by which a column is compared and raises ColumnMissing;
    ``literal`` gives a text as a value of that column's type. ``always`` is a condition every query must have, or none.
    ``beyond`` gives the condition that a column's value is one no window ends with, empty where it has no such values.
    """

    origin: str
    column: Callable[[str], str]
    literal: Callable[[str, str], str]
    always: str = ""
    beyond: Callable[[str], str] = lambda name: ""


def covered(request: ReadRequest, dialect: Dialect, *, ordered: bool = True) -> str:
    """FROM to LIMIT of a request; without ``ordered`` an order is kept only where a row limit needs it."""
    conditions = filters(request, dialect)
    parts = [f"FROM {dialect.origin}"]
    if conditions:
        parts.append(f"WHERE {conditions}")
    if request.order_by and (ordered or request.row_limit is not None):
        parts.append("ORDER BY " + ", ".join(map(dialect.column, request.order_by)))
    if request.row_limit is not None:
        parts.append(f"LIMIT {int(request.row_limit)}")
    return " ".join(parts)


def filters(request: ReadRequest, dialect: Dialect) -> str:
    """The conditions of a request alone, empty when it covers the whole table."""
    conditions = [*_window(request, dialect), *_range(request, dialect), *_after(request, dialect)]
    return " AND ".join([*conditions, dialect.always] if dialect.always else conditions)


def counting(request: ReadRequest, dialect: Dialect) -> str:
    """The query that counts the rows of a request."""
    rows = covered(request, dialect, ordered=False)
    if request.row_limit is None:
        return f"SELECT COUNT(*) {rows}"
    return f"SELECT COUNT(*) FROM (SELECT 1 AS one {rows}) AS covered"  # noqa: S608 - quoted names and literals only


def summing(request: ReadRequest, dialect: Dialect, sums: Sequence[str]) -> str:
    """The query of these aggregates over the rows of a request; they name columns as ``dialect.column`` writes them."""
    rows = covered(request, dialect, ordered=False)
    if request.row_limit is not None:
        rows = f"FROM (SELECT * {rows}) AS covered"
    return f"SELECT {', '.join(sums)} {rows}"


def _window(request: ReadRequest, dialect: Dialect) -> list[str]:
    window = request.window
    if window is None:
        return []
    cursor = dialect.column(window.cursor)
    conditions = []
    if window.lower is not None:
        sign = ">=" if window.lower_inclusive else ">"
        conditions.append(f"{cursor} {sign} {dialect.literal(window.cursor, window.lower)}")
    if window.upper is not None:
        conditions.append(f"{cursor} <= {dialect.literal(window.cursor, window.upper)}")
    if not conditions:
        return [] if window.include_null else [f"{cursor} IS NOT NULL"]
    beyond = dialect.beyond(window.cursor) if window.beyond else ""
    others = [*([beyond] if beyond else []), *([f"{cursor} IS NULL"] * window.include_null)]
    return [f"(({' AND '.join(conditions)}) OR {' OR '.join(others)})"] if others else conditions


def _range(request: ReadRequest, dialect: Dialect) -> list[str]:
    part = request.key_range
    if part is None:
        return []
    column = dialect.column(part.column)
    conditions = []
    if part.lower is not None:
        conditions.append(f"{column} >= {dialect.literal(part.column, part.lower)}")
    if part.upper is not None:
        conditions.append(f"{column} < {dialect.literal(part.column, part.upper)}")
    return conditions or [f"{column} IS NOT NULL"]


def _after(request: ReadRequest, dialect: Dialect) -> list[str]:
    """The rows after a key, spelled out: not every server compares whole rows, and some do it wrongly."""
    if not request.key_after:
        return []
    if len(request.key_after) != len(request.order_by):
        raise BadInput("The place to resume at does not match the order of the read.", field="key_after")
    columns = [dialect.column(name) for name in request.order_by]
    values = [dialect.literal(name, text) for name, text in zip(request.order_by, request.key_after, strict=True)]
    cases = []
    for at, column in enumerate(columns):
        same = [f"{columns[before]} = {values[before]}" for before in range(at)]
        cases.append("(" + " AND ".join([*same, f"{column} > {values[at]}"]) + ")")
    first = f"{columns[0]} >= {values[0]}"
    return [first, f"({' OR '.join(cases)})"] if len(cases) > 1 else cases

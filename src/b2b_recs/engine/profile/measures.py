"""What one pass over the rows tells of every column: counts, ends, means, lengths, and signs of faults."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import duckdb

from b2b_recs.engine.profile.columns import Column, Kind
from b2b_recs.engine.profile.document import Lengths, Sign
from b2b_recs.engine.profile.values import Plain, cut, moment_at, plain, position_of
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.warehouse.names import quoted

# The name under which a connection sees the table.
TABLE = "rows"
_AT_ONCE = 40  # columns of one query; more cost memory, fewer cost passes
_QUANTILES = "[0.01, 0.5, 0.99]"
# Space, tab, line feed, carriage return, space that does not break: by their code points.
_SPACES = (32, 9, 10, 13, 160)
_WORDS = ("n/a", "#n/a", "na", "nan", "null", "none", "nil", "undefined", "unknown", "tbd")
_SPELLED = (spelled for word in _WORDS for spelled in (word, word.upper(), word.capitalize()))
# What people and programs write where nothing is known; spelled out, because lowering every text costs far more.
_ZERO_DATES = ("0000-00-00", "0000-00-00 00:00:00")
_PLACEHOLDERS = ", ".join(f"'{word}'" for word in (*dict.fromkeys(_SPELLED), "NaN", "-", "--", "?", *_ZERO_DATES))
# A wall clock without a zone may be ahead of ours by this much and still be right.
_AHEAD = timedelta(hours=26)


@dataclass(slots=True)
class Measures:
    """One column after the pass; numbers and times are given by their position on a line."""

    column: Column
    filled: int = 0
    distinct: int = 0
    minimum: Plain = None
    maximum: Plain = None
    mean: float | None = None
    median: Plain = None
    lengths: Lengths | None = None
    quantiles: tuple[float, float] | None = None  # where 1 % and 99 % lie
    ends: tuple[float, float] | None = None
    signs: list[Sign] = field(default_factory=list)


def measure(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], now: datetime
) -> tuple[int, list[Measures]]:
    """The rows of ``TABLE`` and the measures of its columns, in order."""
    found: list[Measures] = []
    rows = int(connection.execute(f"SELECT count(*) FROM {TABLE}").fetchall()[0][0])  # noqa: S608 - our own name
    left = iter(columns)
    while batch := list(islice(left, _AT_ONCE)):
        asked = [_questions(column, now) for column in batch]
        names = ", ".join(expression for one in asked for expression in one)
        answer = iter(connection.execute(f"SELECT {names} FROM {TABLE}").fetchall()[0])  # noqa: S608 - quoted names
        for column, one in zip(batch, asked, strict=True):
            found.append(_measured(column, list(islice(answer, len(one)))))
    return rows, found


def position(column: Column) -> str:
    """The expression of a number or a time as its place on a line: days or microseconds since 1970 for times."""
    name = quoted(column.name)
    if column.warehouse_type is WarehouseType.DATE:
        return f"({name} - DATE '1970-01-01')"
    if column.kind is Kind.MOMENT:
        return f"epoch_us({name})"
    return f"TRY_CAST({name} AS DOUBLE)"


def finite(column: Column) -> str:
    """The condition under which a number counts: NaN and the infinities do not."""
    return f"isfinite({position(column)})" if column.kind is Kind.NUMBER else f"{position(column)} IS NOT NULL"


def _questions(column: Column, now: datetime) -> list[str]:
    name = quoted(column.name)
    common = [f"count({name})", f"approx_count_distinct({name})"]
    if column.kind is Kind.NUMBER:
        return [*common, *_of_numbers(column)]
    if column.kind is Kind.MOMENT:
        return [*common, *_of_moments(column, now)]
    if column.kind is Kind.TRUTH:
        return [f"count({name})", f"count(DISTINCT {name})"]
    length = "octet_length" if column.kind is Kind.BYTES else "length"
    lengths = [f"{kind}({length}({name}))" for kind in ("min", "max", "avg")]
    if column.kind is Kind.BYTES:
        return [*common, *lengths]
    ends = [f"left(min({name}), 201)", f"left(max({name}), 201)"]
    signs = _signs_of_text(name) if column.warehouse_type is WarehouseType.STRING else []
    return [*common, *lengths, *ends, *signs]


def _of_numbers(column: Column) -> list[str]:
    name, place, counts = quoted(column.name), position(column), f"FILTER (WHERE {finite(column)})"
    low, high = f"min({name})", f"max({name})"
    if column.long_decimal:
        low, high = f"arg_min({name}, {place})", f"arg_max({name}, {place})"
    return [
        f"{low} {counts}",
        f"{high} {counts}",
        f"avg({name if not column.long_decimal else place}) {counts}",
        f"approx_quantile({place}, {_QUANTILES}) {counts}",
        f"count({name}) FILTER (WHERE NOT {finite(column)})",
        f"count({name}) FILTER (WHERE {place} < 0 AND {finite(column)})",
    ]


def _of_moments(column: Column, now: datetime) -> list[str]:
    place = position(column)
    return [
        f"min({place})",
        f"max({place})",
        f"approx_quantile({place}, {_QUANTILES})",
        f"count(*) FILTER (WHERE {place} > {_latest(column, now)})",
        f"count(*) FILTER (WHERE {place} < 0)",
    ]


def _signs_of_text(name: str) -> Iterator[str]:
    spaces = (f"{test}({name}, chr({space}))" for test in ("starts_with", "ends_with") for space in _SPACES)
    conditions = (
        f"{name} = ''",
        " OR ".join(spaces),
        f"{name} IN ({_PLACEHOLDERS})",
        f"contains({name}, chr(65533))",  # what a decoder writes for bytes it cannot read
    )
    for condition in conditions:
        yield f"count(*) FILTER (WHERE {condition})"
        yield f"left(min({name}) FILTER (WHERE {condition}), 201)"


def _latest(column: Column, now: datetime) -> int:
    zoned = column.warehouse_type is WarehouseType.TIMESTAMP
    return position_of(now if zoned else now + _AHEAD, column)


def _measured(column: Column, answer: list[Any]) -> Measures:
    found = Measures(column, filled=int(answer[0]), distinct=min(int(answer[1]), int(answer[0])))
    rest = answer[2:]
    if column.kind is Kind.NUMBER:
        _note_numbers(found, rest)
    elif column.kind is Kind.MOMENT:
        _note_moments(found, rest)
    elif column.kind in (Kind.TEXT, Kind.BYTES) and found.filled:
        found.lengths = Lengths(shortest=rest[0], longest=rest[1], mean=rest[2])
        if column.kind is Kind.TEXT:
            found.minimum, found.maximum = (cut(text) for text in rest[3:5])
            named = zip(("empty", "spaces", "placeholder", "damaged"), rest[5::2], rest[6::2], strict=False)
            found.signs = [Sign(what=what, count=count, examples=[cut(one)]) for what, count, one in named if count]
    return found


def _note_numbers(found: Measures, answer: list[Any]) -> None:
    low, high, mean, quantiles, odd, negative = answer
    if low is not None:
        places = float(low), float(high)
        if found.column.long_decimal:
            low, high = Decimal(low), Decimal(high)
        found.minimum, found.maximum = plain(low), plain(high)
        found.ends = places if all(map(math.isfinite, places)) else None
        found.mean = mean if mean is None or math.isfinite(mean) else None
        found.quantiles = (quantiles[0], quantiles[2])
        whole = found.column.warehouse_type is WarehouseType.INT64
        found.median = round(quantiles[1]) if whole else quantiles[1]
    if odd:
        found.signs.append(Sign(what="not_finite", count=odd))
    if negative:
        found.signs.append(Sign(what="negative", count=negative, examples=[found.minimum]))


def _note_moments(found: Measures, answer: list[Any]) -> None:
    low, high, quantiles, future, before_1970 = answer
    if low is None:
        return
    column = found.column
    found.minimum, found.maximum = moment_at(low, column), moment_at(high, column)
    found.median = moment_at(quantiles[1], column)
    found.quantiles, found.ends = (quantiles[0], quantiles[2]), (low, high)
    if future:
        found.signs.append(Sign(what="future", count=future, examples=[found.maximum]))
    if before_1970:
        found.signs.append(Sign(what="before_1970", count=before_1970, examples=[found.minimum]))

"""Where the numbers or times of a column lie, as a few bars."""

from __future__ import annotations

import math

import duckdb

from b2b_recs.engine.profile.columns import Column, Kind
from b2b_recs.engine.profile.document import Histogram
from b2b_recs.engine.profile.measures import TABLE, Measures, finite, position
from b2b_recs.engine.profile.values import Plain, moment_at
from b2b_recs.engine.schema.types import WarehouseType

BARS = 24
_WHOLE = (WarehouseType.INT64, WarehouseType.DATE)
# When the middle 98 % take less than this share of the whole span, the bars show the middle alone.
_CROWDED = 0.2
_BARS_OF = (
    "SELECT CASE WHEN place < $low THEN -1 WHEN place > $high THEN $bars "
    "ELSE least(floor((place - $low) / $width), $bars - 1) END::INTEGER AS bar, count(*) "
    "FROM (SELECT {place}::DOUBLE AS place FROM {table} WHERE {counts}) GROUP BY 1"
)


def histogram_of(connection: duckdb.DuckDBPyConnection, found: Measures) -> Histogram | None:
    """Rows by bars of equal width; None for other kinds and for a column with one value or none."""
    column = found.column
    if column.kind not in (Kind.NUMBER, Kind.MOMENT) or found.ends is None or found.quantiles is None:
        return None
    low, width, bars = _laid_out(column, found.ends, found.quantiles)
    high = low + width * bars
    if not (width > 0 and math.isfinite(high)):
        return None
    # The last bar of a whole span ends at the largest value itself, which rounding must not leave out.
    limit = found.ends[1] if high >= found.ends[1] else high
    query = _BARS_OF.format(place=position(column), table=TABLE, counts=finite(column))
    values = {"low": low, "high": limit, "width": width, "bars": bars}
    counted = {int(bar): int(rows) for bar, rows in connection.execute(query, values).fetchall()}
    return Histogram(
        edges=[_edge(column, low + width * step) for step in range(bars + 1)],
        rows=[counted.get(bar, 0) for bar in range(bars)],
        below=counted.get(-1, 0),
        above=counted.get(bars, 0),
    )


def _laid_out(column: Column, ends: tuple[float, float], middle: tuple[float, float]) -> tuple[float, float, int]:
    """Where the first bar begins, how wide each is, and how many there are."""
    low, high = float(ends[0]), float(ends[1])
    if 0 < middle[1] - middle[0] < _CROWDED * (high - low):
        low, high = float(middle[0]), float(middle[1])
    if column.warehouse_type in _WHOLE:
        low, high = math.floor(low), math.ceil(high)
        each = max(1, math.ceil((high - low + 1) / BARS))
        return low, float(each), max(1, math.ceil((high - low + 1) / each)) if high > low else 0
    return low, (high - low) / BARS, BARS


def _edge(column: Column, place: float) -> Plain:
    if column.kind is Kind.MOMENT:
        return moment_at(round(place), column)
    return int(place) if column.warehouse_type is WarehouseType.INT64 else float(f"{place:.6g}")

"""What the numbers of Excel mean: it holds whole numbers, dates and times as fractions."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

# Beyond this a fraction of 64 bits no longer tells every whole number from the next.
_EXACT = 2**53
# A time without a day is a fraction of the first day of Excel's calendar.
_FIRST_DAY = datetime(1899, 12, 31)  # noqa: DTZ001 - a wall clock
_DAY_MS = 86_400_000


def as_excel_means(values: pa.Array) -> pa.Array:
    """Whole numbers as int64 when all are, dates when no moment has a time, times when none has a day."""
    if values.null_count == len(values):
        return pa.nulls(len(values)) if pa.types.is_string(values.type) else values
    if pa.types.is_floating(values.type):
        return _numbers(values)
    if pa.types.is_timestamp(values.type):
        return _moments(values)
    return values


def _numbers(values: pa.Array) -> pa.Array:
    whole = pc.and_(pc.equal(values, pc.round(values)), pc.less_equal(pc.abs(values), _EXACT))
    return pc.cast(values, pa.int64()) if pc.all(whole).as_py() else values


def _moments(values: pa.Array) -> pa.Array:
    first = pa.scalar(_FIRST_DAY, values.type)
    since = pc.cast(pc.subtract(pc.cast(values, pa.timestamp("ms")), pc.cast(first, pa.timestamp("ms"))), pa.int64())
    bounds = pc.min_max(since).as_py()
    if bounds["min"] >= 0 and bounds["max"] < _DAY_MS:
        return pc.cast(pc.multiply(since, 1000), pa.time64("us"))
    # The calendar of Arrow has the same days before 1970 as after: a remainder tells the time of day.
    days = pc.floor(pc.divide(pc.cast(since, pa.float64()), float(_DAY_MS)))
    rest = pc.subtract(pc.cast(since, pa.float64()), pc.multiply(days, float(_DAY_MS)))
    return pc.cast(values, pa.date32()) if pc.all(pc.equal(rest, 0.0)).as_py() else values

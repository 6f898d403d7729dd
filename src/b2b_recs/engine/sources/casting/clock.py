"""Counts of days and microseconds since 1970, and the years the warehouse holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.sources.casting.ways import Refused, Unsure, between

SECOND = 1_000_000
DAY = 86_400 * SECOND
PER_SECOND = {"s": 1, "ms": 1_000, "us": SECOND, "ns": 1_000_000_000}
YEARS = "lies outside the years 1 to 9999"
FINER = "is finer than a microsecond, which the warehouse would lose"
CLOCK = "has a time of day, which a date would lose"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = ((date.min - date(1970, 1, 1)).days, (date.max - date(1970, 1, 1)).days)
_MICROSECONDS = (_DAYS[0] * DAY, (_DAYS[1] + 1) * DAY - 1)


def ticks(values: pa.Array) -> list[int | None]:
    """The counts behind dates, times and moments, in their own unit."""
    whole = pa.int32() if values.type.bit_width == 32 else pa.int64()
    return values.view(whole).to_pylist()  # type: ignore[no-any-return]


def microseconds(values: pa.Array) -> pa.Array:
    """Counts of microseconds of timestamps, times of day or spans. Raises ArrowInvalid where a digit would be lost."""
    unit = values.type.unit
    counts = pc.cast(values.view(pa.int32() if values.type.bit_width == 32 else pa.int64()), pa.int64())
    if unit == "ns":
        micros = pc.divide(counts, 1_000)
        if pc.all(pc.equal(pc.multiply(micros, 1_000), counts)).as_py() is False:
            raise Unsure
        return micros
    return pc.multiply_checked(counts, SECOND // PER_SECOND[unit])


def in_years(counts: pa.Array) -> pa.Array:
    """The counts of microseconds, when every one lies in the years 1 to 9999; else raises Unsure."""
    between(counts, *_MICROSECONDS)
    return counts


def days_in_years(values: pa.Array) -> pa.Array:
    """The dates, when every one lies in the years 1 to 9999; else raises Unsure."""
    between(values.view(pa.int32()), *_DAYS)
    return values


def one_microseconds(count: int, unit: str) -> int:
    """A count of ``unit`` in microseconds; Refused where a digit would be lost."""
    micros, rest = divmod(count * SECOND, PER_SECOND[unit])
    if rest:
        raise Refused(FINER)
    return micros


def one_in_years(count: int) -> int:
    """The count of microseconds, refused outside the years 1 to 9999."""
    if not _MICROSECONDS[0] <= count <= _MICROSECONDS[1]:
        raise Refused(YEARS)
    return count


def one_day_in_years(count: int) -> int:
    """The count of days, refused outside the years 1 to 9999."""
    if not _DAYS[0] <= count <= _DAYS[1]:
        raise Refused(YEARS)
    return count


def as_datetime(count: int) -> datetime:
    """The date and time, in UTC, of a count of microseconds inside the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=count)


def as_count(moment: datetime) -> int:
    """The count of microseconds of a moment with a zone."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def timestamps_in_years(values: pa.Array) -> pa.Array:
    """The timestamps, when every one lies in the years 1 to 9999; else raises Unsure."""
    per = PER_SECOND[values.type.unit]
    between(values.view(pa.int64()), _MICROSECONDS[0] * per // SECOND, _MICROSECONDS[1] * per // SECOND)
    return values

"""Times of a wall clock as moments: what a shop's database without zones meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from b2b_recs.engine.errors import BadInput

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall-clock time, on purpose
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
# What a date can be in Python; a clock beyond it keeps the offset of the nearest year.
_FIRST, _LAST = -62_104_060_800 * _SECOND, 253_370_764_800 * _SECOND


def zone_named(name: str) -> ZoneInfo:
    """The IANA time zone of that name. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            f"There is no time zone “{name}”.", field="time_zone", advice="Use a name such as Europe/London or UTC."
        ) from None


def utc_microseconds(local: npt.NDArray[np.int64], zone: ZoneInfo) -> npt.NDArray[np.int64]:
    """Moments of wall-clock times, both int64 (n,) in microseconds since 1970-01-01.

    An hour that the clock shows twice is taken as its first pass; a time the clock skips is read with the offset
    before the change. That is ``datetime.replace(tzinfo=zone)`` for every value, at the price of a search.
    """
    if not len(local):
        return local.astype(np.int64)
    starts, offsets = _offsets(int(local.min()), int(local.max()), zone)
    return np.asarray(local - offsets[np.searchsorted(starts, local, side="right")], dtype=np.int64)


def _offsets(first: int, last: int, zone: ZoneInfo) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Wall-clock times from which another offset holds, and the offsets: one more, the first before any of them."""
    low, high = (min(max(edge, _FIRST), _LAST) for edge in (first - 2 * _DAY, last + 2 * _DAY))
    starts: list[int] = []
    offsets = [_offset(low, zone)]
    here = low
    while here < high:
        there = min(here + 7 * _DAY, high)
        if _offset(there, zone) != offsets[-1]:
            there = _change(here, there, zone)
            before, after = offsets[-1], _offset(there, zone)
            starts.append(there + max(before, after))
            offsets.append(after)
        here = there
    return np.asarray(starts, dtype=np.int64), np.asarray(offsets, dtype=np.int64)


def _change(low: int, high: int, zone: ZoneInfo) -> int:
    """The first second after ``low`` at which the offset of ``low`` no longer holds."""
    before = _offset(low, zone)
    while high - low > _SECOND:
        middle = (low + high) // 2 // _SECOND * _SECOND
        if middle <= low:
            break
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high // _SECOND * _SECOND


def _offset(moment: int, zone: ZoneInfo) -> int:
    offset = (_EPOCH + moment * _MICROSECOND).replace(tzinfo=UTC).astimezone(zone).utcoffset()
    return (offset or timedelta()) // _MICROSECOND

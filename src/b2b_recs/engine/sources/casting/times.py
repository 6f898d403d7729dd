"""Dates, times of day and moments as each other; a job's time zone stands between wall clocks and moments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.sources.casting.calendar import clock_text
from b2b_recs.engine.sources.casting.clock import (
    CLOCK,
    DAY,
    YEARS,
    as_count,
    as_datetime,
    days_in_years,
    in_years,
    microseconds,
    one_day_in_years,
    one_in_years,
    one_microseconds,
    ticks,
)
from b2b_recs.engine.sources.casting.ways import Refused, Unsure, Way, between

_WALL, _MOMENT = pa.timestamp("us"), pa.timestamp("us", "UTC")
# Arrow knows the rules of a zone for the years its table of changes spells out, which ends with 2037.
_ZONES_KNOWN_UNTIL = as_count(datetime(2037, 1, 1, tzinfo=ZoneInfo("UTC")))
_SAME_AS_UTC = frozenset({"UTC", "Etc/UTC"})


def date_to_date() -> Way:
    """Dates as they are."""
    return Way(days_in_years, one_day_in_years, ticks)


def date_to_wall() -> Way:
    """The midnight a date begins with."""
    return Way(lambda values: pc.cast(days_in_years(values), _WALL), lambda days: one_day_in_years(days) * DAY, ticks)


def date_to_moment(zone: str) -> Way:
    """The moment a date begins in the zone."""
    return Way(
        lambda values: _to_moments(pc.cast(days_in_years(values), _WALL), zone),
        lambda days: _to_moment(one_day_in_years(days) * DAY, zone),
        ticks,
    )


def wall_to_wall(unit: str) -> Way:
    """Dates with a time as they are."""
    return Way(_walls, lambda count: one_in_years(one_microseconds(count, unit)), ticks)


def wall_to_moment(unit: str, zone: str) -> Way:
    """The moment a wall clock in the zone shows a date and time; the later one where it shows it twice."""
    return Way(
        lambda values: _to_moments(_walls(values), zone),
        lambda count: _to_moment(one_in_years(one_microseconds(count, unit)), zone),
        ticks,
    )


def wall_to_date(unit: str) -> Way:
    """The date of midnights."""
    return Way(
        lambda values: _to_dates(_walls(values)),
        lambda count: _to_date(one_in_years(one_microseconds(count, unit))),
        ticks,
    )


def moment_to_moment(unit: str) -> Way:
    """Moments as they are."""
    return Way(
        lambda values: in_years(microseconds(values)).view(_MOMENT),
        lambda count: one_in_years(one_microseconds(count, unit)),
        ticks,
    )


def moment_to_wall(unit: str, zone: str) -> Way:
    """What a wall clock in the zone shows at a moment."""

    def whole(values: pa.Array) -> pa.Array:
        moments = in_years(microseconds(values)).view(_MOMENT)
        walls = _to_walls(moments, zone)
        if not _to_moments(walls, zone).equals(moments):
            raise Unsure
        return walls

    def one(count: int) -> int:
        moment = one_in_years(one_microseconds(count, unit))
        wall = _to_wall(moment, zone)
        if _to_moment(wall, zone) != moment:
            raise Refused(f"happens twice in {zone}: clocks go back")
        return wall

    return Way(whole, one, ticks)


def moment_to_date(unit: str, zone: str) -> Way:
    """The date of moments that are midnight in the zone."""
    return Way(
        lambda values: _to_dates(_to_walls(in_years(microseconds(values)).view(_MOMENT), zone)),
        lambda count: _to_date(_to_wall(one_in_years(one_microseconds(count, unit)), zone)),
        ticks,
    )


def time_to_text(unit: str) -> Way:
    """Times of day as ``HH:MM:SS.ffffff``; spans of time below a day too."""

    def whole(values: pa.Array) -> pa.Array:
        counts = microseconds(values)
        between(counts, 0, DAY - 1)
        return pc.cast(counts.view(pa.time64("us")), pa.string())

    def one(count: int) -> str:
        micros = one_microseconds(count, unit)
        if not 0 <= micros < DAY:
            raise Refused("is 24:00, which is no time of day" if micros == DAY else "is no time of day")
        return clock_text(micros, "us")

    return Way(whole, one, ticks)


def _walls(values: pa.Array) -> pa.Array:
    return in_years(microseconds(values)).view(_WALL)


def _to_dates(walls: pa.Array) -> pa.Array:
    dates = pc.cast(in_years(walls.view(pa.int64())).view(_WALL), pa.date32())
    if not pc.cast(dates, _WALL).equals(walls):
        raise Unsure
    return dates


def _to_date(wall: int) -> int:
    days, rest = divmod(one_in_years(wall), DAY)
    if rest:
        raise Refused(CLOCK)
    return days


def _to_moments(walls: pa.Array, zone: str) -> pa.Array:
    if zone in _SAME_AS_UTC:
        return walls.view(_MOMENT)
    moments = _zoned(
        walls,
        lambda near: pc.assume_timezone(near, zone, ambiguous="latest", nonexistent="raise"),
        lambda wall: _to_moment(wall, zone),
    )
    return in_years(moments).view(_MOMENT)


def _to_walls(moments: pa.Array, zone: str) -> pa.Array:
    if zone in _SAME_AS_UTC:
        return moments.view(_WALL)
    walls = _zoned(
        moments,
        lambda near: pc.local_timestamp(near.view(pa.timestamp("us", zone))),
        lambda moment: _to_wall(moment, zone),
    )
    return in_years(walls).view(_WALL)


def _zoned(values: pa.Array, whole: Callable[[pa.Array], pa.Array], one: Callable[[int], int]) -> pa.Array:
    """Counts of microseconds, by Arrow up to 2037 and one by one beyond, where few different values are usual."""
    counts = values.view(pa.int64())
    far = pc.fill_null(pc.greater(counts, _ZONES_KNOWN_UNTIL), False)
    if not pc.any(far).as_py():
        return whole(values).view(pa.int64())
    near = whole(pc.if_else(far, None, counts).view(values.type)).view(pa.int64())
    beyond = counts.filter(far).dictionary_encode()
    try:
        taken = pa.array([one(count) for count in beyond.dictionary.to_pylist()], pa.int64())
    except Refused:
        raise Unsure from None
    return pc.replace_with_mask(near, far, taken.take(beyond.indices))


def _to_moment(wall: int, zone: str) -> int:
    shown = as_datetime(wall).replace(tzinfo=None)
    try:
        moment = as_count(shown.replace(tzinfo=ZoneInfo(zone), fold=1))
        if _to_wall(moment, zone) != wall:
            raise Refused(f"does not exist in {zone}: clocks jump over it")
    except OverflowError:
        raise Refused(YEARS) from None
    return one_in_years(moment)


def _to_wall(moment: int, zone: str) -> int:
    try:
        shown = as_datetime(one_in_years(moment)).astimezone(ZoneInfo(zone))
    except OverflowError:
        raise Refused(YEARS) from None
    return as_count(shown.replace(tzinfo=ZoneInfo("UTC")))

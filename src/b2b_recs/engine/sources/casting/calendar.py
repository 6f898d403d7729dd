"""Dates, times and spans in ISO 8601, whatever the year."""

from __future__ import annotations

from typing import Any

from b2b_recs.engine.sources.casting.clock import PER_SECOND

_ERA_DAYS = 146_097  # of 400 years
_TO_MARCH = 719_468  # days from 0000-03-01 to 1970-01-01
_FRACTION = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def date_text(days: int) -> str:
    """A date of the Gregorian calendar; years beyond four digits carry a sign."""
    era, day = divmod(days + _TO_MARCH, _ERA_DAYS)
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year += era * 400 + (month >= 10)
    month += 3 if month < 10 else -9
    shown = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+05d}"
    return f"{shown}-{month:02d}-{day + 1:02d}"


def wall_text(count: int, unit: str) -> str:
    """A date and time with the digits of its unit."""
    days, rest = divmod(count, 86_400 * PER_SECOND[unit])
    return f"{date_text(days)} {clock_text(rest, unit)}"


def clock_text(count: int, unit: str) -> str:
    """A time of day ``HH:MM:SS`` with the digits of its unit, beyond a day and below zero too."""
    sign, size = ("-", -count) if count < 0 else ("", count)
    seconds, rest = divmod(size, PER_SECOND[unit])
    digits = _FRACTION[unit]
    fraction = f".{rest:0{digits}d}" if digits else ""
    return f"{sign}{seconds // 3_600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"


def span_text(count: int, unit: str) -> str:
    """A span of time in hours, minutes and seconds, such as ``PT36H0M1.5S``."""
    sign, size = ("-", -count) if count < 0 else ("", count)
    return f"{sign}PT{_hours(size, unit)}"


def interval_text(interval: Any) -> str:
    """Months, days and time apart, as they were given, such as ``P1Y2M3DT4H5M6.7S``; each part has its own sign."""
    years, months = divmod(abs(interval.months), 12)
    sign = "-" if interval.months < 0 else ""
    parts = [f"{sign}{years}Y" if years else "", f"{sign}{months}M" if months else ""]
    parts.append(f"{interval.days}D" if interval.days else "")
    day = "".join(parts)
    if not interval.nanoseconds:
        return f"P{day}" if day else "PT0S"
    sign = "-" if interval.nanoseconds < 0 else ""
    return f"P{day}T{_hours(abs(interval.nanoseconds), 'ns', sign)}"


def _hours(size: int, unit: str, sign: str = "") -> str:
    seconds, rest = divmod(size, PER_SECOND[unit])
    digits = _FRACTION[unit]
    fraction = f".{rest:0{digits}d}".rstrip("0").rstrip(".") if digits else ""
    hours, minutes = seconds // 3_600, seconds // 60 % 60
    shown = (f"{sign}{hours}H" if hours else "") + (f"{sign}{minutes}M" if minutes else "")
    last = f"{seconds % 60}{fraction}"
    return shown + (f"{sign}{last}S" if last != "0" or not shown else "")

"""What a value must become, said row by row in the plainest way: slow, obvious, and without Arrow's kernels."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from b2b_recs.engine.schema.types import WarehouseType

W = WarehouseType
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NUMBER = r"[+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?"
DAY, CLOCK = r"\d{4}-\d\d-\d\d", r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
ZONE = r"(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)"


class Bad(Exception):
    """The row is rejected."""


class Never(Exception):
    """No value of this kind can become that type."""


def number(value: Decimal, wanted: WarehouseType, precision: int, scale: int) -> Any:
    """A number as INT64, FLOAT64 or a decimal."""
    if not value.is_finite():
        raise Bad
    with localcontext() as context:
        context.prec = 1500
        if wanted is W.INT64:
            if value % 1 or not -(2**63) <= value < 2**63:
                raise Bad
            return int(value)
        if wanted is W.FLOAT64:
            if abs(value) > Decimal(sys.float_info.max) or Decimal(repr(float(value))) != value:
                raise Bad
            return float(value)
        if wanted in (W.NUMERIC, W.BIGNUMERIC):
            if abs(value) >= Decimal(10) ** (precision - scale) or (value * Decimal(10) ** scale) % 1:
                raise Bad
            return +value
    raise Never


def from_number(value: Decimal, whole: bool, wanted: WarehouseType, digits: tuple[int, int]) -> Any:
    """An integer or decimal."""
    if wanted is W.BOOL and whole:
        if value not in (0, 1):
            raise Bad
        return bool(value)
    return number(value, wanted, *digits)


def from_float(value: Any, wanted: WarehouseType, digits: tuple[int, int], *, single: bool) -> Any:
    """A binary fraction, which as another number is what its shortest text says."""
    if wanted is W.FLOAT64:
        return float(value)
    if wanted not in (W.INT64, W.NUMERIC, W.BIGNUMERIC):
        raise Never
    return number(Decimal(str(np.float32(value)) if single else repr(float(value))), wanted, *digits)


def from_calendar(kind: pa.DataType, value: int, wanted: WarehouseType, zone: str) -> Any:
    """A date, a date with a time, or a moment, by the count behind it."""
    if wanted not in (W.DATE, W.DATETIME, W.TIMESTAMP):
        raise Never
    if pa.types.is_date(kind):
        return wall_as(moment(value * 86_400 * 10**6).replace(tzinfo=None), wanted, zone)
    at = moment(micros(value, kind.unit))
    return moment_as(at, wanted, zone) if kind.tz else wall_as(at.replace(tzinfo=None), wanted, zone)


def time_of_day(value: int, unit: str) -> str:
    """A time of day, or a span of time that is one."""
    count = micros(value, unit)
    if not 0 <= count < 86_400 * 10**6:
        raise Bad
    return clock_text(count, "us")


def micros(ticks: int, unit: str) -> int:
    """Microseconds of ticks; a finer rest is refused."""
    count = ticks * 10**6
    if count % PER_SECOND[unit]:
        raise Bad
    return count // PER_SECOND[unit]


def moment(count: int) -> datetime:
    """The moment of a count of microseconds."""
    try:
        return EPOCH + timedelta(microseconds=count)
    except OverflowError:
        raise Bad from None


def wall_as(shown: datetime, wanted: WarehouseType, zone: str) -> Any:
    """A date and time without a zone."""
    if wanted is W.DATETIME:
        return shown
    if wanted is W.DATE:
        if shown.time() != datetime.min.time():
            raise Bad
        return shown.date()
    if wanted is W.TIMESTAMP:
        local = shown.replace(tzinfo=ZoneInfo(zone), fold=1)
        try:
            there = local.astimezone(UTC)
            back = there.astimezone(ZoneInfo(zone))
        except OverflowError:
            raise Bad from None
        if back.replace(tzinfo=None) != shown:
            raise Bad
        return there
    raise Never


def moment_as(there: datetime, wanted: WarehouseType, zone: str) -> Any:
    """A moment."""
    if wanted is W.TIMESTAMP:
        return there
    if wanted not in (W.DATE, W.DATETIME):
        raise Never
    try:
        local = there.astimezone(ZoneInfo(zone))
    except OverflowError:
        raise Bad from None
    shown = local.replace(tzinfo=None)
    if wanted is W.DATE:
        return wall_as(shown, wanted, zone)
    try:
        again = shown.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC)
    except OverflowError:
        raise Bad from None
    if again != there:
        raise Bad
    return shown


def date_text(days: int) -> str:
    """A date as ISO 8601 by numpy's calendar, with a sign where the year has not four digits."""
    shown = str(np.datetime64(days, "D"))
    year = int(shown[:-6])
    return f"{year:04d}{shown[-6:]}" if 0 <= year <= 9999 else f"{year:+05d}{shown[-6:]}"


def clock_text(ticks: int, unit: str) -> str:
    """A time of day with the digits of its unit."""
    seconds, rest = divmod(abs(ticks), PER_SECOND[unit])
    fraction = "" if unit == "s" else "." + str(rest).rjust(len(str(PER_SECOND[unit])) - 1, "0")
    minutes, second = divmod(seconds, 60)
    return f"{'-' if ticks < 0 else ''}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}{fraction}"


def from_text(text: str, wanted: WarehouseType, digits: tuple[int, int]) -> Any:
    """A text value."""
    if wanted is W.STRING:
        return text
    if wanted is W.BYTES:
        return text.encode()
    if wanted is W.JSON:
        return _json(text)
    if wanted is W.GEOGRAPHY:
        if not re.fullmatch(r"\s*(POINT|LINESTRING)\s*(EMPTY|\([0-9 .,\-]*\))\s*", text):
            raise Bad
        return text
    text = text.strip(" \t\r\n")
    if wanted is W.BOOL:
        return _word(text.lower())
    if wanted in (W.DATE, W.DATETIME, W.TIMESTAMP, W.TIME):
        return _written(text, wanted)
    if not re.fullmatch(NUMBER, text, re.ASCII):
        raise Bad
    return number(Decimal(text), wanted, *digits)


def _json(text: str) -> str:
    def refuse(word: str) -> Any:
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        raise Bad from None
    return text


def _word(word: str) -> bool:
    if word in ("true", "t", "yes", "y", "on", "1"):
        return True
    if word in ("false", "f", "no", "n", "off", "0"):
        return False
    raise Bad


def _written(text: str, wanted: WarehouseType) -> Any:
    pattern = {
        W.DATE: DAY,
        W.DATETIME: f"{DAY}([ T]{CLOCK})?",
        W.TIMESTAMP: f"{DAY}[ T]{CLOCK}{ZONE}",
        W.TIME: CLOCK,
    }[wanted]
    if not re.fullmatch(pattern, text, re.ASCII):
        raise Bad
    try:
        if wanted is W.DATE:
            return date.fromisoformat(text)
        if wanted is W.TIME:
            return datetime.fromisoformat(f"2000-01-01 {text}").time().isoformat("microseconds")
        read = datetime.fromisoformat(text)
        return read if wanted is W.DATETIME else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Bad from None


def printed(kind: pa.DataType, value: Any) -> str:
    """The text of a value; spans of time and binary fractions are read back instead."""
    if pa.types.is_boolean(kind):
        return str(value).lower()
    if pa.types.is_decimal(kind):
        return f"{value if value else abs(value):f}"
    if pa.types.is_date(kind):
        return date_text(value)
    if pa.types.is_timestamp(kind):
        days, rest = divmod(value, 86_400 * PER_SECOND[kind.unit])
        return f"{date_text(days)} {clock_text(rest, kind.unit)}{'Z' if kind.tz else ''}"
    if pa.types.is_time(kind):
        return clock_text(value, kind.unit)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise Bad from None
    return str(value)


def span(text: str, unit: str) -> Decimal:
    """The ticks of an ISO 8601 span of hours, minutes and seconds."""
    found = re.fullmatch(r"(-?)PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", text)
    assert found, text
    sign, hours, minutes, seconds = found.groups()
    size = Decimal(hours or 0) * 3_600 + Decimal(minutes or 0) * 60 + Decimal(seconds or 0)
    return (-size if sign else size) * PER_SECOND[unit]

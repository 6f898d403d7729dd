"""What SQLite hands over, column by column, as Arrow: any value can be in any column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from b2b_recs.engine.schema.number_formats import LEADING_ZERO, LOSES_ZEROS
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_JULIAN = 2_440_587.5
_DAY_MS = 86_400_000
# Seconds since 1970 beyond the year 5138 are taken as milliseconds.
_MILLISECONDS = 100_000_000_000
# The years 1 to 9999 as days of the Julian calendar: SQLite keeps a whole one as an integer where it can.
_JULIAN_DAYS = range(1_721_060, 5_373_485)
_EXACT = 2**53
_TIMES = (WarehouseType.DATE, WarehouseType.DATETIME, WarehouseType.TIMESTAMP)
_NUMBERS = (WarehouseType.INT64, WarehouseType.FLOAT64, WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC)
_BYTES = "holds bytes, not a value of the column's kind"
_NO_TEXT = "holds text that is not UTF-8"


class Fault(Exception):
    """A value that cannot be handed over, with the reason in words."""


def to_arrow(values: Sequence[Any], column: ColumnMapping) -> tuple[pa.Array, dict[int, str]]:
    """The values in the Arrow type that keeps them exactly, and the reason of each row that has none (NULL there)."""
    kinds = set(map(type, values)) - {type(None)}
    wanted = column.warehouse_type
    try:
        if kinds <= {str} and wanted is not WarehouseType.BYTES:
            return pa.array(values, pa.string()), {}
        if kinds == {int} and (wanted in _NUMBERS or wanted is WarehouseType.BOOL):
            return pa.array(values, pa.int64()), {}
        if kinds <= {int, float} and wanted in _NUMBERS and not (int in kinds and _has_long(values)):
            return pa.array([None if value is None else float(value) for value in values], pa.float64()), {}
        if kinds == {bytes} and wanted is WarehouseType.BYTES:
            return pa.array(values, pa.binary()), {}
    except UnicodeEncodeError:
        pass
    return _one_by_one(values, wanted)


def _has_long(values: Sequence[Any]) -> bool:
    return any(isinstance(value, int) and not -_EXACT <= value <= _EXACT for value in values)


def _one_by_one(values: Sequence[Any], wanted: WarehouseType) -> tuple[pa.Array, dict[int, str]]:
    convert: Callable[[Any], Any] = _as_text
    if wanted is WarehouseType.BYTES:
        convert = _as_bytes
    elif wanted is WarehouseType.FLOAT64:
        convert = _as_float
    elif wanted in _TIMES:
        convert = _as_moment if wanted is not WarehouseType.TIMESTAMP else _as_zoned_moment
    found: list[Any] = []
    faults: dict[int, str] = {}
    for at, value in enumerate(values):
        try:
            found.append(None if value is None else convert(value))
        except Fault as fault:
            faults[at] = str(fault)
            found.append(None)
    held = {WarehouseType.BYTES: pa.binary(), WarehouseType.FLOAT64: pa.float64()}
    return pa.array(found, held.get(wanted, pa.string())), faults


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        raise Fault(_BYTES)
    if isinstance(value, str):
        return _sound(value)
    return repr(value)


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if not isinstance(value, bytes):
        raise Fault("holds a number, and the column is of bytes")
    return value


def _as_float(value: Any) -> float:
    if isinstance(value, bytes):
        raise Fault(_BYTES)
    if isinstance(value, str) and LEADING_ZERO.match(value):
        raise Fault(LOSES_ZEROS)
    try:
        number = float(value)
        if value != number and Decimal(value) != Decimal(repr(number)):
            raise Fault("has more digits than FLOAT64 keeps")
    except (ValueError, ArithmeticError):
        raise Fault("is not a number") from None
    return number


def _as_moment(value: Any) -> str:
    if isinstance(value, str | bytes):
        return _as_text(value)
    moment = as_moment(value).replace(tzinfo=None)
    return moment.date().isoformat() if moment.time().isoformat() == "00:00:00" else moment.isoformat(sep=" ")


def _as_zoned_moment(value: Any) -> str:
    return _as_text(value) if isinstance(value, str | bytes) else as_moment(value).isoformat(sep=" ")


def as_moment(value: int | float) -> datetime:
    """The moment of a number: seconds or milliseconds since 1970 when whole, else days of the Julian calendar."""
    if isinstance(value, int) and value in _JULIAN_DAYS:
        raise Fault("may be a day of the Julian calendar or seconds since 1970")
    try:
        if isinstance(value, int):
            return _EPOCH + (timedelta(milliseconds=value) if abs(value) >= _MILLISECONDS else timedelta(seconds=value))
        # SQLite itself keeps such days to the millisecond.
        return _EPOCH + timedelta(milliseconds=round((value - _EPOCH_JULIAN) * _DAY_MS))
    except (OverflowError, ValueError):
        raise Fault("is a number outside the years 1 to 9999") from None


def _sound(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Fault(_NO_TEXT) from None
    return text

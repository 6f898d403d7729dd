"""Values of a warehouse table as plain ones: what JSON can hold, exactly, and short enough to be looked at."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from b2b_recs.engine.profile.columns import Column
from b2b_recs.engine.schema.types import WarehouseType

# Whole numbers, numbers and truths stay what they are; decimals, times and bytes are their exact text.
Plain = str | int | float | bool | None
LONGEST = 200
_DIGITS_KEPT = 4
_FIRST_DAY = date(1970, 1, 1)


def plain(value: Any, longest: int | None = None) -> Plain:
    """A value as Arrow gives it, as a plain one; texts longer than ``longest`` are cut and end in an ellipsis."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else odd_number(value)
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    text = f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
    return cut(text, longest) if longest is not None else text


def cut(text: str, longest: int = LONGEST) -> str:
    """The text, its end replaced by an ellipsis when it is longer than ``longest``."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def odd_number(value: float) -> str:
    """The word for a number that is none: ``NaN``, ``Infinity``, ``-Infinity``."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def decimal_text(value: Decimal) -> str:
    """A decimal as its column has it, ``12.50``; with more than four digits after the point, without their zeros."""
    text = format(value, "f")
    after = len(text.partition(".")[2])
    return text.rstrip("0").rstrip(".") if after > _DIGITS_KEPT else text


def moment_text(value: datetime) -> str:
    """A time to the second, or finer when it is: ``2026-01-31 09:30:00``, with ``+00:00`` when it has a zone."""
    return value.isoformat(sep=" ", timespec="microseconds" if value.microsecond else "seconds")


def moment_at(position: int | float, column: Column) -> str:
    """The text of a DATE, DATETIME or TIMESTAMP by its distance from 1970: days of a DATE, else microseconds."""
    try:
        if column.warehouse_type is WarehouseType.DATE:
            return (_FIRST_DAY + timedelta(days=int(position))).isoformat()
        zone = UTC if column.warehouse_type is WarehouseType.TIMESTAMP else None
        return moment_text(datetime(1970, 1, 1, tzinfo=zone) + timedelta(microseconds=int(position)))
    except OverflowError:
        return "before the year 1" if position < 0 else "after the year 9999"


def position_of(moment: datetime, column: Column) -> int:
    """The distance of a moment from 1970 in the unit of ``moment_at``; a column without a zone is taken for UTC."""
    if column.warehouse_type is WarehouseType.DATE:
        return (moment.astimezone(UTC).date() - _FIRST_DAY).days
    return round(moment.timestamp() * 1_000_000)

"""CAST and CONVERT of SQL Server's double, by the vendor's page "CAST and CONVERT (Transact-SQL)" and its styles."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from doubles.tsql_types import MAX, Clock, Type, kept, units

_SECOND = 10_000_000
_DATES = ("date", "datetime", "smalldatetime", "datetime2", "datetimeoffset")
# Digits of a second that style 121 prints; smalldatetime has zeros there.
_PRINTED = {"datetime": 3, "smalldatetime": 3}


class NotConverted(Exception):
    """The server refuses this conversion, or the double does not know it."""


def converted(value: Any, source: Type, target: Type, style: int | None) -> Any:
    """The value of type ``source`` as ``target``; a variant is converted by the type inside."""
    if source.base == "sql_variant" and value is not None:
        source, value = value
    if value is None:
        return None
    if target.base == "nvarchar":
        text = _text(value, source, style)
        # It is cut between any two halves of a character.
        parts = units(text)
        return text if len(parts) <= target.size or target.size == MAX else _joined(parts[: target.size])
    if target.base == "varbinary" and isinstance(value, bytes):
        return value if target.size == MAX else value[: target.size]
    if target.base in ("decimal", "float") and isinstance(value, int | float | Decimal):
        return float(value) if target.base == "float" else kept(target, value)
    if target.base in ("datetime2", "datetimeoffset", "time") and isinstance(value, Clock):
        return _clock(value, target)
    raise NotConverted(f"{source.base} to {target.base}")


def _joined(parts: list[bytes]) -> str:
    return b"".join(parts).decode("utf-16-le", "surrogatepass")


def _clock(value: Clock, target: Type) -> Clock:
    if target.base == "time":
        return Clock(None, value.ticks or 0)
    offset = (value.offset or 0) if target.base == "datetimeoffset" else None
    return Clock(value.day, value.ticks or 0, offset)


def _text(value: Any, source: Type, style: int | None) -> str:
    if isinstance(value, Clock):
        return _written(value, source, style)
    if isinstance(value, bytes):
        if style != 1:
            raise NotConverted("bytes become text by their hexadecimal digits only in style 1")
        return "0x" + value.hex().upper()
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        if style != 3:
            raise NotConverted("only style 3 prints every digit of a float")
        mantissa, _, exponent = f"{value:.16e}".partition("e")
        return f"{mantissa}e{exponent[0]}{exponent[1:]:0>3}"
    if isinstance(value, Decimal):
        # Without a style money has two digits after the point, whatever it is.
        return f"{value:.2f}" if source.base in ("money", "smallmoney") else f"{value:f}"
    text = str(value)
    return text.upper() if source.base == "uniqueidentifier" else text


def _written(value: Clock, source: Type, style: int | None) -> str:
    if style == 23 and source.base in _DATES and value.day is not None:
        return value.day.isoformat()
    if style != 121:
        raise NotConverted(f"{source.base} in style {style}")
    day = value.day.isoformat() if value.day is not None else ""
    if value.ticks is None:
        return day
    seconds, ticks = divmod(value.ticks, _SECOND)
    digits = _PRINTED.get(source.base, source.scale)
    # A tick of 1/300 second is rounded to the millisecond next to it.
    fraction = f"{(ticks + 5_000) // 10_000:03d}" if source.base == "datetime" else f"{ticks:07d}"[:digits]
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}" + (f".{fraction}" if fraction else "")
    text = f"{day} {clock}".strip()
    if value.offset is None:
        return text
    minutes = abs(value.offset)
    return f"{text} {'-' if value.offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"

"""The types of SQL Server as its double has them: how the catalogue lists them, how they travel, what they keep.

Sizes and ranges are those of the vendor's page "Data types (Transact-SQL)"; tokens and lengths those of [MS-TDS].
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any

from doubles.tds import Column

MAX = -1
_SECOND = 10_000_000  # in ticks of 100 nanoseconds
_DAY = 86_400 * _SECOND
# Bytes, precision and scale of types that have no sizes of their own.
_FIXED = {
    "tinyint": (1, 3, 0), "smallint": (2, 5, 0), "int": (4, 10, 0), "bigint": (8, 19, 0), "bit": (1, 1, 0),
    "money": (8, 19, 4), "smallmoney": (4, 10, 4), "real": (4, 24, 0), "float": (8, 53, 0), "date": (3, 10, 0),
    "datetime": (8, 23, 3), "smalldatetime": (4, 16, 0), "text": (16, 0, 0), "ntext": (16, 0, 0), "image": (16, 0, 0),
    "xml": (MAX, 0, 0), "json": (MAX, 0, 0), "timestamp": (8, 0, 0), "uniqueidentifier": (16, 0, 0),
    "sql_variant": (8016, 0, 0), "hierarchyid": (892, 0, 0), "geography": (MAX, 0, 0), "geometry": (MAX, 0, 0),
    "sysname": (256, 0, 0),
}  # fmt: skip
_CLOCKS = {"time": (8, (3, 4, 5)), "datetime2": (19, (6, 7, 8)), "datetimeoffset": (26, (8, 9, 10))}
_WIDE = ("nchar", "nvarchar")
_NARROW = ("char", "varchar", "binary", "varbinary")


@dataclass(frozen=True)
class Type:
    """A type as it is declared; ``size`` in characters or bytes, ``MAX`` for the longest; ``alias`` a user's name."""

    base: str
    size: int = 0
    precision: int = 0
    scale: int = 0
    alias: str = ""

    def listed(self) -> tuple[str, str, str, str]:
        """Name, bytes, precision and scale as ``sys.columns`` has them."""
        return (self.base, *map(str, self._sizes()))  # type: ignore[return-value]

    def _sizes(self) -> tuple[int, int, int]:
        if self.base in ("decimal", "numeric"):
            return (5 + 4 * sum(self.precision > digits for digits in (9, 19, 28)), self.precision, self.scale)
        if self.base in _CLOCKS:
            shown, sizes = _CLOCKS[self.base]
            return (sizes[0 if self.scale < 3 else 1 if self.scale < 5 else 2],
                    shown + (self.scale and self.scale + 1), self.scale)  # fmt: skip
        if self.base in _WIDE:
            return (self.size if self.size == MAX else 2 * self.size, 0, 0)
        return (self.size, 0, 0) if self.base in _NARROW else _FIXED.get(self.base, (MAX, 0, 0))

    def sent(self, name: str) -> Column:
        """How the server sends a column of this type. Raises ValueError for one no client here asks for as it is."""
        if self.base in ("tinyint", "smallint", "int", "bigint"):
            return Column(name, "int", size=_FIXED[self.base][0])
        if self.base in ("decimal", "numeric"):
            return Column(name, "decimal", self.precision, self.scale)
        if self.base in ("bit", "float", "date"):
            return Column(name, self.base)
        if self.base in ("nvarchar", "varbinary"):
            kind = "text" if self.base == "nvarchar" else "bytes"
            return Column(name, kind) if self.size == MAX else Column(name, f"short {kind}", size=self.size)
        if self.base in ("nchar", "binary"):
            return Column(name, self.base, size=self.size)
        if self.base == "sysname":
            return Column(name, "short text", size=128)
        raise ValueError(f"{self.base} is not sent as it is")


@dataclass(frozen=True)
class Clock:
    """A day, a time of day in ticks of 100 nanoseconds, and an offset in minutes; what the type lacks is None."""

    day: date | None
    ticks: int | None = None
    offset: int | None = None


def type_of(text: str) -> Type:
    """The type written as in Transact-SQL: ``decimal(38,9)``, ``nvarchar(max)``, ``datetime2``."""
    found = re.fullmatch(r"(\w+)(?:\((max|\d+)(?:, ?(\d+))?\))?", text)
    assert found, text
    base, first, second = found.groups()
    if base in ("decimal", "numeric"):
        return Type(base, precision=int(first or 18), scale=int(second or 0))
    if base in _CLOCKS:
        return Type(base, scale=7 if first is None else int(first))
    if base in (*_WIDE, *_NARROW):
        return Type(base, MAX if first == "max" else int(first or 30))
    return Type("timestamp" if base == "rowversion" else base)


def units(text: str) -> list[bytes]:
    """The halves of characters and characters that make up a text here: two bytes each."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return [raw[at : at + 2] for at in range(0, len(raw), 2)]


_WRITTEN = re.compile(
    r"(?:(\d{4})-(\d\d)-(\d\d))?[ T]?(?:(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?)? ?(?:([+-])(\d\d):(\d\d))?"
)


def kept(kind: Type, given: Any) -> Any:
    """What a column of this type keeps of a value put into it; texts of times are rounded as the server does."""
    if given is None or kind.base == "sql_variant":
        return given
    if kind.base in ("date", "time", "datetime", "smalldatetime", "datetime2", "datetimeoffset"):
        return _clock(kind, given)
    if kind.base in ("decimal", "numeric", "money", "smallmoney"):
        digits, scale = kind._sizes()[1:]
        with localcontext(prec=76):
            number = Decimal(given).quantize(Decimal(1).scaleb(-scale))
        assert len(number.as_tuple().digits) <= digits, (kind, given)
        return number
    if kind.base == "real":
        return struct.unpack("<f", struct.pack("<f", given))[0]
    if kind.base in ("char", "nchar"):
        return given + " " * (kind.size - len(given if kind.base == "char" else units(given)))
    return given.ljust(kind.size, b"\0") if kind.base == "binary" else given


def _clock(kind: Type, text: str) -> Clock:
    found = _WRITTEN.fullmatch(text)
    assert found, text
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    when = date(int(year), int(month), int(day)) if year else None
    ticks = 0
    if hour:
        ticks = ((int(hour) * 60 + int(minute)) * 60 + int(second)) * _SECOND + int((fraction or "0").ljust(7, "0"))
    offset = (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1) if sign else 0
    if kind.base == "date":
        return Clock(when)
    ticks = _rounded(kind, ticks)
    if ticks >= _DAY and when is not None:
        when, ticks = when + timedelta(days=1), ticks - _DAY
    return Clock(None if kind.base == "time" else when, ticks, offset if kind.base == "datetimeoffset" else None)


def _rounded(kind: Type, ticks: int) -> int:
    """To 1/300 of a second, to a minute, or to the digits of the type."""
    if kind.base == "datetime":
        return (ticks * 300 + _SECOND // 2) // _SECOND * _SECOND // 300
    step = 60 * _SECOND if kind.base == "smalldatetime" else 10 ** (7 - kind.scale)
    return (ticks + step // 2) // step * step

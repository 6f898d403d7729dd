"""The types a SQLite column can be declared with, and the warehouse type proposed for each.

SQLite keeps any value in any column; what is declared says only what it prefers. Values of another kind than the
mapping takes are rejected one by one.
"""

from __future__ import annotations

import re
from enum import StrEnum

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.rules import TypeRule

_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW
_OTHER = "values of another kind than the column declares"
_WHOLE = TypeRule(_W.INT64, "Whole numbers of 64 bits.", rejected=_OTHER)
_TEXT = TypeRule(_W.STRING, "Text stays text.", family="text", rejected="bytes, and text that is not UTF-8")
_REAL = TypeRule(_W.FLOAT64, "Binary fractions of 64 bits.", rejected=_OTHER)
_DECIMAL = TypeRule(
    _W.NUMERIC, "Decimals, which SQLite itself keeps as whole numbers or binary fractions.", family="decimal",
    rejected=_OTHER,
)  # fmt: skip
_BOOL = TypeRule(_W.BOOL, "0 or 1.", rejected="anything but 0, 1 and words for them")
_TIMES = "Text as ISO 8601, days of the Julian calendar, or seconds since 1970."
_DATE = TypeRule(_W.DATE, _TIMES, _MEDIUM, rejected="what is no date, or has a time of day")
_MOMENT = TypeRule(_W.DATETIME, _TIMES, _MEDIUM, rejected="what is no date with a time")
_ZONED = TypeRule(_W.TIMESTAMP, _TIMES, _MEDIUM, rejected="text without a zone")
_CLOCK = TypeRule(_W.TIME, "Text as HH:MM:SS.", _MEDIUM, rejected="what is no time of day")
_BYTES = TypeRule(_W.BYTES, "Bytes; text in such a column is its UTF-8.", rejected="numbers")
_JSON = TypeRule(_W.JSON, "JSON, character by character.", rejected="what is not JSON")

_SAME: tuple[tuple[TypeRule, tuple[str, ...]], ...] = (
    (
        _WHOLE,
        ("INTEGER", "INT", "TINYINT", "SMALLINT", "MEDIUMINT", "BIGINT", "UNSIGNED BIG INT", "INT2", "INT4", "INT8"),
    ),
    (
        _TEXT,
        ("TEXT", "CHARACTER", "CHAR", "VARCHAR", "VARYING CHARACTER", "NCHAR", "NATIVE CHARACTER", "NVARCHAR", "CLOB"),
    ),
    (_TEXT, ("UUID", "STRING")),
    (_REAL, ("REAL", "DOUBLE", "DOUBLE PRECISION", "FLOAT")),
    (_DECIMAL, ("NUMERIC", "DECIMAL", "NUMBER", "MONEY")),
    (_BOOL, ("BOOLEAN", "BOOL")),
)
RULES: dict[str, TypeRule] = {
    **{name: rule for rule, names in _SAME for name in names},
    "DATE": _DATE,
    "DATETIME": _MOMENT,
    "TIMESTAMP": _MOMENT,
    "TIMESTAMP WITHOUT TIME ZONE": _MOMENT,
    "TIMESTAMP WITH TIME ZONE": _ZONED,
    "TIMESTAMPTZ": _ZONED,
    "TIME": _CLOCK,
    "BLOB": _BYTES,
    "JSON": _JSON,
    "": TypeRule(_W.STRING, "Declared without a type; kept as text.", _LOW, family="text", rejected="bytes"),
    "ANY": TypeRule(_W.STRING, "Declared for values of any type; kept as text.", _LOW, family="text", rejected="bytes"),
}  # fmt: skip
_UNKNOWN = TypeRule(
    _W.STRING, "A type this mapping does not know, kept as text.", _LOW, "Check that text is what is wanted.",
    family="text", rejected="bytes",
)  # fmt: skip
TIME_NAMES = {name for name, rule in RULES.items() if rule in (_DATE, _MOMENT, _ZONED)}
_DIGITS = re.compile(r"\(\s*(\d{1,4})\s*(?:,\s*(\d{1,4})\s*)?\)")


class Affinity(StrEnum):
    """What kind of value a column prefers to keep, by SQLite's own five rules."""

    INTEGER = "INTEGER"
    TEXT = "TEXT"
    BLOB = "BLOB"
    REAL = "REAL"
    NUMERIC = "NUMERIC"


def affinity(declared: str) -> Affinity:
    """The affinity of a declared type, in the order in which SQLite looks at its letters."""
    name = declared.upper()
    if "INT" in name:
        return Affinity.INTEGER
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return Affinity.TEXT
    if not name or "BLOB" in name:
        return Affinity.BLOB
    if any(part in name for part in ("REAL", "FLOA", "DOUB")):
        return Affinity.REAL
    return Affinity.NUMERIC


def base_name(declared: str) -> str:
    """The declared type without its digits, in capitals."""
    return re.sub(r"\s+", " ", re.sub(r"\([^)]*\)", "", declared)).strip().upper()


def digits(declared: str) -> tuple[int | None, int | None]:
    """Precision and scale of DECIMAL(10, 2); SQLite itself ignores them."""
    found = _DIGITS.search(declared)
    if found is None or RULES.get(base_name(declared)) is not _DECIMAL:
        return None, None
    return int(found[1]), int(found[2] or 0)


def rule_for(column: ColumnInfo) -> TypeRule:
    """The rule of a column's declared type; of one that is not known, by its affinity."""
    known = RULES.get(base_name(column.source_type))
    if known is not None:
        return known
    by_affinity = {Affinity.INTEGER: _WHOLE, Affinity.TEXT: _TEXT, Affinity.BLOB: _BYTES, Affinity.REAL: _REAL}
    return by_affinity.get(affinity(column.source_type), _UNKNOWN)

"""Redshift's types and the warehouse type proposed for each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from b2b_recs.engine.schema.types import ColumnMapping, Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.proposing import TypeRule, propose_columns

_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW
_YEARS = "dates outside the years 1 to 9999"

_TEXT = TypeRule(_W.STRING, "Text stays text.", family="text")
_BYTES = TypeRule(_W.BYTES, "Bytes.")
_INTERVAL = TypeRule(_W.STRING, "The warehouse has no interval; kept as text.", _MEDIUM)
_NESTED = TypeRule(_W.JSON, "Nested data of an external table becomes JSON.", _MEDIUM)
_SYSTEM = TypeRule(_W.STRING, "A system type, kept as the server prints it.")

RULES: dict[str, TypeRule] = {
    "smallint": TypeRule(_W.INT64, "Whole numbers of 16 bits."),
    "integer": TypeRule(_W.INT64, "Whole numbers of 32 bits."),
    "bigint": TypeRule(_W.INT64, "Whole numbers of 64 bits."),
    "numeric": TypeRule(
        _W.NUMERIC, "Exact decimals.", family="decimal", rejected="values with more digits than chosen"
    ),
    "real": TypeRule(_W.FLOAT64, "Binary fractions of 32 bits fit into 64 bits exactly."),
    "double precision": TypeRule(_W.FLOAT64, "Binary fractions of 64 bits."),
    "boolean": TypeRule(_W.BOOL, "True or false."),
    "character": TypeRule(
        _W.STRING,
        "Text of fixed length, with the blanks the source pads it with.",
        warning="Values keep their trailing blanks.",
        family="text",
    ),
    "character varying": _TEXT,
    "text": _TEXT,
    "date": TypeRule(_W.DATE, "Calendar dates.", rejected=_YEARS),
    "timestamp without time zone": TypeRule(
        _W.DATETIME, "Date and time without a zone stay without one.", rejected=_YEARS
    ),
    "timestamp with time zone": TypeRule(_W.TIMESTAMP, "Moments in time, to the microsecond.", rejected=_YEARS),
    "time without time zone": TypeRule(_W.TIME, "Time of day, to the microsecond.", rejected="24:00:00"),
    "time with time zone": TypeRule(_W.STRING, "The warehouse has no time of day with a zone; kept as text.", _MEDIUM),
    "interval year to month": _INTERVAL,
    "interval day to second": _INTERVAL,
    "interval": _INTERVAL,
    "super": TypeRule(_W.JSON, "A value, object or list becomes JSON."),
    "binary varying": _BYTES,
    "geometry": TypeRule(
        _W.STRING,
        "Shapes on a plane in the hexadecimal form Redshift prints (EWKB).",
        _MEDIUM,
        "Make a view with ST_AsText to get shapes as words.",
    ),
    "geography": TypeRule(
        _W.STRING,
        "Shapes on the globe in the hexadecimal form Redshift prints (EWKB).",
        _MEDIUM,
        "Make a view with ST_AsText to get shapes as words.",
    ),
    "hllsketch": TypeRule(_W.STRING, "A sketch for counting, kept as Redshift prints it.", _MEDIUM),
    "any struct, array or map of an external table": _NESTED,
    **dict.fromkeys(("oid", "name", '"char"', "regproc", "aclitem", "abstime", "xid", "tid"), _SYSTEM),
    "any other type": TypeRule(
        _W.STRING,
        "A type this mapping does not know, kept as the server prints it.",
        _LOW,
        "Check that text is what is wanted.",
    ),
}
# Names under which Redshift also shows a type.
_ALIASES = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "int": "integer", "tinyint": "smallint",
    "decimal": "numeric", "float4": "real", "float": "double precision", "float8": "double precision",
    "double": "double precision", "bool": "boolean", "char": "character", "bpchar": "character", "nchar": "character",
    "varchar": "character varying", "nvarchar": "character varying", "string": "character varying",
    "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
    "time": "time without time zone", "timetz": "time with time zone", "varbyte": "binary varying",
    "varbinary": "binary varying", "binary": "binary varying", "bytea": "binary varying",
}  # fmt: skip
TIMES = ("date", "timestamp without time zone", "timestamp with time zone")
_NESTING = ("struct", "array", "map")


def base_name(shown: str) -> str:
    """The full name of a type without its sizes."""
    plain = re.sub(r"\s+", " ", re.sub(r"\([^)]*\)", "", shown)).strip().lower()
    return _ALIASES.get(plain, plain)


def rule_for(column: ColumnInfo) -> TypeRule:
    """The rule of a column's type; a type nobody knows is read as text."""
    base = column.base_type or base_name(column.source_type)
    if base.startswith(_NESTING):
        return _NESTED
    return RULES.get(base, RULES["any other type"])


def propose(columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]]) -> list[ColumnMapping]:
    """One mapping per column, in the same order."""
    return propose_columns(columns, samples, rule_for)

"""Snowflake's types: what each becomes, and the SQL by which it is read without loss."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from b2b_recs.engine.schema.types import ColumnMapping, Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.decimals import widest
from b2b_recs.engine.sources.proposing import TypeRule, propose_columns

_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW
_FINER = "times finer than a microsecond, and dates outside the years 1 to 9999"
_MOMENT_FORMAT = "'YYYY-MM-DD HH24:MI:SS.FF9'"


class Form(StrEnum):
    """How a value travels: as the driver's own Arrow, or as text where the driver would lose or change something."""

    NATURAL = "natural"
    FLOAT = "float"
    TEXT = "text"
    BYTES = "bytes"
    TIME = "time"
    WALL = "wall clock"
    MOMENT = "moment"
    JSON = "json"
    LIST = "list"
    GLOBE = "globe"
    PLANE = "plane"
    PRINTED = "printed"


@dataclass(frozen=True, slots=True)
class Known:
    """A type as the warehouse takes it, and the form in which it travels."""

    rule: TypeRule
    form: Form


def _known(form: Form, warehouse: WarehouseType, reason: str, **more: object) -> Known:
    return Known(TypeRule(warehouse, reason, **more), form)  # type: ignore[arg-type]


_TEXT = _known(Form.TEXT, _W.STRING, "Text stays text.", family="text")
_NUMBER = _known(
    Form.NATURAL, _W.NUMERIC, "Exact decimals.", family="decimal", rejected="values with more digits than chosen"
)
_FLOAT = _known(Form.FLOAT, _W.FLOAT64, "Binary fractions of 64 bits.")
_BYTES = _known(Form.BYTES, _W.BYTES, "Bytes.")
_WALL = _known(Form.WALL, _W.DATETIME, "Date and time without a zone stay without one.", rejected=_FINER)
_WHOLE = TypeRule(_W.INT64, "Whole numbers of at most 18 digits.")
_ANY_WHOLE = TypeRule(
    _W.INT64,
    "Whole numbers; Snowflake declares 38 digits for every integer.",
    _MEDIUM,
    "Values that need more than 64 bits are kept among the rejected rows.",
)
_INT64_DIGITS, _MOST_DIGITS = 18, 38
_JSON = _known(Form.JSON, _W.JSON, "A value, object or list becomes JSON.")
_INTERVAL = _known(Form.PRINTED, _W.STRING, "The warehouse has no interval; kept as text.", confidence=_MEDIUM)

_KNOWN: dict[str, Known] = {
    **dict.fromkeys(("NUMBER", "DECIMAL", "NUMERIC", "INT", "INTEGER", "BIGINT", "SMALLINT"), _NUMBER),
    **dict.fromkeys(("TINYINT", "BYTEINT"), _NUMBER),
    "DECFLOAT": _known(
        Form.PRINTED,
        _W.NUMERIC,
        "Decimals with a floating point and up to 38 digits.",
        family="decimal",
        confidence=_MEDIUM,
    ),
    **dict.fromkeys(("FLOAT", "FLOAT4", "FLOAT8", "DOUBLE", "DOUBLE PRECISION", "REAL"), _FLOAT),
    **dict.fromkeys(("VARCHAR", "CHAR", "CHARACTER", "NCHAR", "STRING", "TEXT", "NVARCHAR", "NVARCHAR2"), _TEXT),
    **dict.fromkeys(("BINARY", "VARBINARY"), _BYTES),
    "BOOLEAN": _known(Form.NATURAL, _W.BOOL, "True or false."),
    "DATE": _known(Form.NATURAL, _W.DATE, "Calendar dates."),
    "TIME": _known(Form.TIME, _W.TIME, "Time of day, to the microsecond.", rejected=_FINER),
    "TIMESTAMP_NTZ": _WALL,
    "DATETIME": _WALL,
    "TIMESTAMP_LTZ": _known(Form.MOMENT, _W.TIMESTAMP, "Moments in time, to the microsecond.", rejected=_FINER),
    "TIMESTAMP_TZ": _known(
        Form.MOMENT,
        _W.TIMESTAMP,
        "Moments in time, to the microsecond.",
        confidence=_MEDIUM,
        warning="The moment is kept; the zone it was written in is not.",
        rejected=_FINER,
    ),
    "VARIANT": _JSON,
    "OBJECT": _JSON,
    "ARRAY": _JSON,
    "MAP": _known(Form.JSON, _W.JSON, "Pairs of key and value become a JSON object."),
    "VECTOR": _known(
        Form.LIST,
        _W.JSON,
        "A vector becomes a JSON array.",
        confidence=_MEDIUM,
        warning="Numbers of 32 bits are kept as Snowflake prints them.",
    ),
    "GEOGRAPHY": _known(Form.GLOBE, _W.GEOGRAPHY, "Shapes on the globe as well-known text."),
    "GEOMETRY": _known(
        Form.PLANE,
        _W.STRING,
        "Shapes on a plane as well-known text with their reference system.",
        confidence=_MEDIUM,
        warning="Choose GEOGRAPHY only for shapes in longitude and latitude.",
    ),
    "UUID": _known(Form.PRINTED, _W.STRING, "Kept as its text."),
    "FILE": _known(Form.PRINTED, _W.STRING, "A reference to a file, kept as Snowflake prints it.", confidence=_MEDIUM),
    "INTERVAL YEAR TO MONTH": _INTERVAL,
    "INTERVAL DAY TO SECOND": _INTERVAL,
}

UNKNOWN = _known(
    Form.PRINTED,
    _W.STRING,
    "A type this mapping does not know, kept as Snowflake prints it.",
    confidence=_LOW,
    warning="Check that text is what is wanted.",
)
# For the page about types and for proposals.
RULES: dict[str, TypeRule] = {
    **{name: found.rule for name, found in _KNOWN.items()},
    "any other type": UNKNOWN.rule,
}
_TIMES = ("DATE", "DATETIME", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ")


def known(column: ColumnInfo) -> Known:
    """What is known of a column's type; a type nobody knows is read as text."""
    base = base_name(column.base_type or column.source_type)
    if base.startswith("INTERVAL"):
        return _INTERVAL
    return _KNOWN.get(base, UNKNOWN)


def propose(columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]]) -> list[ColumnMapping]:
    """One mapping per column; whole numbers become INT64 unless their digits or a sampled value need more."""

    def rule_for(column: ColumnInfo) -> TypeRule:
        rule = known(column).rule
        if rule.family != "decimal" or column.scale != 0 or column.precision is None:
            return rule
        longest = widest(samples.get(column.name, ()))[0]
        if column.precision <= _INT64_DIGITS:
            return _WHOLE
        # What Snowflake declares for every integer, whatever is in it.
        return _ANY_WHOLE if column.precision == _MOST_DIGITS and longest <= _INT64_DIGITS else rule

    return propose_columns(columns, samples, rule_for)


def base_name(shown: str) -> str:
    """The type's name without its sizes: ``NUMBER`` of ``NUMBER(38,0)``."""
    return re.sub(r"\s*\(.*", "", shown.strip(), flags=re.DOTALL).upper()


def is_time(shown: str) -> bool:
    """Whether values of the type are days or moments."""
    return base_name(shown) in _TIMES


def digits(shown: str) -> tuple[int | None, int | None]:
    """Precision and scale of ``NUMBER(p,s)``."""
    found = re.fullmatch(r"\w+\((\d+),\s*(\d+)\)", shown.strip())
    return (int(found[1]), int(found[2])) if found else (None, None)


def travelling(name: str, form: Form) -> str:
    """SQL of a column in the form it travels; ``name`` is quoted.

    Times go as text with all nine digits: the driver would cut digits where a batch also has far dates.
    """
    match form:
        case Form.TIME:
            return f"TO_VARCHAR({name}, 'HH24:MI:SS.FF9')"
        case Form.WALL:
            return f"TO_VARCHAR({name}, {_MOMENT_FORMAT})"
        case Form.MOMENT:
            return f"TO_VARCHAR(CONVERT_TIMEZONE('UTC', {name}), {_MOMENT_FORMAT}) || '+00:00'"
        case Form.JSON:
            return f"TO_JSON({name}::VARIANT)"
        case Form.LIST:
            return f"TO_JSON({name}::ARRAY::VARIANT)"
        case Form.GLOBE:
            return f"ST_ASWKT({name})"
        case Form.PLANE:
            return f"ST_ASEWKT({name})"
        case Form.PRINTED:
            return f"TO_VARCHAR({name})"
        case _:
            return name


def printed(name: str, form: Form) -> str:
    """SQL of a column's text, for samples and cursors; ``name`` is quoted."""
    match form:
        case Form.TEXT:
            return name
        case Form.BYTES:
            return f"HEX_ENCODE({name})"
        case Form.NATURAL | Form.FLOAT:
            return f"TO_VARCHAR({name})"
        case _:
            return travelling(name, form)

"""Arrow's types and the warehouse type proposed for each, for sources whose files or drivers speak Arrow."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.types as pt

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.decimals import decimal_rule
from b2b_recs.engine.sources.rules import TypeRule

_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW
_YEARS = "dates outside the years 1 to 9999"
_LONGEST_NAME = 120

ARROW_RULES: dict[str, TypeRule] = {
    "bool": TypeRule(_W.BOOL, "True or false."),
    "int8": TypeRule(_W.INT64, "Whole numbers of 8 bits."),
    "int16": TypeRule(_W.INT64, "Whole numbers of 16 bits."),
    "int32": TypeRule(_W.INT64, "Whole numbers of 32 bits."),
    "int64": TypeRule(_W.INT64, "Whole numbers of 64 bits."),
    "uint8": TypeRule(_W.INT64, "Whole numbers of 8 bits without a sign."),
    "uint16": TypeRule(_W.INT64, "Whole numbers of 16 bits without a sign."),
    "uint32": TypeRule(_W.INT64, "Whole numbers of 32 bits without a sign."),
    "uint64": TypeRule(_W.NUMERIC, "Whole numbers of 64 bits without a sign need 20 digits.", digits=(20, 0)),
    "halffloat": TypeRule(_W.FLOAT64, "Binary fractions of 16 bits fit into 64 bits exactly."),
    "float": TypeRule(_W.FLOAT64, "Binary fractions of 32 bits fit into 64 bits exactly."),
    "double": TypeRule(_W.FLOAT64, "Binary fractions of 64 bits."),
    "decimal": TypeRule(_W.NUMERIC, "Exact decimals.", family="decimal"),
    "string": TypeRule(_W.STRING, "Text stays text.", family="text", rejected="what is not text in UTF-8"),
    "binary": TypeRule(_W.BYTES, "Bytes."),
    "fixed_size_binary": TypeRule(_W.BYTES, "Bytes."),
    "date32": TypeRule(_W.DATE, "Calendar dates.", rejected=_YEARS),
    "date64": TypeRule(_W.DATE, "Calendar dates.", rejected=f"{_YEARS}, and values with a time of day"),
    "timestamp": TypeRule(_W.DATETIME, "Date and time without a zone stay without one.", rejected=_YEARS),
    "timestamp[ns]": TypeRule(
        _W.DATETIME,
        "Date and time without a zone stay without one.",
        rejected=f"values finer than a microsecond, and {_YEARS}",
    ),
    "timestamp with zone": TypeRule(_W.TIMESTAMP, "Moments in time, to the microsecond.", rejected=_YEARS),
    "timestamp[ns] with zone": TypeRule(
        _W.TIMESTAMP, "Moments in time, to the microsecond.", rejected=f"values finer than a microsecond, and {_YEARS}"
    ),
    "time32": TypeRule(_W.TIME, "Time of day, to the microsecond.", rejected="24:00:00"),
    "time64": TypeRule(
        _W.TIME, "Time of day, to the microsecond.", rejected="24:00:00, and values finer than a microsecond"
    ),
    "duration": TypeRule(_W.STRING, "The warehouse has no span of time; kept as ISO 8601 text.", _MEDIUM),
    "month_day_nano_interval": TypeRule(
        _W.STRING, "The warehouse has no span of time; kept as ISO 8601 text.", _MEDIUM
    ),
    "uuid": TypeRule(_W.STRING, "Kept as its text."),
    "json": TypeRule(_W.JSON, "JSON, character by character.", rejected="what is not JSON"),
    "bool8": TypeRule(_W.BOOL, "True or false."),
    "list": TypeRule(_W.JSON, "A list becomes a JSON array.", _MEDIUM),
    "struct": TypeRule(_W.JSON, "A record becomes a JSON object.", _MEDIUM),
    "map": TypeRule(_W.JSON, "Pairs of key and value become a JSON object.", _MEDIUM),
    "union": TypeRule(_W.JSON, "A value of several types becomes JSON.", _MEDIUM),
    "null": TypeRule(_W.STRING, "Every value is empty, so nothing says what the type is.", _LOW),
    "any other type": TypeRule(
        _W.STRING, "A type this mapping does not know, kept as text.", _LOW, "Check that text is what is wanted."
    ),
}


def arrow_rule(data_type: pa.DataType) -> TypeRule:
    """The rule of an Arrow type; decimals carry the digits of theirs."""
    data_type = _inner(data_type)
    if pt.is_decimal(data_type):
        return decimal_rule(ARROW_RULES["decimal"], data_type.precision, data_type.scale)
    return ARROW_RULES[_rule_name(data_type)]


def arrow_name(data_type: pa.DataType) -> str:
    """A short name of an Arrow type, as a column's source type."""
    data_type = _inner(data_type)
    if isinstance(data_type, pa.BaseExtensionType):
        return str(data_type.extension_name).removeprefix("arrow.")
    name = str(data_type)
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _inner(data_type: pa.DataType) -> pa.DataType:
    """The type of the values, whatever way they are packed."""
    if pt.is_dictionary(data_type) or pt.is_run_end_encoded(data_type):
        return _inner(data_type.value_type)
    return data_type


def _rule_name(data_type: pa.DataType) -> str:
    if isinstance(data_type, pa.BaseExtensionType):
        name = str(data_type.extension_name).removeprefix("arrow.")
        return name if name in ARROW_RULES else _rule_name(data_type.storage_type)
    if pt.is_timestamp(data_type):
        return "timestamp" + ("[ns]" if data_type.unit == "ns" else "") + (" with zone" if data_type.tz else "")
    return next((name for is_one, name in _NAMES if is_one(data_type)), _plain_name(data_type))


def _plain_name(data_type: pa.DataType) -> str:
    name = str(data_type).partition("[")[0]
    return name if name in ARROW_RULES else "any other type"


_NAMES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pt.is_string, "string"),
    (pt.is_large_string, "string"),
    (pt.is_string_view, "string"),
    (pt.is_binary, "binary"),
    (pt.is_large_binary, "binary"),
    (pt.is_binary_view, "binary"),
    (pt.is_fixed_size_binary, "fixed_size_binary"),
    (pt.is_list, "list"),
    (pt.is_large_list, "list"),
    (pt.is_fixed_size_list, "list"),
    (pt.is_list_view, "list"),
    (pt.is_large_list_view, "list"),
    (pt.is_struct, "struct"),
    (pt.is_map, "map"),
    (pt.is_union, "union"),
    (pt.is_interval, "month_day_nano_interval"),
)

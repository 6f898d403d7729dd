"""The warehouse type proposed for each of Arrow's types, for sources whose files or drivers speak Arrow."""

from __future__ import annotations

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.rules import TypeRule

_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW
_YEARS = "dates outside the years 1 to 9999"

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

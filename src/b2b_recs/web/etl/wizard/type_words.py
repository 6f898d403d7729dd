"""What people call the types of the warehouse; the name in brackets is the one programs and project files use."""

from __future__ import annotations

from b2b_recs.engine.schema.types import Mode, WarehouseType

_WORDS: dict[str, dict[WarehouseType, str]] = {
    "Text": {WarehouseType.STRING: "Text"},
    "Numbers": {
        WarehouseType.INT64: "Whole number",
        WarehouseType.NUMERIC: "Decimal number",
        WarehouseType.BIGNUMERIC: "Decimal number, very long",
        WarehouseType.FLOAT64: "Decimal number, rounded",
    },
    "Dates and times": {
        WarehouseType.DATE: "Date",
        WarehouseType.DATETIME: "Date and time",
        WarehouseType.TIMESTAMP: "Date and time with zone",
        WarehouseType.TIME: "Time of day",
    },
    "Others": {
        WarehouseType.BOOL: "Yes or no",
        WarehouseType.JSON: "Nested data",
        WarehouseType.GEOGRAPHY: "Place on a map",
        WarehouseType.BYTES: "Raw bytes",
    },
}
# The types by kind: each with its name and how a person reads it.
TYPE_GROUPS = tuple(
    (kind, tuple((one.value, f"{words} ({one.value})") for one, words in types.items()))
    for kind, types in _WORDS.items()
)
MODES = ((Mode.NULLABLE.value, "may be empty"), (Mode.REQUIRED.value, "always filled"))

"""The thirteen warehouse types and what one column becomes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Decimal digits, and those of them after the point, when a mapping names none, as BigQuery has them.
NUMERIC_DIGITS = (38, 9)
BIGNUMERIC_DIGITS = (76, 38)


class WarehouseType(StrEnum):
    """Column types of the warehouse, named as BigQuery names them."""

    STRING = "STRING"
    BYTES = "BYTES"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    NUMERIC = "NUMERIC"
    BIGNUMERIC = "BIGNUMERIC"
    BOOL = "BOOL"
    DATE = "DATE"
    DATETIME = "DATETIME"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    JSON = "JSON"
    GEOGRAPHY = "GEOGRAPHY"


class Mode(StrEnum):
    """Whether a column may be empty."""

    NULLABLE = "NULLABLE"
    REQUIRED = "REQUIRED"


class Confidence(StrEnum):
    """How sure the proposal is that no value changes meaning."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What one source column becomes in the warehouse.

    ``precision`` and ``scale`` count decimal digits and are set for NUMERIC and BIGNUMERIC only. ``format`` says how
    dates are written in text that becomes DATE or DATETIME, one of ``schema.formats``, or numbers in text that becomes
    one, one of ``schema.number_formats``; empty for ISO 8601 and 1234.56. ``reason`` says why the type was proposed,
    ``warning`` what may be lost (empty when nothing).
    """

    name: str
    source_type: str
    warehouse_type: WarehouseType
    mode: Mode = Mode.NULLABLE
    precision: int | None = None
    scale: int | None = None
    confidence: Confidence = Confidence.HIGH
    reason: str = ""
    warning: str = ""
    format: str = ""


def digits(column: ColumnMapping) -> tuple[int, int]:
    """Precision and scale of a NUMERIC or BIGNUMERIC column, the type's own where the mapping names none."""
    default = NUMERIC_DIGITS if column.warehouse_type is WarehouseType.NUMERIC else BIGNUMERIC_DIGITS
    if column.precision is None:
        return default
    scale = 0 if column.scale is None else column.scale
    return column.precision, scale

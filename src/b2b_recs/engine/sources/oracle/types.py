"""Oracle's types: how each is sent and the warehouse type proposed for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from b2b_recs.engine.schema.types import ColumnMapping, Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.proposing import propose_columns
from b2b_recs.engine.sources.rules import TypeRule


class Kind(StrEnum):
    """Families of types that are sent, compared and bound in the same way."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    LONG_TEXT = "long text"
    BYTES = "bytes"
    LONG_BYTES = "long bytes"
    DATE = "date"
    TIMESTAMP = "timestamp"
    ZONED = "zoned"
    INTERVAL = "interval"
    ROWID = "rowid"
    XML = "xml"
    JSON = "json"
    BOOL = "bool"
    VECTOR = "vector"
    SHAPE = "shape"
    # What no SELECT can send as a value: left out of the list of columns.
    UNREADABLE = "unreadable"


_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW
_YEARS = "dates outside the years 1 to 9999"
_FINE = f"{_YEARS}, and fractions below a microsecond"
_TEXT = TypeRule(_W.STRING, "Text stays text.", warning="Oracle keeps an empty text as NULL.", family="text")
_LONG = TypeRule(_W.STRING, "Long text stays text.", _MEDIUM, "Leave the column out unless it is needed.")
_BYTES = TypeRule(_W.BYTES, "Bytes.")
_TOO_LONG = "values with more digits than the column holds"

RULES: dict[str, TypeRule] = {
    "NUMBER(p)": TypeRule(_W.INT64, "Whole numbers of at most 18 digits."),
    "NUMBER(p,s)": TypeRule(_W.NUMERIC, "Exact decimals.", family="decimal"),
    "NUMBER": TypeRule(_W.NUMERIC, "Exact decimals without a declared size.", family="decimal", rejected=_TOO_LONG),
    "FLOAT": TypeRule(
        _W.NUMERIC, "Decimals with a binary precision; kept digit by digit.", _MEDIUM, family="decimal",
        rejected=_TOO_LONG,
    ),
    "BINARY_FLOAT": TypeRule(_W.FLOAT64, "Binary fractions of 32 bits fit into 64 bits exactly."),
    "BINARY_DOUBLE": TypeRule(_W.FLOAT64, "Binary fractions of 64 bits."),
    **dict.fromkeys(("VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR"), _TEXT),
    **dict.fromkeys(("CLOB", "NCLOB", "LONG"), _LONG),
    "RAW": _BYTES,
    "LONG RAW": _BYTES,
    "BLOB": _BYTES,
    "DATE": TypeRule(_W.DATETIME, "Oracle's dates have a time of day.", rejected=_YEARS),
    "TIMESTAMP": TypeRule(
        _W.DATETIME, "Date and time without a zone stay without one.", rejected=_FINE
    ),
    "TIMESTAMP WITH TIME ZONE": TypeRule(
        _W.TIMESTAMP, "Moments in time, to the microsecond.", rejected=_FINE
    ),
    "TIMESTAMP WITH LOCAL TIME ZONE": TypeRule(
        _W.TIMESTAMP, "Moments in time, to the microsecond.", rejected=_FINE
    ),
    "INTERVAL YEAR TO MONTH": TypeRule(_W.STRING, "The warehouse has no interval; kept as text.", _MEDIUM),
    "INTERVAL DAY TO SECOND": TypeRule(_W.STRING, "The warehouse has no interval; kept as text.", _MEDIUM),
    "ROWID": TypeRule(_W.STRING, "The place of a row, kept as its text.", _LOW, "It changes when a row is moved."),
    "UROWID": TypeRule(_W.STRING, "The place of a row, kept as its text.", _LOW, "It changes when a row is moved."),
    "XMLTYPE": TypeRule(_W.STRING, "XML kept as text.", _MEDIUM),
    "JSON": TypeRule(_W.JSON, "JSON, as the server prints it."),
    "BOOLEAN": TypeRule(_W.BOOL, "True or false."),
    "VECTOR": TypeRule(_W.JSON, "A vector becomes a JSON array of its numbers.", _MEDIUM),
    "SDO_GEOMETRY": TypeRule(
        _W.GEOGRAPHY, "A shape as well-known text.", _LOW, "Only shapes in longitude and latitude are right."
    ),
    "any other type": TypeRule(_W.STRING, "Left out: it has no value that can be sent as text.", _LOW),
}  # fmt: skip
OTHER = "any other type"

_KINDS: dict[str, Kind] = {
    "NUMBER(p)": Kind.INTEGER,
    **dict.fromkeys(("NUMBER(p,s)", "NUMBER", "FLOAT"), Kind.DECIMAL),
    **dict.fromkeys(("BINARY_FLOAT", "BINARY_DOUBLE"), Kind.FLOAT),
    **dict.fromkeys(("VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR"), Kind.TEXT),
    **dict.fromkeys(("CLOB", "NCLOB", "LONG"), Kind.LONG_TEXT),
    "RAW": Kind.BYTES,
    **dict.fromkeys(("LONG RAW", "BLOB"), Kind.LONG_BYTES),
    "DATE": Kind.DATE,
    "TIMESTAMP": Kind.TIMESTAMP,
    **dict.fromkeys(("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH LOCAL TIME ZONE"), Kind.ZONED),
    **dict.fromkeys(("INTERVAL YEAR TO MONTH", "INTERVAL DAY TO SECOND"), Kind.INTERVAL),
    **dict.fromkeys(("ROWID", "UROWID"), Kind.ROWID),
    "XMLTYPE": Kind.XML,
    "JSON": Kind.JSON,
    "BOOLEAN": Kind.BOOL,
    "VECTOR": Kind.VECTOR,
    "SDO_GEOMETRY": Kind.SHAPE,
}
_INT64_DIGITS = 18


def rule_name(data_type: str, precision: int | None, scale: int | None) -> str:
    """The name in ``RULES`` of a type as the server's catalogue writes it, such as ``TIMESTAMP(6) WITH TIME ZONE``."""
    name = re.sub(r"\(\d+\)", "", data_type).upper()
    if name == "NUMBER":
        if precision is None and scale is None:
            return "NUMBER"
        # NUMBER(*, 0), as INTEGER is declared, has 38 digits.
        whole = (38 if precision is None else precision) - min(scale or 0, 0)
        return "NUMBER(p)" if (scale or 0) <= 0 and whole <= _INT64_DIGITS else "NUMBER(p,s)"
    return name if name in RULES else OTHER


def shown_type(data_type: str, precision: int | None, scale: int | None, length: int | None) -> str:
    """The type as it was declared, for people."""
    if data_type in ("NUMBER", "FLOAT") and precision is not None:
        return f"{data_type}({precision},{scale})" if scale else f"{data_type}({precision})"
    if data_type in ("VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR", "RAW") and length:
        return f"{data_type}({length})"
    return data_type


def kind_of(column: ColumnInfo) -> Kind:
    """How values of the column are sent; ``base_type`` is a name of ``RULES``."""
    return _KINDS.get(column.base_type, Kind.UNREADABLE)


def propose(columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]]) -> list[ColumnMapping]:
    """The warehouse type of every column."""
    return propose_columns(columns, samples, lambda column: RULES.get(column.base_type, RULES[OTHER]))

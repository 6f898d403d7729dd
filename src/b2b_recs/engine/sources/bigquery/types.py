"""BigQuery's types and the warehouse type of each: the warehouse has the same ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from b2b_recs.engine.schema.types import ColumnMapping, Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.proposing import TypeRule, propose_columns

_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW
REPEATED = "any list (REPEATED)"
UNKNOWN = "any other type"

RULES: dict[str, TypeRule] = {
    "STRING": TypeRule(_W.STRING, "Text stays text.", family="text"),
    "BYTES": TypeRule(_W.BYTES, "Bytes."),
    "INTEGER": TypeRule(_W.INT64, "Whole numbers of 64 bits."),
    "FLOAT": TypeRule(_W.FLOAT64, "Binary fractions of 64 bits."),
    "NUMERIC": TypeRule(
        _W.NUMERIC, "Exact decimals of 29 digits before and 9 after the point.", digits=(38, 9), family="decimal"
    ),
    "BIGNUMERIC": TypeRule(
        _W.BIGNUMERIC,
        "Exact decimals of 38 digits before and after the point.",
        digits=(76, 38),
        family="decimal",
        rejected="values of 39 digits before the point",
    ),
    "BOOLEAN": TypeRule(_W.BOOL, "True or false."),
    "DATE": TypeRule(_W.DATE, "Calendar dates."),
    "DATETIME": TypeRule(_W.DATETIME, "Date and time without a zone stay without one."),
    "TIME": TypeRule(_W.TIME, "Time of day, to the microsecond."),
    "TIMESTAMP": TypeRule(_W.TIMESTAMP, "Moments in time, to the microsecond."),
    "INTERVAL": TypeRule(_W.STRING, "The warehouse has no interval; kept as text.", _MEDIUM),
    "JSON": TypeRule(_W.JSON, "JSON as BigQuery keeps it."),
    "GEOGRAPHY": TypeRule(_W.GEOGRAPHY, "Shapes on the globe as well-known text."),
    "RECORD": TypeRule(_W.JSON, "A record becomes a JSON object.", _MEDIUM),
    "RANGE": TypeRule(_W.JSON, "A range becomes a JSON object of its start and end.", _MEDIUM),
    REPEATED: TypeRule(_W.JSON, "A list becomes a JSON array.", _MEDIUM),
    UNKNOWN: TypeRule(
        _W.STRING,
        "A type this mapping does not know, kept as BigQuery prints it.",
        _LOW,
        "Check that text is what is wanted.",
    ),
}
NESTED = (RULES["RECORD"], RULES["RANGE"], RULES[REPEATED])
_ALIASES = {
    "INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD", "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}  # fmt: skip
TIMES = ("DATE", "DATETIME", "TIMESTAMP")
# Types that can be compared with a literal of the same name.
COMPARED = (
    "STRING",
    "BYTES",
    "INT64",
    "FLOAT64",
    "NUMERIC",
    "BIGNUMERIC",
    "BOOL",
    "DATE",
    "DATETIME",
    "TIME",
    "TIMESTAMP",
)
_SQL_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


def base_name(field_type: str) -> str:
    """The name a type has in a table's schema, whichever of its two names is given."""
    upper = field_type.upper()
    return _ALIASES.get(upper, upper)


def sql_name(base: str) -> str:
    """The name a type has in SQL."""
    return _SQL_NAMES.get(base, base)


def rule_for(column: ColumnInfo) -> TypeRule:
    """The rule of a column's type; a type nobody knows is read as text."""
    if column.type_kind == "repeated":
        return RULES[REPEATED]
    rule = RULES.get(column.base_type, RULES[UNKNOWN])
    # Without digits of its own the type's are certain, and no sample has to tell.
    if rule.family == "decimal" and column.precision is None:
        return TypeRule(rule.warehouse, rule.reason, digits=rule.digits, rejected=rule.rejected)
    return rule


def propose(columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]]) -> list[ColumnMapping]:
    """One mapping per column, in the same order."""
    return propose_columns(columns, samples, rule_for)

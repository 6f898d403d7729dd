"""The warehouse type proposed for every column of a PostgreSQL table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.postgresql.types import (
    ARRAY,
    COMPOSITE,
    ENUM,
    RANGE,
    RULES,
    UNKNOWN,
    Kind,
    Rule,
    rule_for,
)
from b2b_recs.engine.sources.proposing import TypeRule, propose_columns

_DIGITS = {Kind.MONEY: (21, 2), Kind.WIDE_UNSIGNED: (20, 0)}


def propose(columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]]) -> list[ColumnMapping]:
    """One mapping per column, in the same order; only columns named in ``samples`` are looked into."""
    return propose_columns(columns, samples, lambda column: type_rule(rule_for(column), column), formats=False)


def type_rule(rule: Rule, column: ColumnInfo | None = None) -> TypeRule:
    """What the rule of a PostgreSQL type says of its column."""
    return TypeRule(
        rule.warehouse,
        rule.reason,
        rule.confidence,
        rule.warning,
        _DIGITS.get(rule.kind),
        _family(rule, column),
        rule.refused,
    )


def _family(rule: Rule, column: ColumnInfo | None) -> str:
    if rule.kind is Kind.NUMERIC:
        return "decimal"
    if rule.kind in (Kind.TEXT, Kind.PADDED) and (column is None or column.type_kind in ("", "base")):
        return "text"
    return ""


# Every type as the page about types shows it.
TYPE_RULES: dict[str, TypeRule] = {
    **{name: type_rule(rule) for name, rule in RULES.items()},
    "any list, such as `integer[]`": type_rule(ARRAY),
    "any record type": type_rule(COMPOSITE),
    "any enum": type_rule(ENUM),
    "any range or multirange": type_rule(RANGE),
    "any other type": type_rule(UNKNOWN),
}

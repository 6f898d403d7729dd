"""The warehouse type proposed for every column of a PostgreSQL table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from b2b_recs.engine.schema.arrow import NUMERIC_DIGITS
from b2b_recs.engine.schema.detect import detect
from b2b_recs.engine.schema.types import ColumnMapping, Confidence, Mode, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.postgresql.types import Kind, Rule, rule_for

# Digits of BigQuery's decimals: before and after the point.
_NUMERIC_WHOLE, _NUMERIC_SCALE = 29, 9
_BIGNUMERIC_WHOLE, _BIGNUMERIC_SCALE = 38, 38
_MONEY_DIGITS = (21, 2)
_WIDE_UNSIGNED_DIGITS = (20, 0)
_LARGE_TEXT = 100_000


def propose(columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]]) -> list[ColumnMapping]:
    """One mapping per column, in the same order; only columns named in ``samples`` are looked into."""
    return [_propose(column, rule_for(column), samples.get(column.name, ())) for column in columns]


def _propose(column: ColumnInfo, rule: Rule, samples: Sequence[str | None]) -> ColumnMapping:
    if rule.kind is Kind.NUMERIC:
        return _numeric(column, rule, samples)
    if rule.kind is Kind.MONEY:
        return _mapping(column, rule, digits=_MONEY_DIGITS)
    if rule.kind is Kind.WIDE_UNSIGNED:
        return _mapping(column, rule, digits=_WIDE_UNSIGNED_DIGITS)
    if rule.kind in (Kind.TEXT, Kind.PADDED) and column.type_kind in ("", "base"):
        return _text(column, rule, samples)
    return _mapping(column, rule)


def _mapping(
    column: ColumnInfo,
    rule: Rule,
    warehouse_type: WarehouseType | None = None,
    digits: tuple[int, int] | None = None,
    confidence: Confidence | None = None,
    reason: str = "",
    warning: str = "",
) -> ColumnMapping:
    return ColumnMapping(
        name=column.name,
        source_type=column.source_type,
        warehouse_type=warehouse_type or rule.warehouse,
        mode=Mode.NULLABLE if column.nullable else Mode.REQUIRED,
        precision=digits[0] if digits else None,
        scale=digits[1] if digits else None,
        confidence=confidence or rule.confidence,
        reason=reason or rule.reason,
        warning=warning or rule.warning,
    )


def _numeric(column: ColumnInfo, rule: Rule, samples: Sequence[str | None]) -> ColumnMapping:
    if column.precision is None:
        return _unbounded(column, rule, samples)
    precision, scale = column.precision, column.scale or 0
    whole, fraction = max(precision - scale, 0), max(scale, 0)
    digits = (max(whole + fraction, 1), fraction)
    shown = f"{whole} digits before and {fraction} after the point"
    if whole <= _NUMERIC_WHOLE and fraction <= _NUMERIC_SCALE:
        return _mapping(column, rule, WarehouseType.NUMERIC, digits, reason=f"Exact decimals of {shown}.")
    if whole <= _BIGNUMERIC_WHOLE and fraction <= _BIGNUMERIC_SCALE:
        reason = f"Exact decimals of {shown} are too long for NUMERIC."
        return _mapping(column, rule, WarehouseType.BIGNUMERIC, digits, reason=reason)
    return _mapping(
        column, rule, WarehouseType.STRING, confidence=Confidence.MEDIUM,
        reason=f"Decimals of {shown} fit no number of the warehouse; kept as text.",
    )  # fmt: skip


def _unbounded(column: ColumnInfo, rule: Rule, samples: Sequence[str | None]) -> ColumnMapping:
    whole, fraction, seen = _widest(samples)
    looked = f"the {seen} sampled values" if seen else "no value was sampled; usual values"
    if whole <= _NUMERIC_WHOLE and fraction <= _NUMERIC_SCALE:
        return _mapping(
            column, rule, WarehouseType.NUMERIC, NUMERIC_DIGITS, Confidence.MEDIUM,
            f"Decimals without a declared size; {looked} fit 29 digits before and 9 after the point.",
            "Values with more digits are kept among the rejected rows.",
        )  # fmt: skip
    if whole <= _BIGNUMERIC_WHOLE and fraction <= _BIGNUMERIC_SCALE:
        return _mapping(
            column, rule, WarehouseType.BIGNUMERIC, None, Confidence.MEDIUM,
            f"Decimals without a declared size; {looked} need up to {whole} digits before and {fraction} after "
            "the point.",
            "Values with more than 38 digits on either side are kept among the rejected rows.",
        )  # fmt: skip
    return _mapping(
        column, rule, WarehouseType.STRING, None, Confidence.LOW,
        f"Decimals without a declared size; sampled values have {whole} digits before and {fraction} after "
        "the point.",
        "No number of the warehouse holds these values; kept as text.",
    )  # fmt: skip


def _widest(samples: Sequence[str | None]) -> tuple[int, int, int]:
    """Most digits before the point, most after it, and how many values were looked at."""
    whole = fraction = seen = 0
    for text in samples:
        if text is None:
            continue
        try:
            value = Decimal(text)
        except InvalidOperation:
            continue
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int):
            seen += 1
            trailing = -exponent - (len(text) - len(text.rstrip("0")) if "." in text else 0)
            whole, fraction = max(whole, value.adjusted() + 1), max(fraction, trailing)
    return whole, fraction, seen


def _text(column: ColumnInfo, rule: Rule, samples: Sequence[str | None]) -> ColumnMapping:
    found = detect(samples)
    longest = max((len(text) for text in samples if text is not None), default=0)
    if longest >= _LARGE_TEXT:
        return _mapping(
            column, rule, warning=f"Values reach {longest:,} characters; leave the column out unless needed."
        )
    if found is None:
        return _mapping(column, rule)
    if found.proposed:
        return _mapping(
            column, rule, found.warehouse_type, confidence=found.confidence, reason=found.reason, warning=found.warning
        )
    return _mapping(column, rule, confidence=found.confidence, reason=found.reason, warning=found.warning)

"""What decimals become: NUMERIC, BIGNUMERIC or text, by their declared digits or by the sampled values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from b2b_recs.engine.counting import counted
from b2b_recs.engine.schema.types import NUMERIC_DIGITS, Confidence, WarehouseType
from b2b_recs.engine.sources.rules import TypeRule

# Digits of BigQuery's decimals: before and after the point.
_NUMERIC_WHOLE, _NUMERIC_SCALE = 29, 9
_BIGNUMERIC_WHOLE, _BIGNUMERIC_SCALE = 38, 38


def decimal_rule(rule: TypeRule, precision: int, scale: int) -> TypeRule:
    """The rule of decimals with these declared digits; they are kept as declared."""
    whole, fraction = max(precision - scale, 0), max(scale, 0)
    digits = (max(whole + fraction, 1), fraction)
    shown = f"{whole} digits before and {fraction} after the point"
    if whole <= _NUMERIC_WHOLE and fraction <= _NUMERIC_SCALE:
        reason = f"Exact decimals of {shown}."
        return replace(rule, warehouse=WarehouseType.NUMERIC, digits=digits, reason=reason, family="")
    if whole <= _BIGNUMERIC_WHOLE and fraction <= _BIGNUMERIC_SCALE:
        reason = f"Exact decimals of {shown} are too long for NUMERIC."
        return replace(rule, warehouse=WarehouseType.BIGNUMERIC, digits=digits, reason=reason, family="")
    return replace(
        rule, warehouse=WarehouseType.STRING, digits=None, family="", confidence=Confidence.MEDIUM,
        reason=f"Decimals of {shown} fit no number of the warehouse; kept as text.",
    )  # fmt: skip


def sampled_decimal_rule(rule: TypeRule, samples: Sequence[str | None]) -> TypeRule:
    """The rule of decimals that declare no digits, from sampled values."""
    whole, fraction, seen = widest(samples)
    looked = f"the {counted(seen, 'sampled value')}" if seen else "no value was sampled; usual values"
    if whole <= _NUMERIC_WHOLE and fraction <= _NUMERIC_SCALE:
        return replace(
            rule, warehouse=WarehouseType.NUMERIC, digits=NUMERIC_DIGITS, confidence=Confidence.MEDIUM, family="",
            reason=f"Decimals without a declared size; {looked} fit 29 digits before and 9 after the point.",
            warning="Values with more digits are kept among the rejected rows.",
        )  # fmt: skip
    if whole <= _BIGNUMERIC_WHOLE and fraction <= _BIGNUMERIC_SCALE:
        return replace(
            rule, warehouse=WarehouseType.BIGNUMERIC, digits=None, confidence=Confidence.MEDIUM, family="",
            reason=f"Decimals without a declared size; {looked} need up to {whole} digits before and {fraction} after "
            "the point.",
            warning="Values with more than 38 digits on either side are kept among the rejected rows.",
        )  # fmt: skip
    return replace(
        rule, warehouse=WarehouseType.STRING, digits=None, confidence=Confidence.LOW, family="",
        reason=f"Decimals without a declared size; sampled values have {whole} digits before and {fraction} after "
        "the point.",
        warning="No number of the warehouse holds these values; kept as text.",
    )  # fmt: skip


def widest(samples: Sequence[str | None]) -> tuple[int, int, int]:
    """Most digits before the point, most after it, and how many values were looked at."""
    whole = fraction = seen = 0
    for text in samples:
        if text is None:
            continue
        try:
            value = Decimal(text)
        except InvalidOperation:
            continue
        if value.is_finite():
            seen += 1
            whole = max(whole, value.adjusted() + 1)
            fraction = max(fraction, -_last_digit(value))
    return whole, fraction, seen


def _last_digit(value: Decimal) -> int:
    """The power of ten of the last digit that is not zero."""
    _, digits, exponent = value.as_tuple()
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return int(exponent) + zeros

"""The text of any value but lists and records: exact, and the same for one value as for a million."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.sources.casting.calendar import clock_text, date_text, interval_text, span_text, wall_text
from b2b_recs.engine.sources.casting.clock import days_in_years, ticks, timestamps_in_years
from b2b_recs.engine.sources.casting.families import Family
from b2b_recs.engine.sources.casting.ways import Refused, Way, slowly

NOT_UTF8 = "is not text in UTF-8"


def printed(family: Family, kind: pa.DataType) -> Way:
    """How values of a family become text; only text that is not UTF-8 is refused."""
    if family in (Family.TEXT, Family.JSON, Family.UUID):
        return Way(_checked, _decoded, lambda values: values.view(pa.binary()).to_pylist())
    if family is Family.BYTES:
        return Way(lambda values: pc.cast(values, pa.string()), _decoded)
    if family is Family.DECIMAL:
        return Way(decimal_text, plain_decimal)
    if family is Family.FLOAT:
        return Way(float_text, str)
    if family is Family.DATE:
        return Way(lambda values: pc.cast(days_in_years(values), pa.string()), date_text, ticks)
    if family in (Family.WALL, Family.MOMENT):
        return _timestamp(kind.unit, "Z" if family is Family.MOMENT else "")
    if family is Family.TIME:
        return Way(_clock, lambda count: clock_text(count, kind.unit), ticks)
    if family is Family.SPAN:
        return Way(slowly, lambda count: span_text(count, kind.unit), ticks)
    if family is Family.INTERVAL:
        return Way(slowly, interval_text)
    return Way(lambda values: pc.cast(values, pa.string()), str)


def plain_decimal(value: Decimal) -> str:
    """The decimal in digits, without an exponent and without a sign before zero."""
    return f"{value.copy_abs() if value.is_zero() else value:f}"


def decimal_text(values: pa.Array) -> pa.Array:
    """Decimals in digits, with all digits of their scale."""
    kind = values.type
    if kind.scale < 0:
        plain = [None if value is None else plain_decimal(value) for value in values.to_pylist()]
        return pa.array(plain, pa.string())
    text = pc.cast(values, pa.string())
    if kind.scale == 0 or not pc.any(pc.match_substring(text, "E")).as_py():
        return text
    # Small values come with an exponent: print the digits as a whole number and set the point.
    unscaled = pa.decimal128(38, 0) if kind.bit_width == 128 else pa.decimal256(76, 0)
    whole = pa.Array.from_buffers(unscaled, len(values), values.buffers(), values.null_count, values.offset)
    digits = pc.cast(whole, pa.string())
    sign = pc.if_else(pc.starts_with(digits, "-"), "-", "")
    padded = pc.utf8_lpad(pc.utf8_ltrim(digits, "-"), kind.scale + 1, "0")
    before = pc.utf8_slice_codeunits(padded, 0, -kind.scale)
    after = pc.utf8_slice_codeunits(padded, -kind.scale)
    return pc.binary_join_element_wise(sign, before, ".", after, "")


def float_text(values: pa.Array) -> pa.Array:
    """The shortest text that reads back as the same binary fraction."""
    text = pc.cast(values, pa.string())
    if pc.all(pc.is_finite(values)).as_py() is not False:
        return text
    return pc.replace_substring(pc.replace_substring(text, "nan", "NaN"), "inf", "Infinity")


def _checked(values: pa.Array) -> pa.Array:
    values.validate(full=True)
    return values


def _decoded(value: Any) -> str:
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise Refused(NOT_UTF8) from None


def _clock(values: pa.Array) -> pa.Array:
    values.validate(full=True)
    return pc.cast(values, pa.string())


def _timestamp(unit: str, end: str) -> Way:
    def whole(values: pa.Array) -> pa.Array:
        text = pc.cast(timestamps_in_years(values).cast(pa.timestamp(unit)), pa.string())
        return pc.binary_join_element_wise(text, end, "") if end else text

    return Way(whole, lambda count: wall_text(count, unit) + end, ticks)

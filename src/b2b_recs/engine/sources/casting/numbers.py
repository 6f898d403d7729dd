"""Numbers: whole ones, decimals and binary fractions, each taken digit by digit or refused.

A binary fraction is the number that its shortest decimal text says, as PostgreSQL's casts have it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Context, Decimal
from math import isinf
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.schema.arrow import DECIMAL128_DIGITS, arrow_type, checked_digits
from b2b_recs.engine.schema.formats import number_format
from b2b_recs.engine.schema.number_formats import LEADING_ZERO, LOSES_ZEROS, NumberFormat
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.casting.printing import decimal_text, float_text, plain_decimal
from b2b_recs.engine.sources.casting.ways import BLANKS, Refused, Unsure, Way, between, sure, trimmed

NOT_A_NUMBER = "is not a number"
_NUMBER = re.compile(r"[+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?")
_EXACT_FLOAT = 2**53
# Every decimal of so many digits reads back from the nearest binary fraction.
_SAFE_DIGITS = 15
_INT64 = (-(2**63), 2**63 - 1)
_CONTEXT = Context(prec=250)
_DECIMAL256_DIGITS = 76
_DECIMALS = (WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC)
# Arrow's expressions do not look ahead.
_ZEROS = "^([+-]?)0+([0-9])"

Reads = Callable[[Any], Decimal]


def from_integer(column: ColumnMapping) -> Way:
    """Whole numbers as any number."""
    return _way(column, Decimal, _INTEGERS)


def from_decimal(column: ColumnMapping) -> Way:
    """Decimals as any number."""
    return _way(column, _itself, _FROM_DECIMALS)


def from_float(column: ColumnMapping) -> Way:
    """Binary fractions as any number."""
    if column.warehouse_type is WarehouseType.FLOAT64:
        return Way(lambda values: pc.cast(values, pa.float64()), _itself)
    way = _way(column, Decimal, _FLOATS)
    return Way(way.whole, way.one, lambda values: float_text(values).to_pylist())


def from_text(column: ColumnMapping) -> Way:
    """Numbers written in digits, in the column's format, as any number; zeros in front only in a format for them."""
    form = number_format(column)
    if form is None:
        return _way(column, _read, _TEXTS)

    def read(text: str) -> Decimal:
        text = text.strip(BLANKS)
        if not form.zeros and LEADING_ZERO.fullmatch(text):
            raise Refused(LOSES_ZEROS)
        if not form.fits(text):
            raise Refused(f"is not a number written {form.name}")
        return _read(form.plain(text))

    plain = _way(column, read, _TEXTS)
    return Way(lambda values: plain.whole(_plain(values, form)), plain.one)


def to_bool(column: ColumnMapping) -> Way:
    """Zero and one as false and true."""

    def whole(values: pa.Array) -> pa.Array:
        numbers = pc.cast(values, pa.int64())
        between(numbers, 0, 1)
        return pc.cast(numbers, pa.bool_())

    def one(value: Any) -> bool:
        if value not in (0, 1):
            raise Refused("is neither 0 nor 1")
        return bool(value)

    return Way(whole, one)


def _itself(value: Any) -> Any:
    return value


def _read(text: str) -> Decimal:
    text = text.strip(BLANKS)
    if not _NUMBER.fullmatch(text):
        raise Refused(NOT_A_NUMBER)
    if LEADING_ZERO.match(text):
        raise Refused(LOSES_ZEROS)
    return Decimal(text)


Whole = Callable[[pa.Array, ColumnMapping], pa.Array]


def _way(column: ColumnMapping, read: Reads, wholes: dict[str, Whole]) -> Way:
    kind = column.warehouse_type
    if kind in _DECIMALS:
        precision, scale = checked_digits(column)
        key = "decimal" if precision <= DECIMAL128_DIGITS else "long decimal"
        return Way(lambda values: wholes[key](values, column), lambda value: fitted(read(value), precision, scale))
    one = _to_int64 if kind is WarehouseType.INT64 else _to_float64
    return Way(lambda values: wholes[kind.value](values, column), lambda value: one(read(value)))


def fitted(value: Decimal, precision: int, scale: int) -> Decimal | str:
    """The decimal with exactly ``scale`` digits after the point, or its text when a column holds it so."""
    if not value.is_finite():
        raise Refused(NOT_A_NUMBER)
    if value and value.adjusted() >= precision - scale:
        raise Refused(f"is not a number of at most {precision - scale} digits before the point")
    if value != value.quantize(Decimal(1).scaleb(-scale), context=_CONTEXT):
        raise Refused(f"has more than {scale} digits after the point")
    if precision > DECIMAL128_DIGITS:
        return plain_decimal(value)
    return value.quantize(Decimal(1).scaleb(-scale), context=_CONTEXT)


def _to_int64(value: Decimal) -> int:
    if not value.is_finite():
        raise Refused(NOT_A_NUMBER)
    if value != value.to_integral_value():
        raise Refused("has digits after the point, which a whole number would lose")
    if not _INT64[0] <= value <= _INT64[1]:
        raise Refused("needs more than 64 bits")
    return int(value)


def _to_float64(value: Decimal) -> float:
    if not value.is_finite():
        raise Refused(NOT_A_NUMBER)
    nearest = float(value)
    if isinf(nearest):
        raise Refused("is too large for FLOAT64")
    if value and not nearest:
        raise Refused("is too small for FLOAT64")
    if Decimal(repr(nearest)) != value:
        raise Refused("has more digits than FLOAT64 keeps")
    return nearest


def _integer_to_int64(values: pa.Array, column: ColumnMapping) -> pa.Array:
    return pc.cast(values, pa.int64())


def _integer_to_float(values: pa.Array, column: ColumnMapping) -> pa.Array:
    between(values, -_EXACT_FLOAT, _EXACT_FLOAT)
    return pc.cast(values, pa.float64())


def _integer_to_decimal(values: pa.Array, column: ColumnMapping) -> pa.Array:
    return _rescaled(pc.cast(values, pa.decimal128(20, 0)), arrow_type(column))


def _integer_to_long(values: pa.Array, column: ColumnMapping) -> pa.Array:
    precision, scale = checked_digits(column)
    if precision - scale < 20:
        raise Unsure
    return pc.cast(values, pa.string())


def _decimal_to_int64(values: pa.Array, column: ColumnMapping) -> pa.Array:
    if values.type.scale < 0:
        raise Unsure
    return pc.cast(values, pa.int64())


def _decimal_to_float(values: pa.Array, column: ColumnMapping) -> pa.Array:
    if values.type.precision > _SAFE_DIGITS or values.type.scale < 0:
        raise Unsure
    return pc.cast(pc.cast(values, pa.string()), pa.float64())


def _decimal_to_decimal(values: pa.Array, column: ColumnMapping) -> pa.Array:
    values.validate(full=True)
    return _rescaled(values, arrow_type(column))


def _rescaled(values: pa.Array, target: pa.DataType) -> pa.Array:
    """Decimals with the target's digits, given room: Arrow's cast wraps around where they outgrow their bits."""
    kind = values.type
    needed = kind.precision + max(target.scale - kind.scale, 0)
    if kind.scale < 0 or needed > _DECIMAL256_DIGITS:
        raise Unsure
    if needed > DECIMAL128_DIGITS:
        values = pc.cast(values, pa.decimal256(_DECIMAL256_DIGITS, kind.scale))
    return pc.cast(values, target)


def _decimal_to_long(values: pa.Array, column: ColumnMapping) -> pa.Array:
    precision, scale = checked_digits(column)
    kind = values.type
    if not 0 <= kind.scale <= scale or kind.precision - kind.scale > precision - scale:
        raise Unsure
    return decimal_text(values)


def _float_to_int64(values: pa.Array, column: ColumnMapping) -> pa.Array:
    sure(pc.all(pc.is_finite(values)))
    between(values, -_EXACT_FLOAT, _EXACT_FLOAT)
    return pc.cast(values, pa.int64())


def _float_to_decimal(values: pa.Array, column: ColumnMapping) -> pa.Array:
    return _text_to_decimal(float_text(values), column)


def _float_to_long(values: pa.Array, column: ColumnMapping) -> pa.Array:
    return _text_to_long(float_text(values), column)


def _plain(values: pa.Array, form: NumberFormat) -> pa.Array:
    """Text of numbers in a format as text of numbers written 1234.56, digit by digit."""
    text = trimmed(values, form.pattern())
    for sign in form.thousands:
        text = pc.replace_substring(text, sign, "")
    if form.zeros:
        text = pc.replace_substring_regex(text, _ZEROS, r"\1\2")
    return text if form.decimal == "." else pc.replace_substring(text, form.decimal, ".")


def _text_to_int64(values: pa.Array, column: ColumnMapping) -> pa.Array:
    # Arrow also reads 0x10; what is digits alone, and begins with no zero, needs no pattern.
    plain = pc.and_(pc.ascii_is_decimal(values), pc.invert(pc.starts_with(values, "0")))
    if pc.all(plain).as_py() is False:
        values = trimmed(values, "-?(0|[1-9][0-9]{0,17})")
    return pc.cast(values, pa.int64())


def _text_to_float(values: pa.Array, column: ColumnMapping) -> pa.Array:
    # Few digits always come back; of many it has to be seen, as of the 17 that programs print of a binary fraction.
    few = pc.less_equal(pc.binary_length(values), _SAFE_DIGITS)
    if pc.all(few).as_py() is False:
        found = pc.cast(values, pa.float64())
        back = pc.equal(pc.cast(found, pa.string()), values)
        if pc.all(pc.and_(back, pc.is_finite(found))).as_py() is not False:
            return found
    text = trimmed(values, r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
    found = pc.cast(text, pa.float64())
    few = pc.less_equal(pc.binary_length(text), _SAFE_DIGITS)
    if pc.all(few).as_py() is False:
        sure(pc.all(pc.or_(few, pc.equal(pc.cast(found, pa.string()), text))))
    return found


def _text_to_decimal(values: pa.Array, column: ColumnMapping) -> pa.Array:
    precision, scale = checked_digits(column)
    return pc.cast(trimmed(values, _digits(precision - scale, scale, zero="0|")), arrow_type(column))


def _text_to_long(values: pa.Array, column: ColumnMapping) -> pa.Array:
    precision, scale = checked_digits(column)
    return trimmed(values, _digits(precision - scale, scale))


def _digits(whole: int, fraction: int, zero: str = "") -> str:
    """A pattern of decimals of at most so many digits without zeros in front; ``zero``: one alone may stand there."""
    before = f"({zero}[1-9][0-9]{{0,{whole - 1}}})" if whole else "0"
    after = rf"(\.[0-9]{{1,{fraction}}})?" if fraction else ""
    return f"-?{before}{after}"


_INTEGERS: dict[str, Whole] = {
    "INT64": _integer_to_int64,
    "FLOAT64": _integer_to_float,
    "decimal": _integer_to_decimal,
    "long decimal": _integer_to_long,
}
_FROM_DECIMALS: dict[str, Whole] = {
    "INT64": _decimal_to_int64,
    "FLOAT64": _decimal_to_float,
    "decimal": _decimal_to_decimal,
    "long decimal": _decimal_to_long,
}
_FLOATS: dict[str, Whole] = {
    "INT64": _float_to_int64,
    "decimal": _float_to_decimal,
    "long decimal": _float_to_long,
}
_TEXTS: dict[str, Whole] = {
    "INT64": _text_to_int64,
    "FLOAT64": _text_to_float,
    "decimal": _text_to_decimal,
    "long decimal": _text_to_long,
}


def from_bool() -> Way:
    """False and true as 0 and 1."""
    return Way(lambda values: pc.cast(values, pa.int64()), int)

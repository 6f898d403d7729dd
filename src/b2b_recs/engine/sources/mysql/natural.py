"""Columns of texts as the server printed them, turned into the Arrow type each has by nature."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.schema.arrow import DECIMAL128_DIGITS
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.mysql.types import Kind, kind_of

_PLAIN: dict[Kind, pa.DataType] = {
    Kind.INTEGER: pa.int64(),
    Kind.BITS: pa.int64(),
    Kind.WIDE_UNSIGNED: pa.uint64(),
    Kind.WIDE_BITS: pa.uint64(),
    Kind.FLOAT: pa.float64(),
    Kind.DOUBLE: pa.float64(),
    Kind.DATE: pa.date32(),
    Kind.DATETIME: pa.timestamp("us"),
    Kind.TIMESTAMP: pa.timestamp("us"),
}


def natural(sent: pa.Array, column: ColumnInfo, wanted: WarehouseType) -> pa.Array:
    """The values of one column; texts that are no such value, such as zero dates, leave the column text.

    A column wanted as text stays as the server printed it.
    """
    kind = kind_of(column)
    if kind is Kind.BYTES:
        return sent
    try:
        text = sent.cast(pa.string())
    except pa.ArrowInvalid:
        # Not UTF-8, whatever the server says; casting refuses the rows at fault.
        return sent
    target = _PLAIN.get(kind) if kind is not Kind.DECIMAL else _decimal(column)
    if wanted is WarehouseType.STRING or target is None:
        return _with_zone(text) if kind is Kind.TIMESTAMP else text
    try:
        values = pc.cast(text, target)
    except pa.ArrowInvalid:
        return _with_zone(text) if kind is Kind.TIMESTAMP else text
    return pc.assume_timezone(values, "UTC") if kind is Kind.TIMESTAMP else values


def _decimal(column: ColumnInfo) -> pa.DataType | None:
    if column.precision is None:
        return None
    make = pa.decimal128 if column.precision <= DECIMAL128_DIGITS else pa.decimal256
    return make(column.precision, column.scale or 0)


def _with_zone(text: pa.Array) -> pa.Array:
    """Moments in UTC, each saying so."""
    return pc.binary_join_element_wise(text, "+00:00", "")

"""Arrow types of warehouse columns: the one place that knows how each warehouse type is held."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType, digits

WAREHOUSE_TYPE = b"warehouse_type"
SOURCE_TYPE = b"source_type"
DIGITS = b"digits"
FORMAT = b"format"

DECIMAL128_DIGITS = 38

_FIXED: dict[WarehouseType, pa.DataType] = {
    WarehouseType.STRING: pa.string(),
    WarehouseType.BYTES: pa.binary(),
    WarehouseType.INT64: pa.int64(),
    WarehouseType.FLOAT64: pa.float64(),
    WarehouseType.BOOL: pa.bool_(),
    WarehouseType.DATE: pa.date32(),
    WarehouseType.DATETIME: pa.timestamp("us"),
    WarehouseType.TIME: pa.string(),
    WarehouseType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    WarehouseType.JSON: pa.string(),
    WarehouseType.GEOGRAPHY: pa.string(),
}


def checked_digits(column: ColumnMapping) -> tuple[int, int]:
    """Precision and scale as ``digits`` has them. Raises BadInput where the type cannot have so many."""
    precision, scale = digits(column)
    most, most_scale = (38, 38) if column.warehouse_type is WarehouseType.NUMERIC else (76, 38)
    if not (1 <= precision <= most and 0 <= scale <= min(most_scale, precision)):
        raise BadInput(
            f"Column {column.name} cannot have {precision} digits with {scale} after the point.",
            advice=f"{column.warehouse_type} holds at most {most} digits, {most_scale} of them after the point.",
            field=column.name,
        )
    return precision, scale


def arrow_type(column: ColumnMapping) -> pa.DataType:
    """The Arrow type a column is held in.

    Decimals of up to 38 digits are decimal128. Longer ones are their exact decimal text, because a Delta table
    stores no more than 38 digits; TIME is text ``HH:MM:SS.ffffff``, because it stores no time of day.
    """
    if column.warehouse_type not in (WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC):
        return _FIXED[column.warehouse_type]
    precision, scale = digits(column)
    return pa.decimal128(precision, scale) if precision <= DECIMAL128_DIGITS else pa.string()


def arrow_field(column: ColumnMapping) -> pa.Field:
    """The Arrow field of a column; its metadata keeps warehouse type, source type, digits and format of dates."""
    metadata = {
        WAREHOUSE_TYPE: column.warehouse_type.value.encode(),
        SOURCE_TYPE: column.source_type.encode("utf-8", "replace"),
    }
    if column.warehouse_type in (WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC):
        metadata[DIGITS] = "{},{}".format(*digits(column)).encode()
    if column.format:
        metadata[FORMAT] = column.format.encode()
    return pa.field(column.name, arrow_type(column), column.mode is not Mode.REQUIRED, metadata)


def arrow_schema(columns: Sequence[ColumnMapping]) -> pa.Schema:
    """The Arrow schema of a table with these columns, in their order."""
    return pa.schema([arrow_field(column) for column in columns])


def convert(values: pa.Array, column: ColumnMapping) -> pa.Array:
    """``values`` as the column's Arrow type, every value unchanged.

    Raises pyarrow.ArrowInvalid when a value does not fit; sources refuse such values before they come here.
    """
    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    target = arrow_type(column)
    return values if values.type == target else pc.cast(values, target, safe=True)

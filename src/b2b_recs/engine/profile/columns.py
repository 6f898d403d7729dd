"""The columns of a warehouse table as people ask about them: their type, where they came from, how they are counted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from b2b_recs.engine.schema.arrow import DIGITS, SOURCE_TYPE, WAREHOUSE_TYPE
from b2b_recs.engine.schema.types import Mode, WarehouseType

_W = WarehouseType


class Kind(StrEnum):
    """What can be asked of a column's values."""

    NUMBER = "number"
    MOMENT = "moment"
    TEXT = "text"
    TRUTH = "truth"
    BYTES = "bytes"


_KINDS = {
    _W.INT64: Kind.NUMBER,
    _W.FLOAT64: Kind.NUMBER,
    _W.NUMERIC: Kind.NUMBER,
    _W.BIGNUMERIC: Kind.NUMBER,
    _W.DATE: Kind.MOMENT,
    _W.DATETIME: Kind.MOMENT,
    _W.TIMESTAMP: Kind.MOMENT,
    _W.BOOL: Kind.TRUTH,
    _W.BYTES: Kind.BYTES,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``digits`` are precision and scale of a decimal, ``source_type`` is empty when nobody noted it."""

    name: str
    warehouse_type: WarehouseType
    mode: Mode
    source_type: str
    digits: tuple[int, int] | None
    held_as: pa.DataType

    @property
    def kind(self) -> Kind:
        """What can be asked of its values."""
        return _KINDS.get(self.warehouse_type, Kind.TEXT)

    @property
    def type_words(self) -> str:
        """The type as people write it: ``NUMERIC(12, 2)``."""
        if self.digits is None:
            return self.warehouse_type.value
        return f"{self.warehouse_type.value}({self.digits[0]}, {self.digits[1]})"

    @property
    def long_decimal(self) -> bool:
        """Whether it is a decimal with more digits than a column can hold, kept as its exact text."""
        return self.kind is Kind.NUMBER and pa.types.is_string(self.held_as)


def columns_of(schema: pa.Schema) -> list[Column]:
    """The columns of a table's schema, in order."""
    return [_column(field) for field in schema]


def _column(field: pa.Field) -> Column:
    notes = field.metadata or {}
    noted = notes.get(WAREHOUSE_TYPE, b"").decode()
    kind = WarehouseType(noted) if noted in WarehouseType.__members__ else _type_held(field.type)
    before, _, after = notes.get(DIGITS, b"").decode().partition(",")
    digits = (int(before), int(after)) if before and after else None
    if digits is None and pa.types.is_decimal(field.type):
        digits = (field.type.precision, field.type.scale)
    return Column(
        name=field.name,
        warehouse_type=kind,
        mode=Mode.NULLABLE if field.nullable else Mode.REQUIRED,
        source_type=notes.get(SOURCE_TYPE, b"").decode("utf-8", "replace"),
        digits=digits,
        held_as=field.type,
    )


def _type_held(held: pa.DataType) -> WarehouseType:
    """The warehouse type of a column whose table was made before types were noted."""
    for fits, kind in (
        (pa.types.is_boolean, _W.BOOL),
        (pa.types.is_integer, _W.INT64),
        (pa.types.is_floating, _W.FLOAT64),
        (pa.types.is_decimal, _W.NUMERIC),
        (pa.types.is_date, _W.DATE),
        (pa.types.is_binary, _W.BYTES),
        (pa.types.is_large_binary, _W.BYTES),
    ):
        if fits(held):
            return kind
    if pa.types.is_timestamp(held):
        return _W.DATETIME if held.tz is None else _W.TIMESTAMP
    return _W.STRING

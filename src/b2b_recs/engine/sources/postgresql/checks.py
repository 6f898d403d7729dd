"""Which rows of a batch have a value that the warehouse cannot hold, told from the values as they arrived."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType

_DECIMALS = (WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC)
# The years 1 to 9999 as the driver counts them: days, or microseconds. What it cannot count wraps to a year far before.
_DAY = 24 * 3600 * 1_000_000
_FIRST_DAY, _AFTER_LAST_DAY = -719_162, 2_932_897
_YEARS = {
    WarehouseType.DATE: (_FIRST_DAY, _AFTER_LAST_DAY, pa.int32()),
    WarehouseType.DATETIME: (_FIRST_DAY * _DAY, _AFTER_LAST_DAY * _DAY, pa.int64()),
    WarehouseType.TIMESTAMP: (_FIRST_DAY * _DAY, _AFTER_LAST_DAY * _DAY, pa.int64()),
}


class Checks:
    """The checks of a read. ``guarded`` names the columns that may hold what the warehouse cannot."""

    def __init__(self, columns: Sequence[ColumnMapping], guarded: set[str]) -> None:
        self._columns = [(at, column) for at, column in enumerate(columns) if column.name in guarded]

    def good(self, batch: pa.RecordBatch) -> pa.BooleanArray | None:
        """Which rows the warehouse can hold, None when it can hold all."""
        good = None
        for at, column in self._columns:
            for found in (_there(batch.column(at), column), _held(batch.column(at), column)):
                if found is not None:
                    good = found if good is None else pc.and_(good, found)
        return good


def _there(values: pa.Array, column: ColumnMapping) -> pa.BooleanArray | None:
    return values.is_valid() if column.mode is Mode.REQUIRED and values.null_count else None


def _held(values: pa.Array, column: ColumnMapping) -> pa.BooleanArray | None:
    if column.warehouse_type in _DECIMALS:
        number = pc.fill_null(pc.not_equal(values, "NaN"), True)
        return None if pc.all(number).as_py() is not False else number
    if column.warehouse_type not in _YEARS:
        return None
    first, after, counted = _YEARS[column.warehouse_type]
    counts = values.view(counted)
    ends = pc.min_max(counts)
    if not ends["min"].is_valid or (first <= ends["min"].as_py() and ends["max"].as_py() < after):
        return None
    return pc.fill_null(pc.and_(pc.greater_equal(counts, first), pc.less(counts, after)), True)

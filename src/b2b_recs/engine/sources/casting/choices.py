"""Which families of values can become which warehouse types, and how."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.formats import date_format, refuse_format, text_format
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.casting import numbers, times, written
from b2b_recs.engine.sources.casting.families import Family
from b2b_recs.engine.sources.casting.json_text import to_json
from b2b_recs.engine.sources.casting.printing import printed
from b2b_recs.engine.sources.casting.ways import Way, same

_F, _W = Family, WarehouseType
_NUMBERS = (_W.INT64, _W.FLOAT64, _W.NUMERIC, _W.BIGNUMERIC)

Build = Callable[[ColumnMapping, pa.DataType, str], Way]


def way(family: Family, kind: pa.DataType, column: ColumnMapping, zone: str) -> Way:
    """How values of a family become the column's type. Raises BadInput where they cannot."""
    wanted = column.warehouse_type
    if column.format and family is not _F.TEXT:
        refuse_format(column)
    text_format(column)
    if not can_become(family, wanted):
        raise impossible(column, column.source_type or family)
    found = _WAYS.get((family, wanted))
    if found is not None:
        return found(column, kind, zone)
    if wanted is _W.STRING and family is not _F.STRUCTURE:
        return printed(family, kind)
    return to_json()


def can_become(family: Family, wanted: WarehouseType) -> bool:
    """Whether values of a family can become a type; each value may be refused all the same."""
    if (family, wanted) in _WAYS or wanted is _W.STRING or family is _F.NULL:
        return True
    return wanted is _W.JSON and family not in (_F.TEXT, _F.BYTES)


def impossible(column: ColumnMapping, source_type: str) -> BadInput:
    """The refusal of a type that no value of a column can become."""
    return BadInput(
        f"Column {column.name} of type {source_type} cannot become {column.warehouse_type}.",
        advice="Choose STRING, or the type that was proposed.",
        field=column.name,
    )


def _untouched(column: ColumnMapping, kind: pa.DataType, zone: str) -> Way:
    return Way(same, lambda value: value)


_WAYS: dict[tuple[Family, WarehouseType], Build] = {
    **{(_F.INTEGER, wanted): lambda column, kind, zone: numbers.from_integer(column) for wanted in _NUMBERS},
    **{(_F.DECIMAL, wanted): lambda column, kind, zone: numbers.from_decimal(column) for wanted in _NUMBERS},
    **{(_F.FLOAT, wanted): lambda column, kind, zone: numbers.from_float(column) for wanted in _NUMBERS},
    **{(_F.TEXT, wanted): lambda column, kind, zone: numbers.from_text(column) for wanted in _NUMBERS},
    (_F.INTEGER, _W.BOOL): lambda column, kind, zone: numbers.to_bool(column),
    (_F.DECIMAL, _W.BOOL): lambda column, kind, zone: numbers.to_bool(column),
    (_F.BOOL, _W.BOOL): _untouched,
    (_F.BOOL, _W.INT64): lambda column, kind, zone: numbers.from_bool(),
    (_F.BYTES, _W.BYTES): _untouched,
    (_F.DATE, _W.DATE): lambda column, kind, zone: times.date_to_date(),
    (_F.DATE, _W.DATETIME): lambda column, kind, zone: times.date_to_wall(),
    (_F.DATE, _W.TIMESTAMP): lambda column, kind, zone: times.date_to_moment(zone),
    (_F.WALL, _W.DATE): lambda column, kind, zone: times.wall_to_date(kind.unit),
    (_F.WALL, _W.DATETIME): lambda column, kind, zone: times.wall_to_wall(kind.unit),
    (_F.WALL, _W.TIMESTAMP): lambda column, kind, zone: times.wall_to_moment(kind.unit, zone),
    (_F.MOMENT, _W.DATE): lambda column, kind, zone: times.moment_to_date(kind.unit, zone),
    (_F.MOMENT, _W.DATETIME): lambda column, kind, zone: times.moment_to_wall(kind.unit, zone),
    (_F.MOMENT, _W.TIMESTAMP): lambda column, kind, zone: times.moment_to_moment(kind.unit),
    (_F.TIME, _W.TIME): lambda column, kind, zone: times.time_to_text(kind.unit),
    (_F.SPAN, _W.TIME): lambda column, kind, zone: times.time_to_text(kind.unit),
    (_F.TEXT, _W.DATE): lambda column, kind, zone: written.text_to_date(date_format(column)),
    (_F.TEXT, _W.DATETIME): lambda column, kind, zone: written.text_to_wall(date_format(column)),
    (_F.TEXT, _W.TIMESTAMP): lambda column, kind, zone: written.text_to_moment(),
    (_F.TEXT, _W.TIME): lambda column, kind, zone: written.text_to_time(),
    (_F.TEXT, _W.BOOL): lambda column, kind, zone: written.text_to_bool(),
    (_F.TEXT, _W.BYTES): lambda column, kind, zone: written.text_to_bytes(),
    (_F.TEXT, _W.JSON): lambda column, kind, zone: written.text_to_json(),
    (_F.TEXT, _W.GEOGRAPHY): lambda column, kind, zone: written.text_to_shape(),
    (_F.JSON, _W.JSON): lambda column, kind, zone: written.text_to_json(),
}

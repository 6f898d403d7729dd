"""Whether a column can become a warehouse type at all, by what it holds by nature, before anything is read."""

from __future__ import annotations

from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.casting.choices import can_become, impossible
from b2b_recs.engine.sources.casting.families import Family

_F, _W = Family, WarehouseType
# What values are that become each type as it is proposed. JSON may be a list, a record or any single value.
_NATURES: dict[WarehouseType, Family] = {
    _W.STRING: _F.TEXT,
    _W.BYTES: _F.BYTES,
    _W.INT64: _F.INTEGER,
    _W.FLOAT64: _F.FLOAT,
    _W.NUMERIC: _F.DECIMAL,
    _W.BIGNUMERIC: _F.DECIMAL,
    _W.BOOL: _F.BOOL,
    _W.DATE: _F.DATE,
    _W.DATETIME: _F.WALL,
    _W.TIME: _F.TIME,
    _W.TIMESTAMP: _F.MOMENT,
}
_OF_SHAPES = (_W.STRING, _W.BYTES, _W.GEOGRAPHY)


def refuse_by_nature(proposed: ColumnMapping, wanted: ColumnMapping) -> None:
    """Return when the values of a column that is ``proposed`` as one type may become another.

    Raises BadInput when none of them could, whatever they are.
    """
    nature = _NATURES.get(proposed.warehouse_type)
    if proposed.warehouse_type is _W.GEOGRAPHY:
        fits = wanted.warehouse_type in _OF_SHAPES
    else:
        fits = nature is None or can_become(nature, wanted.warehouse_type)
    if not fits:
        raise impossible(wanted, proposed.source_type)


def refuse_by_family(family: Family, wanted: ColumnMapping, source_type: str) -> None:
    """The same for values whose family is known."""
    if not can_become(family, wanted.warehouse_type):
        raise impossible(wanted, source_type)

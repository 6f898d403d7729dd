"""Which warehouse types a column of a source can become: told before a run, and by it, by the same rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo, SourceType


def impossible_types(declared: SourceType, column: ColumnInfo) -> list[WarehouseType]:
    """The types that no value of the column could become, in the order of the warehouse's types."""
    plain = ColumnMapping(column.name, column.source_type, WarehouseType.STRING)
    wanted = [replace(plain, warehouse_type=kind) for kind in WarehouseType]
    return [one.warehouse_type for one in wanted if any(impossible(declared, [column], [one]))]


def refused_samples(
    declared: SourceType, column: ColumnInfo, samples: Sequence[str | None], time_zone: str
) -> dict[WarehouseType, Sequence[str]] | None:
    """The sampled values that each type would reject, of types that reject some; None where their look has to do."""
    plain = ColumnMapping(column.name, column.source_type, WarehouseType.STRING)
    found: dict[WarehouseType, Sequence[str]] = {}
    for kind in WarehouseType:
        refused = declared.refused_samples(column, samples, replace(plain, warehouse_type=kind), time_zone)
        if refused is None:
            return None
        if refused:
            found[kind] = refused
    return found


def impossible(
    declared: SourceType, columns: Sequence[ColumnInfo], wanted: Iterable[ColumnMapping]
) -> Iterator[BadInput]:
    """The refusal of each wanted type that no value of its column could become."""
    here = {column.name: column for column in columns}
    for mapping in wanted:
        if mapping.name in here:
            try:
                declared.refuse_type(here[mapping.name], replace(mapping, format=""))
            except BadInput as refusal:
                yield refusal


def refuse_impossible(declared: SourceType, columns: Sequence[ColumnInfo], wanted: Iterable[ColumnMapping]) -> None:
    """Raise the first of these refusals."""
    for refusal in impossible(declared, columns, wanted):
        raise refusal

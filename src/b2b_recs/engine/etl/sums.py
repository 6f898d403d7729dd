"""Checksums: exact sums of number columns, of the source, of what was read, and of what the warehouse holds."""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from b2b_recs.engine.errors import NotReconciled
from b2b_recs.engine.etl.bounds import Bounds
from b2b_recs.engine.etl.plan import Plan, window_filter
from b2b_recs.engine.etl.ranges import whole
from b2b_recs.engine.etl.spec import ColumnSum, CopySpec
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import Source, SourceType
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.parts import Part

_WIDE = decimal.Context(prec=200)
_INTEGER = pa.decimal128(38, 0)

Sums = Mapping[str, Decimal | None]


def summed_columns(plan: Plan, spec: CopySpec, source_type: SourceType) -> tuple[str, ...]:
    """The columns whose sums are compared: whole numbers and decimals on both sides; none unless the job asks."""
    if spec.reconcile != "checksums" or not source_type.capabilities.checksum:
        return ()
    return tuple(column.name for column in plan.layout.columns if _exact(column, plan))


def _exact(column: ColumnMapping, plan: Plan) -> bool:
    held = plan.layout.schema.field(column.name).type
    number = column.warehouse_type in (WarehouseType.INT64, WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC)
    return number and column.name in plan.numbers and (pa.types.is_integer(held) or pa.types.is_decimal(held))


def source_sums(source: Source, plan: Plan, columns: Sequence[str]) -> dict[str, Decimal | None]:
    """The source's own sums over everything the plan reads."""
    if not columns:
        return {}
    total: dict[str, Decimal | None] = dict.fromkeys(columns)
    for request in whole(plan).segments:
        total = _added(total, source.totals(request, columns))
    return total


def part_sums(table: LocalTable, parts: Sequence[Part], columns: Sequence[str]) -> dict[str, Decimal | None]:
    """The sums over files of the table's folder."""
    paths = [str(table.folder / part.path) for part in parts if part.rows]
    if not paths:
        return dict.fromkeys(columns)
    return _sums(ds.dataset(paths, format="parquet").to_batches(columns=list(columns)), columns)


def warehouse_sums(
    table: LocalTable, version: int, cursor: ColumnMapping | None, bounds: Bounds | None, columns: Sequence[str]
) -> dict[str, Decimal | None] | None:
    """The sums over the rows a version holds for the window; None when the window cannot be told in the warehouse."""
    dataset = table.arrow_dataset(version)
    condition = None
    if cursor is not None and bounds is not None:
        condition = window_filter(dataset.schema, cursor, bounds)
        if condition is None:
            return None
    return _sums(dataset.to_batches(columns=list(columns), filter=condition), columns)


def rejected_sums(rows: Iterable[Mapping[str, str | None]], columns: Sequence[str]) -> dict[str, Decimal | None]:
    """The sums over rejected rows, from their texts; NaN where one is no number."""
    total: dict[str, Decimal | None] = dict.fromkeys(columns)
    for row in rows:
        total = _added(total, {name: _number(row.get(name)) for name in columns})
    return total


def check_sums(source: Sums, read: Sums, rejected: Sums) -> None:
    """Raise NotReconciled when what was read is not what the source adds up to; columns with NaN are left out."""
    for name, wanted in source.items():
        found = _added({name: read[name]}, {name: rejected[name]})[name]
        if _known(wanted) and _known(found) and (wanted or 0) != (found or 0):
            raise NotReconciled(
                f"The source adds {name} up to {wanted or 0:,}, and the rows read to {found or 0:,}. "
                "Nothing was committed.",
                advice="Run the job again; if it happens again, look for a view that changes between reads.",
                transient=True,
            )


def without_rejected(source: Sums, rejected: Sums) -> tuple[ColumnSum, ...]:
    """The source's sums over the rows the warehouse can hold; columns with NaN are left out."""
    found = []
    for name, wanted in source.items():
        away = rejected[name]
        if _known(wanted) and _known(away):
            good = wanted if away is None else _WIDE.subtract(wanted or Decimal(0), away)
            found.append(ColumnSum(column=name, source=good))
    return tuple(found)


def _known(value: Decimal | None) -> bool:
    return value is None or value.is_finite()


def _number(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(text)
    except decimal.InvalidOperation:
        return Decimal("NaN")


def _sums(batches: Iterable[pa.RecordBatch], columns: Sequence[str]) -> dict[str, Decimal | None]:
    total: dict[str, Decimal | None] = dict.fromkeys(columns)
    for batch in batches:
        total = _added(total, {name: _sum(batch.column(name)) for name in columns})
    return total


def _sum(values: pa.Array) -> Decimal | None:
    """The exact sum of a batch: wide enough that it cannot overflow."""
    if pa.types.is_integer(values.type):
        wide = values.cast(_INTEGER)
    else:
        wide = values.cast(pa.decimal256(76, values.type.scale))
    found = pc.sum(wide).as_py()
    return None if found is None else Decimal(found)


def _added(first: Sums, second: Sums) -> dict[str, Decimal | None]:
    added: dict[str, Decimal | None] = {}
    for name, one in first.items():
        other = second[name]
        added[name] = other if one is None else one if other is None else _WIDE.add(one, other)
    return added

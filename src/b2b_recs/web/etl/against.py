"""What is wrong with a job against the columns its source has now: every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from b2b_recs.engine.counting import listed
from b2b_recs.engine.errors import BadInput, TableMissing
from b2b_recs.engine.etl.becoming import impossible
from b2b_recs.engine.etl.cursor import first_bound
from b2b_recs.engine.etl.cursor_order import refuse_misordered
from b2b_recs.engine.etl.drift import Propose, lay_out
from b2b_recs.engine.etl.fitness import refuse_unfit
from b2b_recs.engine.etl.renamed import renamed_columns, renamed_spec
from b2b_recs.engine.etl.spec import Catalog, CopySpec, Incremental
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.several import Collected
from b2b_recs.engine.sources.contract import ColumnInfo, SourceType
from b2b_recs.engine.warehouse.bigquery import check_arrangement
from b2b_recs.web.etl.checks import columns_used

MOST_SHOWN = 12


def check_against(declared: SourceType, spec: CopySpec, columns: Sequence[ColumnInfo]) -> None:
    """Raise the refusal of a job that does not fit the columns its table has now, Several when more is at fault."""
    if not columns:
        raise TableMissing(
            f"{spec.source_schema}.{spec.source_table} has no columns this login may read.",
            advice="Choose another table, or ask for the right to read it.",
            field="source_table",
        )
    faults, names = Collected(), [column.name for column in columns]
    faults.found += _missing(declared, spec, names)
    with faults.part():
        refuse_unfit(spec, declared)
    here = _of_columns(spec, set(names))
    faults.found += _formats(declared, here, columns)
    faults.found += _types(declared, here, columns)
    if here.columns or not spec.columns:  # without one of the chosen columns nothing can be laid out
        said = {fault.column for fault in faults.found if fault.field == "types"}
        rest = here.model_copy(update={"types": tuple(one for one in here.types if one.name not in said)})
        faults.found += _Layouts(declared, columns).faults(rest)
    faults.refuse()


def _missing(declared: SourceType, spec: CopySpec, names: Sequence[str]) -> Iterator[BadInput]:
    """Every column the job names and its table does not have."""
    wanted = [("columns", name) for name in spec.columns] + columns_used(spec)
    if not declared.capabilities.sampled:
        wanted += [("names", name) for name in spec.names]
    there = set(names)
    for field, name in wanted:
        if name not in there:
            told = f"The column “{name[:100]}” is not in {spec.source_table}."
            advice = f"It has: {listed(names[:MOST_SHOWN], len(names))}."
            yield BadInput(told, field=field, advice=advice, column=name)


def _of_columns(spec: CopySpec, names: set[str]) -> CopySpec:
    """The job without the columns that are not there; a load that needs one is left out too."""
    needed = {name for field, name in columns_used(spec) if field.startswith("load.")}
    kept: dict[str, Any] = {
        "load": spec.load if needed <= names else Catalog(),
        "columns": tuple(name for name in spec.columns if name in names),
        "types": tuple(one for one in spec.types if one.name in names),
        "names": {name: new for name, new in spec.names.items() if name in names},
        "partition_by": spec.partition_by if spec.partition_by in names else None,
        "cluster_by": tuple(name for name in spec.cluster_by if name in names),
    }
    return spec.model_copy(update=kept)


def _formats(declared: SourceType, spec: CopySpec, columns: Sequence[ColumnInfo]) -> Iterator[BadInput]:
    """Every format of a column that is no text: nothing would be read by it."""
    kinds = {column.name: column.source_type for column in columns}
    wanted = [mapping for mapping in spec.types if mapping.format]
    usual = _proposal(declared, spec, columns)() if wanted else {}
    for mapping in wanted:
        if usual[mapping.name].warehouse_type is not WarehouseType.STRING:
            yield BadInput(
                f"The column “{mapping.name[:100]}” is of type {kinds[mapping.name]}, and a format is for text.",
                field="types",
                advice="Leave the format out.",
                column=mapping.name,
            )


def _types(declared: SourceType, spec: CopySpec, columns: Sequence[ColumnInfo]) -> Iterator[BadInput]:
    """Every type that no value of its column could become."""
    for refusal in impossible(declared, columns, spec.types):
        yield BadInput(refusal.message, field="types", advice=refusal.advice, column=refusal.field or "")


@dataclass(frozen=True)
class _Layouts:
    """Lays out what a run would load, to see what it would be refused with."""

    declared: SourceType
    columns: Sequence[ColumnInfo]

    def faults(self, spec: CopySpec) -> list[BadInput]:
        """What is wrong with each part while the others are as usual: a layout of the whole tells the first only."""
        try:
            self.refuse(spec)
        except BadInput as refusal:
            return self._by_parts(spec) or [refusal]
        return []

    def _by_parts(self, spec: CopySpec) -> list[BadInput]:
        faults, fitting = Collected(), []
        plain = spec.model_copy(update={"types": (), "partition_by": None, "cluster_by": ()})
        usual = self._refusal(plain)
        for mapping in spec.types:
            refusal = self._refusal(plain.model_copy(update={"types": (mapping,)}))
            if refusal is None or _same(refusal, usual):
                fitting.append(mapping)
            else:
                faults.found.append(refusal)
        basis = plain.model_copy(update={"types": tuple(fitting)})
        refusal = self._refusal(basis)
        if refusal is not None:
            return [*faults.found, refusal]
        with faults.part():
            self.refuse(basis.model_copy(update={"partition_by": spec.partition_by}))
        for name in spec.cluster_by:
            with faults.part():
                self.refuse(basis.model_copy(update={"cluster_by": (name,)}))
        return faults.found

    def _refusal(self, spec: CopySpec) -> BadInput | None:
        try:
            self.refuse(spec)
        except BadInput as refusal:
            return refusal
        return None

    def refuse(self, spec: CopySpec) -> None:
        """Raise what the first run would be refused with, at the part of the job and the column it is about."""
        in_warehouse, renamed = renamed_columns(self.columns, spec.names), renamed_spec(spec)
        try:
            _refuse_layout(renamed, in_warehouse, _proposal(self.declared, renamed, in_warehouse))
        except BadInput as refusal:
            before = {new: old for old, new in spec.names.items()}
            column = before.get(refusal.column, refusal.column)
            raise BadInput(refusal.message, advice=refusal.advice, field=refusal.field, column=column) from None


def _same(one: BadInput, other: BadInput | None) -> bool:
    return other is not None and (one.field, one.message) == (other.field, other.message)


def _refuse_layout(spec: CopySpec, columns: Sequence[ColumnInfo], propose: Propose) -> None:
    """Raise what the first run would be refused with, at the part of the job it is about."""
    names = {column.name for column in columns}
    try:
        layout = lay_out(columns, spec, None, propose)
        check_arrangement(layout.schema, spec.partition_by, spec.cluster_by)
        if isinstance(spec.load, Incremental):
            for cursor in layout.columns:
                if cursor.name == spec.load.cursor:
                    refuse_misordered(cursor, propose()[cursor.name])
                    first_bound(spec.load, cursor, datetime.now(UTC), spec.time_zone)
    except BadInput as refusal:
        field = f"load.{refusal.field}" if refusal.field in ("backfill", "cursor") else refusal.field
        column = refusal.column
        if field in names and field not in CopySpec.model_fields:
            field, column = "types", field
        raise BadInput(refusal.message, advice=refusal.advice, field=field, column=column or "") from None


def _proposal(declared: SourceType, spec: CopySpec, columns: Sequence[ColumnInfo]) -> Propose:
    """The source's own mapping of the columns, asked for without samples as a run does."""
    return cache(lambda: {one.name: one for one in declared.propose(columns, {}, spec.time_zone)})

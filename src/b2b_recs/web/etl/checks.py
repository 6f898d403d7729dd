"""What a job must fulfil beyond its shape: by itself, and against the columns its source has now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from b2b_recs.engine.counting import listed
from b2b_recs.engine.errors import BadInput, TableMissing
from b2b_recs.engine.etl.cursor import first_bound
from b2b_recs.engine.etl.cursor_order import refuse_misordered
from b2b_recs.engine.etl.drift import Propose, lay_out
from b2b_recs.engine.etl.fitness import refuse_unfit
from b2b_recs.engine.etl.renamed import renamed_columns, renamed_spec
from b2b_recs.engine.etl.spec import CopySpec, Incremental
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo, SourceType
from b2b_recs.engine.warehouse.bigquery import check_arrangement, check_new_names
from b2b_recs.engine.warehouse.names import checked_dataset, checked_table

LONGEST_LAG = timedelta(days=3650)
MOST_DAYS = 36_500
MOST_SHOWN = 12


def columns_used(spec: CopySpec) -> list[tuple[str, str]]:
    """Every column a job names outside its list of columns, with the part of the job that names it."""
    used = [("types", mapping.name) for mapping in spec.types]
    if spec.partition_by:
        used.append(("partition_by", spec.partition_by))
    used += [("cluster_by", name) for name in spec.cluster_by]
    cursor, key = getattr(spec.load, "cursor", None), getattr(spec.load, "key", ())
    if cursor:
        used.append(("load.cursor", cursor))
    return used + [("load.key", name) for name in key or ()]


def check_spec(spec: CopySpec, declared: SourceType | None) -> None:
    """Raise BadInput naming the part of the job that cannot be; ``declared`` is None for a type not known any more."""
    if declared is not None:
        refuse_unfit(spec, declared)
    checked_dataset(spec.destination_dataset)
    checked_table(spec.destination_table)
    for field in ("columns", "cluster_by"):
        _once(field, getattr(spec, field))
    _once("types", [mapping.name for mapping in spec.types])
    check_new_names(spec.names)
    if spec.columns:
        _among(columns_used(spec), spec.columns, "is not among the job's columns", "Add it to columns.")
    lag, backfill = getattr(spec.load, "lag", None), getattr(spec.load, "backfill", None)
    if isinstance(lag, timedelta) and not timedelta(0) <= lag <= LONGEST_LAG:
        raise BadInput("The lag is not from 0 to 3,650 days.", field="load.lag", advice="Give a shorter time.")
    if isinstance(backfill, int) and not 1 <= backfill <= MOST_DAYS:
        raise BadInput(
            f"{backfill} days cannot be loaded back.", field="load.backfill", advice=f"Give 1 to {MOST_DAYS:,}, or all."
        )
    if getattr(spec.load, "cursor", "some") == "":
        raise BadInput("No column says what is new.", field="load.cursor", advice="Choose a time or a number column.")


def check_against(declared: SourceType, spec: CopySpec, columns: Sequence[ColumnInfo]) -> None:
    """Raise the refusal of a job that does not fit the columns its table has now."""
    if not columns:
        raise TableMissing(
            f"{spec.source_schema}.{spec.source_table} has no columns this login may read.",
            advice="Choose another table, or ask for the right to read it.",
            field="source_table",
        )
    names = [column.name for column in columns]
    wanted = [("columns", name) for name in spec.columns] + columns_used(spec)
    if not declared.capabilities.sampled:
        wanted += [("names", name) for name in spec.names]
    _among(wanted, names, f"is not in {spec.source_table}", f"It has: {listed(names[:MOST_SHOWN], len(names))}.")
    refuse_unfit(spec, declared)
    proposal = _proposal(declared, spec, columns)
    _refuse_formats(spec, columns, proposal)
    in_warehouse, renamed = renamed_columns(columns, spec.names), renamed_spec(spec)
    try:
        _refuse_layout(renamed, in_warehouse, _proposal(declared, renamed, in_warehouse))
    except BadInput as refusal:
        before = {new: old for old, new in spec.names.items()}
        column = before.get(refusal.column, refusal.column)
        raise BadInput(refusal.message, advice=refusal.advice, field=refusal.field, column=column) from None


def _refuse_formats(spec: CopySpec, columns: Sequence[ColumnInfo], propose: Propose) -> None:
    """Raise BadInput for a format of a column that is no text: nothing would be read by it."""
    kinds = {column.name: column.source_type for column in columns}
    for mapping in spec.types:
        if mapping.format and propose()[mapping.name].warehouse_type is not WarehouseType.STRING:
            raise BadInput(
                f"The column “{mapping.name[:100]}” is of type {kinds[mapping.name]}, and a format is for text.",
                field="types",
                advice="Leave the format out.",
                column=mapping.name,
            )


def _refuse_layout(spec: CopySpec, columns: Sequence[ColumnInfo], propose: Propose) -> None:
    """Raise what the first run would be refused with, at the part of the job it is about."""
    names = {column.name for column in columns}
    try:
        layout = lay_out(columns, spec, None, propose)
        check_arrangement(layout.schema, spec.partition_by, spec.cluster_by)
        if isinstance(spec.load, Incremental):
            cursor = next(column for column in layout.columns if column.name == spec.load.cursor)
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


def _among(used: Iterable[tuple[str, str]], known: Iterable[str], words: str, advice: str) -> None:
    names = set(known)
    for field, name in used:
        if name not in names:
            raise BadInput(f"The column “{name[:100]}” {words}.", field=field, advice=advice, column=name)


def _once(field: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not name:
            raise BadInput("A column has no name.", field=field, advice="Take it out.")
        if name in seen:
            raise BadInput(f"The column “{name[:100]}” is named twice.", field=field, advice="Take one out.")
        seen.add(name)

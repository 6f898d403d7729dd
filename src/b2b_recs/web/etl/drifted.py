"""A job against the table it filled before: what its next run would be refused with, and what a save takes over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pyarrow as pa

from b2b_recs.engine.errors import BadInput, ColumnMissing, JobChanged, SchemaDrift
from b2b_recs.engine.etl.changed import changed_since, meaning_of, renames
from b2b_recs.engine.etl.drift import lay_out, stored_mapping
from b2b_recs.engine.etl.renamed import renamed_columns, renamed_spec
from b2b_recs.engine.etl.shown import known_columns
from b2b_recs.engine.etl.spec import Catalog, CopySpec
from b2b_recs.engine.several import together
from b2b_recs.engine.sources.contract import ColumnInfo, Source, SourceType
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.web.etl.proposals import SAMPLED


def taken_over(
    declared: SourceType, source: Source, spec: CopySpec, columns: Sequence[ColumnInfo], stored: pa.Schema
) -> CopySpec:
    """The copy with the types of columns that are another in the source now, where a whole copy can change them."""
    if not isinstance(spec.load, Catalog):
        return spec
    said = {mapping.name for mapping in spec.types}
    changed = [
        column
        for column in columns
        if column.name not in said
        and not column.guessed
        and (name := spec.names.get(column.name, column.name)) in stored.names
        and stored_mapping(stored.field(name)).source_type != column.source_type
    ]
    if not changed:
        return spec
    names = [column.name for column in changed]
    samples = source.samples(spec.source_schema, spec.source_table, names, SAMPLED)
    kinds = {column.name: column.source_type for column in changed}
    new = [replace(one, source_type=kinds[one.name]) for one in declared.propose(changed, samples, spec.time_zone)]
    return spec.model_copy(update={"types": (*spec.types, *new)})


def refuse_drifted(declared: SourceType, spec: CopySpec, columns: Sequence[ColumnInfo], table: LocalTable) -> None:
    """Raise BadInput for what the next run would be refused with, given the table as it was filled.

    ``spec`` knows the connection it reads through.
    """
    stored = table.schema()
    renamed, here = renamed_spec(spec), renamed_columns(columns, spec.names)
    if declared.capabilities.sampled:
        here = known_columns(here, renamed, stored)
    propose = cache(lambda: {one.name: one for one in declared.propose(here, {}, spec.time_zone)})
    if other := renames(renamed, table, here):
        raise together([_beside(refusal, source) for source, refusal in other.items()])
    try:
        layout = lay_out(here, renamed, stored, propose)
        changed_since(renamed, table, layout, meaning_of(renamed, layout.columns, propose))
    except JobChanged as changed:
        raise _beside(changed) from None
    except (SchemaDrift, ColumnMissing) as drift:
        name = drift.field or ""
        gone = name in stored.names and name not in {one.name for one in here} and stored.field(name).nullable
        advice = "Save once more, now that the list shows what is there, to go on without." if gone else drift.advice
        before = {new: old for old, new in spec.names.items()}
        raise BadInput(drift.message, advice=advice, field="columns", column=before.get(name, name)) from None


def _beside(changed: JobChanged, column: str = "") -> BadInput:
    return BadInput(changed.message, advice=changed.advice, field=changed.field, column=column)

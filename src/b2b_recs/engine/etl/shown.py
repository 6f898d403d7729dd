"""Which columns a table has whose source only shows those of a sample (capability ``sampled``).

What the sample lacks is not gone: the table, the job, or an earlier read of the run may know it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from b2b_recs.engine.etl.drift import stored_mapping
from b2b_recs.engine.etl.spec import CopySpec, Incremental
from b2b_recs.engine.sources.contract import ColumnInfo


def known_columns(
    sample: Sequence[ColumnInfo], spec: CopySpec, stored: pa.Schema | None, met: Iterable[ColumnInfo] = ()
) -> list[ColumnInfo]:
    """The columns of the sample, then those that were met while reading, that the job names, and that the table holds.

    The cursor is of the kind it was recorded with, whatever the sample shows of it: a window goes on where the last
    one ended. A cursor or key nobody has seen is not made up.
    """
    recorded = {field.name: stored_mapping(field).source_type for field in stored or ()}
    types = {mapping.name: mapping.source_type for mapping in spec.types}
    named = {name: types.get(name, "") for name in (*spec.columns, *types)}
    found = with_named([*with_met(sample, met)], {**named, **recorded})
    if isinstance(spec.load, Incremental) and recorded.get(spec.load.cursor):
        cursor = spec.load.cursor
        found = [replace(column, source_type=recorded[cursor]) if column.name == cursor else column for column in found]
    return found


def with_met(sample: Sequence[ColumnInfo], met: Iterable[ColumnInfo]) -> list[ColumnInfo]:
    """The columns of the sample, and those of fields that were met and that it lacks."""
    here = {column.name for column in sample}
    return [*sample, *(column for column in met if column.name not in here)]


def with_named(columns: Sequence[ColumnInfo], named: Mapping[str, str]) -> list[ColumnInfo]:
    """The columns, and those of ``named`` (source types by name) that are not among them."""
    here = {column.name for column in columns}
    missing = [name for name in named if name not in here]
    return [*columns, *(ColumnInfo(name, named[name], nullable=True, guessed=True) for name in missing)]

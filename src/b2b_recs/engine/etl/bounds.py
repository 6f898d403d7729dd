"""The window of one run by a cursor: where it begins and ends, and why there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from b2b_recs.engine.etl.cursor import first_bound, lower_bound, usable
from b2b_recs.engine.etl.reached import beginning, earlier_start, last_cursor, since
from b2b_recs.engine.etl.spec import CopySpec, Incremental
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.warehouse.local import LocalTable


@dataclass(frozen=True, slots=True)
class Bounds:
    """The window of a run by a cursor, fixed at its start; ``before`` is the cursor of the run before.

    ``earlier``: it begins before everything that was loaded so far, because the job's backfill was set back.
    ``anew``: it takes in everything loaded so far, because no run can go on from ``before``.
    ``reread``: it takes in everything loaded so far, because the job reads it otherwise now.
    ``rejected`` of its rows are kept as rejected already; counted only where a limit of rows must reach beyond them.
    """

    lower: str | None
    upper: str | None
    before: str | None
    with_null: bool
    earlier: bool = False
    anew: bool = False
    rejected: int = 0
    reread: bool = False

    @property
    def unlimited(self) -> bool:
        """Whether no limit of rows holds: what was loaded so far is read again, and nothing says how much that is."""
        return self.reread and (self.before is None or self.anew)


def bounds_of(
    source: Source,
    spec: CopySpec,
    load: Incremental,
    table: LocalTable,
    cursor: ColumnMapping,
    now: datetime,
    *,
    with_null: bool,
    reread: bool,
) -> Bounds:
    """The window of the run; ``with_null``: rows without a cursor value are read in every run."""
    before = last_cursor(table, load.cursor, spec.origin) if table.exists() else None
    everything = with_null or load.backfill == "all"
    upper = source.largest(spec.source_schema, spec.source_table, cursor)
    if before is None:
        # Rows that were loaded by no cursor, or by another one, may lie anywhere.
        lower = None if reread else first_bound(load, cursor, now, spec.time_zone)
        return Bounds(lower, upper, None, everything, reread=reread)
    start, reached = earlier_start(table, load, cursor, now, spec.time_zone)
    if reread:
        start = beginning(table, start if reached else since(table, load.cursor), cursor, spec.time_zone)
        return Bounds(start, upper, before, everything, anew=not usable(before, cursor), reread=True)
    if reached:
        if spec.row_limit is not None:
            # The limit counts from the oldest row, so what is loaded already must not lie in the window.
            upper = since(table, load.cursor)
        return Bounds(start, upper, before, everything, earlier=True)
    if not usable(before, cursor):
        return Bounds(since(table, load.cursor), upper, before, everything, anew=True)
    return Bounds(lower_bound(before, cursor, load, now, spec.time_zone), upper, before, with_null)

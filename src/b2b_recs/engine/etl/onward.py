"""At which cursor the next run begins, once everything of this one is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from b2b_recs.engine.etl.cursor import TIME_TYPES, later, present, scalar, sure, text_of
from b2b_recs.engine.etl.journal import Staged
from b2b_recs.engine.etl.plan import Plan
from b2b_recs.engine.etl.stage import Stage
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.warehouse.local import LocalTable


def cut_off(plan: Plan, read: Stage) -> bool:
    """Whether the run ended at its limit of rows, and perhaps not at the end of its window."""
    limit = plan.segments[0].row_limit if plan.segments else None
    return limit is not None and read.read >= limit


def cursor_after(plan: Plan, zone: str, table: LocalTable, staged: Sequence[Staged], read: Stage) -> str | None:
    """The cursor to commit with the rows of a run; None where the next one has to begin like a first one."""
    bounds, cursor = plan.bounds, plan.cursor
    if bounds is None or cursor is None:
        return None
    before = bounds.before
    if cut_off(plan, read):
        keys = [item.after for item in staged if item.after is not None]
        reached = keys[-1][0] if keys else None
    else:
        reached = bounds.upper
        before = None if bounds.anew else before
    if reached is not None and not sure(reached, cursor, plan.now, zone):
        reached = _largest_read(cursor, plan.now, zone, table, staged)
    return later(before, reached, cursor)


def _largest_read(
    cursor: ColumnMapping, now: datetime, zone: str, table: LocalTable, staged: Sequence[Staged]
) -> str | None:
    """The largest cursor among the rows read at which a run may begin.

    Not the present: rows dated between the two may still come, a night's import for example.
    """
    paths = [str(table.folder / item.part.path) for item in staged if item.part.rows]
    if not paths:
        return None
    dataset = ds.dataset(paths, format="parquet")
    field, column = dataset.schema.field(cursor.name), ds.field(cursor.name)
    condition = column.is_valid()
    if pa.types.is_floating(field.type):
        condition &= pc.is_finite(column)
    if cursor.warehouse_type in TIME_TYPES:
        limit = scalar(present(now, cursor, zone), field, cursor)
        if limit is None:
            return None
        condition &= column <= limit
    largest = None
    for batch in dataset.to_batches(columns=[cursor.name], filter=condition):
        found = pc.max(batch.column(0)).as_py()
        if found is not None and (largest is None or found > largest):
            largest = found
    return repr(largest) if isinstance(largest, float) else text_of(largest)

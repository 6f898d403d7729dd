"""The rejected rows of a run that was stopped because there were too many: kept for looking at, no part of any data."""

from __future__ import annotations

from datetime import datetime
from itertools import chain, islice

from b2b_recs.engine.counting import counted
from b2b_recs.engine.etl.journal import Journal
from b2b_recs.engine.etl.rejected import SCHEMA, in_batches, rejected_rows
from b2b_recs.engine.etl.stage import Stage
from b2b_recs.engine.warehouse.local import LocalTable

# Enough to see what is wrong; a run over millions of rows is stopped after hundreds of thousands.
MOST = 10_000
# Days for which files of runs stopped before stay, for readers that have begun with them.
_KEEP_DAYS = 1


def keep_stopped(table: LocalTable, journal: Journal, stage: Stage, at: datetime, app: str) -> str:
    """Keep the first rejected rows of a run instead of those of the run stopped before it; how many, in words."""
    staged = journal.staged()
    rows = islice(chain(rejected_rows(journal, staged), stage.unfinished), MOST)
    target = table.stopped
    target.replace(in_batches(rows, journal.run_key, at), schema=SCHEMA, app=app)
    target.vacuum(_KEEP_DAYS, at)
    kept = target.row_count()
    if kept < stage.rejected:
        return f"The first {kept:,} of {stage.rejected:,} rejected rows are kept for looking at."
    return counted(kept, "rejected row is kept for looking at.", "rejected rows are kept for looking at.")


def forget_stopped(table: LocalTable, at: datetime, app: str) -> None:
    """Let them go: a run has ended well, so what it rejected is what counts."""
    target = table.stopped
    if target.exists() and target.row_count():
        target.replace([], schema=SCHEMA, app=app)
        target.vacuum(_KEEP_DAYS, at)

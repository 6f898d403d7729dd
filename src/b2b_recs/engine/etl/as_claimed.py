"""Whether what a run has staged is what the source said of it before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from b2b_recs.engine.errors import NotReconciled
from b2b_recs.engine.etl.journal import Journal, Staged
from b2b_recs.engine.etl.reconcile import Claim, check_content, check_read
from b2b_recs.engine.etl.rejected import rejected_rows
from b2b_recs.engine.etl.spec import ColumnSum
from b2b_recs.engine.etl.sums import part_sums
from b2b_recs.engine.warehouse.local import LocalTable

Compared = tuple[tuple[ColumnSum, ...], list[str]]


def as_claimed(
    claim: Claim,
    ask: Callable[[Sequence[str]], Claim],
    staged: Sequence[Staged],
    table: LocalTable,
    journal: Journal,
    *,
    resumed: bool,
    complete: bool,
) -> Compared | None:
    """The sums the rows are to be compared with, and what to be warned of; ``ask`` asks the source for a claim again.

    ``resumed``: a part of the rows was read before an interruption. When they are not as claimed then, the source has
    changed meanwhile, and the answer is None: one read of one state is what can be compared. ``complete``: all of them
    were, and had been counted then. Raises NotReconciled when rows of one read are not as claimed.
    """
    try:
        rows, warnings = claim.rows, []
        if rows is not None and not complete:
            read = sum(item.read for item in staged)
            warnings.append(check_read(rows, read, lambda: rows if resumed else ask(()).rows or 0))
        if not claim.sums:
            return (), warnings
        names = tuple(claim.sums)
        read_sums = part_sums(table, [item.part for item in staged], names)
        rejected = (row.row for row in rejected_rows(journal, staged))
        sums, warning = check_content(claim, read_sums, rejected, lambda: ask(names).sums)
        return sums, [*warnings, warning]
    except NotReconciled:
        if not resumed:
            raise
        return None

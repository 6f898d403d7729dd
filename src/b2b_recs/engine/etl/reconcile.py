"""Whether the warehouse holds what the source counted."""

from __future__ import annotations

from collections.abc import Callable

from b2b_recs.engine.errors import NotReconciled
from b2b_recs.engine.etl.plan import Bounds, window_rows
from b2b_recs.engine.etl.spec import CopyResult
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.warehouse.local import LocalTable


def check_read(expected: int, read: int, recount: Callable[[], int]) -> str:
    """Compare the rows read with the rows counted before; returns a warning, empty when they agree.

    A source that cannot hold a snapshot may change while it is read: then a second count lies beyond the rows read,
    and the run goes on with a warning. Otherwise rows were lost on the way: raises NotReconciled.
    """
    if expected == read:
        return ""
    after = recount()
    if min(expected, after) <= read <= max(expected, after):
        return f"The source changed while it was read: {expected:,} rows before, {after:,} after, {read:,} read."
    raise NotReconciled(
        f"The source counts {expected:,} rows and {read:,} were read. Nothing was committed.",
        advice="Run the job again; if it happens again, look for a view or a policy that changes between reads.",
        transient=True,
    )


def reconcile(result: CopyResult, table: LocalTable, cursor: ColumnMapping | None, bounds: Bounds | None) -> CopyResult:
    """The result with the rows the warehouse holds for what was read, and whether the counts agree."""
    version = result.table_version
    if cursor is None or bounds is None:
        held = table.row_count(version) if version is not None else 0
    else:
        found = window_rows(table, version, cursor, bounds) if version is not None else 0
        held = result.rows_loaded + result.rows_known if found is None else found
    expected = (
        None if result.source_count is None else result.source_count - result.rows_rejected - result.rows_repeated
    )
    agree = expected == held
    warnings = result.warnings
    if expected is not None and held > expected:
        gone = held - expected
        warnings = (*warnings, f"{gone:,} rows of the window are no longer in the source; the warehouse keeps them.")
    elif not agree:
        warnings = (*warnings, f"The warehouse holds {held:,} rows where {expected or 0:,} were expected.")
    return result.model_copy(update={"warehouse_count": held, "reconciled": agree, "warnings": warnings})


def in_words(result: CopyResult) -> str:
    """The comparison as it is shown: ``41,203 = 41,200 + 3 rejected``."""
    sign = "=" if result.reconciled else "≠"
    words = f"{result.source_count or 0:,} {sign} {result.warehouse_count or 0:,}"
    if result.rows_rejected:
        words += f" + {result.rows_rejected:,} rejected"
    if result.rows_repeated:
        words += f" + {result.rows_repeated:,} repeated"
    return words

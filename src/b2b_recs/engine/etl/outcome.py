"""What a copy did, in figures and in remarks, once everything is read and settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from b2b_recs.engine.counting import counted
from b2b_recs.engine.etl.cursor import sure, usable
from b2b_recs.engine.etl.files import rows_of
from b2b_recs.engine.etl.journal import Staged
from b2b_recs.engine.etl.onward import cursor_after, cut_off
from b2b_recs.engine.etl.plan import Plan
from b2b_recs.engine.etl.reached import since
from b2b_recs.engine.etl.settle import Leaving, Settled
from b2b_recs.engine.etl.spec import Catalog, ColumnSum, CopyResult, CopySpec, Files, Incremental
from b2b_recs.engine.etl.stage import Stage
from b2b_recs.engine.warehouse.local import LocalTable

# A share of the table whose removal is told: it may be meant, and may be an import that is half done.
_MANY_GONE = 0.5


def outcome(
    spec: CopySpec,
    plan: Plan,
    table: LocalTable,
    staged: Sequence[Staged],
    read: Stage,
    settled: Settled,
    leaving: Leaving | None,
    sums: tuple[ColumnSum, ...],
    turnover: tuple[int, int | None],
    warnings: Sequence[str],
) -> CopyResult:
    """The figures of a run before its commit; the version is the table's of before."""
    removed = settled.left if leaving is not None and leaving.remove else 0
    before = plan.bounds.before if plan.bounds else None
    after = cursor_after(plan, spec.time_zone, table, staged, read)
    # Where the cursor stands is worth a commit of its own when it is the first one, or one that mends another.
    earlier = plan.bounds is not None and (
        plan.bounds.earlier or plan.bounds.anew or plan.bounds.reread or (before is None and after is not None)
    )
    changed = isinstance(spec.load, Catalog) or bool(settled.loaded or removed) or earlier or not table.exists()
    files = isinstance(spec.load, Files)
    deleted = removed
    if isinstance(spec.load, Files):
        deleted = rows_of(table, plan.choice.gone) if spec.load.deletes == "remove" else 0
    vanished, appeared = turnover
    return CopyResult(
        rows_read=read.read,
        rows_loaded=settled.loaded,
        rows_rejected=read.rejected,
        rejected_example=read.example,
        rows_known=settled.known,
        rows_replaced=removed - deleted if files else settled.replaced,
        rows_repeated=settled.repeated,
        rows_deleted=deleted,
        rows_vanished=vanished if leaving is None or files else settled.left,
        rows_appeared=appeared,
        files_loaded=len(plan.choice.load),
        source_count=read.read if files else read.expected,
        bytes=read.arrow_bytes,
        table_version=table.version(),
        cursor_before=before,
        cursor_after=after if changed else before,
        changed=changed,
        added_columns=tuple(field.name for field in plan.layout.added) if changed else (),
        sums=sums,
        warnings=(*warnings, *plan.layout.warnings, *_remarks(spec, plan, table, settled, read, leaving)),
    )


def loaded_since(plan: Plan, table: LocalTable, read: Stage) -> str | None:
    """From where on everything is in the table once the run is committed; None for everything."""
    bounds, cursor = plan.bounds, plan.cursor
    if bounds is None or cursor is None:
        return None
    # What is read again is read up to the cursor of before at least, whatever the limit of rows is.
    if bounds.before is None or bounds.reread or (bounds.earlier and not cut_off(plan, read)):
        return bounds.lower
    return since(table, cursor.name)


def _remarks(
    spec: CopySpec, plan: Plan, table: LocalTable, settled: Settled, read: Stage, leaving: Leaving | None
) -> Iterator[str]:
    if isinstance(spec.load, Catalog) and read.read == 0 and table.exists():
        before = table.row_count()
        if before:
            yield (
                f"The source table is empty, so the warehouse table is empty now. Version {table.version()} "
                f"with {counted(before, 'row')} stays readable for {counted(spec.load.keep_days, 'day')}."
            )
    if again := settled.repeated - settled.outlived:
        yield f"{counted(again, 'row')} had the key of another row; the one with the newest cursor was kept."
    if settled.outlived and plan.cursor is not None:
        name = plan.cursor.name
        one, many = f"row without {name} was left out", f"rows without {name} were left out"
        yield (
            f"{counted(settled.outlived, one, many)}: the table has a row of the same key with one, and nothing says "
            "which is newer."
        )
    if read.rejected > read.known:
        keeper = table.rejected.name
        one, many = (f"row was rejected; {keeper} keeps it", f"rows were rejected; {keeper} keeps them")
        yield f"{counted(read.rejected - read.known, one, many)} with the reason."
    if leaving is not None and settled.left and not isinstance(spec.load, Files):
        yield from _gone(spec, table, leaving, settled.left)
    if isinstance(spec.load, Files) and plan.choice.gone and spec.load.deletes == "keep":
        gone = (
            "file that was loaded is no longer there; the warehouse keeps its rows.",
            "files that were loaded are no longer there; the warehouse keeps their rows.",
        )
        yield counted(len(plan.choice.gone), *gone)
    upper = plan.bounds.upper if plan.bounds is not None else None
    if upper is not None and plan.cursor is not None and not usable(upper, plan.cursor):
        yield (
            f"The largest {plan.cursor.name} is {upper}, from which no run can go on; such rows that the warehouse "
            "cannot hold were rejected."
        )
    elif upper is not None and _future(plan, spec, upper) and not cut_off(plan, read):
        yield f"Some rows lie in the future, up to {upper}; they were loaded."


def _future(plan: Plan, spec: CopySpec, upper: str) -> bool:
    return plan.cursor is not None and not sure(upper, plan.cursor, plan.now, spec.time_zone)


def _gone(spec: CopySpec, table: LocalTable, leaving: Leaving, left: int) -> Iterator[str]:
    """What the comparison of keys found that people should know."""
    if not leaving.remove:
        left_words = (
            "row is no longer in the source; the warehouse keeps it.",
            "rows are no longer in the source; the warehouse keeps them.",
        )
        yield counted(left, *left_words)
        if isinstance(spec.load, Incremental) and spec.load.deletes == "remove":
            yield (
                "The source shows no row at all, so nothing was removed: a table that was emptied for an import, or "
                "hidden by a right, looks the same."
            )
        return
    before = table.row_count()
    if left > before * _MANY_GONE:
        yield (
            f"{left:,} of {counted(before, 'row')} were removed because they are no longer in the source. "
            f"Version {table.version()} still has them."
        )

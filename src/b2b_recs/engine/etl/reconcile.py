"""Whether the warehouse holds what the source counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import NotReconciled
from b2b_recs.engine.etl.bounds import Bounds
from b2b_recs.engine.etl.plan import Plan, window_rows
from b2b_recs.engine.etl.ranges import whole
from b2b_recs.engine.etl.spec import ColumnSum, CopyResult
from b2b_recs.engine.etl.sums import Sums, check_sums, rejected_sums, source_sums, warehouse_sums, without_rejected
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.warehouse.local import LocalTable


@dataclass(frozen=True, slots=True)
class Claim:
    """What the source says it has of the rows a run reads: how many, and what columns add up to."""

    rows: int | None
    sums: Sums = field(default_factory=dict)

    @classmethod
    def of(cls, source: Source, plan: Plan, columns: Sequence[str]) -> Claim:
        """Ask the source. ``columns`` are those to add up."""
        rows = sum(source.count(request) for request in whole(plan).segments)
        return cls(rows, source_sums(source, plan, columns))

    def texts(self) -> dict[str, str | None]:
        """The sums as text, to be kept in the journal."""
        return {name: None if value is None else str(value) for name, value in self.sums.items()}

    @classmethod
    def kept(cls, rows: int | None, texts: Mapping[str, str | None]) -> Claim:
        """What a journal has kept."""
        return cls(rows, {name: None if text is None else Decimal(text) for name, text in texts.items()})


def check_read(expected: int, read: int, recount: Callable[[], int]) -> str:
    """Compare the rows read with the rows counted before; returns a warning, empty when they agree.

    A source that cannot hold a snapshot may change while it is read: then a second count lies beyond the rows read,
    and the run goes on with a warning. Otherwise rows were lost on the way: raises NotReconciled.
    """
    if expected == read:
        return ""
    after = recount()
    if min(expected, after) <= read <= max(expected, after):
        return (
            f"The source changed while it was read: {counted(expected, 'row')} before, {after:,} after, {read:,} read."
        )
    raise NotReconciled(
        f"The source counts {counted(expected, 'row')} and {counted(read, 'was', 'were')} read. Nothing was committed.",
        advice="Run the job again; if it happens again, look for a view or a policy that changes between reads.",
        transient=True,
    )


def check_content(
    claim: Claim, read: Sums, rejected: Iterable[Mapping[str, str | None]], again: Callable[[], Sums]
) -> tuple[tuple[ColumnSum, ...], str]:
    """Compare what columns add up to in the source and in what was read: the source's sums without the rejected rows,
    and a warning when a source without a snapshot changed meanwhile. Raises NotReconciled.
    """
    away = rejected_sums(rejected, tuple(claim.sums))
    try:
        check_sums(claim.sums, read, away)
    except NotReconciled:
        if again() == claim.sums:
            raise
        return (), "The source changed while it was read, so its sums could not be compared."
    return without_rejected(claim.sums, away), ""


def reconcile(
    result: CopyResult, table: LocalTable, cursor: ColumnMapping | None, bounds: Bounds | None, *, by_file: bool = False
) -> CopyResult:
    """The result with what the warehouse holds for the rows read, and whether the two agree.

    ``by_file``: the rows read are those of some files, and the table holds others beside.
    """
    version = result.table_version
    if by_file:
        held = _brought(result, table) if version is not None and result.changed else 0
    elif cursor is None or bounds is None:
        held = table.row_count(version) if version is not None else 0
    else:
        found = window_rows(table, version, cursor, bounds) if version is not None else 0
        held = result.rows_loaded + result.rows_known if found is None else found
    expected = _expected(result)
    agree = expected == held
    warnings = result.warnings
    if expected is not None and held > expected:
        gone = held - expected
        warnings = (
            *warnings,
            counted(
                gone,
                "row of the window is no longer in the source; the warehouse keeps it.",
                "rows of the window are no longer in the source; the warehouse keeps them.",
            ),
        )
    elif not agree:
        warnings = (
            *warnings,
            f"The warehouse holds {counted(held, 'row')}; {counted(expected or 0, 'was', 'were')} expected.",
        )
    sums: tuple[ColumnSum, ...] = ()
    if agree and not result.rows_repeated and version is not None:
        sums = _held(result.sums, table, version, cursor, bounds)
        for item in sums:
            if not item.agrees:
                agree = False
                warnings = (*warnings, f"{item.column} adds up to {item.words}.")
    elif result.sums:
        warnings = (*warnings, "Sums were not compared with the warehouse, because the rows are not the same.")
    changes = {"warehouse_count": held, "reconciled": agree, "warnings": warnings, "sums": sums}
    return result.model_copy(update={**changes, "table_rows": table.row_count(version) if version is not None else 0})


def in_words(result: CopyResult) -> str:
    """The comparison as it is shown: ``41,203 = 41,200 + 3 rejected; sum of quantity 5,176,450 = 5,176,450``."""
    sign = "=" if result.warehouse_count == _expected(result) else "≠"
    words = f"{result.source_count or 0:,} {sign} {result.warehouse_count or 0:,}"
    if result.rows_rejected:
        words += f" + {result.rows_rejected:,} rejected"
    if result.rows_repeated:
        words += f" + {result.rows_repeated:,} repeated"
    return "; ".join([words, *(f"sum of {item.column} {item.words}" for item in result.sums)])


def _expected(result: CopyResult) -> int | None:
    if result.source_count is None:
        return None
    return result.source_count - result.rows_rejected - result.rows_repeated


def _brought(result: CopyResult, table: LocalTable) -> int:
    """Rows the commit of the result brought, from the counts of the versions around it."""
    version = result.table_version or 0
    before = table.row_count(version - 1) if version else 0
    return table.row_count(version) - before + result.rows_replaced + result.rows_deleted


def _held(
    sums: tuple[ColumnSum, ...], table: LocalTable, version: int, cursor: ColumnMapping | None, bounds: Bounds | None
) -> tuple[ColumnSum, ...]:
    if not sums:
        return ()
    held = warehouse_sums(table, version, cursor, bounds, [item.column for item in sums])
    if held is None:
        return ()
    return tuple(item.model_copy(update={"warehouse": held[item.column]}) for item in sums)

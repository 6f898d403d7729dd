"""The rejected rows kept beside a table, searched and page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from b2b_recs.engine.errors import WarehouseTableMissing
from b2b_recs.engine.profile.facts import facts_of
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.query import Limits, query_connection, time_limit

MOST_REASONS = 50
_LIMITS = Limits(memory_bytes=256 * 1024 * 1024, seconds=20)
_BATCH = 1_000
# Empty words ask for everything, so that there is one query whatever is asked.
_WHERE = """
FROM rejected
WHERE ($search = '' OR contains(lower("row"), lower($search)) OR contains(lower(reason), lower($search)))
  AND ($reason = '' OR reason = $reason) AND ($column = '' OR "column" = $column)
"""
_ROWS = f'SELECT "row", "column", reason, run, epoch_us(rejected_at) {_WHERE} ORDER BY rejected_at DESC, fingerprint'
_PAGE = f"{_ROWS} LIMIT $most OFFSET $start"
_COUNT = f"SELECT count(*) {_WHERE}"
_REASONS = f"""
SELECT "column", reason, count(*) FROM rejected GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT {MOST_REASONS}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rejected rows: those that contain a text, and those of one column and reason; empty means any.

    ``stopped``: those of the last run that was stopped because there were too many, instead of those that are missing
    in the table.
    """

    search: str = ""
    column: str = ""
    reason: str = ""
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row the warehouse could not take: its values as text, the column at fault, why, when, and in which run."""

    values: dict[str, Any]
    column: str
    reason: str
    run: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows were rejected, and how many."""

    column: str
    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class RejectedPage:
    """Some of the rows that were wanted; ``total`` of them there are, and ``all`` without any wish."""

    rows: list[RejectedRow]
    total: int
    all: int
    reasons: list[Reason]


def rejected_count(table: LocalTable, *, stopped: bool = False) -> int:
    """Rows kept beside the table as rejected, or of the run that was stopped; 0 when there are none."""
    try:
        return facts_of(table.stopped if stopped else table.rejected).rows
    except WarehouseTableMissing:
        return 0


def rejected_page(
    table: LocalTable, wanted: Wanted, start: int, most: int, scratch: Path | None = None
) -> RejectedPage:
    """Rejected rows, the newest first, and every reason with its rows. Raises QueryTooLong."""
    kept = _kept(table, wanted)
    if kept is None:
        return RejectedPage([], 0, 0, [])
    with (
        query_connection({"rejected": (kept, None)}, _LIMITS, scratch) as connection,
        time_limit(connection, _LIMITS.seconds),
    ):
        reasons = [Reason(*row) for row in connection.execute(_REASONS).fetchall()]
        total = int(connection.execute(_COUNT, _values(wanted)).fetchall()[0][0])
        paged = {**_values(wanted), "most": most, "start": start}
        rows = [_row(row) for row in connection.execute(_PAGE, paged).fetchall()] if start < total else []
    return RejectedPage(rows, total, facts_of(kept).rows, reasons)


def rejected_rows(table: LocalTable, wanted: Wanted, scratch: Path | None = None) -> Iterator[RejectedRow]:
    """Every rejected row that is wanted, the newest first. Raises QueryTooLong."""
    kept = _kept(table, wanted)
    if kept is None:
        return
    with query_connection({"rejected": (kept, None)}, _LIMITS, scratch) as connection:
        answer = connection.execute(_ROWS, _values(wanted))
        while rows := answer.fetchmany(_BATCH):
            yield from map(_row, rows)


def _kept(table: LocalTable, wanted: Wanted) -> LocalTable | None:
    """The table that keeps what is wanted, None when it keeps nothing."""
    found = table.stopped if wanted.stopped else table.rejected
    return found if rejected_count(table, stopped=wanted.stopped) else None


def _values(wanted: Wanted) -> dict[str, Any]:
    return {"search": wanted.search, "column": wanted.column, "reason": wanted.reason}


def _row(row: tuple[str, str, str, str, int]) -> RejectedRow:
    document, column, reason, run, at = row
    return RejectedRow(json.loads(document), column, reason, run, datetime.fromtimestamp(at / 1_000_000, UTC))

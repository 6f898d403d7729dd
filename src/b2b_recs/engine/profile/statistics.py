"""The profile of a table: one version of it, every column, bounded in time and memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

import duckdb

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.profile.columns import columns_of
from b2b_recs.engine.profile.counting import BUDGET, Counted, count_values
from b2b_recs.engine.profile.document import ColumnProfile, Histogram, TableProfile
from b2b_recs.engine.profile.histogram import histogram_of
from b2b_recs.engine.profile.keys import check_key
from b2b_recs.engine.profile.measures import TABLE, Measures, measure
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.query import Limits, QueryTooLong, query_connection, time_limit

LIMITS = Limits(memory_bytes=768 * 1024 * 1024, temporary_bytes=4 * 1024 * 1024 * 1024, seconds=90)
Stopped = Literal["", "time", "memory"]


class TooLargeToProfile(EngineError):
    """The memory set aside for statistics is too small for the table."""

    code = "too_large_to_profile"


def profile_table(
    table: LocalTable,
    version: int,
    now: datetime,
    key: Sequence[str] = (),
    limits: Limits = LIMITS,
    scratch: Path | None = None,
    budget: int = BUDGET,
) -> TableProfile:
    """What the values of a version are like. ``key`` names the columns that should tell its rows apart.

    Counts, ends and means are of all rows. Values of a column are counted over a sample when those of all rows would
    take more than ``budget`` bytes. Columns that time or memory did not suffice for have no top values.
    Raises WarehouseTableMissing, QueryTooLong, TooLargeToProfile.
    """
    began = time.monotonic()
    columns = columns_of(table.schema(version))
    names = {column.name for column in columns}
    with query_connection({TABLE: (table, version)}, limits, scratch) as connection:
        try:
            with time_limit(connection, limits.seconds):
                rows, measured = measure(connection, columns, now)
        except duckdb.OutOfMemoryException:
            raise TooLargeToProfile(
                f"The statistics of {table.name} need more memory than they may use.",
                advice="Copy fewer columns, or look at the preview.",
            ) from None
        counted, stopped = _count(connection, measured, began + limits.seconds, budget)
        known = tuple(name for name in key if name in names)
        left = began + limits.seconds - time.monotonic()
        checked = check_key(connection, known, left) if known and len(known) == len(key) and left > 0 else None
    return TableProfile(
        version=version,
        at=now,
        seconds=round(time.monotonic() - began, 3),
        rows=rows,
        key=checked,
        columns=[_profile(rows, one, *counted.get(one.column.name, (None, None))) for one in measured],
        stopped=stopped,
    )


def _count(
    connection: duckdb.DuckDBPyConnection, measured: Sequence[Measures], until: float, budget: int
) -> tuple[dict[str, tuple[Counted, Histogram | None]], Stopped]:
    """Values and bars of the columns by name, those that time and memory sufficed for; and why some are missing."""
    done: dict[str, tuple[Counted, Histogram | None]] = {}
    stopped: Stopped = ""
    for one in measured:
        left = until - time.monotonic()
        if left <= 0:
            return done, "time"
        try:
            with time_limit(connection, left):
                done[one.column.name] = count_values(connection, one, budget), histogram_of(connection, one)
        except QueryTooLong:
            return done, "time"
        except duckdb.OutOfMemoryException:
            stopped = "memory"
    return done, stopped


def _profile(rows: int, found: Measures, counted: Counted | None, histogram: Histogram | None) -> ColumnProfile:
    return ColumnProfile(
        name=found.column.name,
        type=found.column.type_words,
        kind=found.column.kind,
        rows=rows,
        nulls=rows - found.filled,
        distinct=counted.distinct if counted else found.distinct,
        distinct_exact=counted.exact if counted else False,
        minimum=found.minimum,
        maximum=found.maximum,
        mean=found.mean,
        median=found.median,
        lengths=found.lengths,
        top=counted.top if counted else [],
        counted_rows=counted.rows if counted else None,
        histogram=histogram,
        signs=[*found.signs, *(counted.signs if counted else [])],
    )

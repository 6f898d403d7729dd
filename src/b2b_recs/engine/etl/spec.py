"""What one job copies and what one copy did."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from b2b_recs.engine.schema.types import ColumnMapping


class Transactional(BaseModel):
    """Append new rows by a cursor column; rows with the same ``key`` are loaded once.

    ``backfill`` is ``"all"``, a number of days, or the first date of the first run. ``lag`` re-reads that much time
    before the last cursor so that rows committed late are not lost (time cursors only; ``lag_units`` for numbers).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    cursor: str
    key: tuple[str, ...] = ()
    backfill: Literal["all"] | int | date = "all"
    lag: timedelta = timedelta(hours=1)
    lag_units: int = Field(default=1000, ge=0)


class Catalog(BaseModel):
    """Replace the whole table each run; versions before stay readable for ``keep_days`` days."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    keep_days: int = Field(default=30, ge=1)


class CopySpec(BaseModel):
    """One source table to one warehouse table."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source_schema: str
    source_table: str
    destination_dataset: str = "raw_data"
    destination_table: str
    load: Transactional | Catalog
    columns: tuple[str, ...] = ()  # empty means all
    types: tuple[ColumnMapping, ...] = ()  # overrides of the proposal, by name
    row_limit: int | None = Field(default=None, ge=1)
    drift: Literal["add", "ignore", "stop"] = "add"
    reject_threshold: float = Field(default=0.05, ge=0, le=1)  # share of rows read
    partition_by: str | None = None
    cluster_by: tuple[str, ...] = ()
    time_zone: str = "UTC"
    parallel: int = Field(default=2, ge=1, le=16)  # sessions that read a large table at the same time


class CopyResult(BaseModel):
    """What one copy did. Counts are rows, ``seconds`` wall time, ``bytes`` Arrow bytes read."""

    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_known: int = 0  # read again inside the lag window, already in the warehouse
    rows_replaced: int = 0  # loaded rows that took the place of an older form of themselves
    rows_repeated: int = 0  # had the key of another row of the same read
    source_count: int | None = None
    warehouse_count: int | None = None
    reconciled: bool = False
    bytes: int = 0
    seconds: float = 0.0
    stage_seconds: dict[str, float] = Field(default_factory=dict)
    table_version: int | None = None
    cursor_before: str | None = None
    cursor_after: str | None = None
    changed: bool = True  # False when the run found nothing new and left the state as it was
    added_columns: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

"""What one job copies and what one copy did."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from b2b_recs.engine.schema.types import ColumnMapping

Deletes = Literal["keep", "count", "remove"]


class Incremental(BaseModel):
    """Read what is new by a cursor column; rows with the same ``key`` are loaded once.

    ``backfill`` is ``"all"``, a number of days, or the first date of the first run; set to something earlier, it makes
    the next run load the older rows too. ``lag`` re-reads that much time before the last cursor so that rows committed
    late are not lost (time cursors only; ``lag_units`` for numbers). ``deletes`` says what becomes of rows that are no
    longer in the source: they stay, or each run compares all keys with the source's and counts or removes them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    cursor: str
    key: tuple[str, ...] = ()
    backfill: Literal["all"] | int | date = "all"
    lag: timedelta = timedelta(hours=1)
    lag_units: int = Field(default=1000, ge=0)
    deletes: Deletes = "keep"

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if self.deletes != "keep" and not self.key:
            raise ValueError("deleted rows are found by the key, so a key is needed")
        return self


class Transactional(Incremental):
    """Append new rows by a time or sequence column that tells when a row was made."""

    strategy: Literal["transactional"] = "transactional"


class Merge(Incremental):
    """Take over new and changed rows by a column that tells when a row was last changed.

    A row that is read takes the place of the row with its key, whatever the age of both.
    """

    strategy: Literal["merge"] = "merge"
    key: tuple[str, ...] = Field(min_length=1)


class Files(BaseModel):
    """Load each file of a table of files once, and again when it changed, in place of its rows of before.

    ``deletes`` says what becomes of the rows of a file that is gone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    strategy: Literal["files"] = "files"
    deletes: Literal["keep", "remove"] = "keep"


class Catalog(BaseModel):
    """Replace the whole table each run; versions before stay readable for ``keep_days`` days."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    strategy: Literal["catalog"] = "catalog"
    keep_days: int = Field(default=30, ge=1)


class CopySpec(BaseModel):
    """One source table to one warehouse table."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source_schema: str
    source_table: str
    destination_dataset: str = "raw_data"
    destination_table: str
    load: Transactional | Merge | Files | Catalog
    columns: tuple[str, ...] = ()  # empty means all
    types: tuple[ColumnMapping, ...] = ()  # overrides of the proposal, by name
    names: dict[str, str] = {}  # what columns are called in the warehouse, by their names in the source
    gone: tuple[str, ...] = ()  # columns of the warehouse table that the source may be without, though all are copied
    row_limit: int | None = Field(default=None, ge=1)
    drift: Literal["add", "ignore", "stop"] = "add"
    reject_threshold: float = Field(default=0.05, ge=0, le=1)  # share of rows read
    partition_by: str | None = None
    cluster_by: tuple[str, ...] = ()
    time_zone: str = "UTC"
    reconcile: Literal["counts", "checksums"] = "counts"
    parallel: int = Field(default=2, ge=1, le=16)  # sessions that read a large table at the same time
    _connection: str = PrivateAttr("")
    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    def through(self, connection: str) -> CopySpec:
        """The same copy, whose rows come through that connection; the name is for telling it from others alone."""
        spec = self.model_copy()
        spec._connection = connection
        return spec

    def renamed_from(self, sources: dict[str, str]) -> CopySpec:
        """The same copy in the words of the warehouse; ``sources`` are the names in the source, by those."""
        spec = self.model_copy()
        spec._sources = sources
        return spec

    def called_in_source(self, name: str) -> str:
        """What a column is called in the source."""
        return self._sources.get(name, name)

    @property
    def origin(self) -> tuple[str, ...]:
        """What the rows come from: schema, table, and the connection where it is known."""
        return (self.source_schema, self.source_table, *([self._connection] if self._connection else []))

    @model_validator(mode="before")
    @classmethod
    def _named_strategy(cls, value: Any) -> Any:
        """Specs written before there were more than two strategies do not name theirs."""
        load = value.get("load") if isinstance(value, dict) else None
        if not isinstance(load, dict) or "strategy" in load:
            return value
        return {**value, "load": {**load, "strategy": "transactional" if "cursor" in load else "catalog"}}


class ColumnSum(BaseModel):
    """The sum of a number column over the rows of the run, as the source and as the warehouse has it."""

    column: str
    source: Decimal | None
    warehouse: Decimal | None = None

    @property
    def agrees(self) -> bool:
        """Whether the two are the same; no value at all is the same as zero."""
        return (self.source or 0) == (self.warehouse or 0)

    @property
    def words(self) -> str:
        """The comparison: ``5,176,450 = 5,176,450``."""
        return f"{self.source or 0:,} {'=' if self.agrees else '≠'} {self.warehouse or 0:,}"


class CopyResult(BaseModel):
    """What one copy did. Counts are rows, ``seconds`` wall time, ``bytes`` Arrow bytes read."""

    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rejected_example: str = ""  # why the first row was rejected that no run before has kept
    rows_known: int = 0  # read again inside the lag window, already in the warehouse
    rows_replaced: int = 0  # loaded rows that took the place of an older form of themselves
    rows_deleted: int = 0  # removed because they are no longer in the source
    rows_vanished: int = 0  # no longer in the source, found by comparing keys
    rows_appeared: int | None = None  # catalog with a key: rows the version before did not have
    files_loaded: int = 0
    rows_repeated: int = 0  # had the key of another row of the same read
    source_count: int | None = None
    warehouse_count: int | None = None  # of the rows this run covers
    table_rows: int | None = None  # of the whole table after the run
    reconciled: bool = False
    sums: tuple[ColumnSum, ...] = ()  # what checksums compared
    bytes: int = 0
    seconds: float = 0.0
    stage_seconds: dict[str, float] = Field(default_factory=dict)
    table_version: int | None = None
    cursor_before: str | None = None
    cursor_after: str | None = None
    changed: bool = True  # False when the run found nothing new and left the state as it was
    added_columns: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

"""A source over Arrow tables held in memory, with faults on demand, and a copy job over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from b2b_recs.engine.errors import Cancelled, TableMissing
from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import CopyResult, CopySpec
from b2b_recs.engine.progress import Progress, Silent
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.contract import (
    Batch,
    Capabilities,
    CheckResult,
    ColumnInfo,
    KeyRange,
    ReadRequest,
    RejectedRow,
    Source,
    SourceType,
    TableInfo,
)
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

TYPES = {
    "bigint": WarehouseType.INT64,
    "text": WarehouseType.STRING,
    "timestamptz": WarehouseType.TIMESTAMP,
    "timestamp": WarehouseType.DATETIME,
    "date": WarehouseType.DATE,
    "float": WarehouseType.FLOAT64,
}


@dataclass
class Table:
    """Columns by name with their type, NOT NULL when the type ends with ``!``; rows as dicts."""

    columns: dict[str, str]
    rows: list[dict[str, Any]]
    primary: tuple[str, ...] = ()
    bad: Callable[[dict[str, Any]], str | None] = lambda row: None


@dataclass
class MemorySource(Source):
    """Reads one table, sorted, filtered and cut as asked; ``fail_after`` batches it raises ``failure``."""

    table: Table
    batch_rows: int = 10
    fail_after: int | None = None
    failure: Exception | None = None
    lose: int = 0
    reads: list[ReadRequest] = field(default_factory=list)
    on_batch: Callable[[int], None] = lambda number: None
    others: list[MemorySource] = field(default_factory=list)
    closed: bool = False

    def check(self) -> CheckResult:
        return CheckResult(1.0, "memory", tuple(self.tables()))

    def tables(self) -> list[TableInfo]:
        return [TableInfo("public", "orders")]

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        if table != "orders":
            raise TableMissing(f"There is no table {schema}.{table}.")
        found = []
        for name, kind in self.table.columns.items():
            position = self.table.primary.index(name) + 1 if name in self.table.primary else None
            found.append(ColumnInfo(name, kind.rstrip("!"), not kind.endswith("!"), position))
        return found

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        return {name: [] for name in columns}

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        values = [row[cursor] for row in self.table.rows if row[cursor] is not None]
        return str(max(values)) if values else None

    def count(self, request: ReadRequest) -> int:
        return len(self._rows(request))

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        self.reads.append(request)
        rows = self._rows(request)
        rows = rows[: len(rows) - self.lose]
        schema = arrow_schema(request.columns)
        for number, start in enumerate(range(0, len(rows), self.batch_rows)):
            if self.fail_after is not None and number >= self.fail_after and self.failure is not None:
                raise self.failure
            if cancelled():
                raise Cancelled("stopped")
            self.on_batch(number)
            good, rejected = [], []
            for row in rows[start : start + self.batch_rows]:
                reason = self.table.bad(row)
                if reason is None:
                    good.append({column.name: row.get(column.name) for column in request.columns})
                else:
                    texts = {name: None if value is None else str(value) for name, value in row.items()}
                    rejected.append(RejectedRow(texts, "amount", reason))
            table = pa.Table.from_pylist(good, schema=schema)
            batches = table.to_batches() or [pa.RecordBatch.from_pylist([], schema=schema)]
            yield Batch(batches[0], rejected)
        if self.fail_after is not None and self.failure is not None:
            raise self.failure

    def totals(self, request: ReadRequest, columns: Sequence[str]) -> dict[str, Decimal | None]:
        found: dict[str, Decimal | None] = {}
        for name in columns:
            values = [row[name] for row in self._rows(request) if row[name] is not None]
            found[name] = Decimal(sum(values)) if values else None
        return found

    def key_ranges(self, request: ReadRequest, column: str, parts: int) -> tuple[KeyRange, ...]:
        if not column:
            return ()
        values = sorted({row[column] for row in self._rows(request) if row[column] is not None})
        edges = [None, *(str(values[len(values) * at // parts]) for at in range(1, parts)), None]
        return tuple(KeyRange(column, lower, upper) for lower, upper in pairwise(edges))

    def beside(self) -> Source:
        other = replace(self, closed=False)
        self.others.append(other)
        return other

    def close(self) -> None:
        self.closed = True

    def _rows(self, request: ReadRequest) -> list[dict[str, Any]]:
        rows = list(self.table.rows)
        cut = request.key_range
        if cut is not None:
            rows = [row for row in rows if row[cut.column] is not None]
            if cut.lower is not None:
                rows = [row for row in rows if row[cut.column] >= self._value(cut.column, cut.lower)]
            if cut.upper is not None:
                rows = [row for row in rows if row[cut.column] < self._value(cut.column, cut.upper)]
        window = request.window
        if window is not None:
            rows = [row for row in rows if self._inside(row[window.cursor], window)]
        if request.order_by:
            rows.sort(key=lambda row: tuple(row[name] for name in request.order_by))
        if request.key_after:
            after = tuple(
                self._value(name, text) for name, text in zip(request.order_by, request.key_after, strict=True)
            )
            rows = [row for row in rows if tuple(row[name] for name in request.order_by) > after]
        return rows[: request.row_limit]

    def _inside(self, value: Any, window: Any) -> bool:
        if value is None:
            return bool(window.include_null)
        if window.lower is not None:
            lower = self._value(window.cursor, window.lower)
            if not (value >= lower if window.lower_inclusive else value > lower):
                return False
        return window.upper is None or bool(value <= self._value(window.cursor, window.upper))

    def _value(self, name: str, text: str) -> Any:
        kind = self.table.columns[name].rstrip("!")
        if kind == "bigint":
            return int(text)
        if kind in ("timestamptz", "timestamp"):
            return datetime.fromisoformat(text)
        return date.fromisoformat(text) if kind == "date" else text


class Memory(SourceType):
    """The declaration of the source in memory."""

    type = "memory"
    name = "Memory"
    category = "relational"
    Parameters = BaseModel
    capabilities = Capabilities(checksum=True, key_ranges=True)

    def open(self, parameters: Any, dial: Any) -> Source:
        raise AssertionError("opened by the tests themselves")

    def propose(
        self, columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]], time_zone: str
    ) -> list[ColumnMapping]:
        return [
            ColumnMapping(
                column.name,
                column.source_type,
                TYPES[column.source_type],
                Mode.NULLABLE if column.nullable else Mode.REQUIRED,
            )
            for column in columns
        ]


class Job:
    """A copy job in a folder of its own; ``run`` copies once."""

    def __init__(self, folder: Path, table: Table, **spec: Any) -> None:
        self.warehouse = LocalWarehouse(folder / "warehouse")
        self.staging = folder / "staging"
        self.source = MemorySource(table)
        self.kind: SourceType = Memory()
        self.now = NOW
        self.runs = 0
        self.spec = CopySpec.model_validate(
            {"source_schema": "public", "source_table": "orders", "destination_table": "bq_orders", **spec}
        )

    @property
    def table(self) -> LocalTable:
        return self.warehouse.table("raw_data", "bq_orders")

    def run(self, run_key: str | None = None, progress: Progress | None = None) -> CopyResult:
        self.runs += 1
        return copy_table(
            self.kind,
            self.source,
            self.spec,
            self.warehouse,
            self.staging,
            run_key or f"run-{self.runs}",
            progress or Silent(),
            lambda: self.now,
        )

    def rows(self, version: int | None = None) -> list[dict[str, Any]]:
        rows = self.table.read(version).to_pylist()
        return sorted(rows, key=lambda row: str(sorted(row.items(), key=lambda item: item[0])))

    def ids(self, version: int | None = None) -> list[int]:
        return sorted(self.table.read(version, ["id"])["id"].to_pylist())

    def strays(self) -> list[str]:
        """Parquet files on disk that the newest version does not have, and anything left in staging."""
        known = {path.resolve() for path in self.table.files()} if self.table.exists() else set()
        files = [str(path) for path in self.table.folder.rglob("*.parquet") if path.resolve() not in known]
        left = [str(path) for path in self.staging.rglob("*")] if self.staging.exists() else []
        return files + left

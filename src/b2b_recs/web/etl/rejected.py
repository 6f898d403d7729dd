"""The rows a run rejected, page by page, and as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import pyarrow.dataset as ds
from pydantic import BaseModel, Field

from b2b_recs.engine.errors import TooManyRejected, WarehouseTableMissing
from b2b_recs.engine.etl.stopped import MOST
from b2b_recs.engine.profile.preview import safe
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.api.schemas import PageOf
from b2b_recs.web.etl.filled import filled_by
from b2b_recs.web.etl.models import ETLRun

COLUMNS = ["column", "reason", "rejected_at", "row"]
_BATCH = 1_000


class RejectedRowOut(BaseModel):
    """A row the warehouse could not take: its values as text, the column at fault, and why."""

    row: dict[str, Any]
    column: str
    reason: str
    rejected_at: datetime


class RejectedRows(PageOf):
    """One page of rejected rows."""

    destination: str
    kept_in: str = Field(description="The warehouse table that keeps them.")
    rejected: int = Field(
        description=f"How many the run rejected. Of one that was stopped by them, the first {MOST:,} are kept."
    )
    items: list[RejectedRowOut]


def rejected_table(run: ETLRun, destination: LocalTable) -> LocalTable:
    """The table that keeps the rows a run into ``destination`` rejected."""
    return destination.stopped if run.error_code == TooManyRejected.code else destination.rejected


def destination_of(run: ETLRun) -> LocalTable:
    """The warehouse table a run filled."""
    spec, model_id = filled_by(run, run.data_source.table.spec), run.data_source.configuration.model_id
    warehouse = LocalWarehouse(Home.current().model_warehouse(model_id))
    return warehouse.table(
        str(spec.get("destination_dataset") or "raw_data"), str(spec.get("destination_table") or "none")
    )


def rejected_page(run: ETLRun, page: int, per_page: int) -> RejectedRows:
    """One page of the rows a run rejected; empty when it rejected none, or a later run replaced them."""
    destination = destination_of(run)
    table = rejected_table(run, destination)
    total = 0 if (found := _dataset(table)) is None else int(found.count_rows(filter=_of(run.id)))
    start = (page - 1) * per_page
    rows = islice(_rows(table, run.id), start, start + per_page) if start < total else iter(())
    return RejectedRows(
        page=page,
        per_page=per_page,
        total=total,
        destination=destination.name,
        kept_in=table.name,
        rejected=run.rows_rejected,
        items=[RejectedRowOut(**{**one, "row": json.loads(one["row"])}) for one in rows],
    )


def rejected_csv(run: ETLRun) -> Iterator[str]:
    """The rows a run rejected as lines of CSV; no cell begins a formula. Call it inside the organization's scope."""
    return _lines(rejected_table(run, destination_of(run)), run.id)


def _lines(table: LocalTable, run_id: int) -> Iterator[str]:
    yield _line(COLUMNS)
    for one in _rows(table, run_id):
        yield _line([safe(str(one[name])) for name in COLUMNS])


def _of(run_id: int) -> Any:
    return ds.field("run") == f"etl-run-{run_id}"


def _dataset(table: LocalTable) -> Any:
    try:
        return table.arrow_dataset() if table.exists() else None
    except WarehouseTableMissing:
        return None


def _rows(table: LocalTable, run_id: int) -> Iterator[dict[str, Any]]:
    found = _dataset(table)
    if found is None:
        return
    for batch in found.scanner(columns=COLUMNS, filter=_of(run_id), batch_size=_BATCH).to_batches():
        yield from batch.to_pylist()


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()

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

from b2b_recs.engine.errors import WarehouseTableMissing
from b2b_recs.engine.profile.preview import safe
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.api.schemas import PageOf

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
    items: list[RejectedRowOut]


def rejected_table(model_id: int, dataset: str, table: str) -> LocalTable:
    """The table that keeps the rejected rows of a job's destination."""
    return LocalWarehouse(Home.current().model_warehouse(model_id)).table(dataset, table).rejected


def rejected_page(table: LocalTable, destination: str, run_id: int, page: int, per_page: int) -> RejectedRows:
    """One page of the rows a run rejected; empty when it rejected none, or a later run replaced them."""
    total = 0 if (found := _dataset(table)) is None else int(found.count_rows(filter=_of(run_id)))
    start = (page - 1) * per_page
    rows = islice(_rows(table, run_id), start, start + per_page) if start < total else iter(())
    return RejectedRows(
        page=page,
        per_page=per_page,
        total=total,
        destination=destination,
        kept_in=table.name,
        items=[RejectedRowOut(**{**one, "row": json.loads(one["row"])}) for one in rows],
    )


def rejected_csv(table: LocalTable, run_id: int) -> Iterator[str]:
    """The rows a run rejected as lines of CSV; no cell begins a formula."""
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

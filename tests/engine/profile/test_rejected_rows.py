"""The rejected rows beside a table: searched, narrowed by reason, page by page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from b2b_recs.engine.etl.rejected import SCHEMA
from b2b_recs.engine.profile.rejects import Reason, Wanted, rejected_count, rejected_page, rejected_rows
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROWS = [
    ({"id": "1", "at": "0000-00-00"}, "at", "is not a date"),
    ({"id": "2", "at": "never"}, "at", "is not a date"),
    ({"id": "x", "at": "2026-01-01"}, "id", "is not a whole number"),
]


@pytest.fixture
def table(tmp_path: Path) -> LocalTable:
    table = LocalWarehouse(tmp_path).table("raw_data", "bq_orders")
    table.append(pa.table({"id": [1]}))
    return table


@pytest.fixture
def rejecting(table: LocalTable) -> LocalTable:
    rows = [
        {"row": json.dumps(row), "column": column, "reason": reason, "run": f"etl-run-{number}",
         "rejected_at": NOW + timedelta(hours=number), "fingerprint": str(number)}
        for number, (row, column, reason) in enumerate(ROWS)
    ]  # fmt: skip
    table.rejected.append(pa.Table.from_pylist(rows, SCHEMA))
    return table


def test_a_table_that_rejected_nothing_has_an_empty_page(table: LocalTable) -> None:
    page = rejected_page(table, Wanted(), 0, 50)
    assert (rejected_count(table), page.rows, page.total, page.reasons) == (0, [], 0, [])


def test_rows_are_found_by_text_column_and_reason(rejecting: LocalTable) -> None:
    page = rejected_page(rejecting, Wanted(), 0, 2)
    assert [row.values["id"] for row in page.rows] == ["x", "2"]
    assert (page.total, page.all, page.rows[0].at) == (3, 3, NOW + timedelta(hours=2))
    assert page.reasons == [Reason("at", "is not a date", 2), Reason("id", "is not a whole number", 1)]
    assert [row.run for row in rejected_page(rejecting, Wanted(), 2, 2).rows] == ["etl-run-0"]
    assert rejected_page(rejecting, Wanted(search="NEVER"), 0, 9).total == 1
    narrowed = rejected_page(rejecting, Wanted(column="at", reason="is not a date"), 0, 9)
    assert (narrowed.total, narrowed.all) == (2, 3)
    assert rejected_page(rejecting, Wanted(search="' OR 1=1 --"), 0, 9).total == 0
    assert [row.column for row in rejected_rows(rejecting, Wanted(column="id"))] == ["id"]

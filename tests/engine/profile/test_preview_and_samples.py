"""The first rows of a table on a page, as CSV that no spreadsheet runs, and as Parquet."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from b2b_recs.engine.errors import WarehouseTableMissing
from b2b_recs.engine.profile.columns import columns_of
from b2b_recs.engine.profile.preview import as_csv, as_parquet, first_rows, preview
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse

ROWS = pa.table(
    {
        "=name": ["=1+1", "+44 20", "-5", "@home", "\tx", "\rx", "plain", "it's", None],
        "n": pa.array([-5, 0, 1, 2, 3, 4, 5, 6, None], pa.int64()),
        "money": pa.array([Decimal("-1.50")] * 8 + [None], pa.decimal128(9, 2)),
        "ratio": [float("nan"), float("-inf"), 0.1, -2.5, 1e300, 0.0, 1.0, 2.0, None],
        "flag": [True, False] * 4 + [None],
        "at": pa.array([datetime(2026, 1, 2, 3, 4, 5, 6, UTC)] * 8 + [None], pa.timestamp("us", tz="UTC")),
        "raw": [b"\x00\xff"] * 8 + [None],
    }
)


@pytest.fixture
def table(tmp_path: Path) -> LocalTable:
    table = LocalWarehouse(tmp_path).table("raw_data", "bq_orders")
    table.append(ROWS)
    return table


def test_a_preview_has_the_first_rows_as_plain_values(table: LocalTable) -> None:
    found = preview(table, None, 100)
    assert [column.name for column in found.columns] == ROWS.schema.names
    assert found.rows[0] == ["=1+1", -5, "-1.50", "NaN", True, "2026-01-02 03:04:05.000006+00:00", "0x00ff"]
    assert found.rows[8] == [None] * 7
    assert len(preview(table, 0, 3).rows) == 3
    with pytest.raises(WarehouseTableMissing):
        preview(table, 7, 3)


def test_no_text_of_a_csv_begins_a_formula_and_numbers_stay_numbers(table: LocalTable) -> None:
    text = "".join(as_csv(columns_of(table.schema()), first_rows(table, None, 100)))
    heading, *rows = list(csv.reader(io.StringIO(text, newline="")))
    assert heading == ["'=name", "n", "money", "ratio", "flag", "at", "raw"]
    assert [row[0] for row in rows] == ["'=1+1", "'+44 20", "'-5", "'@home", "'\tx", "'\rx", "plain", "it's", ""]
    assert rows[0][1:] == ["-5", "-1.50", "NaN", "true", "2026-01-02 03:04:05.000006+00:00", "0x00ff"]
    assert rows[3][3] == "-2.5"
    assert rows[8] == [""] * 7


def test_a_sample_as_parquet_equals_the_rows_and_comes_in_pieces(table: LocalTable) -> None:
    table.append(pa.concat_tables([ROWS] * 200))
    pieces = list(as_parquet(table.schema(), first_rows(table, None, 1000)))
    assert len(pieces) > 2
    found = pq.read_table(io.BytesIO(b"".join(pieces)))
    assert found.num_rows == 1000
    assert found["n"].to_pylist().count(6) == 111
    assert found.schema.equals(ROWS.schema)

"""Versions of a table: listed, found by moment, pinned, expired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from b2b_recs.engine.errors import BadInput, WarehouseTableMissing
from b2b_recs.engine.warehouse import compaction
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.engine.warehouse.versions import pin, unpin, version_at, versions


def rows(*numbers: int) -> pa.Table:
    return pa.table({"id": pa.array(numbers, pa.int64())})


@pytest.fixture
def table(tmp_path: Path) -> LocalTable:
    table = LocalWarehouse(tmp_path).table("raw_data", "bq_products")
    for number in range(3):
        table.replace(rows(*range(number + 1)), app=f"copy:etl-run-{number}")
    return table


def expire(table: LocalTable, days: int = 31) -> None:
    with table.lock():
        table.vacuum(30, datetime.now(UTC) + timedelta(days=days))


def test_versions_are_listed_with_rows_bytes_moment_and_run(table: LocalTable) -> None:
    found = list(versions(table))
    assert [version.number for version in found] == [2, 1, 0]
    assert [version.rows for version in found] == [3, 2, 1]
    assert all(version.size_bytes > 0 and version.readable for version in found)
    assert found[0].made_by == "copy:etl-run-2"
    assert found[0].at >= found[1].at >= found[2].at
    assert [version.operation for version in found] == ["replaced", "replaced", "created"]
    assert [version.number for version in versions(table, limit=1)] == [2]
    assert [version.number for version in versions(table, limit=1, skip=1)] == [1]


def test_a_version_says_what_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "FEWEST", 2)
    table = LocalWarehouse(tmp_path).table("raw_data", "bq_orders")
    table.append(rows(1))
    table.append(rows(2))
    table.add_columns([pa.field("note", pa.string())])
    compaction.compact(table)
    table.replace(rows(3))
    found = [(version.operation, version.rows) for version in versions(table)]
    assert found == [("replaced", 1), ("rearranged", 2), ("columns added", 2), ("loaded", 2), ("created", 1)]


def test_the_version_current_at_a_moment_is_found(table: LocalTable) -> None:
    moments = {commit.version: commit.at for commit in table.history()}
    assert version_at(table, moments[1]) == 1
    assert version_at(table, datetime.now(UTC) + timedelta(days=1)) == 2
    with pytest.raises(WarehouseTableMissing, match="had not been loaded at"):
        version_at(table, moments[0] - timedelta(seconds=1))
    with pytest.raises(WarehouseTableMissing, match="has never been loaded"):
        version_at(table.rejected, datetime.now(UTC))


def test_a_version_within_retention_stays_and_one_past_it_goes(table: LocalTable) -> None:
    expire(table, days=29)
    assert table.read(0).num_rows == 1
    expire(table)
    assert table.read().num_rows == 3
    with pytest.raises(WarehouseTableMissing, match="no longer kept"):
        table.read(0)
    assert [version.readable for version in versions(table)] == [True, False, False]


def test_a_pinned_version_outlasts_its_retention_until_it_is_unpinned(table: LocalTable) -> None:
    pin(table, "deployment-7", 0)
    expire(table)
    assert table.read(0).num_rows == 1
    with pytest.raises(WarehouseTableMissing):
        table.read(1)
    pin(table, "deployment-7", 2)
    expire(table)
    with pytest.raises(WarehouseTableMissing):
        table.read(0)
    unpin(table, "deployment-7")
    unpin(table, "deployment-7")
    assert table.pinned() == frozenset()


def test_a_version_that_is_gone_cannot_be_pinned_and_a_pin_is_a_plain_name(table: LocalTable) -> None:
    expire(table)
    with pytest.raises(WarehouseTableMissing):
        pin(table, "deployment-7", 0)
    with pytest.raises(BadInput):
        pin(table, "../x", 2)

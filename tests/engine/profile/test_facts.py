"""What the folders and logs of a warehouse tell without a row being read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from b2b_recs.engine.errors import WarehouseTableMissing
from b2b_recs.engine.profile.facts import facts_of, loaded_tables, newest_version
from b2b_recs.engine.warehouse.local import LocalWarehouse


def test_loaded_tables_are_those_of_the_warehouse_itself(tmp_path: Path) -> None:
    warehouse = LocalWarehouse(tmp_path / "warehouse")
    assert loaded_tables(warehouse) == []
    for dataset, name in (("raw_data", "bq_b"), ("raw_data", "bq_a"), ("imported", "bq_c")):
        table = warehouse.table(dataset, name)
        table.append(pa.table({"a": [1]}))
        table.rejected.append(pa.table({"a": [1]}))
    (warehouse.root / "raw_data" / "lost+found").mkdir()
    (warehouse.root / "raw_data" / "bq_never").mkdir()
    found = [(table.dataset, table.name) for table in loaded_tables(warehouse)]
    assert found == [(name, one.name) for name in warehouse.datasets() for one in warehouse.tables(name)]
    assert found == [("imported", "bq_c"), ("raw_data", "bq_a"), ("raw_data", "bq_b")]


def test_a_version_tells_its_rows_bytes_and_columns(tmp_path: Path) -> None:
    table = LocalWarehouse(tmp_path).table("raw_data", "bq_a")
    with pytest.raises(WarehouseTableMissing, match="never been loaded"):
        facts_of(table)
    table.append(pa.table({"a": [1, 2]}))
    table.append(pa.table({"a": [3]}))
    assert newest_version(table) == table.version() == 1
    assert [(facts.version, facts.rows) for facts in (facts_of(table, 0), facts_of(table))] == [(0, 2), (1, 3)]
    assert facts_of(table).size_bytes == table.size_bytes()
    assert [column.type_words for column in facts_of(table).columns] == ["INT64"]
    for missing in (2, -1, 10**30):
        with pytest.raises(WarehouseTableMissing, match="has no version"):
            facts_of(table, missing)
    shutil.rmtree(table.folder)
    table.append(pa.table({"other": ["x"]}))
    assert [column.name for column in facts_of(table, 0).columns] == ["other"]

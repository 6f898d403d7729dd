"""Two versions of a table side by side."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from b2b_recs.engine.errors import WarehouseTableMissing
from b2b_recs.engine.profile.compare import compare_versions
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse


@pytest.fixture
def table(tmp_path: Path) -> LocalTable:
    table = LocalWarehouse(tmp_path).table("raw_data", "bq_products")
    table.replace(pa.table({"id": [1, 2, 3], "name": ["a", "b", None], "price": [1.0, 2.0, 3.0], "old": ["x"] * 3}))
    table.replace(pa.table({"id": [2, 3, 4], "name": ["b", "c", "d"], "price": [2.5, 3.0, 4.0], "new": [1, 2, 3]}))
    return table


def test_rows_are_added_removed_and_changed_by_their_key(table: LocalTable) -> None:
    found = compare_versions(table, 0, 1, key=("id",))
    assert (found.added, found.removed, found.changed, found.unique) == (1, 1, 2, True)
    assert (found.added_keys, found.removed_keys) == ([["4"]], [["1"]])
    changes = {row.key[0]: {one.column: (one.before, one.after) for one in row.values} for row in found.examples}
    assert changes == {"2": {"price": ("2.0", "2.5")}, "3": {"name": (None, "c")}}
    assert [(one.name, one.what) for one in found.columns] == [("old", "removed"), ("new", "added")]
    assert (found.rows_before, found.rows_after) == (3, 3)


def test_without_a_key_rows_are_compared_whole(table: LocalTable) -> None:
    for key in ((), ("old",)):  # a key one of the versions does not have is none
        found = compare_versions(table, 0, 1, key=key)
        assert (found.key, found.added, found.removed, found.changed) == ([], 3, 3, 0)
    same = compare_versions(table, 1, 1)
    assert (same.added, same.removed, same.changed, same.columns) == (0, 0, 0, [])


def test_repeated_rows_count_each(table: LocalTable) -> None:
    table.append(pa.table({"id": [4, 4], "name": ["d", "d"], "price": [4.0, 4.0], "new": [3, 3]}))
    whole = compare_versions(table, 1, 2)
    assert (whole.added, whole.removed) == (2, 0)
    keyed = compare_versions(table, 1, 2, key=("id",))
    assert (keyed.unique, keyed.added, keyed.changed, keyed.examples) == (False, 0, 1, [])


def test_a_version_that_is_gone_is_refused(table: LocalTable) -> None:
    with pytest.raises(WarehouseTableMissing):
        compare_versions(table, 0, 9)

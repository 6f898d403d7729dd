"""What a copy promises: nothing lost, nothing doubled, nothing half done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import NOW, Job, Table
from engine.etl.copying import CATALOG, COLUMNS, KEYED, UNKEYED, Watcher, orders, row, write_small_parts

from b2b_recs.engine.errors import (
    BadInput,
    ColumnMissing,
)
from b2b_recs.engine.etl.reached import noted_key


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    write_small_parts(monkeypatch)


def test_the_first_run_loads_everything_and_says_that_the_counts_agree(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(100)), **KEYED)
    watcher = Watcher()
    result = job.run(progress=watcher)
    assert job.ids() == list(range(100))
    assert (result.rows_read, result.rows_loaded, result.source_count, result.warehouse_count) == (100,) * 4
    assert result.reconciled and result.changed
    assert result.cursor_after == str(row(99)["at"])
    assert watcher.stages[-1] == ("reconcile", "done", "100 = 100")
    assert [name for name, state, _ in watcher.stages if state == "running"] == ["connect", "read", "load", "reconcile"]
    assert job.strays() == []


@pytest.mark.parametrize("load", [KEYED, UNKEYED])
def test_a_run_with_nothing_new_leaves_the_state_as_it_was(tmp_path: Path, load: dict[str, Any]) -> None:
    job = Job(tmp_path, orders(*range(100)), **load)
    first = job.run()
    again = job.run()
    assert not again.changed and again.rows_loaded == 0 and again.rows_known > 0
    assert again.table_version == first.table_version == job.table.version()
    assert again.cursor_after == first.cursor_after
    assert again.reconciled
    assert first.table_rows == again.table_rows == 100 and (again.warehouse_count or 0) < 100
    assert job.strays() == []


@pytest.mark.parametrize("load", [KEYED, UNKEYED])
def test_rows_committed_late_are_loaded_by_the_next_run(tmp_path: Path, load: dict[str, Any]) -> None:
    job = Job(tmp_path, orders(1, 2, 50), **load)
    job.run()
    job.source.table.rows.append(row(30))
    result = job.run()
    assert job.ids() == [1, 2, 30, 50]
    assert (result.rows_loaded, result.reconciled, result.table_rows) == (1, True, 4)


@pytest.mark.parametrize("load", [KEYED, UNKEYED])
def test_equal_cursors_are_neither_lost_nor_doubled(tmp_path: Path, load: dict[str, Any]) -> None:
    at = NOW - timedelta(days=1)
    job = Job(tmp_path, Table(dict(COLUMNS), [row(n, at) for n in range(30)], ("id",)), **load)
    job.spec = job.spec.model_copy(update={"load": job.spec.load.model_copy(update={"lag": timedelta(0)})})
    job.run()
    job.source.table.rows.extend(row(n, at) for n in range(30, 45))
    job.run()
    job.run()
    assert job.ids() == list(range(45))


def test_equal_rows_without_a_key_stay_as_many_as_they_are(tmp_path: Path) -> None:
    at = NOW - timedelta(days=1)
    columns = {**COLUMNS, "id": "bigint"}
    job = Job(tmp_path, Table(columns, [row(1, at)] * 3 + [row(2, at, note=None)] * 2), **UNKEYED)
    job.run()
    job.source.table.rows.extend([row(1, at), row(2, at, note=None)])
    result = job.run()
    assert job.ids() == [1, 1, 1, 1, 2, 2, 2]
    assert (result.rows_known, result.rows_loaded, result.reconciled) == (5, 2, True)
    assert not job.run().changed


def test_a_row_changed_in_the_source_takes_the_place_of_its_older_form(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(60)), **KEYED)
    job.run()
    job.source.table.rows[3] = row(3, at=NOW - timedelta(minutes=1), note="changed")
    job.source.table.rows[59] = row(59, note="changed too")
    result = job.run()
    assert job.ids() == list(range(60))
    notes = {found["id"]: found["note"] for found in job.rows()}
    assert notes[3] == "changed" and notes[59] == "changed too" and notes[4] == "n4"
    assert result.rows_replaced == 2 and result.reconciled
    assert {found["note"] for found in job.rows(0)} == {f"n{n}" for n in range(60)}
    assert not job.run().changed


def test_a_key_that_is_not_unique_keeps_the_newest_row(tmp_path: Path) -> None:
    rows = [row(1), row(2), row(1, at=NOW - timedelta(days=1), note="newer")]
    job = Job(tmp_path, Table(dict(COLUMNS), rows), **KEYED)
    result = job.run()
    assert {found["id"]: found["note"] for found in job.rows()} == {1: "newer", 2: "n2"}
    assert (result.rows_repeated, result.reconciled) == (1, True)
    assert job.table.row_count() == 2
    assert not job.run().changed


def test_rows_without_a_cursor_value_come_with_a_backfill_of_everything(tmp_path: Path) -> None:
    rows = [row(1), {**row(2), "at": None}, {**row(3), "at": None}]
    everything = Job(tmp_path / "all", Table(dict(COLUMNS), rows, ("id",)), **KEYED)
    result = everything.run()
    assert everything.ids() == [1, 2, 3] and result.reconciled
    assert not everything.run().changed
    days = Job(tmp_path / "days", Table(dict(COLUMNS), rows, ("id",)), load={"cursor": "at", "backfill": 30})
    found = days.run()
    assert days.ids() == [1]
    assert [text[:14] for text in found.warnings] == ["2 rows have no"]


def test_only_rows_without_a_cursor_value(tmp_path: Path) -> None:
    job = Job(tmp_path, Table(dict(COLUMNS), [{**row(n), "at": None} for n in range(3)], ("id",)), **KEYED)
    result = job.run()
    assert job.ids() == [0, 1, 2] and result.cursor_after is None
    job.source.table.rows.append(row(9))
    job.run()
    assert job.ids() == [0, 1, 2, 9]


@pytest.mark.parametrize(("backfill", "expected"), [("all", [1, 2, 3]), (5, [2, 3]), ("2026-02-27", [3])])
def test_the_first_run_goes_back_as_far_as_asked(tmp_path: Path, backfill: Any, expected: list[int]) -> None:
    ages = {1: 20, 2: 4, 3: 1}
    rows = [row(number, NOW - timedelta(days=days)) for number, days in ages.items()]
    job = Job(tmp_path, Table(dict(COLUMNS), rows, ("id",)), load={"cursor": "at", "key": ["id"], "backfill": backfill})
    assert job.run().reconciled
    assert job.ids() == expected


def test_a_number_can_be_the_cursor(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(1000, 5000, 100)), load={"cursor": "id", "key": ["id"], "lag_units": 500})
    job.run()
    job.source.table.rows += [row(4850), row(4950), row(100)]
    result = job.run()
    assert 4850 in job.ids() and 4950 in job.ids() and 100 not in job.ids()
    assert result.reconciled and result.cursor_after == "4950"
    with pytest.raises(BadInput) as refused:
        Job(tmp_path / "b", orders(1), load={"cursor": "id", "backfill": 30}).run()
    assert refused.value.field == "backfill"


def test_a_text_can_be_the_cursor(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2), load={"cursor": "note", "key": ["id"]})
    job.run()
    job.source.table.rows += [row(3)]
    assert job.run().rows_loaded == 1
    assert not job.run().changed
    assert job.ids() == [1, 2, 3]


def test_a_limit_loads_so_many_rows_a_run_and_reaches_the_end(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(25)), **KEYED, row_limit=10)
    sizes = []
    for _ in range(5):
        job.run()
        sizes.append(len(job.ids()))
    assert sizes == [10, 20, 25, 25, 25]
    assert job.ids() == list(range(25))


def test_a_catalog_replaces_the_table_and_keeps_the_version_before(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2, 3), **CATALOG)
    job.run()
    job.source.table.rows = [row(2), row(4)]
    result = job.run()
    assert job.ids() == [2, 4] and job.ids(0) == [1, 2, 3]
    assert result.reconciled and result.table_version == 1


def test_a_table_knows_by_which_key_its_newest_copy_told_rows_apart(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2, 3), **CATALOG)
    assert noted_key(job.table) == ()
    job.run()
    assert noted_key(job.table) == ("id",)
    keyed = Job(tmp_path / "keyed", orders(1, 2, 3), load={"cursor": "at", "key": ["id", "note"]})
    keyed.run()
    assert noted_key(keyed.table) == ("id", "note")


def test_expired_catalog_versions_are_removed(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2, 3), **CATALOG)
    for _ in range(3):
        job.run()
    job.now = datetime.now(UTC) + timedelta(days=30)
    job.run()
    assert len(list(job.table.folder.rglob("*.parquet"))) <= 2
    assert job.ids() == [1, 2, 3]


def test_an_emptied_source_table_empties_the_catalog_and_says_so(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2, 3), **CATALOG)
    job.run()
    job.source.table.rows = []
    result = job.run()
    assert job.ids() == [] and job.ids(0) == [1, 2, 3]
    assert any("Version 0 with 3 rows stays readable for 7 days" in warning for warning in result.warnings)
    assert result.reconciled


@pytest.mark.parametrize("load", [KEYED, CATALOG])
def test_an_empty_source_table_makes_an_empty_table(tmp_path: Path, load: dict[str, Any]) -> None:
    job = Job(tmp_path, orders(), **load)
    result = job.run()
    assert job.table.row_count() == 0 and job.table.schema().names == list(COLUMNS)
    assert result.reconciled and result.cursor_after is None
    job.source.table.rows.append(row(1))
    job.run()
    assert job.ids() == [1]


def test_chosen_columns_come_with_cursor_and_key(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2), **KEYED, columns=["amount"])
    job.run()
    assert set(job.table.schema().names) == {"amount", "at", "id"}
    with pytest.raises(ColumnMissing) as refused:
        Job(tmp_path / "b", orders(1), **CATALOG, columns=["nothing"]).run()
    assert refused.value.field == "nothing"


def test_a_bad_destination_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        Job(tmp_path, orders(1), **KEYED).warehouse.table("raw_data", "a b")
    assert refused.value.field == "destination_table"

"""Rows that change and rows that are deleted: merging by a column of last change, and the sweep of keys."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import NOW, Job, Table
from pydantic import ValidationError

from b2b_recs.engine import faults
from b2b_recs.engine.errors import ConnectionLost
from b2b_recs.engine.etl import stage
from b2b_recs.engine.etl.spec import CopySpec, Merge, Transactional

COLUMNS = {"id": "bigint!", "changed": "timestamptz", "amount": "bigint", "note": "text"}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "PART_BYTES", 1500)


def row(number: int, minutes: int | None = None, **values: Any) -> dict[str, Any]:
    moment = NOW - timedelta(days=10) + timedelta(minutes=number if minutes is None else minutes)
    return {"id": number, "changed": moment, "amount": number * 10, "note": f"n{number}", **values}


def orders(count: int) -> Table:
    return Table(dict(COLUMNS), [row(number) for number in range(count)], primary=("id",))


def merging(**settings: Any) -> dict[str, Any]:
    return {"load": {"strategy": "merge", "cursor": "changed", "key": ["id"], **settings}}


def test_a_changed_row_takes_the_place_of_its_older_form_whatever_its_age(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(60), **merging())
    job.run()
    job.source.table.rows[2] = row(2, minutes=1000, note="changed")
    job.source.table.rows.append(row(60, minutes=1001))
    result = job.run()
    assert job.ids() == list(range(61))
    assert [found["note"] for found in job.rows() if found["id"] == 2] == ["changed"]
    assert (result.rows_loaded, result.rows_replaced, result.reconciled) == (2, 1, True)
    assert not job.run().changed
    assert not any("staging" in path for path in job.strays())


def test_merging_needs_a_key() -> None:
    with pytest.raises(ValidationError, match="key"):
        Merge(cursor="changed", key=())
    with pytest.raises(ValidationError, match="key is needed"):
        Transactional(cursor="at", deletes="remove")


def test_a_spec_written_before_strategies_had_names_is_read_as_it_was_meant() -> None:
    told = {"source_schema": "s", "source_table": "t", "destination_table": "bq_t"}
    assert CopySpec.model_validate({**told, "load": {"cursor": "at", "key": ["id"]}}).load == Transactional(
        cursor="at", key=("id",)
    )
    assert CopySpec.model_validate({**told, "load": {}}).load.strategy == "catalog"
    for load in ({"strategy": "merge", "cursor": "at", "key": ["id"]}, {"strategy": "files"}):
        spec = CopySpec.model_validate({**told, "load": load})
        assert CopySpec.model_validate_json(spec.model_dump_json()) == spec
        assert spec.load.strategy == load["strategy"]


@pytest.mark.parametrize("strategy", ["merge", "transactional"])
def test_rows_deleted_in_the_source_are_removed_in_the_commit_of_the_run(tmp_path: Path, strategy: str) -> None:
    job = Job(tmp_path, orders(60), **merging(strategy=strategy, deletes="remove"))
    first = job.run()
    assert first.rows_deleted == 0
    del job.source.table.rows[10:20]
    job.source.table.rows.append(row(60))
    version = job.table.version()
    result = job.run()
    assert job.ids() == [*range(10), *range(20, 61)]
    assert (result.rows_deleted, result.rows_loaded, result.reconciled) == (10, 1, True)
    assert job.table.version() == (version or 0) + 1
    assert job.ids(version) == list(range(60))
    assert not job.run().changed
    assert not any("staging" in path for path in job.strays())


def test_a_run_that_finds_nothing_but_deleted_rows_removes_them(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(60), **merging(deletes="remove"))
    job.run()
    del job.source.table.rows[0:5]
    result = job.run()
    assert (result.changed, result.rows_deleted, result.rows_loaded) == (True, 5, 0)
    assert job.ids() == list(range(5, 60))
    assert result.cursor_after == result.cursor_before


def test_deleted_rows_are_counted_and_told_when_they_stay(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(60), **merging(deletes="count"))
    job.run()
    del job.source.table.rows[0:5]
    result = job.run()
    assert (result.changed, result.rows_deleted, result.rows_vanished) == (False, 0, 5)
    assert "5 rows are no longer in the source; the warehouse keeps them." in result.warnings
    assert job.ids() == list(range(60))


def test_only_the_key_columns_are_read_for_the_sweep(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(60), **merging(deletes="remove"))
    job.run()
    last = job.source.reads[-1]
    assert [column.name for column in last.columns] == ["id"] and last.window is None
    job.source.reads.clear()
    job.spec = job.spec.model_copy(update={"load": job.spec.load.model_copy(update={"deletes": "keep"})})
    job.run()
    assert all(len(request.columns) > 1 for request in job.source.reads)


def test_a_sweep_that_breaks_off_removes_nothing(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(60), **merging(deletes="remove"))
    job.run()
    del job.source.table.rows[0:5]

    def lost(name: str) -> None:
        if name == "copy.keys":
            raise ConnectionLost("The connection was lost.")

    faults.install(lost)
    try:
        with pytest.raises(ConnectionLost):
            job.run("two")
    finally:
        faults.install(None)
    assert job.ids() == list(range(60))
    assert job.run("two").rows_deleted == 5
    assert job.ids() == list(range(5, 60))


def test_a_catalog_says_how_many_rows_came_and_went(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(60), load={"keep_days": 7})
    assert job.run().rows_appeared is None
    del job.source.table.rows[0:5]
    job.source.table.rows.append(row(100))
    result = job.run()
    assert (result.rows_vanished, result.rows_appeared, result.rows_deleted) == (5, 1, 0)


def test_a_catalog_without_a_known_key_says_nothing_of_it(tmp_path: Path) -> None:
    table = orders(10)
    job = Job(tmp_path, Table(table.columns, table.rows), load={"keep_days": 7})
    job.run()
    assert job.run().rows_appeared is None


def test_a_source_that_shows_no_row_removes_nothing_and_the_run_says_so(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(60), **merging(deletes="remove"))
    job.run()
    kept, job.source.table.rows = job.source.table.rows, []
    result = job.run()
    assert job.ids() == list(range(60))
    assert (result.rows_deleted, result.rows_vanished, result.changed) == (0, 60, False)
    assert any("shows no row at all, so nothing was removed" in text for text in result.warnings)
    job.source.table.rows = kept
    assert job.run().reconciled


def test_a_run_that_removes_most_rows_names_the_version_that_has_them(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(60), **merging(deletes="remove"))
    job.run()
    version = job.table.version()
    del job.source.table.rows[5:]
    result = job.run()
    assert (job.ids(), result.rows_deleted) == (list(range(5)), 55)
    assert any("55 of 60 rows were removed" in text and f"Version {version} still" in text for text in result.warnings)
    assert job.ids(version) == list(range(60))
    del job.source.table.rows[4:]
    assert not any("were removed" in text for text in job.run().warnings)

"""What a copy promises when it is interrupted, stopped or taken over: nothing half done."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import Job, Table
from engine.etl.copying import CATALOG, KEYED, Watcher, orders, row, write_small_parts

from b2b_recs.engine.errors import (
    Cancelled,
    ConnectionLost,
    Fenced,
    NotReconciled,
    StorageFull,
    TableMissing,
)
from b2b_recs.engine.etl import stage
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.warehouse import parts


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    write_small_parts(monkeypatch)


def test_the_cursor_is_committed_with_the_data(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2), **KEYED)
    result = job.run()
    note = job.table.history()[0].notes["copy"]
    assert note["cursor"] == result.cursor_after and note["column"] == "at"


def test_a_run_asked_for_again_finds_itself_done(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2), **KEYED)
    first = job.run("run-a")
    job.source.table.rows.append(row(3))
    again = job.run("run-a")
    assert job.ids() == [1, 2]
    assert (again.rows_loaded, again.table_version, again.reconciled) == (2, first.table_version, True)
    assert job.run("run-b").rows_loaded == 1


def test_a_lost_connection_is_gone_on_with_after_the_last_row(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(100)), **KEYED)
    job.source.fail_after, job.source.failure = 7, ConnectionLost("The connection broke.")
    with pytest.raises(ConnectionLost):
        job.run("run-a")
    assert not job.table.exists()
    job.source.fail_after = None
    watcher = Watcher()
    result = job.run("run-a", watcher)
    assert job.ids() == list(range(100)) and result.reconciled
    assert [read.key_after for read in job.source.reads if read.key_after] == [(str(row(69)["at"]), "69")]
    assert any("Going on after 70 rows" in line for line in watcher.lines)
    assert job.strays() == []


def test_rows_that_came_and_went_during_an_interruption_are_read_again(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(1, 100)), **KEYED)
    job.source.fail_after, job.source.failure = 7, ConnectionLost("The connection broke.")
    with pytest.raises(ConnectionLost):
        job.run("run-a")
    job.source.fail_after = None
    job.source.table.rows.append(row(0))
    del job.source.table.rows[10:12]
    result = job.run("run-a")
    assert job.ids() == sorted(found["id"] for found in job.source.table.rows)
    assert result.reconciled


class AnyCapitals(str):
    """Text as many databases compare it: its capitals tell nothing apart."""

    def __eq__(self, other: object) -> bool:
        return self.casefold() == str(other).casefold()

    def __gt__(self, other: str) -> bool:
        return self.casefold() > str(other).casefold()

    def __lt__(self, other: str) -> bool:
        return self.casefold() < str(other).casefold()

    __hash__ = str.__hash__


@pytest.mark.parametrize("limit", [4, None])
def test_keys_the_source_takes_for_equal_are_all_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    monkeypatch.setattr(stage, "PART_BYTES", 1)
    codes = ("x0", "a1", "A1", "b1", "c1", "d1")
    rows = [
        {"code": AnyCapitals(code), "at": row(at)["at"]} for code, at in zip(codes, (1, 2, 2, 3, 4, 5), strict=True)
    ]
    load = {"cursor": "at", "key": ["code"], "lag": timedelta()}
    job = Job(tmp_path, Table({"code": "text!", "at": "timestamptz"}, rows), load=load, row_limit=limit)
    job.source.batch_rows = 1
    # After the first of the two.
    job.source.fail_after, job.source.failure = 2, ConnectionLost("The connection broke.")
    with pytest.raises(ConnectionLost):
        job.run("run-a")
    job.source.fail_after = None
    for key in ("run-a", "run-b", "run-c"):
        assert job.run(key).reconciled
    assert sorted(found["code"] for found in job.rows()) == sorted(codes)


def test_an_interrupted_catalog_starts_over_with_one_snapshot(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(100)), **CATALOG)
    job.run()
    job.source.table.rows = [row(number, note="new") for number in range(100)]
    job.source.fail_after, job.source.failure = 7, ConnectionLost("The connection broke.")
    with pytest.raises(ConnectionLost):
        job.run("run-a")
    assert {found["note"] for found in job.rows()} == {f"n{n}" for n in range(100)}
    job.source.fail_after = None
    job.run("run-a")
    assert job.source.reads[-1].key_after == ()
    assert {found["note"] for found in job.rows()} == {"new"}


def test_staging_of_a_run_that_never_came_back_is_removed(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(100)), **KEYED)
    job.source.fail_after, job.source.failure = 7, ConnectionLost("The connection broke.")
    with pytest.raises(ConnectionLost):
        job.run("run-a")
    assert job.strays()
    job.source.fail_after = None
    job.run("run-b")
    assert job.ids() == list(range(100)) and job.strays() == []


def test_a_table_that_disappears_leaves_the_warehouse_as_it_was(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(100)), **CATALOG)
    job.run()
    job.source.fail_after, job.source.failure = 3, TableMissing("The table was dropped.")
    with pytest.raises(TableMissing):
        job.run()
    assert job.ids() == list(range(100)) and job.table.version() == 0 and job.strays() == []


def test_a_stopped_run_commits_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(100)), **KEYED)
    watcher = Watcher()

    def stop(number: int) -> None:
        watcher.stop = number == 5

    job.source.on_batch = stop
    with pytest.raises(Cancelled):
        job.run(progress=watcher)
    assert not job.table.exists() and job.strays() == []
    assert ("read", "failed") in [(name, state) for name, state, _ in watcher.stages]


def test_a_run_that_was_taken_over_leaves_the_staging_to_the_new_attempt(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(100)), **KEYED)

    class Loser(Silent):
        def stage(self, name: str, state: str, detail: str = "") -> None:
            if name == "load":
                raise Fenced("taken over")

    with pytest.raises(Fenced):
        job.run("run-a", Loser())
    assert not job.table.exists()
    before = len(job.source.reads)
    assert job.run("run-a").rows_loaded == 100
    assert len(job.source.reads) == before
    assert job.ids() == list(range(100))


def test_something_that_fails_after_the_commit_takes_nothing_back(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(20)), **KEYED)

    class Late(Silent):
        def stage(self, name: str, state: str, detail: str = "") -> None:
            if name == "reconcile":
                raise Cancelled("too late")

    with pytest.raises(Cancelled):
        job.run("run-a", Late())
    assert job.ids() == list(range(20))
    assert job.run("run-b").changed is False


def test_a_source_that_loses_rows_is_not_believed(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(30)), **CATALOG)
    job.source.lose = 2
    with pytest.raises(NotReconciled, match="counts 30 rows and 28 were read"):
        job.run()
    assert not job.table.exists()


def test_a_full_disk_commits_nothing_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job(tmp_path, orders(*range(100)), **KEYED)
    write = parts.pq.ParquetWriter.write_batch
    written = []

    def sometimes_full(self: Any, batch: Any) -> None:
        written.append(batch)
        if len(written) == 7:
            raise OSError(28, "No space left on device")
        write(self, batch)

    monkeypatch.setattr(parts.pq.ParquetWriter, "write_batch", sometimes_full)
    with pytest.raises(StorageFull):
        job.run("run-a")
    assert not job.table.exists() and job.strays() == []
    assert job.run("run-a").rows_loaded == 100

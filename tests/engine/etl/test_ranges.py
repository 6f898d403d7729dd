"""A large table read by several sessions at once: the same rows, the same promises."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import NOW, Job, Table

from b2b_recs.engine.errors import Cancelled, ConnectionLost, TooManyRejected
from b2b_recs.engine.etl import ranges, stage
from b2b_recs.engine.progress import Silent

COLUMNS = {"id": "bigint!", "at": "timestamptz", "amount": "bigint"}
CATALOG: dict[str, Any] = {"load": {"keep_days": 7}}
KEYED: dict[str, Any] = {"load": {"cursor": "at", "key": ["id"]}}


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "LARGE_ROWS", 50)
    monkeypatch.setattr(ranges.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(stage, "PART_BYTES", 400)


def orders(count: int) -> Table:
    start = NOW - timedelta(days=10)
    rows = [{"id": n, "at": start + timedelta(minutes=n), "amount": n * 10} for n in range(count)]
    return Table(dict(COLUMNS), rows, primary=("id",))


@pytest.mark.parametrize("load", [CATALOG, KEYED])
def test_a_large_table_is_read_in_ranges_by_two_sessions(tmp_path: Path, load: dict[str, Any]) -> None:
    job = Job(tmp_path, orders(300), **load)
    threads = set()
    job.source.on_batch = lambda number: threads.add(threading.current_thread().name)
    result = job.run()
    assert job.ids() == list(range(300))
    assert (result.rows_read, result.source_count, result.reconciled) == (300, 300, True)
    assert len([request for request in job.source.reads if request.key_range is not None]) == 6
    assert len(job.source.others) == 1 and job.source.others[0].closed and not job.source.closed
    assert all(name.startswith("read") for name in threads)
    assert job.strays() == []


def test_a_small_table_one_session_or_a_row_limit_is_read_in_one_piece(tmp_path: Path) -> None:
    for name, rows, settings in (("a", 40, CATALOG), ("b", 300, {**CATALOG, "parallel": 1})):
        job = Job(tmp_path / name, orders(rows), **settings)
        job.run()
        assert [request.key_range for request in job.source.reads] == [None]
    job = Job(tmp_path / "c", orders(300), row_limit=200, **KEYED)
    job.run()
    assert [request.key_range for request in job.source.reads] == [None]
    assert job.ids() == list(range(200))


def test_rows_without_a_cursor_are_read_as_well(tmp_path: Path) -> None:
    table = orders(300)
    table.rows.append({"id": 1000, "at": None, "amount": 1})
    job = Job(tmp_path, table, **KEYED)
    result = job.run()
    assert job.ids() == [*range(300), 1000]
    assert result.reconciled


def test_a_run_killed_in_one_range_goes_on_in_that_range_and_skips_the_others(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(300), **KEYED)
    job.source.batch_rows = 5
    seen: list[int] = []

    def break_off(number: int) -> None:
        seen.append(number)
        if len(seen) > 30:
            raise ConnectionLost("The connection was lost.")

    job.source.on_batch = break_off
    with pytest.raises(ConnectionLost):
        job.run("one")
    assert not job.table.exists()
    first = len(seen)
    job.source.on_batch = lambda number: seen.append(number)
    job.source.reads.clear()
    result = job.run("one")
    assert job.ids() == list(range(300))
    assert result.reconciled and result.rows_read == 300
    assert any(request.key_after for request in job.source.reads) or len(job.source.reads) < 6
    assert len(seen) - first < 60
    assert job.strays() == []


def test_an_error_of_one_session_stops_the_others_and_commits_nothing(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(300), **CATALOG)
    job.source.batch_rows = 1
    main = threading.Event()

    def fail_beside(number: int) -> None:
        if number == 3 and not main.is_set():
            main.set()
            raise ConnectionLost("The connection was lost.")

    job.source.on_batch = fail_beside
    with pytest.raises(ConnectionLost):
        job.run("one")
    assert not job.table.exists()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("read_")] == []
    job.run("one")
    assert job.ids() == list(range(300))


def test_a_stop_reaches_every_session(tmp_path: Path) -> None:
    class Stopping(Silent):
        def cancelled(self) -> bool:
            return len(job.source.reads) >= 2

    job = Job(tmp_path, orders(300), **CATALOG)
    with pytest.raises(Cancelled):
        job.run(progress=Stopping())
    assert not job.table.exists() and job.strays() == []


def test_the_threshold_of_rejected_rows_counts_all_sessions(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(300), **CATALOG)
    job.source.table.bad = lambda row: "amount is wrong" if row["id"] % 3 == 0 else None
    with pytest.raises(TooManyRejected):
        job.run()
    assert not job.table.exists()
    job.source.table.bad = lambda row: "amount is wrong" if row["id"] % 50 == 0 else None
    result = job.run()
    assert (result.rows_rejected, result.rows_loaded, result.reconciled) == (6, 294, True)
    assert job.table.rejected.row_count() == 6


def test_only_the_thread_of_the_run_talks_to_the_progress(tmp_path: Path) -> None:
    names = set()

    class Watching(Silent):
        def update(self, **counters: Any) -> None:
            names.add(threading.current_thread().name)

        def cancelled(self) -> bool:
            names.add(threading.current_thread().name)
            return False

    Job(tmp_path, orders(300), **CATALOG).run(progress=Watching())
    assert names == {threading.current_thread().name}


def test_a_source_without_room_for_another_session_is_read_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(tmp_path, orders(300), **CATALOG)

    def refuse() -> Any:
        raise ConnectionLost("Too many sessions.")

    monkeypatch.setattr(job.source, "beside", refuse)
    assert job.run().reconciled
    assert job.ids() == list(range(300))

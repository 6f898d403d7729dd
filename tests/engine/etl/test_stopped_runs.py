"""What is kept of a run that was stopped because too many rows were rejected: those rows, beside the table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import Job
from engine.etl.copying import CATALOG, KEYED, UNKEYED, Watcher, orders, write_small_parts

from b2b_recs.engine import faults
from b2b_recs.engine.errors import StorageFull, TooManyRejected
from b2b_recs.engine.etl import ranges, stopped
from b2b_recs.engine.profile.rejects import Wanted, rejected_count, rejected_page, rejected_rows


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    write_small_parts(monkeypatch)
    yield
    faults.install(None)


def bad_amount(row: dict[str, Any]) -> str | None:
    return "amount: too large" if row["amount"] in (30, 70) else None


def stop(job: Job, watcher: Watcher | None = None, run_key: str | None = None) -> None:
    with pytest.raises(TooManyRejected):
        job.run(run_key, watcher or Watcher())


def kept(job: Job) -> list[str | None]:
    """The ids of the rows that are kept of the run that was stopped."""
    return sorted(json.loads(text)["id"] for text in job.table.stopped.read(columns=["row"])["row"].to_pylist())


@pytest.mark.parametrize("load", [KEYED, UNKEYED, CATALOG])
def test_the_rows_that_stopped_a_run_are_kept_and_nothing_of_it_is_in_the_table(
    tmp_path: Path, load: dict[str, Any]
) -> None:
    job = Job(tmp_path, orders(1, 2), **load, reject_threshold=0.01)
    job.run()
    job.source.table = orders(*range(50))
    job.source.table.bad = bad_amount
    watcher = Watcher()
    stop(job, watcher, "etl-run-7")
    assert job.ids() == [1, 2] and not job.table.rejected.exists() and job.strays() == []
    assert [table.name for table in job.warehouse.tables("raw_data")] == ["bq_orders"]
    assert "kept for looking at" in watcher.lines[-1]
    page = rejected_page(job.table, Wanted(stopped=True), 0, 50)
    assert [(row.column, row.reason, row.run) for row in page.rows] == [
        ("amount", "amount: too large", "etl-run-7")
    ] * page.all
    assert kept(job)[0] == "3" and rejected_count(job.table) == 0
    assert [row.values["id"] for row in rejected_rows(job.table, Wanted("n3", stopped=True))] == ["3"]


def test_each_stopped_run_takes_the_place_of_the_one_before_and_a_good_one_ends_it(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(50)), **KEYED, reject_threshold=0)
    job.source.table.bad = bad_amount
    stop(job)
    assert kept(job) == ["3", "7"]
    job.source.table.bad = lambda row: "no" if row["amount"] == 70 else None
    stop(job)
    assert kept(job) == ["7"]
    job.source.table.bad = bad_amount
    job.spec = job.spec.model_copy(update={"reject_threshold": 0.5})
    result = job.run()
    assert (result.rows_loaded, result.rows_rejected, result.reconciled) == (48, 2, True)
    assert kept(job) == [] and rejected_count(job.table) == 2
    job.spec = job.spec.model_copy(update={"reject_threshold": 0})
    job.source.table.bad = lambda row: "no" if row["amount"] == 90 else bad_amount(row)
    stop(job)
    assert rejected_count(job.table) == 2, "what the table lacks does not change by a run that was stopped"


def test_a_run_that_finds_nothing_new_ends_it_as_well(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(10)), **KEYED, reject_threshold=0)
    job.run()
    table = job.source.table
    job.source.table = orders(*range(20))
    job.source.table.bad = lambda row: "no" if row["id"] == 15 else None
    stop(job)
    assert kept(job) == ["15"]
    job.source.table = table
    assert not job.run().changed and kept(job) == []


def test_no_more_than_a_number_of_them_is_kept_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopped, "MOST", 5)
    job = Job(tmp_path, orders(*range(50)), **CATALOG)
    job.source.table.bad = lambda row: "no" if row["id"] >= 20 else None
    watcher = Watcher()
    stop(job, watcher)
    assert watcher.lines[-1] == "The first 5 of 10 rejected rows are kept for looking at."
    assert kept(job) == ["20", "21", "22", "23", "24"]


def test_the_rows_of_every_session_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "LARGE_ROWS", 1)
    job = Job(tmp_path, orders(*range(300)), **CATALOG)
    job.source.table.bad = lambda row: "no" if row["id"] % 3 == 0 else None
    watcher = Watcher()
    stop(job, watcher)
    found = kept(job)
    assert len(found) == len(set(found)) >= 15 and all(int(str(text)) % 3 == 0 for text in found)
    assert watcher.lines[-1] == f"{len(found)} rejected rows are kept for looking at."


class Killed(BaseException):
    """What no code of the copy may catch."""


@pytest.mark.parametrize("step", ["copy.before_stopped", "copy.after_stopped"])
def test_a_run_that_dies_while_it_keeps_them_is_stopped_again_by_its_next_attempt(tmp_path: Path, step: str) -> None:
    job = Job(tmp_path, orders(*range(50)), **KEYED, reject_threshold=0.03)
    job.source.table.bad = bad_amount

    def die(name: str) -> None:
        if name == step:
            raise Killed

    faults.install(die)
    with pytest.raises(Killed):
        job.run("one")
    faults.install(None)
    stop(job, run_key="one")
    assert kept(job) == ["3", "7"] and not job.table.exists() and job.strays() == []
    job.source.table.bad = lambda row: None
    assert job.run("two").rows_loaded == 50 and kept(job) == []


def test_a_full_disk_does_not_hide_why_the_run_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any) -> str:
        raise StorageFull("The disk of the warehouse is full.")

    monkeypatch.setattr("b2b_recs.engine.etl.copy.keep_stopped", full)
    job = Job(tmp_path, orders(*range(50)), **KEYED, reject_threshold=0)
    job.source.table.bad = bad_amount
    watcher = Watcher()
    stop(job, watcher)
    assert watcher.lines[-1] == "The rejected rows could not be kept. The disk of the warehouse is full."

"""A table of files: each loaded once, again when it changed, and never half."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from engine.etl.arena import NOW, Job, Memory, MemorySource, Table

from b2b_recs.engine import faults
from b2b_recs.engine.errors import BadInput, ConnectionLost
from b2b_recs.engine.etl import choice, stage
from b2b_recs.engine.etl.spec import Catalog
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.sources.contract import FILE_COLUMN, Batch, Capabilities, FileInfo, ReadRequest

LOAD: dict[str, Any] = {"load": {"strategy": "files"}}
REMOVE: dict[str, Any] = {"load": {"strategy": "files", "deletes": "remove"}}


@dataclass
class FileSource(MemorySource):
    """Files by path: a mark and the ids of the rows in each."""

    contents: dict[str, tuple[str, list[int]]] = field(default_factory=dict)

    def put(self, path: str, mark: str, *ids: int) -> None:
        self.contents[path] = (mark, list(ids))

    def files(self, schema: str, table: str) -> list[FileInfo]:
        return [FileInfo(path, 10 * len(ids), mark, NOW) for path, (mark, ids) in sorted(self.contents.items())]

    def count(self, request: ReadRequest) -> int:
        raise AssertionError("files are not read twice")

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        self.reads.append(request)
        schema = arrow_schema(request.columns)
        for number, path in enumerate(request.files):
            if self.fail_after is not None and len(self.reads) > self.fail_after and self.failure is not None:
                raise self.failure
            self.on_batch(number)
            found = [{"id": at, FILE_COLUMN: path} for at in self.contents[path][1]]
            yield Batch(pa.RecordBatch.from_pylist(found, schema=schema))


class FilesJob(Job):
    def __init__(self, folder: Path, **spec: Any) -> None:
        super().__init__(folder, Table({"id": "bigint", FILE_COLUMN: "text!"}, []), **spec)
        self.source: FileSource = FileSource(self.source.table)

    def by_file(self, version: int | None = None) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row in self.table.read(version).to_pylist():
            found.setdefault(row[FILE_COLUMN], []).append(row["id"])
        return {path: sorted(ids) for path, ids in sorted(found.items())}

    def ledger(self) -> dict[str, tuple[str, int]]:
        return {row["path"]: (row["mark"], row["rows"]) for row in self.table.ledger.read().to_pylist()}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stage, "PART_BYTES", 1)
    monkeypatch.setattr(choice, "_GROUP_FILES", 2)
    monkeypatch.setattr(Memory, "capabilities", Capabilities(files=True, incremental=False, snapshot=False))
    yield
    faults.install(None)


def test_files_are_loaded_once(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **LOAD)
    job.source.put("a.csv", "1", 1, 2)
    job.source.put("b.csv", "1", 3)
    first = job.run()
    assert (first.rows_loaded, first.files_loaded, first.warehouse_count, first.reconciled) == (3, 2, 3, True)
    job.source.reads.clear()
    again = job.run()
    assert not again.changed and again.reconciled and again.table_version == first.table_version
    assert job.source.reads == []
    job.source.put("c.csv", "1", 4)
    third = job.run()
    assert (third.rows_loaded, third.files_loaded, third.reconciled) == (1, 1, True)
    assert job.by_file() == {"a.csv": [1, 2], "b.csv": [3], "c.csv": [4]}
    assert job.ledger() == {"a.csv": ("1", 2), "b.csv": ("1", 1), "c.csv": ("1", 1)}
    assert job.strays() == []


def test_a_changed_file_takes_the_place_of_its_old_rows_in_one_commit(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **LOAD)
    job.source.put("a.csv", "1", 1, 2)
    job.source.put("b.csv", "1", 3)
    version = job.run().table_version
    job.source.put("a.csv", "2", 2, 5, 6)
    result = job.run()
    assert job.by_file() == {"a.csv": [2, 5, 6], "b.csv": [3]}
    assert (result.rows_loaded, result.rows_replaced, result.rows_deleted, result.reconciled) == (3, 2, 0, True)
    assert result.table_version == (version or 0) + 1
    assert job.by_file(version) == {"a.csv": [1, 2], "b.csv": [3]}


def test_a_file_that_became_empty_has_no_rows_left(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **LOAD)
    job.source.put("a.csv", "1", 1, 2)
    job.source.put("b.csv", "1", 3)
    job.run()
    job.source.put("a.csv", "2")
    result = job.run()
    assert job.by_file() == {"b.csv": [3]} and result.reconciled
    assert job.ledger()["a.csv"] == ("2", 0)
    assert not job.run().changed


def test_rows_of_a_file_that_is_gone_stay_and_are_told(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **LOAD)
    job.source.put("a.csv", "1", 1, 2)
    job.source.put("b.csv", "1", 3)
    job.run()
    del job.source.contents["a.csv"]
    result = job.run()
    assert not result.changed
    assert "1 file that was loaded is no longer there; the warehouse keeps its rows." in result.warnings
    assert job.by_file() == {"a.csv": [1, 2], "b.csv": [3]}


def test_rows_of_a_file_that_is_gone_are_removed_when_the_job_says_so(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **REMOVE)
    job.source.put("a.csv", "1", 1, 2)
    job.source.put("b.csv", "1", 3)
    job.run()
    del job.source.contents["a.csv"]
    job.source.put("b.csv", "2", 4)
    result = job.run()
    assert job.by_file() == {"b.csv": [4]}
    assert (result.rows_deleted, result.rows_replaced, result.reconciled) == (2, 1, True)
    assert set(job.ledger()) == {"b.csv"}
    job.source.put("a.csv", "1", 1, 2)
    assert job.run().rows_loaded == 2


def test_a_killed_run_goes_on_after_the_last_group_of_files(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **LOAD)
    for number in range(8):
        job.source.put(f"{number}.csv", "1", number)
    job.source.fail_after, job.source.failure = 2, ConnectionLost("The connection was lost.")
    with pytest.raises(ConnectionLost):
        job.run("one")
    assert not job.table.exists()
    job.source.fail_after = None
    job.source.reads.clear()
    result = job.run("one")
    assert [request.files for request in job.source.reads] == [("4.csv", "5.csv"), ("6.csv", "7.csv")]
    assert job.by_file() == {f"{number}.csv": [number] for number in range(8)}
    assert (result.rows_read, result.files_loaded, result.reconciled) == (8, 8, True)


def test_a_file_that_changes_during_an_interruption_is_loaded_again_by_the_next_run(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **LOAD)
    for number in range(6):
        job.source.put(f"{number}.csv", "1", number)
    job.source.fail_after, job.source.failure = 2, ConnectionLost("The connection was lost.")
    with pytest.raises(ConnectionLost):
        job.run("one")
    job.source.fail_after = None
    job.source.put("0.csv", "2", 100)
    job.run("one")
    assert job.run("two").rows_replaced == 1
    assert job.by_file()["0.csv"] == [100]


@pytest.mark.parametrize("name", ["copy.after_commit", "copy.ledger_committed", "copy.before_forget"])
@pytest.mark.parametrize("again", ["one", "two"])
def test_a_run_killed_around_its_commits_is_neither_lost_nor_doubled(tmp_path: Path, name: str, again: str) -> None:
    job = FilesJob(tmp_path, **LOAD)
    for number in range(3):
        job.source.put(f"{number}.csv", "1", number)

    class Killed(BaseException):
        pass

    def die(step: str) -> None:
        if step == name:
            raise Killed

    faults.install(die)
    with pytest.raises(Killed):
        job.run("one")
    faults.install(None)
    job.run(again)
    assert job.by_file() == {f"{number}.csv": [number] for number in range(3)}
    assert job.ledger() == {f"{number}.csv": ("1", 1) for number in range(3)}
    assert not job.run("three").changed


def test_a_hundred_files_make_few_files_of_rows_and_one_small_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "PART_BYTES", 128 * 1024 * 1024)
    monkeypatch.setattr(choice, "_GROUP_FILES", 500)
    job = FilesJob(tmp_path, **LOAD)
    for number in range(1200):
        job.source.put(f"{number:05d}.csv", "1", number)
    job.run()
    assert len(job.table.files()) == 3
    assert len(job.table.ledger.files()) == 1
    assert len(job.ledger()) == 1200


@pytest.mark.parametrize("name", ["bq_orders__files", "bq_orders__rejected"])
def test_no_job_destroys_what_another_keeps_beside_its_table(tmp_path: Path, name: str) -> None:
    job = FilesJob(tmp_path, **LOAD)
    job.source.put("a.csv", "1", 1, 2)
    job.run()
    before = job.ledger()
    spec, job.spec = job.spec, job.spec.model_copy(update={"destination_table": name})
    with pytest.raises(BadInput) as refused:
        job.run()
    assert refused.value.field == "destination_table"
    job.spec = spec
    assert job.ledger() == before
    assert not job.run().changed


def test_a_source_without_files_and_a_row_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="row limit"):
        FilesJob(tmp_path, row_limit=5, **LOAD).run()
    monkeypatch.setattr(Memory, "capabilities", Capabilities())
    with pytest.raises(BadInput, match="has no files"):
        FilesJob(tmp_path, **LOAD).run()


def test_a_column_that_no_file_has_any_more_stays_empty_in_new_rows(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **LOAD)
    job.source.table.columns["note"] = "text"
    job.source.put("a.csv", "1", 1)
    job.run()
    del job.source.table.columns["note"]
    job.source.put("b.csv", "1", 2)
    result = job.run()
    assert any("No file has the column note now" in warning for warning in result.warnings)
    assert [row["note"] for row in job.table.read().to_pylist()] == [None, None]


def test_the_ledger_tells_when_a_file_was_loaded(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **LOAD)
    job.source.put("a.csv", "1", 1)
    job.run()
    job.now = NOW + timedelta(days=1)
    job.source.put("b.csv", "1", 2)
    job.run()
    found: Sequence[Mapping[str, Any]] = job.table.ledger.read().to_pylist()
    assert {row["path"]: row["loaded_at"] for row in found} == {"a.csv": NOW, "b.csv": NOW + timedelta(days=1)}


@pytest.mark.parametrize("killed", [False, True])
def test_files_are_loaded_again_once_a_catalog_took_the_place_of_their_rows(tmp_path: Path, killed: bool) -> None:
    job = FilesJob(tmp_path, **LOAD)
    job.source.put("a.csv", "1", 1, 2)
    job.source.put("b.csv", "1", 3)
    job.run()
    by_file, job.spec = job.spec, job.spec.model_copy(update={"load": Catalog()})
    job.source.table.rows = [{"id": 9, FILE_COLUMN: "b.csv"}]
    _as_catalog(job)
    assert job.by_file() == {"b.csv": [9]}
    job.spec = by_file
    if killed:
        faults.install(_killed_after_commit)
        with pytest.raises(KeyboardInterrupt):
            job.run()
        faults.install(None)
    result = job.run()
    assert job.by_file() == {"a.csv": [1, 2], "b.csv": [3]} and result.reconciled
    assert job.ledger() == {"a.csv": ("1", 2), "b.csv": ("1", 1)}
    assert not job.run().changed


def test_rows_a_catalog_had_of_files_that_are_gone_leave_when_the_job_says_so(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **REMOVE)
    job.source.put("a.csv", "1", 1, 2)
    job.run()
    by_file, job.spec = job.spec, job.spec.model_copy(update={"load": Catalog()})
    job.source.table.rows = [{"id": 8, FILE_COLUMN: "old.csv"}, {"id": 9, FILE_COLUMN: "a.csv"}]
    _as_catalog(job)
    job.spec = by_file
    result = job.run()
    assert job.by_file() == {"a.csv": [1, 2]} and result.reconciled
    assert (result.rows_deleted, result.rows_replaced, result.rows_loaded) == (1, 1, 2)


def test_a_ledger_of_an_earlier_release_is_believed_until_a_catalog(tmp_path: Path) -> None:
    job = FilesJob(tmp_path, **LOAD)
    job.source.put("a.csv", "1", 1, 2)
    job.run()
    job.table.ledger.replace(job.table.ledger.read(), app="copy:written by an earlier release")
    assert not job.run().changed
    by_file, job.spec = job.spec, job.spec.model_copy(update={"load": Catalog()})
    _as_catalog(job)
    job.spec = by_file
    assert job.run().files_loaded == 1
    assert job.by_file() == {"a.csv": [1, 2]}


def _as_catalog(job: FilesJob) -> None:
    """One run of the whole table, as any other source would be read."""
    files, job.source = job.source, MemorySource(job.source.table)
    job.run()
    job.source = files


def _killed_after_commit(step: str) -> None:
    if step == "copy.after_commit":
        raise KeyboardInterrupt

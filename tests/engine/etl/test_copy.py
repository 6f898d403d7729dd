"""What a copy promises: nothing lost, nothing doubled, nothing half done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import NOW, Job, Table

from b2b_recs.engine.errors import (
    BadInput,
    Cancelled,
    ColumnMissing,
    ConnectionLost,
    Fenced,
    NotReconciled,
    SchemaDrift,
    StorageFull,
    TableMissing,
    TooManyRejected,
)
from b2b_recs.engine.etl import stage
from b2b_recs.engine.etl.reached import noted_key
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.warehouse import parts

COLUMNS = {"id": "bigint!", "at": "timestamptz", "amount": "bigint", "note": "text"}
KEYED: dict[str, Any] = {"load": {"cursor": "at", "key": ["id"]}}
UNKEYED: dict[str, Any] = {"load": {"cursor": "at"}}
CATALOG: dict[str, Any] = {"load": {"keep_days": 7}}


def row(number: int, at: datetime | None = None, **values: Any) -> dict[str, Any]:
    moment = at if at is not None else NOW - timedelta(days=10) + timedelta(minutes=number)
    return {"id": number, "at": moment, "amount": number * 10, "note": f"n{number}", **values}


def orders(*numbers: int) -> Table:
    return Table(dict(COLUMNS), [row(number) for number in numbers], primary=("id",))


class Watcher(Silent):
    """Keeps what a run told; raises what it is given at the stage it is given."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, str, str]] = []
        self.lines: list[str] = []
        self.stop = False

    def stage(self, name: str, state: str, detail: str = "") -> None:
        self.stages.append((name, state, detail))

    def log(self, message: str, level: str = "info") -> None:
        self.lines.append(message)

    def cancelled(self) -> bool:
        return self.stop


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "PART_BYTES", 1500)


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
    days = Job(
        tmp_path / "days", Table(dict(COLUMNS), rows, ("id",)), load={"cursor": "at", "key": ["id"], "backfill": 30}
    )
    days.run()
    assert days.ids() == [1]


def test_only_rows_without_a_cursor_value(tmp_path: Path) -> None:
    job = Job(tmp_path, Table(dict(COLUMNS), [{**row(n), "at": None} for n in range(3)], ("id",)), **KEYED)
    result = job.run()
    assert job.ids() == [0, 1, 2] and result.cursor_after is None
    job.source.table.rows.append(row(9))
    job.run()
    assert job.ids() == [0, 1, 2, 9]


def test_a_row_dated_in_the_future_is_loaded_and_hides_nothing_that_comes_later(tmp_path: Path) -> None:
    job = Job(tmp_path, Table(dict(COLUMNS), [row(1), row(2, datetime(2099, 1, 1, tzinfo=UTC))], ("id",)), **KEYED)
    first = job.run()
    assert job.ids() == [1, 2]
    assert first.cursor_after is not None and first.cursor_after.startswith("2026-03-01 12:00")
    job.source.table.rows.append(row(3, NOW + timedelta(hours=1)))
    job.now = NOW + timedelta(hours=2)
    second = job.run()
    assert job.ids() == [1, 2, 3]
    assert second.rows_known == 1 and second.reconciled


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


def bad_amount(row: dict[str, Any]) -> str | None:
    return "amount: too large" if row["amount"] in (30, 70) else None


@pytest.mark.parametrize("load", [KEYED, UNKEYED, CATALOG])
def test_rejected_rows_are_kept_once_with_their_reason(tmp_path: Path, load: dict[str, Any]) -> None:
    table = orders(*range(50))
    table.bad = bad_amount
    job = Job(tmp_path, table, **load)
    watcher = Watcher()
    first = job.run(progress=watcher)
    assert (first.rows_read, first.rows_loaded, first.rows_rejected, first.reconciled) == (50, 48, 2, True)
    assert watcher.stages[-1][2] == "50 = 48 + 2 rejected"
    job.run()
    job.source.table.rows.append(row(60))
    job.run()
    kept = job.table.rejected.read().to_pylist()
    assert sorted((found["column"], found["reason"]) for found in kept) == [("amount", "amount: too large")] * 2
    assert '"id": "3"' in "".join(found["row"] for found in kept)
    assert 3 not in job.ids() and 60 in job.ids()


def test_a_catalog_forgets_rejections_that_were_mended(tmp_path: Path) -> None:
    table = orders(*range(50))
    table.bad = bad_amount
    job = Job(tmp_path, table, **CATALOG)
    job.run()
    table.bad = lambda row: None
    job.run()
    assert job.table.rejected.row_count() == 0 and len(job.ids()) == 50


def test_too_many_rejected_rows_fail_before_anything_is_committed(tmp_path: Path) -> None:
    table = orders(*range(50))
    table.bad = bad_amount
    job = Job(tmp_path, table, **KEYED, reject_threshold=0.03)
    with pytest.raises(TooManyRejected, match="2 of 50 rows"):
        job.run()
    assert not job.table.exists() and not job.table.rejected.exists() and job.strays() == []


def test_a_new_column_is_added_and_is_empty_in_old_rows(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2), **KEYED)
    job.run()
    job.source.table.columns["extra"] = "text!"
    for found in job.source.table.rows:
        found["extra"] = "old"
    job.source.table.rows.append(row(90, extra="new"))
    result = job.run()
    assert result.added_columns == ("extra",) and result.reconciled
    extras = {found["id"]: found["extra"] for found in job.rows()}
    assert extras[90] == "new" and set(extras) == {1, 2, 90}
    assert job.table.schema().field("extra").nullable


def test_a_new_column_can_be_ignored_or_stop_the_job(tmp_path: Path) -> None:
    for policy in ("ignore", "stop"):
        job = Job(tmp_path / policy, orders(1, 2), **KEYED, drift=policy)
        job.run()
        job.source.table.columns["extra"] = "text"
        job.source.table.rows.append(row(3, extra="x"))
        if policy == "stop":
            with pytest.raises(SchemaDrift, match="new column extra"):
                job.run()
            assert job.ids() == [1, 2]
        else:
            assert "extra" in "".join(job.run().warnings)
            assert job.ids() == [1, 2, 3] and "extra" not in job.table.schema().names


@pytest.mark.parametrize("load", [KEYED, CATALOG])
@pytest.mark.parametrize("policy", ["add", "ignore", "stop"])
def test_a_removed_or_changed_column_stops_the_job_under_every_policy(
    tmp_path: Path, load: dict[str, Any], policy: str
) -> None:
    job = Job(tmp_path, orders(1, 2), **load, drift=policy)
    job.run()
    job.source.table.columns["amount"] = "text"
    with pytest.raises(SchemaDrift, match=r"amount .* was bigint and is text now") as refused:
        job.run()
    assert refused.value.advice and refused.value.field == "amount"
    del job.source.table.columns["amount"]
    with pytest.raises(SchemaDrift, match="no longer has the column amount"):
        job.run()
    assert job.ids() == [1, 2]


def test_a_changed_column_of_a_catalog_is_taken_once_the_job_was_saved_with_it(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2), **CATALOG)
    job.run()
    job.source.table.columns["amount"] = "text"
    for found in job.source.table.rows:
        found["amount"] = str(found["amount"])
    mapping = ColumnMapping("amount", "text", WarehouseType.STRING)
    job.spec = CopySpec.model_validate({**job.spec.model_dump(), "types": [mapping]})
    job.run()
    assert sorted(found["amount"] for found in job.rows()) == ["10", "20"]


def test_chosen_columns_come_with_cursor_and_key(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 2), **KEYED, columns=["amount"])
    job.run()
    assert set(job.table.schema().names) == {"amount", "at", "id"}
    with pytest.raises(ColumnMissing) as refused:
        Job(tmp_path / "b", orders(1), **CATALOG, columns=["nothing"]).run()
    assert refused.value.field == "nothing"


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


def test_a_bad_destination_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        Job(tmp_path, orders(1), **KEYED).warehouse.table("raw_data", "a b")
    assert refused.value.field == "destination_table"

"""What a copy does with rows the warehouse refuses, and with columns that come, go and change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import Job
from engine.etl.copying import CATALOG, KEYED, UNKEYED, Watcher, orders, row, write_small_parts

from b2b_recs.engine.errors import (
    SchemaDrift,
    TooManyRejected,
)
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    write_small_parts(monkeypatch)


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


@pytest.mark.parametrize(("load", "stays"), [(KEYED, True), (CATALOG, False)], ids=["appended", "copied whole"])
def test_a_job_goes_on_without_columns_it_was_told_are_gone(tmp_path: Path, load: dict[str, Any], stays: bool) -> None:
    watch = Watcher()
    job = Job(tmp_path, orders(1, 2), **load)
    job.run()
    job.source.table.columns = {"id": "bigint!", "at": "timestamptz"}
    job.source.table.rows.append(row(3))
    with pytest.raises(SchemaDrift, match="no longer has the columns amount and note, which"):
        job.run(progress=watch)
    assert [state for name, state, _ in watch.stages if name == "connect"][-1] == "done"
    assert [(name, state) for name, state, _ in watch.stages][-1] == ("read", "failed")
    job.spec = job.spec.model_copy(update={"gone": ("amount", "note")})
    result = job.run()
    assert job.ids() == [1, 2, 3] and ("note" in job.table.schema().names) is stays
    assert (result.warnings == ()) is stays
    if stays:
        assert {found["id"]: found["note"] for found in job.rows()} == {1: "n1", 2: "n2", 3: None}
    assert job.run().warnings == ()


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


@pytest.mark.parametrize("load", [KEYED, UNKEYED])
def test_a_row_that_is_kept_as_rejected_does_not_stop_later_runs(tmp_path: Path, load: dict[str, Any]) -> None:
    table = orders(*range(50))
    table.bad = lambda row: "amount: too large" if row["id"] in (49, 51, 60) else None
    job = Job(tmp_path, table, **load)
    job.now += timedelta(days=30)
    assert job.run().rows_rejected == 1
    job.spec = CopySpec.model_validate({**job.spec.model_dump(), "load": {**load["load"], "lag": "PT30S"}})
    again = job.run()
    assert (again.rows_read, again.rows_rejected, again.changed, again.reconciled) == (1, 1, False, True)
    assert not [words for words in again.warnings if "rejected" in words]
    table.rows.append(row(50))
    result = job.run()
    assert result.rows_loaded == 1 and result.reconciled and 50 in job.ids()
    table.rows.append(row(51))
    with pytest.raises(TooManyRejected, match="1 of 2 rows"):
        job.run()
    assert job.table.rejected.row_count() == 1


@pytest.mark.parametrize("loaded", [0, 4], ids=["new", "loaded"])
def test_a_limit_of_rows_reaches_beyond_the_rows_that_are_rejected(tmp_path: Path, loaded: int) -> None:
    table = orders(*range(loaded))
    table.bad = lambda row: "no" if loaded <= row["id"] < loaded + 25 else None
    job = Job(tmp_path, table, **KEYED, row_limit=10, reject_threshold=1)
    if loaded:
        job.run()
    table.rows.extend(row(number) for number in range(loaded, loaded + 40))
    figures = [(result.rows_loaded, result.reconciled) for result in (job.run() for _ in range(6))]
    assert [rows for rows, _ in figures] == [0, 0, 5, 10, 0, 0] and all(agree for _, agree in figures)
    assert job.ids() == [*range(loaded), *range(loaded + 25, loaded + 40)]
    assert job.table.rejected.row_count() == 25

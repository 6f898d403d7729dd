"""A job that is changed between its runs: no row is lost or there twice, and what cannot be mended is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from engine.etl.arena import NOW, Job, Memory, MemorySource, Table
from engine.etl.copying import KEYED, UNKEYED, orders, row
from engine.etl.test_files_of_csv import AnyFolder

from b2b_recs.engine.errors import JobChanged
from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.reached import NOTE
from b2b_recs.engine.etl.spec import CopyResult, CopySpec, Files
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import Batch, ReadRequest
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalWarehouse

LINES = {"id": "bigint!", "line": "bigint!", "at": "timestamptz", "amount": "bigint", "note": "text"}
MERGE: dict[str, Any] = {"strategy": "merge", "cursor": "at", "key": ["id"]}


def line(number: int, of: int, **values: Any) -> dict[str, Any]:
    return {**row(number, NOW - timedelta(days=20 - number, minutes=-of), line=of), **values}


def lines(*pairs: tuple[int, int]) -> Table:
    return Table(dict(LINES), [line(*pair) for pair in pairs], primary=("id", "line"))


def set_load(job: Job, **changes: Any) -> None:
    job.spec = job.spec.model_copy(update={"load": job.spec.load.model_copy(update=changes)})


def same_as_source(job: Job) -> bool:
    held = sorted(job.rows(), key=lambda one: (one["id"], one["line"] or 0))
    return held == sorted(job.source.table.rows, key=lambda one: (one["id"], one["line"]))


SIX = ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1))


@pytest.mark.parametrize("limit", [None, 1])
@pytest.mark.parametrize("deletes", ["keep", "remove"])
@pytest.mark.parametrize("strategy", ["merge", "transactional"])
def test_another_key_loses_no_row(tmp_path: Path, strategy: str, deletes: str, limit: int | None) -> None:
    job = Job(tmp_path, lines(*SIX), load={**MERGE, "strategy": strategy, "deletes": deletes}, row_limit=limit)
    while job.run().rows_loaded:
        pass
    assert len(job.rows()) < len(SIX)
    set_load(job, key=("id", "line"))
    result = job.run()
    assert same_as_source(job) and result.reconciled
    assert result.warnings[0].startswith("The job was changed: its key is id, line now and was id. The rows loaded")
    again = job.run()
    assert (again.changed, again.warnings) == (False, ())


@pytest.mark.parametrize("limit", [None, 1])
@pytest.mark.parametrize("deletes", ["keep", "count", "remove"])
def test_a_key_gets_a_column_that_the_stored_rows_lack(tmp_path: Path, deletes: Any, limit: int | None) -> None:
    job = Job(tmp_path, lines(*SIX), load=MERGE, columns=["id", "at", "amount"], row_limit=limit)
    while job.run().rows_loaded:
        pass
    job.spec = job.spec.model_copy(update={"columns": tuple(LINES)})
    set_load(job, key=("id", "line"), deletes=deletes)
    del job.source.table.rows[-1]
    result = job.run()
    assert (result.rows_deleted, len(job.rows())) == (0, 6), "the row that left the source is still there"
    assert job.run().rows_deleted == (1 if deletes == "remove" else 0)
    assert same_as_source(job) is (deletes == "remove")


def test_a_smaller_key_leaves_one_row_of_each(tmp_path: Path) -> None:
    job = Job(tmp_path, lines(*SIX), load={**MERGE, "key": ["id", "line"]})
    job.run()
    set_load(job, key=("id",))
    result = job.run()
    assert ([one["id"] for one in job.rows()], result.rows_repeated, result.reconciled) == ([1, 2, 3, 4], 2, True)


def test_the_key_of_a_backfill_set_nearer_is_changed_for_all_that_was_loaded(tmp_path: Path) -> None:
    job = Job(tmp_path, lines(*SIX), load={**MERGE, "backfill": 60})
    job.run()
    set_load(job, key=("id", "line"), backfill=1)
    job.run()
    assert same_as_source(job)


def test_the_key_is_changed_for_what_a_lag_beyond_the_backfill_had_loaded(tmp_path: Path) -> None:
    pairs = [(number, of) for of in (1, 2) for number in range(1, 20)]
    job = Job(tmp_path, lines(*pairs), load={**MERGE, "backfill": 3, "lag": timedelta(days=7)})
    while job.run().rows_loaded:
        pass
    assert job.ids() == list(range(12, 20))
    set_load(job, key=("id", "line"), lag=timedelta(0))
    job.run()
    assert job.ids() == sorted([*range(12, 20), *range(13, 20)]), "the first row of 12 was never loaded"


def test_a_key_given_or_taken_away_later(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(5)), load={"cursor": "at"})
    job.run()
    job.source.table.rows[2]["note"] = "changed"
    set_load(job, key=("id",))
    job.run()
    assert job.rows() == sorted(job.source.table.rows, key=lambda one: str(sorted(one.items())))
    job.source.table.rows[3]["note"] = "changed too"
    set_load(job, key=())
    assert job.run().reconciled
    assert job.rows() == sorted(job.source.table.rows, key=lambda one: str(sorted(one.items())))


def test_a_key_of_columns_that_no_stored_row_has_is_refused(tmp_path: Path) -> None:
    table = Table(dict(LINES), [line(*pair) for pair in SIX])
    job = Job(tmp_path, table, load={"cursor": "at"}, columns=["at", "amount"])
    job.run()
    set_load(job, key=("id", "line"))
    with pytest.raises(JobChanged, match=r"its key is id, line now and was none\. .*cannot be found again") as refused:
        job.run()
    assert refused.value.field == "key" and "load into a new warehouse table" in refused.value.advice
    assert job.table.row_count() == 6


def test_a_whole_copy_that_lacks_a_column_of_the_key_is_not_doubled(tmp_path: Path) -> None:
    table = replace(lines(*SIX), primary=("id",))
    del table.rows[1], table.rows[2]
    job = Job(tmp_path, table, load={"strategy": "catalog"}, columns=["id", "at", "amount", "note"])
    job.run()
    job.spec = Job(tmp_path, table, load={**MERGE, "key": ["id", "line"]}).spec
    job.run()
    assert same_as_source(job)


def test_commits_of_earlier_releases_tell_of_another_key_and_of_nothing_else(tmp_path: Path) -> None:
    job = Job(tmp_path, lines(*SIX), load=MERGE)
    job.run()
    without_meaning(job)
    job.spec = job.spec.model_copy(update={"time_zone": "Europe/Berlin"})
    assert not job.run().changed
    set_load(job, key=("id", "line"))
    job.run()
    assert same_as_source(job)


def without_meaning(job: Job) -> None:
    """Leave notes as they were before commits told what their rows mean."""
    for entry in (job.table.folder / "_delta_log").glob("*.json"):
        entry.write_text(entry.read_text().replace('\\"meaning\\"', '\\"other\\"'))
    assert "meaning" not in next(iter(job.table.history())).notes[NOTE]


class Clocks(Memory):
    """Shows a column of moments as one of wall clocks, which the job's time zone makes moments of."""

    def propose(self, *given: Any) -> list[ColumnMapping]:
        walls = super().propose(*given)
        return [replace(one, warehouse_type=WarehouseType.DATETIME) if one.name == "at" else one for one in walls]


MOMENTS = {"types": [{"name": "at", "source_type": "", "warehouse_type": "TIMESTAMP"}]}


def test_another_time_zone_reads_all_rows_again(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(300)), **KEYED, **MOMENTS)
    job.kind = Clocks()
    job.run()
    job.spec = job.spec.model_copy(update={"time_zone": "America/New_York"})
    result = job.run()
    assert (result.rows_replaced, job.ids()) == (300, list(range(300)))
    assert "its time zone is America/New_York now and was UTC, which at depends on" in result.warnings[0]
    assert not job.run().changed


class WallClocks(MemorySource):
    """A source whose times have no zone, read and asked for in that of the job."""

    zone = "UTC"

    def _value(self, column: str, text: str) -> Any:
        moment = super()._value(column, text)
        return moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None) if moment.tzinfo is not None else moment

    def read(self, request: ReadRequest, *more: Any) -> Iterator[Batch]:
        for batch in super().read(request, *more):
            at = batch.rows.schema.get_field_index("at")
            walls = [wall.replace(tzinfo=ZoneInfo(request.time_zone)) for wall in batch.rows.column(at).to_pylist()]
            moments = pa.array(walls, batch.rows.schema.field(at).type)
            yield replace(batch, rows=batch.rows.set_column(at, batch.rows.schema.field(at), moments))


@pytest.mark.parametrize("zones", [("America/New_York", "UTC"), ("UTC", "America/New_York"), ("UTC", "Asia/Tokyo")])
def test_another_time_zone_is_read_from_the_first_row_of_before(tmp_path: Path, zones: tuple[str, str]) -> None:
    walls = [datetime(2026, 2, 10) + timedelta(hours=number) for number in range(19 * 24)]  # noqa: DTZ001 - no zone
    rows = [{"id": number, "at": wall} for number, wall in enumerate(walls)]
    columns = {"id": "bigint!", "at": "timestamp"}
    job = Job(tmp_path, Table(columns, rows, primary=("id",)), load={**MERGE, "backfill": 10}, **MOMENTS)
    job.source = WallClocks(job.source.table)
    for zone in zones:
        job.source.zone = zone
        job.spec = job.spec.model_copy(update={"time_zone": zone})
        job.run()
    assert all(one["at"] == walls[one["id"]].replace(tzinfo=ZoneInfo(zones[1])) for one in job.rows())


def test_another_time_zone_of_rows_that_no_key_finds_is_refused(tmp_path: Path) -> None:
    for key in ([], ["id", "at"]):
        table = replace(orders(*range(3)), primary=())
        job = Job(tmp_path / str(len(key)), table, load={"cursor": "at", "key": key}, **MOMENTS)
        job.kind = Clocks()
        job.run()
        job.spec = job.spec.model_copy(update={"time_zone": "America/New_York"})
        with pytest.raises(JobChanged, match="its time zone is America/New_York now and was UTC") as refused:
            job.run()
        assert refused.value.field == "time_zone"
        job.spec = job.spec.model_copy(update={"time_zone": "UTC"})
        assert not job.run().changed


def test_a_time_zone_that_no_column_depends_on_changes_nothing(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(3)), **UNKEYED)
    job.run()
    job.spec = job.spec.model_copy(update={"time_zone": "America/New_York"})
    assert not job.run().changed


def test_a_column_taken_out_and_put_back_is_filled_again(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(*range(5)), **KEYED)
    job.run()
    job.spec = job.spec.model_copy(update={"columns": ("id", "at", "amount")})
    job.source.table.rows[4]["amount"] = 7
    job.source.table.rows.append(row(500))
    assert job.run().warnings == ("The job no longer reads note: rows loaded from now on are empty there.",)
    assert job.run().warnings == ()
    job.spec = job.spec.model_copy(update={"columns": ()})
    assert "The job was changed: it reads note now." in job.run().warnings[0]
    assert sorted(one["note"] for one in job.rows()) == ["n0", "n1", "n2", "n3", "n4", "n500"]


def test_what_columns_that_are_not_read_hold_is_kept_or_told(tmp_path: Path) -> None:
    job = Job(tmp_path, lines(*SIX), load=MERGE, columns=["id", "line", "at", "note"])
    job.run()
    job.spec = job.spec.model_copy(update={"columns": ("id", "line", "at", "amount")})
    assert "it reads amount now. Rows loaded before stay empty there" in job.run().warnings[-1]
    assert {one["note"] for one in job.rows()} >= {"n1", "n2", "n3"}
    set_load(job, key=("id", "line"))
    assert "are empty in note, which the job does not read; version 2 still has" in job.run().warnings[-1]


def test_without_a_key_a_column_put_back_doubles_no_row_and_says_how_to_fill_it(tmp_path: Path) -> None:
    job = Job(tmp_path, replace(orders(*range(5)), primary=()), **UNKEYED)
    job.run()
    job.spec = job.spec.model_copy(update={"columns": ("id", "at", "amount")})
    job.source.table.rows.append(row(500))
    job.source.table.rows.append(row(501))
    assert job.run().rows_loaded == 2
    job.spec = job.spec.model_copy(update={"columns": ()})
    told = job.run().warnings
    assert "it reads note now. Rows loaded before stay empty there: to fill them, load into a new" in told[0]
    assert job.ids() == [0, 1, 2, 3, 4, 500, 501]
    assert not job.run().changed


@pytest.mark.parametrize("names", [{"note": "comment"}, {"id": "oid"}, {}])
def test_another_name_in_the_warehouse_is_refused(tmp_path: Path, names: dict[str, str]) -> None:
    table = replace(orders(*range(4)), columns={"id": "bigint", "at": "timestamptz", "note": "text"})
    given = {"note": "remark", "id": "order_id"}
    job = Job(tmp_path, table, load=MERGE, columns=["id", "at", "note"], names=given)
    job.run()
    job.spec = job.spec.model_copy(update={"names": {**given, **names} if names else {}})
    with pytest.raises(JobChanged, match=r"is called \w+ in the warehouse table and \w+ in the job now") as refused:
        job.run()
    assert "Call it" in refused.value.advice
    job.spec = job.spec.model_copy(update={"names": given})
    assert not job.run().changed


def test_a_row_without_a_cursor_value_takes_no_place_of_one_that_has_it(tmp_path: Path) -> None:
    newest = row(1, NOW - timedelta(days=5), note="newest")
    table = replace(orders(), rows=[newest, {**newest, "at": None, "note": "no time"}], primary=())
    job = Job(tmp_path, table, **KEYED)
    job.run()
    table.rows.append(row(2, NOW - timedelta(hours=1)))
    result = job.run()
    assert sorted(one["note"] for one in job.rows()) == ["n2", "newest"]
    assert (result.rows_repeated, result.reconciled) == (1, True)
    words = "1 row without at was left out: the table has a row of the same key with one"
    assert any(told.startswith(words) for told in job.run().warnings)


def test_a_row_without_a_cursor_value_stays_when_a_limit_leaves_it_out(tmp_path: Path) -> None:
    table = lines(*SIX)
    table.rows.append({**line(9, 1), "at": None})
    job = Job(tmp_path, table, load={**MERGE, "key": ["id", "line"]})
    job.run()
    job.spec = job.spec.model_copy(update={"row_limit": 3})
    set_load(job, key=("line", "id", "amount"))
    result = job.run()
    assert result.reconciled and not any("no longer in the source" in told for told in result.warnings)
    assert same_as_source(job)


def test_what_an_earlier_run_emptied_is_not_said_to_be_in_the_version_before(tmp_path: Path) -> None:
    job = Job(tmp_path, lines(*SIX), load=MERGE)
    job.run()
    job.spec = job.spec.model_copy(update={"columns": ("id", "line", "at", "amount")})
    told = []
    for key in (("id", "line"), ("line", "id", "amount")):
        set_load(job, key=key)
        told.append(" ".join(job.run().warnings))
    assert ["still has what was there" in words for words in told] == [True, False]


def test_files_read_with_another_date_format_are_all_loaded_again(tmp_path: Path) -> None:
    place, csv = tmp_path / "in", SOURCE_TYPES["csv"]
    place.mkdir()
    (place / "a.csv").write_text("id,d\n1,03/04/2026\n")

    def copied(run: str, form: str) -> CopyResult:
        types = (ColumnMapping("d", "", WarehouseType.DATE, format=form),)
        spec = CopySpec(source_schema="", source_table="*.csv", destination_table="bq_t", load=Files(), types=types)
        with csv.open(csv.Parameters(location=str(place)), AnyFolder()) as source:
            given = (LocalWarehouse(tmp_path / "w"), tmp_path / "s", run, Silent(), lambda: NOW)
            return copy_table(csv, source, spec, *given)

    copied("one", "%m/%d/%Y")
    (place / "b.csv").write_text("id,d\n2,03/04/2026\n")
    told = copied("two", "%d/%m/%Y").warnings
    assert "d is read as %d/%m/%Y now. All files were loaded again" in told[0]
    rows = LocalWarehouse(tmp_path / "w").table("raw_data", "bq_t").read().to_pylist()
    assert [one["d"].isoformat() for one in rows] == ["2026-04-03", "2026-04-03"]
    assert copied("three", "%d/%m/%Y").files_loaded == 0


def test_a_job_that_is_changed_again_and_again_ends_equal_to_its_source(tmp_path: Path) -> None:
    job = Job(tmp_path, lines(*SIX), load={**MERGE, "deletes": "remove"}, **MOMENTS)
    job.kind = Clocks()
    rows = job.source.table.rows
    changes: list[dict[str, Any]] = [
        {"key": ("id", "line")},
        {"columns": ("id", "line", "at", "amount")},
        {"time_zone": "Europe/Berlin", "columns": ("id", "line", "at", "note")},
        {"key": ("line", "id", "amount"), "columns": ("id", "line", "at", "amount", "note")},
        {"names": {"note": "remark"}},
        {"key": ("id", "line"), "row_limit": 1},
        {"row_limit": None, "columns": (), "key": ("id", "line", "note")},
        {"key": ("id", "line"), "time_zone": "UTC"},
    ]
    job.run()
    for number, change in enumerate(changes):
        before, key = job.spec, change.pop("key", None)
        rows[number % len(rows)] |= {"amount": 1000 + number, "at": NOW - timedelta(days=3, minutes=-number)}
        rows.append(line(30 + number, number % 2, at=NOW - timedelta(days=2, minutes=-number)))
        del rows[number % 3]
        job.spec = job.spec.model_copy(update=change)
        if key is not None:
            set_load(job, key=key)
        try:
            job.run()
        except JobChanged:
            job.spec = before
            job.run()
    for _ in range(3):
        job.run()
    assert same_as_source(job)

# ruff: noqa: DTZ001 - times without a zone are what is tested
"""What the engine promises of a copy, run from every registered source into a warehouse of its own.

The source is opened anew for each run, as a job does; types are chosen by hand where the source knows only text.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.asking import asked_of, needs
from contract.lines import COLUMNS, Arena, by_hand, lines_with, request_for
from contract.suite import Suite

from b2b_recs.engine.errors import ColumnMissing
from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import CopyResult, CopySpec
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.sources.contract import FILE_COLUMN
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BY_TIME = {"strategy": "transactional", "cursor": "at", "key": ("id",), "lag": timedelta(hours=1)}
Row = tuple[int, datetime | None, str]


class Copying:
    """One job from a table of an arena into an empty warehouse; ``run`` copies once."""

    def __init__(self, arena: Arena, table: str, folder: Path, load: dict[str, Any], **more: Any) -> None:
        self.arena = arena
        self.now = NOW
        self.runs = 0
        self._warehouse = LocalWarehouse(folder / "warehouse")
        self._staging = folder / "staging"
        self._spec = CopySpec.model_validate(
            {
                "source_schema": arena.schema,
                "source_table": table,
                "destination_table": "bq_copied",
                "types": self._chosen_by_hand(table),
                "load": load,
                **more,
            }
        )

    def _chosen_by_hand(self, table: str) -> tuple[Any, ...]:
        with self.arena.open() as source:
            proposed = request_for(source, self.arena, table).columns
        chosen = [by_hand(column, COLUMNS.get(column.name)) for column in proposed]
        return tuple(column for column in chosen if column not in proposed)

    @property
    def table(self) -> LocalTable:
        return self._warehouse.table("raw_data", "bq_copied")

    def run(self) -> CopyResult:
        self.runs += 1
        kind = SOURCE_TYPES[self.arena.type]
        with self.arena.open() as source:
            given = (self._spec, self._warehouse, self._staging, f"run-{self.runs}", Silent())
            return copy_table(kind, source, *given, lambda: self.now)

    def change(self, **load: Any) -> None:
        """Set the job's load strategy otherwise."""
        strategy = self._spec.load.model_validate({**self._spec.load.model_dump(), **load})
        self._spec = self._spec.model_copy(update={"load": strategy})

    def rows(self) -> list[Row]:
        """Every row of the warehouse in the order of ids, times by their wall clock in UTC."""
        number, at, word = (self._spec.names.get(name, name) for name in COLUMNS)
        found = self.table.read(columns=[number, at, word]).to_pylist()
        rows = [(row[number], _wall_clock(row[at]), row[word]) for row in found]
        return sorted(rows, key=lambda row: row[0])


def _wall_clock(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC).replace(tzinfo=None) if at is not None and at.tzinfo else at


class CopyingContract(Suite):
    """Part of the contract of sources: what is copied is what the source has, each row once."""

    def copying(self, arena: Arena, folder: Path, load: dict[str, Any]) -> tuple[Copying, list[Row]]:
        """A job over a fresh table of lines, and the lines."""
        written: list[Row] = lines_with(self.tick)
        arena.make("copied", COLUMNS, written, key="id" if self.keyed else None)
        return Copying(arena, arena.named("copied"), folder, load), written

    def beside(self) -> int:
        """The lines without a time that every run reads again, beside its window."""
        return 1 if self.declared().capabilities.asks_null else 0

    def test_a_catalog_copied_twice_is_the_source_each_time(self, arena: Arena, tmp_path: Path) -> None:
        job, written = self.copying(arena, tmp_path, {"strategy": "catalog"})
        for _ in range(2):
            result = job.run()
            assert (result.rows_read, result.rows_loaded, result.rows_rejected) == (10, 10, 0)
            assert (result.source_count, result.warehouse_count, result.reconciled) == (10, 10, True)
            assert result.warnings == ()
            assert job.rows() == written

    @asked_of(lambda suite: suite.empty_tables)
    @pytest.mark.parametrize("load", [{"strategy": "catalog"}, BY_TIME], ids=["catalog", "by time"])
    def test_an_empty_table_is_copied_with_its_columns(
        self, arena: Arena, tmp_path: Path, load: dict[str, Any]
    ) -> None:
        if load is BY_TIME and not self.declared().capabilities.incremental:
            load = {"strategy": "files"} if self.declared().capabilities.files else load
        arena.make("never_filled", COLUMNS, [], key="id" if self.keyed else None)
        with arena.open() as source:
            wanted = [column.name for column in source.columns(arena.schema, arena.named("never_filled"))]
        job = Copying(arena, arena.named("never_filled"), tmp_path, load)
        if load is BY_TIME and "at" not in wanted:
            # Without documents nobody knows of fields.
            with pytest.raises(ColumnMissing) as caught:
                job.run()
            assert caught.value.advice
            return
        for _ in range(2):
            result = job.run()
            assert (result.rows_read, result.rows_loaded, result.rows_rejected, result.table_rows) == (0, 0, 0, 0)
            assert result.reconciled and result.cursor_after is None
            assert sorted(job.table.schema().names) == sorted(wanted)

    @needs("incremental")
    def test_late_rows_and_rows_of_an_equal_time_are_copied_once(self, arena: Arena, tmp_path: Path) -> None:
        job, written = self.copying(arena, tmp_path, BY_TIME)
        first = job.run()
        assert (first.rows_loaded, first.source_count, first.warehouse_count, first.reconciled) == (10, 10, 10, True)
        assert job.rows() == written
        again = job.run()
        assert (again.changed, again.rows_loaded, again.reconciled) == (False, 0, True)
        assert (again.table_version, again.cursor_after) == (first.table_version, first.cursor_after)
        later = [(11, datetime(2024, 1, 6, 23, 30), "late"), (12, written[8][1], "equal")]
        arena.add("copied", later)
        third = job.run()
        assert (third.rows_loaded, third.rows_known, third.reconciled) == (2, 1 + self.beside(), True)
        assert third.cursor_after == first.cursor_after
        assert job.rows() == [*written, *later]
        assert not job.run().changed

    @needs("incremental")
    def test_a_row_dated_in_the_future_hides_nothing_that_comes_later(self, arena: Arena, tmp_path: Path) -> None:
        job, written = self.copying(arena, tmp_path, BY_TIME)
        first = job.run()
        future = (11, datetime(2037, 1, 1), "future")
        arena.add("copied", [future])
        second = job.run()
        assert (second.rows_loaded, second.reconciled) == (1, True)
        assert first.cursor_after is not None and second.cursor_after is not None
        assert second.cursor_after[:16] == first.cursor_after[:16]
        later = (12, datetime(2026, 2, 20, 12, 30), "later")
        arena.add("copied", [later])
        third = job.run()
        assert (third.rows_loaded, third.rows_known, third.reconciled) == (1, 2 + self.beside(), True)
        assert job.rows() == [*written, future, later]

    @needs("files")
    def test_a_file_is_copied_once_and_again_in_place_when_it_changed(self, arena: Arena, tmp_path: Path) -> None:
        written: list[Row] = lines_with(self.tick)
        arena.make("copied_a", COLUMNS, written[:4])
        arena.make("copied_b", COLUMNS, written[4:])
        job = Copying(arena, arena.named("copied_*"), tmp_path, {"strategy": "files"})
        first = job.run()
        assert (first.files_loaded, first.rows_loaded, first.warehouse_count, first.reconciled) == (2, 10, 10, True)
        assert job.rows() == written
        again = job.run()
        assert (again.changed, again.files_loaded, again.rows_loaded) == (False, 0, 0)
        assert (again.table_version, again.reconciled) == (first.table_version, True)
        # Still a time within the day: a source that guesses types from values must not guess another one.
        changed: list[Row] = [(11, datetime(2024, 2, 1) + self.tick, "new"), (*written[5][:2], "changed")]
        arena.make("copied_b", COLUMNS, changed)
        third = job.run()
        assert (third.files_loaded, third.rows_loaded, third.reconciled) == (1, 2, True)
        assert job.rows() == sorted([*written[:4], *changed])
        files = {row["id"]: row[FILE_COLUMN] for row in job.table.read().to_pylist()}
        assert files[1] == files[4] != files[6] == files[11]

"""What the engine promises of each load strategy, run from every source into a warehouse: few rows, several runs.

A table that changed is written anew, so that no arena needs to know how its server changes a row.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.asking import asked_of, needs
from contract.copying_contract import NOW, Copying, Row
from contract.lines import COLUMNS, Arena
from contract.suite import Suite

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.registry import SOURCE_TYPES

BY_TIME: dict[str, Any] = {"strategy": "transactional", "cursor": "at", "key": ("id",)}
MERGE: dict[str, Any] = {**BY_TIME, "strategy": "merge"}
CATALOG: dict[str, Any] = {"strategy": "catalog"}
FILES: dict[str, Any] = {"strategy": "files"}
PRESENT = NOW.replace(tzinfo=None)
# Rows are named by their age in days; one has no time.
AGES = (1, 29, 31, 59, 89, 91, 150, 400)
TIMELESS = 500
LIMIT = 12
COUNT = 23


def aged(*ages: int, **words: str) -> list[Row]:
    """Rows of these ages, and the one without a time."""
    rows: list[Row] = [(age, PRESENT - timedelta(days=age), f"{age} days") for age in ages]
    return [*rows, (TIMELESS, None, words.get("timeless", "no time"))]


def hourly(first: int = 1, last: int = COUNT) -> list[Row]:
    """Rows an hour after each other, of which the tenth to the fourteenth share a time."""
    return [(at, PRESENT - timedelta(hours=60 - (10 if 10 <= at <= 14 else at)), "x") for at in range(first, last + 1)]


def once_a_store(suite: Any) -> bool:
    """Whether this is the one suite of its store for what does not depend on the format; others are the only one."""
    return getattr(suite, "form", "csv") == "csv"


class StrategiesContract(Suite):
    """Part of the contract of sources: merge, the sweep of keys, backfill, row limit, and files that are gone."""

    def write(self, arena: Arena, rows: list[Row]) -> None:
        """The table, with these rows and no others."""
        arena.make("walked", COLUMNS, rows, key="id" if self.keyed else None)

    @needs("incremental")
    def test_rows_come_as_far_back_as_asked_change_in_place_and_leave(self, arena: Arena, tmp_path: Path) -> None:
        self.write(arena, aged(*AGES))
        job = Copying(arena, arena.named("walked"), tmp_path, {**MERGE, "backfill": 30})
        # Rows without a time come in every run where they can be asked for, else with a backfill of everything.
        always = self.declared().capabilities.asks_null
        result = job.run()
        assert result.reconciled and job.rows() == aged(1, 29)[: None if always else -1]

        job.change(backfill=60)
        assert job.run().reconciled and job.rows() == aged(1, 29, 31, 59)[: None if always else -1]

        # Further back again; one row has gone from the source, and is only counted.
        self.write(arena, aged(*AGES[1:]))
        job.change(backfill=90, deletes="count")
        result = job.run()
        assert (result.rows_deleted, result.rows_vanished, result.reconciled) == (0, 1, True)
        assert job.rows() == aged(1, 29, 31, 59, 89)[: None if always else -1]

        # Back to a date; an old row was changed a moment ago, and what has gone leaves.
        changed = (59, PRESENT - timedelta(minutes=1), "changed")
        now = [row if row[0] != 59 else changed for row in aged(*AGES[1:], timeless="changed too")]
        self.write(arena, now)
        job.change(backfill=date(2025, 9, 1), deletes="remove")
        result = job.run()
        assert (result.rows_deleted, result.reconciled) == (1, True)
        assert job.rows() == [row for row in now if row[0] != 400 and (always or row[1] is not None)]

        job.change(backfill="all")
        assert job.run().reconciled and job.rows() == now

    @needs("incremental")
    def test_a_row_limit_is_what_one_run_loads_and_the_runs_together_load_all(
        self, arena: Arena, tmp_path: Path
    ) -> None:
        self.write(arena, hourly())
        # With other names in the warehouse, also of the cursor and the key.
        names = {"id": "number", "at": "moment", "word": "said"}
        job = Copying(arena, arena.named("walked"), tmp_path, BY_TIME, row_limit=LIMIT, names=names)
        # The limit falls among the rows that share a time.
        assert [(result.rows_loaded, result.reconciled) for result in (job.run(), job.run())] == [
            (LIMIT, True),
            (COUNT - LIMIT, True),
        ]
        assert job.rows() == hourly()

    @asked_of(once_a_store)
    @asked_of(lambda suite: not SOURCE_TYPES[suite.type].capabilities.incremental)
    def test_a_row_limit_of_a_catalog_is_what_it_loads(self, arena: Arena, tmp_path: Path) -> None:
        self.write(arena, hourly())
        job = Copying(arena, arena.named("walked"), tmp_path, CATALOG, row_limit=5, names={"word": "said"})
        result = job.run()
        assert (result.rows_loaded, result.table_rows, result.reconciled) == (5, 5, True)
        assert job.rows() == hourly()[:5]

    @asked_of(once_a_store)
    @needs("files")
    def test_the_rows_of_a_file_that_is_gone_stay_or_leave_as_the_job_says(self, arena: Arena, tmp_path: Path) -> None:
        for name, rows in (("gone_a", hourly(1, 9)), ("gone_b", hourly(10))):
            arena.make(name, COLUMNS, rows)
        job = Copying(arena, arena.named("gone_*"), tmp_path, FILES)
        assert job.run().rows_loaded == COUNT
        arena.drop("gone_b")
        kept = job.run()
        assert (kept.changed, job.rows()) == (False, hourly())
        job.change(deletes="remove")
        removed = job.run()
        assert (removed.rows_deleted, removed.reconciled, job.rows()) == (COUNT - 9, True, hourly(1, 9))
        arena.drop("gone_a")

    def test_a_strategy_that_is_not_possible_is_refused_before_anything_is_read(
        self, lines: Arena, tmp_path: Path
    ) -> None:
        able = self.declared().capabilities
        for load, possible in ((BY_TIME, able.incremental), (MERGE, able.incremental), (FILES, able.files)):
            if possible:
                continue
            job = Copying(lines, lines.named("lines"), tmp_path, load)
            with pytest.raises(BadInput) as caught:
                job.run()
            assert (caught.value.field, job.table.exists()) == ("load", False)
            assert self.declared().name in caught.value.message and caught.value.advice.startswith("Load it")

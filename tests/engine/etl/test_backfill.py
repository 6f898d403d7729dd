"""How far back a job loads, and a backfill that is set further back later."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import NOW, Job, Table

COLUMNS = {"id": "bigint!", "at": "timestamptz", "note": "text"}


def orders(days: int = 200) -> Table:
    rows = [{"id": day, "at": NOW - timedelta(days=day, hours=1), "note": "n"} for day in range(days)]
    return Table(dict(COLUMNS), rows, primary=("id",))


def job(folder: Path, backfill: Any, **settings: Any) -> Job:
    return Job(folder, orders(), load={"cursor": "at", "key": ["id"], "backfill": backfill}, **settings)


def set_back(job: Job, backfill: Any) -> None:
    job.spec = job.spec.model_copy(update={"load": job.spec.load.model_copy(update={"backfill": backfill})})


@pytest.mark.parametrize("days", [30, 60, 90])
def test_a_number_of_days_loads_that_many(tmp_path: Path, days: int) -> None:
    one = job(tmp_path, days)
    result = one.run()
    assert one.ids() == list(range(days)) and result.reconciled


@pytest.mark.parametrize(("first", "then", "expected"), [(30, 90, 90), (30, "all", 200), (30, date(2026, 1, 1), 60)])
def test_a_backfill_set_further_back_loads_the_older_rows_once(
    tmp_path: Path, first: Any, then: Any, expected: int
) -> None:
    one = job(tmp_path, first)
    one.run()
    one.source.table.rows.append({"id": 1000, "at": NOW - timedelta(minutes=1), "note": "new"})
    set_back(one, then)
    result = one.run()
    assert one.ids() == [*range(expected), 1000]
    assert result.reconciled and result.rows_loaded == expected - 30 + 1
    again = one.run()
    assert not again.changed and again.rows_read < 10


def test_rows_without_a_key_are_not_doubled(tmp_path: Path) -> None:
    one = Job(tmp_path, orders(), load={"cursor": "at", "backfill": 30})
    one.run()
    set_back(one, 90)
    one.run()
    assert one.ids() == list(range(90))


def test_rows_without_a_cursor_come_with_a_backfill_of_everything(tmp_path: Path) -> None:
    one = job(tmp_path, 30)
    one.source.table.rows.append({"id": 999, "at": None, "note": "n"})
    one.run()
    set_back(one, "all")
    assert one.run().reconciled
    assert one.ids() == [*range(200), 999]


def test_a_later_backfill_or_the_same_one_months_on_changes_nothing(tmp_path: Path) -> None:
    one = job(tmp_path, 90)
    one.run()
    for backfill in (30, 90):
        set_back(one, backfill)
        one.now += timedelta(days=60)
        result = one.run()
        assert not result.changed and result.rows_read < 10
    assert one.ids() == list(range(90))


def test_a_backfill_that_finds_no_older_row_is_not_tried_again(tmp_path: Path) -> None:
    one = Job(tmp_path, orders(20), load={"cursor": "at", "key": ["id"], "backfill": 30})
    one.run()
    set_back(one, 90)
    first = one.run()
    assert first.reconciled and first.rows_loaded == 0
    assert one.ids() == list(range(20))
    assert one.run().rows_read < 10


def test_a_row_limit_reaches_back_in_several_runs(tmp_path: Path) -> None:
    one = job(tmp_path, 30)
    one.run()
    set_back(one, 90)
    one.spec = one.spec.model_copy(update={"row_limit": 25})
    for _ in range(4):
        assert one.run().reconciled
    assert one.ids() == list(range(90))


def test_a_backfill_from_the_first_day_of_the_calendar_loads_everything(tmp_path: Path) -> None:
    one = job(tmp_path, "0001-01-01", time_zone="Asia/Tokyo")
    assert one.run().reconciled
    assert len(one.ids()) == len(one.source.table.rows)

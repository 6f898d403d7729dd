"""Rows whose cursor is empty: no window holds them, and none of them is left behind without a word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import NOW, Job, Memory, Table

COLUMNS = {"id": "bigint!", "changed": "timestamptz", "amount": "bigint"}


def row(number: int, *, dated: bool = True, **values: Any) -> dict[str, Any]:
    changed = NOW - timedelta(days=10) + timedelta(minutes=number) if dated else None
    return {"id": number, "changed": changed, "amount": number * 10, **values}


def orders(count: int) -> Table:
    return Table(dict(COLUMNS), [row(number) for number in range(count)], primary=("id",))


def load(strategy: str, **settings: Any) -> dict[str, Any]:
    return {"load": {"strategy": strategy, "cursor": "changed", "key": ["id"], **settings}}


@pytest.mark.parametrize("backfill", ["all", 90])
@pytest.mark.parametrize("strategy", ["merge", "transactional"])
def test_with_a_key_they_are_read_in_every_run(tmp_path: Path, strategy: str, backfill: Any) -> None:
    job = Job(tmp_path, orders(20), **load(strategy, backfill=backfill))
    job.source.table.rows.append(row(20, dated=False))
    assert job.run().reconciled
    job.source.table.rows += [row(21, dated=False), row(22)]
    second = job.run()
    assert job.ids() == list(range(23))
    assert (second.rows_loaded, second.reconciled, second.warnings) == (2, True, ())
    job.source.table.rows[20] = row(20, amount=7)  # it has got a date
    job.source.table.rows[21] = row(21, dated=False, amount=8)  # it changed and still has none
    third = job.run()
    assert job.ids() == list(range(23))
    assert {found["id"]: found["amount"] for found in job.rows() if found["id"] in (20, 21)} == {20: 7, 21: 8}
    assert (third.rows_replaced, third.reconciled) == (2, True)
    assert not job.run().changed


def test_without_a_key_those_that_come_later_are_told(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(5), **load("transactional", key=[]))
    job.source.table.rows.append(row(5, dated=False))
    assert job.run().warnings == ()
    assert job.ids() == list(range(6))
    job.source.table.rows += [row(6, dated=False), row(7)]
    second = job.run()
    assert job.ids() == [0, 1, 2, 3, 4, 5, 7]
    assert [text for text in second.warnings if "2 rows have no changed and are not among those read" in text]


def test_where_they_cannot_be_asked_for_alone_the_table_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Memory, "capabilities", replace(Memory.capabilities, asks_null=False))
    job = Job(tmp_path, orders(5), **load("merge"))
    job.run()
    job.source.reads.clear()
    job.source.table.rows += [row(5, dated=False), row(6)]
    job.run()
    assert job.ids() == [0, 1, 2, 3, 4, 6]
    assert [request.window.include_null for request in job.source.reads if request.window] == [False]


def test_with_a_row_limit_they_are_told(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(5), row_limit=3, **load("merge"))
    job.source.table.rows.append(row(5, dated=False))
    first = job.run()
    assert job.ids() == [0, 1, 2]
    told = "1 row has no changed and is not among those read. Take the row limit away"
    assert [text for text in first.warnings if told in text]

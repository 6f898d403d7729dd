"""Warehouses note primary keys and do not enforce them: a copy does not rely on what is only noted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from engine.etl.arena import NOW, Job, Memory
from engine.etl.test_copy import KEYED, UNKEYED, orders, row


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "capabilities", replace(Memory.capabilities, unique_keys=False))


@pytest.mark.usefixtures("noted")
def test_a_noted_key_that_repeats_keeps_the_newest_row(tmp_path: Path) -> None:
    table = orders(1, 2)
    table.rows.append(row(1, NOW - timedelta(days=1), amount=99))
    job = Job(tmp_path, table, **KEYED)
    assert job.run().rows_repeated == 1
    assert job.ids() == [1, 2]
    assert {found["amount"] for found in job.rows()} == {99, 20}


@pytest.mark.usefixtures("noted")
def test_rows_that_share_a_noted_key_are_all_read(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(1, 1, 1, 2), **UNKEYED)
    job.run()
    assert job.source.reads[-1].order_by == ()
    assert job.ids() == [1, 1, 1, 2]


def test_a_declared_key_that_may_be_empty_binds_no_rows(tmp_path: Path) -> None:
    table = replace(orders(1, 2), columns={"id": "bigint", "at": "timestamptz", "amount": "bigint", "note": "text"})
    table.rows += [{**row(3), "id": None}, {**row(4), "id": None}]
    job = Job(tmp_path, table, **KEYED)
    assert job.run().rows_repeated == 1
    table.rows[-1] |= {"amount": 99}
    assert job.run().rows_replaced == 1
    assert [found["amount"] for found in job.rows() if found["id"] is None] == [99]


@pytest.mark.parametrize("limit", [None, 1])
def test_a_declared_key_that_is_not_read_as_a_whole_tells_no_rows_apart(tmp_path: Path, limit: int | None) -> None:
    table = replace(orders(1, 2), primary=("id", "note"))
    job = Job(tmp_path, table, **UNKEYED, columns=["id", "at"], row_limit=limit)
    job.run()
    assert job.run().reconciled and job.ids() == [1, 2]

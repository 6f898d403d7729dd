"""Reconciling by what columns add up to, exactly."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from engine.etl.arena import NOW, Job, Memory, Table
from engine.etl.copying import Watcher

from b2b_recs.engine.errors import ConnectionLost, NotReconciled
from b2b_recs.engine.etl import stage, sums
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.sources.contract import Capabilities

COLUMNS = {"id": "bigint!", "at": "timestamptz", "amount": "bigint", "note": "text"}
CATALOG: dict[str, Any] = {"load": {"keep_days": 7}, "reconcile": "checksums"}
KEYED: dict[str, Any] = {"load": {"cursor": "at", "key": ["id"]}, "reconcile": "checksums"}
LIMITED: dict[str, Any] = {**KEYED, "row_limit": 180}


def row(number: int, **values: Any) -> dict[str, Any]:
    at = NOW - timedelta(days=10) + timedelta(minutes=number)
    return {"id": number, "at": at, "amount": number * 10, "note": "n", **values}


def orders(count: int) -> Table:
    return Table(dict(COLUMNS), [row(number) for number in range(count)], primary=("id",))


@pytest.mark.parametrize("settings", [CATALOG, KEYED])
def test_sums_of_source_and_warehouse_are_compared_and_shown(tmp_path: Path, settings: dict[str, Any]) -> None:
    said: list[str] = []

    class Watching(Silent):
        def stage(self, name: str, state: str, detail: str = "") -> None:
            if name == "reconcile" and state == "done":
                said.append(detail)

    job = Job(tmp_path, orders(100), **settings)
    result = job.run(progress=Watching())
    assert result.reconciled
    assert {item.column: item.source for item in result.sums} == {"id": Decimal(4950), "amount": Decimal(49500)}
    assert all(item.source == item.warehouse for item in result.sums)
    assert said[-1] == "100 = 100; sum of id 4,950 = 4,950; sum of amount 49,500 = 49,500"
    job.source.table.rows.append(row(100))
    again = job.run()
    assert again.reconciled and all(item.agrees for item in again.sums)


def test_counts_alone_ask_for_no_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job(tmp_path, orders(100), load={"keep_days": 7})
    monkeypatch.setattr(job.source, "totals", lambda *_: pytest.fail("asked for totals"))
    assert job.run().sums == ()


def test_a_source_that_cannot_add_up_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "capabilities", Capabilities())
    job = Job(tmp_path, orders(100), **CATALOG)
    result = job.run()
    assert result.sums == () and result.reconciled


def test_a_value_changed_on_the_way_is_found_before_anything_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(tmp_path, orders(100), **CATALOG)
    right = job.source.totals
    monkeypatch.setattr(job.source, "totals", lambda *given: {**right(*given), "amount": Decimal(49501)})
    with pytest.raises(NotReconciled, match="adds amount up to 49,501, and the rows read to 49,500"):
        job.run()
    assert not job.table.exists()


def test_a_source_that_changes_while_it_is_read_is_told_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(tmp_path, orders(100), **CATALOG)
    right, asked = job.source.totals, []

    def totals(*given: Any) -> dict[str, Decimal | None]:
        asked.append(given)
        return right(*given) if len(asked) > 1 else {**right(*given), "amount": Decimal(1)}

    monkeypatch.setattr(job.source, "totals", totals)
    result = job.run()
    assert result.sums == ()
    assert "The source changed while it was read, so its sums could not be compared." in result.warnings


@pytest.mark.parametrize("settings", [KEYED, LIMITED])
def test_a_row_that_changed_during_an_interruption_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    monkeypatch.setattr(stage, "PART_BYTES", 1500)
    job = Job(tmp_path, orders(200), **settings)
    job.source.fail_after, job.source.failure = 12, ConnectionLost("The connection broke.")
    with pytest.raises(ConnectionLost):
        job.run("one")
    job.source.fail_after = None
    job.source.table.rows[3]["amount"] = 31  # and its cursor stays
    watcher = Watcher()
    result = job.run("one", watcher)
    assert "Going on after 120 rows read before the interruption." in watcher.lines
    assert "The source changed since the interruption; reading again from the start." in watcher.lines
    assert result.reconciled and {item.column for item in result.sums} == {"id", "amount"}
    assert {found["amount"] for found in job.rows() if found["id"] == 3} == {31}
    assert job.strays() == []


def test_sums_that_differ_without_an_interruption_fail_each_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(tmp_path, orders(100), **KEYED)
    right = job.source.totals
    monkeypatch.setattr(job.source, "totals", lambda *given: {**right(*given), "amount": Decimal(49501)})
    for _ in range(2):
        with pytest.raises(NotReconciled):
            job.run("one")


def test_rejected_rows_are_left_out_of_the_sums(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(100), **CATALOG)
    job.source.table.bad = lambda row: "amount is wrong" if row["id"] == 7 else None
    result = job.run()
    assert result.reconciled
    assert {item.column: item.source for item in result.sums} == {"id": Decimal(4943), "amount": Decimal(49430)}


def test_sums_survive_an_interruption_after_the_commit(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(100), **KEYED)
    first = job.run("one")
    again = job.run("one")
    assert again.sums == first.sums and again.reconciled


def test_sums_are_exact_beyond_64_bits_and_38_digits() -> None:
    most = 2**63 - 1
    numbers = pa.array([most, most, None, -1], pa.int64())
    assert sums._sum(numbers) == Decimal(2 * most - 1)
    value = Decimal("9" * 29 + "." + "9" * 9)
    decimals = pa.array([value] * 50, pa.decimal128(38, 9))
    assert sums._sum(decimals) == sums._WIDE.multiply(value, Decimal(50))
    assert sums._sum(pa.array([None], pa.int64())) is None

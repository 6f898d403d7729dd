"""Columns that are called otherwise in the warehouse than in their source."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import NOW, Job, Table

from b2b_recs.engine import faults
from b2b_recs.engine.errors import BadInput, ConnectionLost, SchemaDrift
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType

COLUMNS = {"order.id": "bigint!", "_file_time": "timestamptz", "Total": "bigint", "total": "text"}
NAMES = {"order.id": "order_id", "_file_time": "file_time", "total": "total_2"}
MERGE = {"strategy": "merge", "cursor": "_file_time", "key": ["order.id"], "deletes": "remove"}


def row(number: int, minutes: int | None = None, **values: Any) -> dict[str, Any]:
    moment = NOW - timedelta(days=1) + timedelta(minutes=number if minutes is None else minutes)
    return {"order.id": number, "_file_time": moment, "Total": number * 10, "total": f"n{number}", **values}


def orders(count: int) -> Table:
    return Table(dict(COLUMNS), [row(number) for number in range(count)], primary=("order.id",))


def in_warehouse(job: Job) -> list[tuple[int, int, str]]:
    return sorted((one["order_id"], one["Total"], one["total_2"]) for one in job.table.read().to_pylist())


def as_held(job: Job) -> list[tuple[int, int, str]]:
    return sorted((one["order.id"], one["Total"], one["total"]) for one in job.source.table.rows)


@pytest.mark.parametrize("load", [MERGE, {"strategy": "transactional", **MERGE}, {"strategy": "catalog"}])
def test_rows_arrive_change_and_leave_under_their_new_names(tmp_path: Path, load: dict[str, Any]) -> None:
    settings = {"partition_by": "_file_time", "cluster_by": ["order.id"], "reconcile": "checksums"}
    job = Job(tmp_path, orders(40), load=load, names=NAMES, **settings)
    first = job.run()
    assert job.table.schema().names == ["order_id", "file_time", "Total", "total_2"]
    assert first.reconciled and in_warehouse(job) == as_held(job) and first.warnings == ()
    job.source.table.rows[3] = row(3, minutes=500, total="changed")
    del job.source.table.rows[10:14]
    result = job.run()
    assert result.reconciled and in_warehouse(job) == as_held(job)
    if "cursor" in load:
        assert (result.rows_replaced, result.rows_deleted) == (1, 4)
        assert not job.run().changed


def test_types_columns_and_rejected_rows_follow_the_new_names(tmp_path: Path) -> None:
    table = orders(10)
    table.bad = lambda one: "Total: too large" if one["Total"] == 30 else None
    types = [ColumnMapping("order.id", "", WarehouseType.NUMERIC)]
    job = Job(tmp_path, table, load=MERGE, names=NAMES, columns=["order.id"], types=types, reject_threshold=0.5)
    result = job.run()
    assert result.rows_rejected == 1 and result.rejected_example
    assert job.table.schema().names == ["order_id", "file_time"]
    (kept,) = job.table.rejected.read().to_pylist()
    assert '"order_id": "3"' in kept["row"] and kept["reason"] == "Total: too large"


def test_two_columns_of_one_name_are_refused_at_the_one_that_was_renamed(tmp_path: Path) -> None:
    job = Job(tmp_path, orders(3), load={"strategy": "catalog"}, names={"order.id": "TOTAL"})
    with pytest.raises(BadInput) as refused:
        job.run()
    assert (refused.value.field, refused.value.column) == ("names", "order.id")
    assert "would both be called" in refused.value.message and not job.table.exists()


def test_a_job_without_names_goes_on_as_it_was_and_is_told(tmp_path: Path) -> None:
    table = Table({"order.id": "bigint!"}, [{"order.id": 1}])
    job = Job(tmp_path, table, load={"strategy": "catalog"})
    assert any("BigQuery does not take" in warning for warning in job.run().warnings)
    assert job.run().warnings == () and job.table.schema().names == ["order.id"]
    job.spec = job.spec.model_copy(update={"names": {"order.id": "order_id"}, "drift": "stop"})
    with pytest.raises(SchemaDrift, match="no longer has the column"):
        job.run()


def test_a_run_killed_in_the_middle_goes_on_under_the_new_names(tmp_path: Path) -> None:

    job = Job(tmp_path, orders(40), load=MERGE, names=NAMES)

    def lost(name: str) -> None:
        if name == "copy.after_read":
            raise ConnectionLost("The connection was lost.")

    faults.install(lost)
    try:
        with pytest.raises(ConnectionLost):
            job.run("one")
    finally:
        faults.install(None)
    assert job.run("one").reconciled and in_warehouse(job) == as_held(job)

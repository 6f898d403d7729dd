"""A job that does not fit its source is told every fault at once, each with its field and its column."""

from __future__ import annotations

from typing import Any

import pytest

from b2b_recs.engine.errors import BadInput, TableMissing
from b2b_recs.engine.etl.spec import Catalog, CopySpec, Transactional
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.several import Several
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.web.etl.against import check_against
from b2b_recs.web.etl.wizard.faults import told

POSTGRESQL = SOURCE_TYPES["postgresql"]
COLUMNS = [
    ColumnInfo("id", "bigint", nullable=False, key_position=1),
    ColumnInfo("note", "text", nullable=True),
    ColumnInfo("details", "jsonb", nullable=True),
    ColumnInfo("total", "numeric(12,3)", nullable=True),
    ColumnInfo("made_at", "timestamp with time zone", nullable=True),
]


def spec(**more: Any) -> CopySpec:
    fields = {"load": Catalog(), **more}
    return CopySpec(source_schema="public", source_table="orders", destination_table="bq_orders", **fields)


def faults(job: CopySpec) -> list[tuple[str | None, str]]:
    """Field and column of each fault, in the order they are told."""
    with pytest.raises(BadInput) as refused:
        check_against(POSTGRESQL, job, COLUMNS)
    found = refused.value.faults if isinstance(refused.value, Several) else [refused.value]
    return [(fault.field, fault.column) for fault in found]


def test_what_fits_is_not_refused() -> None:
    types = (ColumnMapping("note", "", WarehouseType.DATE),)
    check_against(POSTGRESQL, spec(types=types, partition_by="made_at", cluster_by=("note", "id")), COLUMNS)


def test_every_column_that_is_gone_and_every_part_that_cannot_be_is_told() -> None:
    job = spec(
        columns=("id", "note", "details", "total", "gone"),
        types=(
            ColumnMapping("total", "", WarehouseType.NUMERIC, precision=90, scale=2),
            ColumnMapping("lost", "", WarehouseType.DATE),
        ),
        names={"away": "other"},
        partition_by="note",
        cluster_by=("details", "id"),
    )
    assert faults(job) == [
        ("columns", "gone"), ("types", "lost"), ("names", "away"), ("types", "total"), ("partition_by", ""),
        ("cluster_by", ""),
    ]  # fmt: skip


def test_a_load_that_cannot_begin_is_told_beside_a_type_that_cannot_be() -> None:
    load = Transactional(cursor="id", key=("id",), backfill=30)
    types = (ColumnMapping("total", "", WarehouseType.NUMERIC, precision=90, scale=2),)
    assert faults(spec(load=load, types=types)) == [("types", "total"), ("load.backfill", "")]
    assert faults(spec(load=load)) == [("load.backfill", "")]
    gone = Transactional(cursor="gone", key=("id",))
    assert faults(spec(load=gone, partition_by="note")) == [("load.cursor", "gone"), ("partition_by", "")]


def test_a_type_no_value_could_become_is_told_with_its_column() -> None:
    types = (ColumnMapping("details", "", WarehouseType.INT64), ColumnMapping("made_at", "", WarehouseType.FLOAT64))
    assert faults(spec(types=types)) == [("types", "details"), ("types", "made_at")]


def test_one_fault_is_told_by_itself_and_a_table_without_columns_as_missing() -> None:
    assert faults(spec(partition_by="note")) == [("partition_by", "")]
    with pytest.raises(TableMissing):
        check_against(POSTGRESQL, spec(), [])


def test_what_another_step_asks_for_is_told_with_that_step() -> None:
    with pytest.raises(Several) as refused:
        check_against(POSTGRESQL, spec(columns=("id", "gone"), partition_by="lost"), COLUMNS)
    on_top = told(5, refused.value).others
    assert [(fault.field, step) for fault, step in on_top] == [("columns", 3), ("partition_by", 4)]
    assert told(5, BadInput("Full.", field="disk")).others[0][1] == 0

"""The local warehouse takes what BigQuery takes, so that a project moves without change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import NOW, Job, Table

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.warehouse.bigquery import check_arrangement, check_digits, names_warning, refused_names

SCHEMA = arrow_schema([ColumnMapping(kind.value.lower(), "", kind) for kind in WarehouseType])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("_TABLE_x", "begins with _TABLE_"),
        ("_partitiontime", "begins with _PARTITION"),
        ("_File_x", "begins with _FILE_"),
        ("a" * 301, "is longer than 300 characters"),
        ("price $", "contains $"),
        ("a.b", "contains ."),
        ("a\tb", "contains a control character"),
    ],
)
def test_a_name_bigquery_refuses_is_told_with_its_reason(name: str, reason: str) -> None:
    assert list(refused_names([name])) == [(name, reason)]


def test_names_of_any_language_spaces_and_the_file_column_are_taken() -> None:
    assert list(refused_names(["id", "Größe", "価格", "unit price", "a-b", "50%", "_file", "a" * 300])) == []
    assert names_warning(["id"]) == ""


@pytest.mark.parametrize("kind", ["date", "datetime", "timestamp"])
def test_a_table_is_arranged_by_day_of_a_date_or_time(kind: str) -> None:
    check_arrangement(SCHEMA, kind, ("string", "int64", "bool", "numeric"))


@pytest.mark.parametrize("kind", ["string", "int64", "time", "json"])
def test_a_table_is_not_arranged_by_day_of_anything_else(kind: str) -> None:
    with pytest.raises(BadInput, match="by day") as refused:
        check_arrangement(SCHEMA, kind, ())
    assert refused.value.field == "partition_by"


@pytest.mark.parametrize("columns", [("float64",), ("bytes",), ("json",), ("time",), ("gone",), ("string",) * 5])
def test_rows_are_not_arranged_by_what_bigquery_cannot_compare(columns: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as refused:
        check_arrangement(SCHEMA, None, columns)
    assert refused.value.field == "cluster_by"


@pytest.mark.parametrize(
    ("kind", "precision", "scale", "possible"),
    [
        (WarehouseType.NUMERIC, 38, 9, True),
        (WarehouseType.NUMERIC, 29, 0, True),
        (WarehouseType.NUMERIC, 30, 0, False),
        (WarehouseType.NUMERIC, 12, 10, False),
        (WarehouseType.BIGNUMERIC, 76, 38, True),
        (WarehouseType.BIGNUMERIC, 39, 0, False),
        (WarehouseType.BIGNUMERIC, 2, 3, False),
    ],
)
def test_decimals_have_as_many_digits_as_in_bigquery(
    kind: WarehouseType, precision: int, scale: int, possible: bool
) -> None:
    column = ColumnMapping("amount", "", kind, precision=precision, scale=scale)
    if possible:
        check_digits([column])
    else:
        with pytest.raises(BadInput, match="amount"):
            check_digits([column])


def test_a_copy_tells_names_that_would_not_move_and_refuses_impossible_digits(tmp_path: Path) -> None:
    table = Table({"id": "bigint!", "price $": "bigint"}, [{"id": 1, "price $": 2}], ("id",))
    load: dict[str, Any] = {"load": {"keep_days": 7}}
    result = Job(tmp_path / "a", table, **load).run()
    assert any("price $ contains $" in warning for warning in result.warnings)
    assert result.reconciled
    wide = ColumnMapping("price $", "bigint", WarehouseType.NUMERIC, precision=38, scale=0)
    with pytest.raises(BadInput, match="BIGNUMERIC"):
        Job(tmp_path / "b", table, types=(wide,), **load).run()
    by_text = {"columns": ("id",), "partition_by": "id"}
    with pytest.raises(BadInput, match="by day of id"):
        Job(tmp_path / "c", Table({"id": "bigint!"}, [{"id": 1, "at": NOW}], ("id",)), **by_text, **load).run()

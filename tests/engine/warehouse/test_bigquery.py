"""The local warehouse takes what BigQuery takes, so that a project moves without change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import NOW, Job, Table
from hypothesis import given
from hypothesis import strategies as st

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.warehouse.bigquery import (
    check_arrangement,
    check_digits,
    check_new_names,
    names_instead,
    names_warning,
    refused_names,
)

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


def test_a_name_that_cannot_stay_gets_the_nearest_free_one_and_the_reason() -> None:
    given = ["id", "a.b", "a_b", "ID", "_TABLE_x", "_file_name", "__root__", "??", "x" * 301, "Größe"]
    instead = names_instead(given, ["file_name"])
    assert {name: new for name, (new, _) in instead.items()} == {
        "a.b": "a_b_2", "ID": "ID_2", "_TABLE_x": "TABLE_x", "_file_name": "file_name_2", "__root__": "root",
        "??": "column", "x" * 301: "x" * 300,
    }  # fmt: skip
    assert instead["a.b"][1] == "contains ." and instead["ID"][1] == "differs from id only in capitals"
    assert list(refused_names(new for new, _ in instead.values())) == []
    check_new_names({name: new for name, (new, _) in instead.items()})


@given(st.lists(st.text(max_size=12), max_size=8, unique=True))
def test_names_given_instead_are_taken_and_differ_from_all_others(names: list[str]) -> None:
    instead = names_instead(names)
    final = [instead.get(name, (name, ""))[0] for name in names]
    assert list(refused_names(final)) == []
    assert len({name.casefold() for name in final}) == len(names)


@pytest.mark.parametrize(
    ("names", "column", "words"),
    [
        ({"a": "a.b"}, "a", "contains ."),
        ({"a": "_PARTITIONTIME"}, "a", "begins with _PARTITION"),
        ({"a": "x" * 301}, "a", "longer than 300"),
        ({"a": " "}, "a", "is empty"),
        ({"a": "x", "b": "X"}, "b", "“a” is called already"),
    ],
)
def test_a_name_that_was_typed_and_cannot_be_is_refused_at_its_column(
    names: dict[str, str], column: str, words: str
) -> None:
    with pytest.raises(BadInput) as refused:
        check_new_names(names)
    assert (refused.value.field, refused.value.column) == ("names", column)
    assert words in refused.value.message and refused.value.advice

# ruff: noqa: DTZ001 - workbooks have no zones
"""Files whose types are guessed from their values: guesses join, a chosen type stands, and no guess stops a run."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from b2b_recs.engine.errors import SchemaDrift
from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import Catalog, CopyResult, CopySpec, Files
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalWarehouse

W = WarehouseType
DAY, MOMENT = date(2024, 1, 2), datetime(2024, 1, 3, 10, 30)


class AnyFolder:
    """A guard that lets every folder be read."""

    def __call__(self, host: str, port: int) -> str:
        return host

    def folder(self, path: str) -> Path:
        return Path(path)


def workbook(folder: Path, name: str, *values: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("id", "v"), *enumerate(values)):
        sheet.append(row)
    book.save(folder / name)


def copied(folder: Path, run_key: str, kind: str = "excel", **more: Any) -> CopyResult:
    declared = SOURCE_TYPES[kind]
    ending = "xlsx" if kind == "excel" else kind
    settings = {"source_schema": "", "source_table": f"in/*.{ending}", "destination_table": "bq_v", "load": Files()}
    spec = CopySpec.model_validate({**settings, "reject_threshold": 1.0, **more})
    with declared.open(declared.Parameters(location=str(folder)), AnyFolder()) as source:
        warehouse = LocalWarehouse(folder / "warehouse")
        return copy_table(
            declared, source, spec, warehouse, folder / "staging", run_key, Silent(), lambda: datetime.now(UTC)
        )


def loaded(folder: Path) -> list[Any]:
    rows = LocalWarehouse(folder / "warehouse").table("raw_data", "bq_v").read().to_pylist()
    return [row["v"] for row in sorted(rows, key=lambda row: (row["_file"], row["id"]))]


def rejected(folder: Path) -> list[str]:
    table = LocalWarehouse(folder / "warehouse").table("raw_data", "bq_v").rejected
    return [row["reason"] for row in table.read().to_pylist()] if table.exists() else []


@pytest.fixture(autouse=True)
def place(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


JOINS: list[tuple[Any, Any, list[Any]]] = [
    (DAY, MOMENT, [datetime(2024, 1, 2), MOMENT]),
    (7, 7.5, [7.0, 7.5]),
    (None, DAY, [None, DAY]),
    (True, 7, ["true", "7"]),
    (DAY, "soon", ["2024-01-02", "soon"]),
]


@pytest.mark.parametrize(("one", "other", "wanted"), JOINS, ids=[f"{one} and {other}" for one, other, _ in JOINS])
def test_guesses_of_several_files_join(tmp_path: Path, place: Path, one: Any, other: Any, wanted: list[Any]) -> None:
    workbook(place, "a.xlsx", one)
    workbook(place, "b.xlsx", other)
    assert copied(tmp_path, "one").rows_rejected == 0
    assert loaded(tmp_path) == wanted


LATER: list[tuple[Any, tuple[Any, ...], list[Any], int]] = [
    (DAY, (MOMENT, datetime(2024, 5, 6)), [DAY, date(2024, 5, 6)], 1),
    (MOMENT, (DAY,), [MOMENT, datetime(2024, 1, 2)], 0),
    (7, (7.5, 8), [7, 8], 1),
    (7.5, (8,), [7.5, 8.0], 0),
    (DAY, (45_000, "2024-05-06"), [DAY, date(2024, 5, 6)], 1),
    (DAY, (True,), [DAY], 1),
    (DAY, (None,), [DAY, None], 0),
    ("x", (DAY,), ["x", "2024-01-02"], 0),
]


@pytest.mark.parametrize(("first", "then", "wanted", "refused"), LATER, ids=[f"{a} then {b}" for a, b, _, _ in LATER])
def test_a_later_file_that_looks_otherwise_is_cast_and_never_stops_the_run(
    tmp_path: Path, place: Path, first: Any, then: tuple[Any, ...], wanted: list[Any], refused: int
) -> None:
    workbook(place, "a.xlsx", first)
    copied(tmp_path, "one")
    workbook(place, "b.xlsx", *then)
    result = copied(tmp_path, "two")
    assert (loaded(tmp_path), result.rows_rejected, result.reconciled) == (wanted, refused, True)
    assert len(rejected(tmp_path)) == refused
    told = [warning for warning in result.warnings if "looked like" in warning]
    assert bool(told) is bool(refused)


def test_a_type_chosen_by_hand_stands_whatever_a_file_looks_like(tmp_path: Path, place: Path) -> None:
    chosen = (ColumnMapping("v", "text", W.DATE, format="%d.%m.%Y"),)
    workbook(place, "a.xlsx", "31.12.2024")
    copied(tmp_path, "one", types=chosen)
    workbook(place, "b.xlsx", DAY)
    workbook(place, "c.xlsx", "01.02.2025", "2025-02-03", 7)
    result = copied(tmp_path, "two", types=chosen)
    assert loaded(tmp_path) == [date(2024, 12, 31), DAY, date(2025, 2, 1)]
    assert sorted(rejected(tmp_path)) == [
        "v: 2025-02-03 is not a date written DD.MM.YYYY",
        "v: 7 is not a date written DD.MM.YYYY",
    ]
    assert not [warning for warning in result.warnings if "looked like" in warning]


def test_a_catalog_takes_a_type_chosen_after_the_guess_was_another(tmp_path: Path, place: Path) -> None:
    workbook(place, "a.xlsx", DAY)
    copied(tmp_path, "one", load=Catalog())
    workbook(place, "a.xlsx", MOMENT)
    assert copied(tmp_path, "two", load=Catalog()).rows_rejected == 1
    chosen = (ColumnMapping("v", "date", W.DATETIME),)
    copied(tmp_path, "three", load=Catalog(), types=chosen)
    assert loaded(tmp_path) == [MOMENT]


def test_numbers_of_json_join_digit_by_digit(tmp_path: Path, place: Path) -> None:
    (place / "a.json").write_text('[{"id": 1, "v": 7}]')
    (place / "b.json").write_text('[{"id": 2, "v": 0.123456789}, {"id": 3}]')
    copied(tmp_path, "one", "json")
    assert loaded(tmp_path) == [Decimal(7), Decimal("0.123456789"), None]
    (place / "c.json").write_text('[{"id": 4, "v": "n/a"}, {"id": 5, "v": "1.5"}]')
    result = copied(tmp_path, "two", "json")
    assert loaded(tmp_path)[3:] == [Decimal("1.5")] and rejected(tmp_path) == ["v: n/a is not a number"]
    assert "stays NUMERIC" in result.warnings[0]


def test_a_type_a_source_declares_still_stops_the_run_when_it_changes(tmp_path: Path, place: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": [1], "v": [DAY]}), place / "a.parquet")
    copied(tmp_path, "one", "parquet")
    pq.write_table(pa.table({"id": [2], "v": ["soon"]}), place / "b.parquet")
    with pytest.raises(SchemaDrift):
        copied(tmp_path, "two", "parquet")

# ruff: noqa: DTZ001, E501 - times without a zone are what is tested; tables of cases
"""What stands in the cells of Excel is read as it is, or its row is rejected with the reason."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from time import process_time
from typing import Any

import openpyxl
import pytest
from engine.sources.test_files_formats import read
from engine.sources.test_files_tables import opened, request_of

from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.files.excel_formulas import _CELL

W = WarehouseType
D = Decimal


def workbook(folder: Path, *rows: list[Any], **more: Any) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Orders"
    for row in rows:
        book.active.append(row)
    for name, values in more.items():
        sheet = book.create_sheet(name)
        for row in values:
            sheet.append(row)
    book.save(folder / "a.xlsx")


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        ([1, 2.0, -5], W.INT64, [1, 2, -5]), ([1, 2.5], W.FLOAT64, [1.0, 2.5]), ([2**53, 1], W.INT64, [2**53, 1]),
        ([1e300, 1], W.FLOAT64, [1e300, 1.0]), ([True, False], W.BOOL, [True, False]), (["00123", "x"], W.STRING, ["00123", "x"]),
        ([date(2024, 2, 29), date(1900, 3, 1)], W.DATE, [date(2024, 2, 29), date(1900, 3, 1)]),
        ([datetime(2024, 1, 2, 3, 4, 5, 678000), datetime(9999, 12, 31)], W.DATETIME,
         [datetime(2024, 1, 2, 3, 4, 5, 678000), datetime(9999, 12, 31)]),
        ([time(12, 30), time(0, 0, 1)], W.TIME, ["12:30:00.000000", "00:00:01.000000"]),
        ([1, "x", True], W.STRING, ["1", "x", "true"]), ([None, 5], W.INT64, [None, 5]),
        ([timedelta(hours=30), timedelta(minutes=1)], W.STRING, ["PT30H", "PT1M"]),
        ([datetime(2024, 1, 1, 10), timedelta(hours=30)], W.STRING, ["2024-01-01 10:00:00", "1900-01-01 06:00:00"]),
    ],
    ids=str,
)  # fmt: skip
def test_a_column_of_excel_is_what_its_cells_are(
    tmp_path: Path, values: list[Any], kind: WarehouseType, found: list[Any]
) -> None:
    workbook(tmp_path, ["key", "v"], *[[f"k{at}", value] for at, value in enumerate(values)])
    with opened(tmp_path, "excel") as source:
        request = request_of(source, "excel", "a.xlsx")
        assert request.columns[1].warehouse_type is kind
        rows, rejected = read(source, request)
    assert rejected == []
    assert [row["v"] for row in rows] == found


def test_several_columns_of_excel_with_moments_and_durations_are_text_beside_others(tmp_path: Path) -> None:
    moment, span = datetime(2024, 1, 1, 10), timedelta(hours=30)
    workbook(tmp_path, ["n", "m", None, "m"], [1, moment, span, "x"], [2, span, moment, "y"])
    with opened(tmp_path, "excel", header_row=1) as source:
        request = request_of(source, "excel", "a.xlsx")
        rows, rejected = read(source, request)
    assert [column.warehouse_type for column in request.columns[:4]] == [W.INT64, W.STRING, W.STRING, W.STRING]
    assert [list(row.values()) for row in rows] == [
        [1, "2024-01-01 10:00:00", "1900-01-01 06:00:00", "x"], [2, "1900-01-01 06:00:00", "2024-01-01 10:00:00", "y"],
    ]  # fmt: skip
    assert rejected == []


def test_cells_with_errors_and_empty_rows_of_excel(tmp_path: Path) -> None:
    workbook(tmp_path, ["a", "b"], [1, "x"], [None, None], [2, "y"], [3, None])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    book.active["B4"] = "#N/A"
    book.active["B4"].data_type = "e"
    book.save(tmp_path / "a.xlsx")
    with opened(tmp_path, "excel") as source:
        rows, rejected = read(source, request_of(source, "excel", "a.xlsx"))
    assert rows == [{"a": 1, "b": "x"}, {"a": 3, "b": None}]
    assert rejected == [("b", "b: the cell holds an error of Excel, #N/A")]


NEVER = "the formula was never calculated; open the workbook in Excel or LibreOffice, save it, and load it again"


def test_rows_with_formulas_that_were_never_calculated_are_rejected(tmp_path: Path) -> None:
    workbook(tmp_path, [], [], ["a", "b", "sum"], [1, 2, "=A4+B4"], [], [3, 4, 7], [None, None, '=A5&"<"'])
    with opened(tmp_path, "excel") as source:
        request = request_of(source, "excel", "a.xlsx")
        rows, rejected = read(source, request)
        assert rows == [{"a": 3, "b": 4, "sum": 7}]
        assert rejected == [("sum", f"sum: {NEVER}")] * 2
        assert source.count(request) == 3
        # Who does not want the column gets the rows.
        columns = [column for column in request.columns if column.name != "sum"]
        assert [row["a"] for row in read(source, replace(request, columns=columns))[0]] == [1, 3, None]


def test_blanks_without_end_around_a_formula_are_passed_over_at_once() -> None:
    begun = process_time()
    for text in (b'<c r="A1"><f>1</f>%s<x/>', b'<c r="A1"><f>1</f><v>%s<x/>', b'<c r="A1"><f>1</f%s<x/>'):
        assert not list(_CELL.finditer(text % (b" " * 100_000)))
    assert process_time() - begun < 2


def test_formulas_that_have_a_value_are_read_whoever_wrote_them(tmp_path: Path) -> None:
    workbook(tmp_path, ["a", "b", "c"], [1, "=1", "=2"], [2, "=3", "=4"])
    cells = {
        b"<f>1</f><v />": b"<f>1</f><v>1</v>", b"<f>3</f><v />": b'<f t="shared" si="0" />',
        b'<c r="C2"><f>2</f><v />': b'<c r="C2" t="str"><f>2</f><v></v>', b"<f>4</f><v />": b"<f>4</f><v>x</v>",
    }  # fmt: skip
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for before, after in cells.items():
        assert before in parts["xl/worksheets/sheet1.xml"]
        parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(before, after)
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with opened(tmp_path, "excel") as source:
        rows, rejected = read(source, request_of(source, "excel", "a.xlsx"))
    assert [(row["a"], row["b"]) for row in rows] == [(1, 1)] and rejected == [("b", f"b: {NEVER}")]


T, U = "Orders of May", None
A, B = {"id": 1, "name": "x"}, {"id": 2, "name": "y"}


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([["id", "name"], [1, "x"], [2, "y"]], [A, B]),
        ([[T, U], ["id", "name"], [1, "x"], [2, "y"]], [A, B]),
        ([[U, U], [T, U], [U, U], ["id", "name"], [1, "x"], [2, "y"]], [A, B]),
        ([[T, U, U, U], [U, U, "as of", date(2024, 1, 2)], ["a", "b", "c", "d"], [1, 2, 3, 4]],
         [{"a": 1, "b": 2, "c": 3, "d": 4}]),
        # A value in a column far out makes no title of the names.
        ([["id", "name", U, U, U, U], [1, "x", U, U, U, U], [2, "y", U, U, U, "n"]],
         [A | {"column_3": U, "column_4": U, "column_5": U, "column_6": U},
          B | {"column_3": U, "column_4": U, "column_5": U, "column_6": "n"}]),
        # Names of all columns but the first, as programs write them that number their rows.
        ([[U, "a", "b"], ["r", "x", "y"]], [{"column_1": "r", "a": "x", "b": "y"}]),
        ([[U, "a"], ["r", "x"]], [{"column_1": "r", "a": "x"}]),
        # Nothing below the title can be names, so that no row is left out.
        ([[T, U], ["x", "x"], [1, 2]], [{T: "x", "column_2": "x"}, {T: "1", "column_2": "2"}]),
        ([["id"], [1], [2]], [{"id": 1}, {"id": 2}]),
    ],
)  # fmt: skip
def test_the_row_of_names_is_found_below_titles(tmp_path: Path, rows: list[Any], found: list[dict[str, Any]]) -> None:
    workbook(tmp_path, *rows)
    with opened(tmp_path, "excel") as source:
        read_rows, rejected = read(source, request_of(source, "excel", "a.xlsx"))
    assert rejected == []
    assert read_rows == found


def test_an_error_among_the_titles_of_a_sheet_stops_nothing(tmp_path: Path) -> None:
    workbook(tmp_path, ["Rate", None, None], ["id", "name", "n"], [1, "x", 2])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    book.active["A1"] = "#REF!"
    book.active["A1"].data_type = "e"
    book.save(tmp_path / "a.xlsx")
    with opened(tmp_path, "excel") as source:
        assert read(source, request_of(source, "excel", "a.xlsx")) == ([{"id": 1, "name": "x", "n": 2}], [])


def test_sheets_are_tables_and_the_row_of_names_can_be_chosen(tmp_path: Path) -> None:
    workbook(tmp_path, ["report of", None], ["id", "id"], [1, 2], Empty=[], Prices=[[9.5]])
    with opened(tmp_path, "excel", header_row=2) as source:
        assert [table.name for table in source.tables()] == ["a.xlsx#Orders", "a.xlsx#Empty", "a.xlsx#Prices"]
        rows, _ = read(source, request_of(source, "excel", "a.xlsx#Orders"))
        assert list(rows[0].values()) == [1, 2]
        assert [info.name for info in source.columns("", "a.xlsx#Empty")] == ["_file"]
    with opened(tmp_path, "excel", header_row=0) as source:
        assert read(source, request_of(source, "excel", "a.xlsx#Prices"))[0] == [{"column_1": 9.5}]
    with opened(tmp_path, "excel") as source, pytest.raises(Exception, match="has no sheet"):
        source.columns("", "a.xlsx#Nothing")

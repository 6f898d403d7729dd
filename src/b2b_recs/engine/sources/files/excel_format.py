"""Excel: one worksheet is one table; numbers, dates, times and yes or no as Excel holds them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.errors import SourceRefused, TableMissing
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import FileInfo, RejectedRow
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.files.declarations import Excel
from b2b_recs.engine.sources.files.dialects import unique_names
from b2b_recs.engine.sources.files.excel_formulas import never_calculated
from b2b_recs.engine.sources.files.excel_names import LOOKED_AT, row_of_names
from b2b_recs.engine.sources.files.excel_types import as_excel_means
from b2b_recs.engine.sources.files.formats import Format, RawBatch, Shape
from b2b_recs.engine.sources.files.options import ExcelOptions
from b2b_recs.engine.sources.files.workbooks import check_workbook

# By column, whether a row is meant.
_Marks = dict[str, npt.NDArray[np.bool_]]
_UNNAMED = "__UNNAMED__"
_MIXED = re.compile(r"could not determine dtype for column (.*?)\n?\Z", re.DOTALL)
_KINDS = {pa.int64(): "whole number", pa.float64(): "number", pa.bool_(): "yes or no", pa.date32(): "date",
          pa.timestamp("ms"): "date and time", pa.time64("us"): "time", pa.duration("ms"): "duration",
          pa.string(): "text", pa.null(): "nothing"}  # fmt: skip

_NEVER = "the formula was never calculated; open the workbook in Excel or LibreOffice, save it, and load it again"
_ERRORS = {"Div0": "#DIV/0!", "NA": "#N/A", "Name": "#NAME?", "Null": "#NULL!", "Num": "#NUM!", "Ref": "#REF!",
           "Value": "#VALUE!", "GettingData": "#GETTING_DATA"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One worksheet in memory; ``faults`` gives the reason for each row with a cell that holds an error.

    ``open`` tells by column in which rows a formula was never calculated.
    """

    rows: pa.RecordBatch
    faults: dict[int, tuple[str, str]]
    open: _Marks = field(default_factory=dict)


class ExcelFormat(Format):
    """Workbooks as .xlsx, .xlsm or .xls. The sheet is named after a #; without one the first is meant."""

    name: ClassVar[str] = "Excel"
    extensions: ClassVar[tuple[str, ...]] = ("xlsx", "xlsm", "xls")
    packs_itself: ClassVar[bool] = True
    has_parts: ClassVar[bool] = True
    guesses: ClassVar[bool] = True

    def __init__(self, options: ExcelOptions) -> None:
        self._options = options
        self._last: tuple[tuple[str, str, str], _Sheet] | None = None

    def parts(self, content: BinaryIO, file: FileInfo) -> list[str]:
        """The names of the worksheets."""
        return list(self._workbook(content, file)[0].sheet_names)

    def shape(self, content: BinaryIO, file: FileInfo, part: str) -> Shape:
        """The columns of the sheet, and its rows, those without any value left out."""
        rows = self._sheet(content, file, part).rows
        return Shape(rows.schema, rows.num_rows)

    def kind(self, data_type: pa.DataType) -> str:
        """How Excel's own words call a type."""
        return _KINDS.get(data_type, str(data_type))

    def count(self, content: BinaryIO, file: FileInfo, part: str) -> int:
        """The rows of the sheet, those with an error included."""
        return int(self._sheet(content, file, part).rows.num_rows)

    def read(
        self, content: BinaryIO, file: FileInfo, part: str, columns: Sequence[ColumnMapping], batch_bytes: int
    ) -> Iterator[RawBatch]:
        """The rows of the sheet; one with an error in any cell is rejected, or with a formula that was never calculated
        in a column that was asked for.
        """
        sheet = self._sheet(content, file, part)
        if sheet.rows.num_rows == 0:
            return
        chosen = sheet.rows.select([column.name for column in columns])
        step = max(256, batch_bytes // max(1, chosen.nbytes // sheet.rows.num_rows))
        for start in range(0, sheet.rows.num_rows, step):
            rows = chosen.slice(start, step)
            bad = _at_fault(sheet, rows.schema.names, start, rows.num_rows)
            rejected = [_rejected(sheet, start + int(at), rows.schema.names) for at in np.flatnonzero(bad)]
            yield RawBatch(rows.filter(pa.array(~bad)) if rejected else rows, rejected)

    def _sheet(self, content: BinaryIO, file: FileInfo, part: str) -> _Sheet:
        key = (file.path, file.mark, part)
        if self._last is None or self._last[0] != key:
            self._last = (key, self._load(content, file, part))
        return self._last[1]

    def _workbook(self, content: BinaryIO, file: FileInfo) -> tuple[Any, bytes]:
        """The workbook as the driver has it, and its bytes."""
        fastexcel = load_driver(Excel.driver, extra=Excel.extra, name=Excel.name)
        logging.getLogger(Excel.driver).setLevel(logging.ERROR)
        data = check_workbook(content, file)
        try:
            return fastexcel.read_excel(data), data
        except fastexcel.FastExcelError as error:
            raise _unreadable(file, error) from None

    def _load(self, content: BinaryIO, file: FileInfo, part: str) -> _Sheet:
        workbook, data = self._workbook(content, file)
        if part and part not in workbook.sheet_names:
            raise TableMissing(
                f"The workbook {file.path} has no sheet {part[:60]!r}.",
                advice=f"It has: {', '.join(workbook.sheet_names[:10])}.",
            )
        fastexcel = load_driver(Excel.driver, extra=Excel.extra, name=Excel.name)
        try:
            sheet = _loaded(workbook, part or 0, self._options.header_row)
            if sheet.width == 0:
                return _Sheet(pa.RecordBatch.from_struct_array(pa.array([], pa.struct([]))), {})
            rows, errors = sheet.to_arrow_with_errors()
            never = _formulas(workbook, sheet, data)
        except (fastexcel.FastExcelError, pa.ArrowException) as error:
            raise _unreadable(file, error) from None
        names = unique_names(["" if name.startswith(_UNNAMED) else name for name in rows.schema.names])
        faults = {
            int(error.offset_position[0]): (names[int(error.offset_position[1])], str(error.detail))
            for error in (errors.errors if errors is not None else [])
        }
        arrays = [as_excel_means(array) for array in rows.columns]
        more = max(0, *(len(mark) - len(rows) for mark in never), 0)
        arrays = [pa.concat_arrays([array, pa.nulls(more, array.type)]) if more else array for array in arrays]
        marks = {name: mark for name, mark in zip(names, never or (), strict=bool(never)) if mark.any()}
        return _without_empty_rows(pa.RecordBatch.from_arrays(arrays, names=list(names)), faults, marks)


def _formulas(workbook: Any, sheet: Any, data: bytes) -> list[npt.NDArray[np.bool_]]:
    """For each column the rows with a formula that was never calculated; [] where there is none.

    Such a cell is empty for the driver, which does not count rows at the end that hold nothing else.
    """
    places = never_calculated(data, sheet.name)
    if not places:
        return []
    rows = workbook.load_sheet(sheet.name, header_row=None, skip_rows=0, n_rows=1, dtypes="string").total_height
    first = rows - sheet.total_height
    columns = [places.get(column.absolute_index, ()) for column in sheet.available_columns()]
    last = max([rows - 1, *(max(numbers) for numbers in columns if numbers)])
    marks = []
    for numbers in columns:
        at = np.array(numbers, dtype=np.int64)
        mark = np.zeros(last + 1 - first, dtype=np.bool_)
        mark[at[at >= first] - first] = True
        marks.append(mark)
    return marks


def _loaded(workbook: Any, sheet: str | int, row: int | Literal["auto"]) -> Any:
    """The sheet below the row of names that was chosen; with "auto" below the one that is found."""
    if row != "auto":
        return _typed(workbook, sheet, row - 1 if row else None)
    found = _typed(workbook, sheet, 0)
    if not any(column.name.startswith(_UNNAMED) for column in found.available_columns()):
        # Every column has a name: the sheet need not be read once more.
        return found
    top = workbook.load_sheet(sheet, header_row=None, skip_rows=0, n_rows=LOOKED_AT, dtypes="string")
    columns = [array.to_pylist() for array in top.to_arrow_with_errors()[0].columns]
    at = row_of_names(list(zip(*columns, strict=True)))
    return found if at == 0 else _typed(workbook, sheet, at)


def _typed(workbook: Any, sheet: str | int, header_row: int | None) -> Any:
    """The sheet, a column whose cells have no type in common as text, such as moments and durations."""
    fastexcel = load_driver(Excel.driver, extra=Excel.extra, name=Excel.name)
    as_text: dict[str, str] = {}
    while True:
        try:
            return workbook.load_sheet(sheet, header_row=header_row, schema_sample_rows=None, dtypes=as_text or None)
        except fastexcel.UnsupportedColumnTypeCombinationError as error:
            named = _MIXED.search(str(error))
            if named is None or named[1] in as_text:
                raise
            as_text[named[1]] = "string"


def _without_empty_rows(rows: pa.RecordBatch, faults: dict[int, tuple[str, str]], marks: _Marks) -> _Sheet:
    """The sheet without the rows that hold nothing at all; they are what formatting leaves behind."""
    full = np.zeros(rows.num_rows, dtype=np.bool_)
    full[list(faults)] = True
    for mark in marks.values():
        full |= mark
    filled = pa.array(full)
    for array in rows.columns:
        filled = pc.or_(filled, array.is_valid())
    if pc.all(filled).as_py() is not False:
        return _Sheet(rows, faults, marks)
    kept = filled.to_numpy(zero_copy_only=False)
    moved = np.cumsum(kept) - 1
    left = {int(moved[number]): fault for number, fault in faults.items()}
    return _Sheet(rows.filter(filled), left, {name: mark[kept] for name, mark in marks.items()})


def _at_fault(sheet: _Sheet, columns: Sequence[str], start: int, rows: int) -> npt.NDArray[np.bool_]:
    """Which of some rows are rejected when these columns are read."""
    bad = np.zeros(rows, dtype=np.bool_)
    bad[[number - start for number in sheet.faults if start <= number < start + rows]] = True
    for name in columns:
        if name in sheet.open:
            bad |= sheet.open[name][start : start + rows]
    return bad


def _rejected(sheet: _Sheet, number: int, columns: Sequence[str]) -> RejectedRow:
    row = {
        name: None if (value := array[number].as_py()) is None else str(value)
        for name, array in zip(sheet.rows.schema.names, sheet.rows.columns, strict=True)
    }
    if number in sheet.faults:
        column, detail = sheet.faults[number]
        what = _ERRORS.get(detail.partition("Error(")[2].rstrip("')"), detail)
        row[column] = what
        return RejectedRow(row, column, f"{column}: the cell holds an error of Excel, {what}")
    column = next(name for name in columns if name in sheet.open and sheet.open[name][number])
    return RejectedRow(row, column, f"{column}: {_NEVER}")


def _unreadable(file: FileInfo, error: Exception) -> SourceRefused:
    said = str(error).splitlines()[0][:160]
    return SourceRefused(
        f"The workbook {file.path} cannot be read: {said}.", advice="Open it in Excel and save it as .xlsx."
    )

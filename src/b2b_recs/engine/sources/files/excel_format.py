"""Excel: one worksheet is one table; numbers, dates, times and yes or no as Excel holds them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.errors import SourceRefused, TableMissing
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import FileInfo, RejectedRow
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.files.declarations import Excel
from b2b_recs.engine.sources.files.dialects import unique_names
from b2b_recs.engine.sources.files.excel_names import LOOKED_AT, row_of_names
from b2b_recs.engine.sources.files.excel_types import as_excel_means
from b2b_recs.engine.sources.files.formats import Format, RawBatch, Shape
from b2b_recs.engine.sources.files.options import ExcelOptions
from b2b_recs.engine.sources.files.workbooks import check_workbook

_UNNAMED = "__UNNAMED__"
_MIXED = re.compile(r"could not determine dtype for column (.*?)\n?\Z", re.DOTALL)
_KINDS = {pa.int64(): "whole number", pa.float64(): "number", pa.bool_(): "yes or no", pa.date32(): "date",
          pa.timestamp("ms"): "date and time", pa.time64("us"): "time", pa.duration("ms"): "duration",
          pa.string(): "text", pa.null(): "nothing"}  # fmt: skip

_ERRORS = {"Div0": "#DIV/0!", "NA": "#N/A", "Name": "#NAME?", "Null": "#NULL!", "Num": "#NUM!", "Ref": "#REF!",
           "Value": "#VALUE!", "GettingData": "#GETTING_DATA"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One worksheet in memory; ``faults`` gives the reason for each row with a cell that holds an error."""

    rows: pa.RecordBatch
    faults: dict[int, tuple[str, str]]


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
        return list(self._workbook(content, file).sheet_names)

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
        """The rows of the sheet; one with an error in any cell is rejected."""
        sheet = self._sheet(content, file, part)
        if sheet.rows.num_rows == 0:
            return
        chosen = sheet.rows.select([column.name for column in columns])
        step = max(256, batch_bytes // max(1, chosen.nbytes // sheet.rows.num_rows))
        for start in range(0, sheet.rows.num_rows, step):
            rows = chosen.slice(start, step)
            at = [number for number in range(start, start + rows.num_rows) if number in sheet.faults]
            rejected = [_rejected(sheet, number) for number in at]
            if at:
                keep = pa.array([number not in sheet.faults for number in range(start, start + rows.num_rows)])
                rows = rows.filter(keep)
            yield RawBatch(rows, rejected)

    def _sheet(self, content: BinaryIO, file: FileInfo, part: str) -> _Sheet:
        key = (file.path, file.mark, part)
        if self._last is None or self._last[0] != key:
            self._last = (key, self._load(content, file, part))
        return self._last[1]

    def _workbook(self, content: BinaryIO, file: FileInfo) -> Any:
        fastexcel = load_driver(Excel.driver, extra=Excel.extra, name=Excel.name)
        logging.getLogger(Excel.driver).setLevel(logging.ERROR)
        data = check_workbook(content, file)
        try:
            return fastexcel.read_excel(data)
        except fastexcel.FastExcelError as error:
            raise _unreadable(file, error) from None

    def _load(self, content: BinaryIO, file: FileInfo, part: str) -> _Sheet:
        workbook = self._workbook(content, file)
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
        except (fastexcel.FastExcelError, pa.ArrowException) as error:
            raise _unreadable(file, error) from None
        names = unique_names(["" if name.startswith(_UNNAMED) else name for name in rows.schema.names])
        faults = {
            int(error.offset_position[0]): (names[int(error.offset_position[1])], str(error.detail))
            for error in (errors.errors if errors is not None else [])
        }
        arrays = [as_excel_means(array) for array in rows.columns]
        return _without_empty_rows(pa.RecordBatch.from_arrays(arrays, names=list(names)), faults)


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


def _without_empty_rows(rows: pa.RecordBatch, faults: dict[int, tuple[str, str]]) -> _Sheet:
    """The sheet without the rows that hold nothing at all; they are what formatting leaves behind."""
    filled = pa.array([number in faults for number in range(rows.num_rows)], pa.bool_())
    for array in rows.columns:
        filled = pc.or_(filled, array.is_valid())
    if pc.all(filled).as_py() is not False:
        return _Sheet(rows, faults)
    kept = [number for number, full in enumerate(filled.to_pylist()) if full]
    moved = {number: at for at, number in enumerate(kept)}
    return _Sheet(rows.filter(filled), {moved[number]: fault for number, fault in faults.items()})


def _rejected(sheet: _Sheet, number: int) -> RejectedRow:
    column, detail = sheet.faults[number]
    row = {
        name: None if (value := array[number].as_py()) is None else str(value)
        for name, array in zip(sheet.rows.schema.names, sheet.rows.columns, strict=True)
    }
    what = _ERRORS.get(detail.partition("Error(")[2].rstrip("')"), detail)
    row[column] = what
    return RejectedRow(row, column, f"{column}: the cell holds an error of Excel, {what}")


def _unreadable(file: FileInfo, error: Exception) -> SourceRefused:
    said = str(error).splitlines()[0][:160]
    return SourceRefused(
        f"The workbook {file.path} cannot be read: {said}.", advice="Open it in Excel and save it as .xlsx."
    )

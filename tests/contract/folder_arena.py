"""A folder of this machine with one file for each table, as the source contract's suite needs it."""

from __future__ import annotations

import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import openpyxl
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from contract.csv_text import csv_of

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import open_source
from b2b_recs.runtime.guard import OutgoingGuard

Rows = Sequence[Sequence[Any]]
_ARROW = {"integer": pa.int64(), "text": pa.string(), "time": pa.timestamp("us"), "decimal": pa.decimal128(10, 2)}


class FolderArena(ABC):
    """Files that are written anew whenever a table changes, and a guard that allows their folder."""

    type: ClassVar[str]
    schema: ClassVar[str] = ""
    ending: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._tables: dict[str, tuple[dict[str, str], list[Sequence[Any]]]] = {}

    @abstractmethod
    def content(self, columns: Mapping[str, str], rows: Rows) -> bytes:
        """A file of these rows."""

    def make(self, table: str, columns: Mapping[str, str], rows: Rows, key: str | None = None) -> None:
        self._tables[table] = (dict(columns), list(rows))
        self._write(table)

    def add(self, table: str, rows: Rows) -> None:
        self._tables[table][1].extend(rows)
        self._write(table)

    def drop(self, table: str) -> None:
        del self._tables[table]
        (self.folder / self.named(table)).unlink()

    def drop_column(self, table: str, column: str) -> None:
        columns, rows = self._tables[table]
        at = list(columns).index(column)
        del columns[column]
        rows[:] = [[value for number, value in enumerate(row) if number != at] for row in rows]
        self._write(table)

    def rename(self, table: str, name: str) -> None:
        self._tables[name] = self._tables.pop(table)
        (self.folder / f"{table}{self.ending}").rename(self.folder / f"{name}{self.ending}")

    def named(self, table: str) -> str:
        return f"{table}{self.ending}"

    def listed(self) -> dict[str, int]:
        """The files of the folder and their sizes, as the system lists them."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.stat().st_size for path in found}

    def parameters(self, **changes: Any) -> dict[str, Any]:
        return {"location": str(self.folder)} | changes

    def open(self, **changes: Any) -> Source:
        guard = OutgoingGuard(enabled=False, folders=[self.folder.parent])
        return open_source(self.type, self.parameters(**changes), guard)

    def file_of(self, table: str) -> str:
        """The whole path of a table's file."""
        return str(self.folder / f"{table}{self.ending}")

    def leading_out(self) -> str:
        """A link beside the folder that leads to a folder nobody allowed."""
        link = self.folder.parent / "leading-out"
        if not link.is_symlink():
            link.symlink_to("/etc")
        return str(link)

    def sessions(self) -> int:
        """Files of the folder that are still open here."""
        return sum(Path(file.path).is_relative_to(self.folder) for file in psutil.Process().open_files())

    def end_sessions(self) -> None:
        """Write every file anew, as its owner may at any time."""
        for table in self._tables:
            self.add(table, self._tables[table][1][:1])

    def _write(self, table: str) -> None:
        (self.folder / self.named(table)).write_bytes(self.content(*self._tables[table]))


class CsvArena(FolderArena):
    type = "csv"
    ending = ".csv"

    def content(self, columns: Mapping[str, str], rows: Rows) -> bytes:
        return csv_of(columns, rows)


class ParquetArena(FolderArena):
    type = "parquet"
    ending = ".parquet"

    def content(self, columns: Mapping[str, str], rows: Rows) -> bytes:
        arrays = [pa.array([row[at] for row in rows], _ARROW[kind]) for at, kind in enumerate(columns.values())]
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(arrays, names=list(columns)), sink, row_group_size=5000)
        return sink.getvalue()


class JsonArena(FolderArena):
    type = "json"
    ending = ".jsonl"

    def content(self, columns: Mapping[str, str], rows: Rows) -> bytes:
        return b"".join(
            b"{" + b",".join(_member(name, value) for name, value in zip(columns, row, strict=True)) + b"}\n"
            for row in rows
        )


def _member(name: str, value: Any) -> bytes:
    """One name and its value; decimals with every digit, as json.dumps would not."""
    shown = str(value) if isinstance(value, Decimal | datetime) else value
    text = str(value) if isinstance(value, Decimal) else json.dumps(shown, ensure_ascii=False)
    return f"{json.dumps(name, ensure_ascii=False)}:{text}".encode()


class ExcelArena(FolderArena):
    type = "excel"
    ending = ".xlsx"

    def content(self, columns: Mapping[str, str], rows: Rows) -> bytes:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Sheet")
        sheet.append(list(columns))
        for row in rows:
            sheet.append(list(row))
        sink = io.BytesIO()
        book.save(sink)
        return sink.getvalue()

    def named(self, table: str) -> str:
        return f"{table}{self.ending}#Sheet"

    def _write(self, table: str) -> None:
        (self.folder / f"{table}{self.ending}").write_bytes(self.content(*self._tables[table]))

    def drop(self, table: str) -> None:
        del self._tables[table]
        (self.folder / f"{table}{self.ending}").unlink()

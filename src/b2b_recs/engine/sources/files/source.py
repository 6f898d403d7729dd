"""A source whose tables are sets of files in one place and one format."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from b2b_recs.engine.errors import BadInput, ColumnMissing, SourceRefused, SourceTimeout, TableMissing
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.ahead import read_ahead
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import (
    FILE_COLUMN,
    Batch,
    CheckResult,
    ColumnInfo,
    FileInfo,
    ReadRequest,
    RejectedRow,
    Source,
    TableInfo,
)
from b2b_recs.engine.sources.files.casting_behind import cast_behind
from b2b_recs.engine.sources.files.columns import column_infos
from b2b_recs.engine.sources.files.formats import Format, RawBatch, Shape, format_of
from b2b_recs.engine.sources.files.hurry import CHECK_SECONDS
from b2b_recs.engine.sources.files.listing import find_files, list_tables, nothing_found
from b2b_recs.engine.sources.files.patterns import Pattern
from b2b_recs.engine.sources.files.shapes import read_as, shape_of, written
from b2b_recs.engine.sources.files.store import FileStore, file_changed, same_file

_SAMPLE_FILES = 5
_SAMPLE_BYTES = 1024 * 1024
_SAMPLE_CHARACTERS = 1000


class FileSource(Source):
    """Tables made of files. ``options`` is one of the models of ``files.options`` and decides the format.

    A table is named by a path or a pattern; its schema is "". Its columns are those of all its files, by name, and
    at the end the path of the file a row came from.
    """

    def __init__(self, store: FileStore, options: Any) -> None:
        self._store = store
        self._options = options
        self._format: Format = format_of(options)
        self._shapes: dict[tuple[str, str, str], Shape] = {}
        self._kept: dict[tuple[str, str], str] = {}
        self._counts: dict[tuple[str, str, str], int] = {}

    def check(self) -> CheckResult:
        """The time to reach the place, what it is, and the tables found in it, within ``CHECK_SECONDS``."""
        started = time.perf_counter()
        with self._store.within(CHECK_SECONDS):
            self._store.check()
            latency = (time.perf_counter() - started) * 1000
            try:
                found = self.tables()
            except SourceTimeout:
                raise SourceTimeout(
                    f"{self._store.kind} {self._store.place} was reached, and looking through its files takes too long "
                    "for a test.",
                    advice="Name a folder with fewer files, then test again.",
                    field=self._store.folder_field,
                ) from None
        warning = "" if found else nothing_found(self._store, self._format)
        return CheckResult(latency, self._store.version, tuple(found), warning)

    def tables(self) -> list[TableInfo]:
        """Every file of the format; before them, one pattern for each folder that has several."""
        return list_tables(self._store, self._format)

    def columns(self, schema: str, table: str) -> list[ColumnInfo]:
        """The columns of all files of the table by name, in the order of first appearance, then the file's path."""
        pattern, files = self._find(schema, table)
        left_out = [path for path in self._store.left_out if pattern.matches(path)]
        return column_infos(self._format, self._shapes_of(files, pattern.part), left_out)

    def samples(self, schema: str, table: str, columns: Sequence[str], count: int = 5) -> dict[str, list[str | None]]:
        """Up to ``count`` values per column as text, from the beginnings of the first files."""
        pattern, files = self._find(schema, table)
        found: dict[str, list[str | None]] = {name: [] for name in columns}
        if not columns or count <= 0:
            return found
        known = {info.name for info in column_infos(self._format, self._shapes_of(files, pattern.part))}
        missing = [name for name in columns if name not in known]
        if missing:
            raise _column_missing(missing[0], table)
        some = files[:_SAMPLE_FILES]
        for at, file in enumerate(some):
            wanted = -(-(count - len(found[columns[0]])) // (len(some) - at))
            for name, values in self._sample(file, pattern.part, columns, wanted).items():
                found[name].extend(values)
        return {name: values[:count] for name, values in found.items()}

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        """Refused: files are loaded once each, not by a cursor."""
        raise BadInput(
            "Files have no cursor: each file is loaded once, and again when it changes.",
            advice="Load the table as a catalog.",
            field="load",
        )

    def count(self, request: ReadRequest) -> int:
        """How many records the files of the request hold, the ones that cannot be read included."""
        pattern, files = self._requested(request)
        total = 0
        for file in files:
            total += self._count(file, pattern.part)
            if request.row_limit is not None and total >= request.row_limit:
                return request.row_limit
        return total

    def read(self, request: ReadRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches file by file, in the order of their paths. A file that changes meanwhile is a lost connection."""
        pattern, files = self._requested(request)
        if request.window is not None or request.order_by or request.key_after or request.key_range is not None:
            raise BadInput(
                "Files are read as a whole, without a window or an order.",
                advice="Load the table as a catalog.",
                field="load",
            )
        self._refuse_missing(request, pattern, files)

        def produce() -> Iterator[Batch]:
            return cast_behind(self._limited(request, pattern, files), lambda raw: self._cast(raw, request))

        yield from read_ahead(produce, request, cancelled, self._store.interrupt)

    def files(self, schema: str, table: str) -> list[FileInfo]:
        """The files of a table now, by path."""
        return self._find(schema, table)[1]

    def remember(self, shapes: Mapping[tuple[str, str], str]) -> None:
        """Take what ``shapes`` told before; what was read by other options, or another sheet, is of no use."""
        self._kept.update(shapes)

    def shapes(self) -> Mapping[tuple[str, str], str]:
        """The columns of each file that was looked at or is remembered, as text to keep, by path and mark."""
        return dict(self._kept)

    def close(self) -> None:
        """Release what the place holds open."""
        self._store.close()

    def _find(self, schema: str, table: str) -> tuple[Pattern, list[FileInfo]]:
        return find_files(self._store, self._format, schema, table)

    def _requested(self, request: ReadRequest) -> tuple[Pattern, list[FileInfo]]:
        pattern, files = self._find(request.schema, request.table)
        if request.files:
            wanted = set(request.files)
            files = [file for file in files if file.path in wanted]
            gone = wanted - {file.path for file in files}
            if gone:
                raise file_changed(FileInfo(min(gone), 0, ""))
        return pattern, files

    def _refuse_missing(self, request: ReadRequest, pattern: Pattern, files: Sequence[FileInfo]) -> None:
        """Refuse a column that no file of the table has; one that only those of the request lack is empty there."""
        wanted = {column.name for column in request.columns} - {FILE_COLUMN}
        wanted -= self._names(files, pattern.part)
        if wanted and files:
            wanted -= self._names(self.files(request.schema, request.table), pattern.part)
        if wanted and files:
            raise _column_missing(min(wanted), request.table)

    def _names(self, files: Sequence[FileInfo], part: str) -> set[str]:
        return {name for file in files for name in self._shape(file, part).schema.names}

    def _shapes_of(self, files: Sequence[FileInfo], part: str) -> dict[str, Shape]:
        return {file.path: self._shape(file, part) for file in files}

    def _shape(self, file: FileInfo, part: str) -> Shape:
        key = (file.path, file.mark, part)
        if key not in self._shapes:
            sign = read_as(self._options, part)
            shape = shape_of(self._kept.get(key[:2], ""), sign)
            if shape is None:
                with self._store.open(file) as content:
                    shape = self._format.shape(content, file, part)
                self._kept[key[:2]] = written(shape, sign)
            self._shapes[key] = shape
        return self._shapes[key]

    def _count(self, file: FileInfo, part: str) -> int:
        rows = self._shape(file, part).rows
        if rows is not None:
            return rows
        key = (file.path, file.mark, part)
        if key not in self._counts:
            with self._store.open(file) as content:
                self._counts[key] = self._format.count(content, file, part)
        return self._counts[key]

    def _cast(self, raw: RawBatch, request: ReadRequest) -> Batch:
        batch = cast_batch(raw.rows, request.columns, request.time_zone, guessed=self._format.guesses)
        batch.rejected[:0] = raw.rejected
        return batch

    def _limited(self, request: ReadRequest, pattern: Pattern, files: Sequence[FileInfo]) -> Iterator[RawBatch]:
        left = request.row_limit
        for file in files:
            for raw in self._unchanged(file, pattern.part, request):
                if left is not None:
                    raw = RawBatch(raw.rows[:left], raw.rejected[: max(0, left - raw.rows.num_rows)])
                    left -= raw.rows.num_rows + len(raw.rejected)
                yield raw
                if left is not None and left <= 0:
                    return

    def _unchanged(self, file: FileInfo, part: str, request: ReadRequest) -> Iterator[RawBatch]:
        """A file's batches; a change while it is read is told as such, even where it looks like damage."""
        try:
            yield from self._raw(file, part, request.columns, request.batch_bytes)
        except SourceRefused:
            if self._changed(file):
                raise file_changed(file) from None
            raise
        if self._changed(file):
            raise file_changed(file)

    def _changed(self, file: FileInfo) -> bool:
        try:
            return not same_file(self._store.info(file.path), file)
        except TableMissing:
            return True

    def _raw(self, file: FileInfo, part: str, columns: Sequence[ColumnMapping], batch_bytes: int) -> Iterator[RawBatch]:
        """A file's batches with every column that was asked for: NULL where the file has none of that name."""
        here = self._shape(file, part).schema
        present = [column for column in columns if column.name in here.names]
        at = {column.name: number for number, column in enumerate(present)}
        with self._store.open(file) as content:
            for raw in self._format.read(content, file, part, present, batch_bytes):
                rows = raw.rows.num_rows
                arrays = [
                    raw.rows.column(at[column.name])
                    if column.name in at
                    else pa.repeat(file.path, rows)
                    if column.name == FILE_COLUMN
                    else pa.nulls(rows)
                    for column in columns
                ]
                for rejected in raw.rejected:
                    rejected.row = _whole(rejected, columns, file.path)
                names = [column.name for column in columns]
                yield RawBatch(pa.RecordBatch.from_arrays(arrays, names=names), raw.rejected)

    def _sample(self, file: FileInfo, part: str, columns: Sequence[str], count: int) -> Mapping[str, list[str | None]]:
        mappings = [ColumnMapping(name, "", WarehouseType.STRING) for name in columns]
        found: dict[str, list[str | None]] = {name: [] for name in columns}
        for raw in self._raw(file, part, mappings, _SAMPLE_BYTES):
            rows = raw.rows[:count]
            for number, mapping in enumerate(mappings):
                # Each column by itself: what has no text in one of them must not take the others away.
                texts = cast_batch(rows.select([number]), [mapping], "UTC").rows.column(0).to_pylist()
                found[mapping.name].extend(text if text is None else text[:_SAMPLE_CHARACTERS] for text in texts)
            count -= rows.num_rows
            if count <= 0:
                break
        return found


def _whole(rejected: RejectedRow, columns: Sequence[ColumnMapping], path: str) -> dict[str, str | None]:
    """A row the format could not make out, with the file it came from."""
    return {**rejected.row, FILE_COLUMN: path}


def _column_missing(column: str, table: str) -> ColumnMissing:
    return ColumnMissing(
        f"No file of {table} has a column {column}.",
        advice="Look at the columns again and choose those that are there.",
    )

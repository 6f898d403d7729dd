"""Parquet files of a table: how they are written, and what the table's log says about each."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from b2b_recs.engine.errors import StorageFull

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = ("no space left", "quota exceeded", "file too large", "storage full")
# Rows looked at before deciding which columns repeat their values enough for a dictionary to pay.
_LOOK_AT = 20_000
_DISTINCT_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """One finished Parquet file; ``path`` is relative to the table's folder, ``size`` is bytes."""

    path: str
    rows: int
    size: int

    def action(self, *, new_rows: bool = True) -> AddAction:
        """The entry of the table's log that makes the file part of the table."""
        stats = json.dumps({"numRecords": self.rows})
        return AddAction(self.path, self.size, {}, int(time.time() * 1000), new_rows, stats)


class PartWriter:
    """Writes one Parquet file, ZSTD level 1. Raises StorageFull; an unfinished file is removed by ``discard``."""

    def __init__(self, folder: Path, path: str, schema: pa.Schema, repeating: Sequence[str]) -> None:
        self._folder = folder
        self._path = path
        self.rows = 0
        self.arrow_bytes = 0
        target = folder / path
        with storage_errors():
            target.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(
                str(target),
                plain_schema(schema),
                compression="zstd",
                compression_level=1,
                use_dictionary=list(repeating),
                column_encoding=_counted(schema, repeating),
                write_statistics=_measured(schema, repeating),
                store_schema=False,
                data_page_size=1024 * 1024,
            )

    def write(self, batch: pa.RecordBatch) -> None:
        """Add one batch as a row group; its columns are the schema's, in order."""
        with storage_errors():
            self._writer.write_batch(batch)
        self.rows += batch.num_rows
        self.arrow_bytes += batch.nbytes

    def close(self, *, flushed: bool = True) -> Part:
        """Finish the file; with ``flushed`` it outlasts a power cut as well, else see to ``flush`` before a commit."""
        with storage_errors():
            self._writer.close()
            target = self._folder / self._path
            if flushed:
                flush(target)
            return Part(self._path, self.rows, target.stat().st_size)

    def discard(self) -> None:
        """Remove the unfinished file."""
        try:
            self._writer.close()
        except (OSError, pa.ArrowException):
            # A full disk refuses the footer as well; the file goes either way.
            self._writer.is_open = False
        (self._folder / self._path).unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until a file is on the disk. Raises StorageFull."""
    with storage_errors(), path.open("rb") as handle:
        os.fsync(handle.fileno())


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turns a full disk, in whatever words it is told, into StorageFull."""
    try:
        yield
    except StorageFull:
        raise
    except Exception as error:
        if is_full(error):
            raise StorageFull(
                "The disk of the warehouse is full. Nothing was committed.",
                advice="Free some space or give the warehouse a larger disk, then run the job again.",
            ) from error
        raise


def is_full(error: BaseException) -> bool:
    """Whether an error of any library means that no room is left."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(words in str(error).lower() for words in _FULL_WORDS)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema without metadata, as it is written into files; the table's log keeps the metadata."""
    return pa.schema([field.remove_metadata() for field in schema])


def _counted(schema: pa.Schema, repeating: Sequence[str]) -> dict[str, str]:
    """Whole numbers and times, which are written as the differences of neighbours: keys and clocks become tiny."""
    tests = (pa.types.is_integer, pa.types.is_timestamp, pa.types.is_date32)
    names = [field.name for field in schema if any(test(field.type) for test in tests)]
    return {name: "DELTA_BINARY_PACKED" for name in names if name not in repeating}


def _measured(schema: pa.Schema, repeating: Sequence[str]) -> list[str]:
    """Columns whose smallest and largest values are kept; of long texts they would cost more than they let skip."""
    texts = (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string, pa.types.is_large_binary)
    return [field.name for field in schema if field.name in repeating or not any(test(field.type) for test in texts)]


def repeating_columns(batch: pa.RecordBatch) -> list[str]:
    """Columns for which a dictionary makes files smaller and writing faster, judged by the first rows."""
    head = batch.slice(0, _LOOK_AT)
    if head.num_rows == 0:
        return []
    found = []
    for field, column in zip(head.schema, head.columns, strict=True):
        if pa.types.is_boolean(field.type):
            continue
        if len(column.unique()) <= max(1, head.num_rows * _DISTINCT_SHARE):
            found.append(field.name)
    return found

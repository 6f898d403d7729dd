"""Parquet: columns and row counts from the footer, row groups read one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import FileInfo
from b2b_recs.engine.sources.files.formats import Format, RawBatch, Shape
from b2b_recs.engine.sources.files.limits import LIMITS, too_much

_MOST_ROWS = 131_072


class ParquetFormat(Format):
    """Parquet files, of every logical type Arrow knows."""

    name: ClassVar[str] = "Parquet"
    extensions: ClassVar[tuple[str, ...]] = ("parquet", "parq", "pq")
    packs_itself: ClassVar[bool] = True
    counts_at_a_glance: ClassVar[bool] = True

    def shape(self, content: BinaryIO, file: FileInfo, part: str) -> Shape:
        """Columns and rows from the footer."""
        with _readable(file):
            parquet = _opened(content, file)
            schema = parquet.schema_arrow.remove_metadata()
            return Shape(schema, int(parquet.metadata.num_rows))

    def count(self, content: BinaryIO, file: FileInfo, part: str) -> int:
        """Rows from the footer."""
        with _readable(file):
            return int(_opened(content, file).metadata.num_rows)

    def rows_at_a_glance(self, content: BinaryIO, file: FileInfo) -> int | None:
        """Rows from the footer."""
        return self.count(content, file, "")

    def read(
        self, content: BinaryIO, file: FileInfo, part: str, columns: Sequence[ColumnMapping], batch_bytes: int
    ) -> Iterator[RawBatch]:
        """Batches of the columns that were asked for; the others are not read from the place."""
        with _readable(file):
            parquet = _opened(content, file)
            schema = parquet.schema_arrow
            names = [column.name for column in columns]
            if not names:
                yield from _without_columns(int(parquet.metadata.num_rows))
                return
            rows = _batch_rows(parquet.metadata, batch_bytes)
            paths = [schema.field(name).name for name in names]
            for batch in parquet.iter_batches(batch_size=rows, columns=paths, use_threads=True):
                arrays = [batch.column(batch.schema.get_field_index(name)) for name in names]
                yield RawBatch(pa.RecordBatch.from_arrays(arrays, names=names))


def _without_columns(rows: int) -> Iterator[RawBatch]:
    """Batches that hold nothing but their number of rows, for a file without any column that was asked for."""
    while rows > 0:
        some = min(rows, _MOST_ROWS)
        yield RawBatch(pa.RecordBatch.from_struct_array(pa.array([{}] * some, pa.struct([]))))
        rows -= some


def _batch_rows(metadata: pq.FileMetaData, batch_bytes: int) -> int:
    """Rows that unpack to about ``batch_bytes``."""
    total = sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
    each = max(1, total // max(1, metadata.num_rows))
    return int(max(256, min(_MOST_ROWS, batch_bytes // each)))


def _opened(content: BinaryIO, file: FileInfo) -> pq.ParquetFile:
    """The file's footer, refused when its groups or columns would not fit into memory."""
    content.seek(0)
    parquet = pq.ParquetFile(content, pre_buffer=False, page_checksum_verification=True)
    metadata = parquet.metadata
    if metadata.num_columns > LIMITS.columns:
        raise too_much(file.path, f"has {metadata.num_columns:,} columns")
    names = parquet.schema_arrow.names
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceRefused(
            f"The file {file.path} has several columns named {twice!r}.", advice="Give each column a name of its own."
        )
    for at in range(metadata.num_row_groups):
        group = metadata.row_group(at)
        if group.total_byte_size > LIMITS.group_bytes:
            raise too_much(file.path, f"has a row group of {group.total_byte_size / 2**30:,.0f} GB")
        for number in range(group.num_columns):
            if group.column(number).total_uncompressed_size > LIMITS.column_bytes:
                raise too_much(file.path, "has a column of more than 2 GB in one row group")
    return parquet


@contextmanager
def _readable(file: FileInfo) -> Iterator[None]:
    """Words for what the Parquet reader says about a file that is damaged or something else."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, pa.ArrowMemoryError):
            raise too_much(file.path, "needs more memory than there is") from None
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise SourceRefused(
            f"The file {file.path} cannot be read as Parquet: {said}.",
            advice="Check that the file is complete and is Parquet.",
        ) from None

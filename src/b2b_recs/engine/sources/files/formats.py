"""What every file format can do, and which format and packing a file has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar

import pyarrow as pa

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import FileInfo, RejectedRow

PACKINGS = {"gz": "gzip", "gzip": "gzip", "bz2": "bz2", "zst": "zstd", "zstd": "zstd", "xz": "xz", "zip": "zip"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What one file holds: its columns in raw Arrow types, and how many rows where that is known without reading.

    ``assumed`` names the encoding the file was taken to be in because nothing in it says which it is, ``against`` the
    one that was chosen for it though it looks like UTF-8.
    """

    schema: pa.Schema
    rows: int | None = None
    assumed: str = ""
    against: str = ""


@dataclass(slots=True)
class RawBatch:
    """Rows as the format has them (the columns that were asked for, by position), and rows it could not make out."""

    rows: pa.RecordBatch
    rejected: list[RejectedRow] = field(default_factory=list)


class Format(ABC):
    """One way of writing tables into files. An instance holds the options of one connection.

    ``untyped``: its files know nothing but text. ``guesses``: types are seen in the values of each file, so that two
    files of one table may differ. ``has_parts``: one file may hold several tables.
    ``counts_at_a_glance``: the number of rows is known without reading them. ``texts_in_json``: a text is a value of
    JSON, in quotation marks, when a column of texts becomes JSON. ``packs_itself``: its files are packed
    inside, and are not read when they are packed once more. ``finds_names``: whether the first line holds the names is
    found out for each file by itself, which may be wrong.
    """

    name: ClassVar[str]
    extensions: ClassVar[tuple[str, ...]]
    untyped: ClassVar[bool] = False
    guesses: ClassVar[bool] = False
    has_parts: ClassVar[bool] = False
    texts_in_json: ClassVar[bool] = False
    packs_itself: ClassVar[bool] = False
    finds_names: bool = False
    counts_at_a_glance: ClassVar[bool] = False

    def parts(self, content: BinaryIO, file: FileInfo) -> list[str]:
        """The names of the tables inside the file."""
        return []

    @abstractmethod
    def shape(self, content: BinaryIO, file: FileInfo, part: str) -> Shape:
        """The columns of the file. Raises SourceRefused when it is not of this format."""

    @abstractmethod
    def count(self, content: BinaryIO, file: FileInfo, part: str) -> int:
        """How many records the file holds, the ones that cannot be read included."""

    @abstractmethod
    def read(
        self, content: BinaryIO, file: FileInfo, part: str, columns: Sequence[ColumnMapping], batch_bytes: int
    ) -> Iterator[RawBatch]:
        """Every record, with these columns of the file in their order (all of them are in ``shape``)."""

    def kind(self, data_type: pa.DataType) -> str:
        """How the form shows a raw type of this format."""
        return str(data_type)

    def rows_at_a_glance(self, content: BinaryIO, file: FileInfo) -> int | None:
        """How many rows, where a look at the end of the file is enough to know."""
        return None

    def fits(self, path: str) -> bool:
        """Whether a file's name says that it is of this format and can be read, packed or not."""
        name = path.rsplit("/", 1)[-1].lower()
        stem, _, last = name.rpartition(".")
        if last in PACKINGS and "." in stem and not self.packs_itself:
            last = stem.rpartition(".")[2]
        return last in self.extensions


def format_of(options: Any) -> Format:
    """The format that the options of a connection ask for: their class, or their field ``format``."""
    from b2b_recs.engine.sources.files.csv_format import CsvFormat
    from b2b_recs.engine.sources.files.excel_format import ExcelFormat
    from b2b_recs.engine.sources.files.json_format import JsonFormat
    from b2b_recs.engine.sources.files.options import CsvOptions, ExcelOptions, JsonOptions
    from b2b_recs.engine.sources.files.parquet_format import ParquetFormat

    named = getattr(options, "format", None)
    if named == "csv" or (named is None and isinstance(options, CsvOptions)):
        return CsvFormat(options)
    if named == "json" or (named is None and isinstance(options, JsonOptions)):
        return JsonFormat(options)
    if named == "excel" or (named is None and isinstance(options, ExcelOptions)):
        return ExcelFormat(options)
    return ParquetFormat()

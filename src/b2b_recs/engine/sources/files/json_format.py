"""JSON: one object on each line, or one array of objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, ClassVar

import pyarrow as pa

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import FileInfo, RejectedRow
from b2b_recs.engine.sources.files.encodings import as_utf8, assumed, encoding_of
from b2b_recs.engine.sources.files.formats import Format, RawBatch, Shape
from b2b_recs.engine.sources.files.json_names import refuse_repeated, surely_once
from b2b_recs.engine.sources.files.json_records import elements, layout_of, lines
from b2b_recs.engine.sources.files.json_values import NESTED, Kinds, Record, Values, record_of, text_of, texts
from b2b_recs.engine.sources.files.limits import LIMITS, too_much
from b2b_recs.engine.sources.files.options import JsonOptions
from b2b_recs.engine.sources.files.unpacking import unpacked

# The column under which a record that is no object is kept.
RECORD = "_record"
# Records of each file whose values are looked at for their types; the names of all are.
_LOOKED_AT = 20_000
_LONGEST_SHOWN = 100_000
_HEAD = 4096
_KINDS = {
    pa.bool_(): "boolean", pa.int64(): "whole number", pa.float64(): "number", pa.string(): "text",
    pa.null(): "nothing", NESTED: "object or list",
}  # fmt: skip


class JsonFormat(Format):
    """Objects become rows; what is nested in them stays JSON text."""

    name: ClassVar[str] = "JSON"
    extensions: ClassVar[tuple[str, ...]] = ("json", "jsonl", "ndjson")
    guesses: ClassVar[bool] = True
    texts_in_json: ClassVar[bool] = True

    def __init__(self, options: JsonOptions) -> None:
        self._options = options

    def shape(self, content: BinaryIO, file: FileInfo, part: str) -> Shape:
        """The names of all objects, the types of their values from the first 20,000, and the number of records."""
        kinds, count = Kinds(), 0
        for some in self._records(content, file):
            for written in some:
                try:
                    record = record_of(written)
                except ValueError:
                    record = {}
                if count < _LOOKED_AT:
                    kinds.look(record)
                else:
                    kinds.names(record)
                count += 1
        schema = kinds.schema()
        if len(schema) > LIMITS.columns:
            raise too_much(file.path, f"has {len(schema):,} different names")
        return Shape(schema, count)

    def kind(self, data_type: pa.DataType) -> str:
        """How JSON's own words call a type."""
        return _KINDS.get(data_type, "decimal number" if pa.types.is_decimal(data_type) else str(data_type))

    def count(self, content: BinaryIO, file: FileInfo, part: str) -> int:
        """Every record, whether it is an object or not."""
        return sum(map(len, self._records(content, file)))

    def read(
        self, content: BinaryIO, file: FileInfo, part: str, columns: Sequence[ColumnMapping], batch_bytes: int
    ) -> Iterator[RawBatch]:
        """Every record as texts; one that is no JSON object, or has a name twice, is rejected as it is written."""
        pending: list[bytes] = []
        size = 0
        for some in self._records(content, file):
            for written in some:
                pending.append(written)
                size += len(written)
                if size >= batch_bytes:
                    yield _batch(pending, columns)
                    pending, size = [], 0
        if pending:
            yield _batch(pending, columns)

    def _records(self, content: BinaryIO, file: FileInfo) -> Iterator[list[bytes]]:
        head = unpacked(content, file).read(_HEAD)
        codec, skip = encoding_of(head)
        if assumed(codec, "auto"):
            # JSON is Unicode; records that are not are rejected one by one.
            codec = "utf-8"
        start = head[skip:].decode(codec, "replace")
        if "\x00" in start:
            raise SourceRefused(f"The file {file.path} is not JSON.", advice="Choose the type of the file.")
        layout = self._options.layout if self._options.layout != "auto" else layout_of(start.encode())
        text = as_utf8(unpacked(content, file), codec, skip)
        return elements(text, file) if layout == "array" else lines(text, file)


def _batch(written: list[bytes], columns: Sequence[ColumnMapping]) -> RawBatch:
    records: list[Record] = []
    kept: list[bytes] = []
    rejected: list[RejectedRow] = []
    for one in written:
        try:
            records.append(record_of(one))
            kept.append(one)
        except ValueError as error:
            rejected.append(_rejected(one, error))
    values = {column.name: Values(records, column.name) for column in columns}
    if not surely_once(kept, records, values.values()):
        return _one_by_one(written, columns)
    try:
        arrays = [texts(values[column.name], as_json=_is_json(column)) for column in columns]
    except ValueError:
        return _one_by_one(written, columns)
    return RawBatch(_rows(arrays, columns, len(records)), rejected)


def _one_by_one(written: list[bytes], columns: Sequence[ColumnMapping]) -> RawBatch:
    """The batch when some text in it is no text, or a name may be there twice, so that each record is looked at."""
    rows: list[list[str | None]] = []
    rejected: list[RejectedRow] = []
    for one in written:
        try:
            record = record_of(one)
            refuse_repeated(one)
            rows.append([text_of(bytes(record.get(column.name, b"")), as_json=_is_json(column)) for column in columns])
        except ValueError as error:
            rejected.append(_rejected(one, error))
    arrays = [pa.array([row[at] for row in rows], pa.string()) for at in range(len(columns))]
    return RawBatch(_rows(arrays, columns, len(rows)), rejected)


def _rows(arrays: list[pa.Array], columns: Sequence[ColumnMapping], count: int) -> pa.RecordBatch:
    if not columns:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * count, pa.struct([])))
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


def _is_json(column: ColumnMapping) -> bool:
    return column.warehouse_type is WarehouseType.JSON


def _rejected(written: bytes, error: ValueError) -> RejectedRow:
    reason = "holds bytes that are not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
    shown = written.decode("utf-8", "replace").strip()[:_LONGEST_SHOWN]
    return RejectedRow({RECORD: shown}, RECORD, f"The record {reason}.")

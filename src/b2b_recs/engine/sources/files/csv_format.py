"""CSV and other text with delimiters: every value as the text it is, so that nothing is guessed wrongly."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import FileInfo, RejectedRow
from b2b_recs.engine.sources.files.csv_quotes import QuoteFault, TooManyFaults, WithoutQuoteFaults
from b2b_recs.engine.sources.files.dialects import SAMPLE_BYTES, Dialect, detect
from b2b_recs.engine.sources.files.encodings import NO_TEXT, as_utf8, assumed, name_of
from b2b_recs.engine.sources.files.formats import Format, RawBatch, Shape
from b2b_recs.engine.sources.files.limits import LIMITS, too_much
from b2b_recs.engine.sources.files.lines import count_lines
from b2b_recs.engine.sources.files.options import CsvOptions
from b2b_recs.engine.sources.files.unpacking import unpacked

# The column under which a line that could not be taken apart is kept.
LINE = "_line"
_LEAST_BLOCK = 1 << 18
_COUNT_BLOCK = 4 << 20
_LONGEST_SHOWN = 100_000
_AS_TEXT = (WarehouseType.STRING, WarehouseType.JSON, WarehouseType.BYTES, WarehouseType.GEOGRAPHY)


class CsvFormat(Format):
    """Text files with delimiters, packed or not."""

    name: ClassVar[str] = "CSV"
    extensions: ClassVar[tuple[str, ...]] = ("csv", "tsv", "tab", "psv", "txt")
    untyped: ClassVar[bool] = True

    def __init__(self, options: CsvOptions) -> None:
        self._options = options
        self.finds_names = options.header == "auto"
        self._dialects: dict[tuple[str, str], Dialect] = {}

    def shape(self, content: BinaryIO, file: FileInfo, part: str) -> Shape:
        """The names of the first line, or column_1 and so on; every column is text."""
        dialect = self._dialect(content, file)
        schema = pa.schema([pa.field(name, pa.string()) for name in dialect.names])
        taken = assumed(dialect.codec, self._options.encoding)
        return Shape(schema, assumed=taken, against="" if taken else dialect.against)

    def kind(self, data_type: pa.DataType) -> str:
        """CSV knows nothing but text."""
        return "text"

    def count(self, content: BinaryIO, file: FileInfo, part: str) -> int:
        """Lines that are not empty, less the header; records where values may hold line ends."""
        dialect = self._dialect(content, file)
        if not dialect.names:
            return 0
        lines = count_lines(self._text(content, file, dialect), dialect.quote, file)
        if lines is not None:
            return lines - dialect.header
        rows = 0
        for batch in self._records(content, file, dialect, [0], _COUNT_BLOCK):
            rows += batch.rows.num_rows + len(batch.rejected)
        return rows - dialect.header

    def read(
        self, content: BinaryIO, file: FileInfo, part: str, columns: Sequence[ColumnMapping], batch_bytes: int
    ) -> Iterator[RawBatch]:
        """Every line; one with too many or too few values, or with bytes that are no text, is rejected as it is."""
        dialect = self._dialect(content, file)
        if not dialect.names:
            return
        chosen = [dialect.names.index(column.name) for column in columns]
        keeps_empty = [column.warehouse_type in _AS_TEXT for column in columns]
        first = dialect.header
        block = max(_LEAST_BLOCK, batch_bytes)
        for batch in self._records(content, file, dialect, chosen or [0], block):
            if first and batch.rows.num_rows:
                batch.rows, first = batch.rows[1:], False
            if not chosen:
                batch.rows = _only_rows(batch.rows.num_rows)
            yield _as_text(batch, columns, keeps_empty, dialect.codec)

    def _dialect(self, content: BinaryIO, file: FileInfo) -> Dialect:
        key = (file.path, file.mark)
        if key not in self._dialects:
            stream = unpacked(content, file)
            sample = stream.read(SAMPLE_BYTES)
            self._dialects[key] = detect(sample, self._options, file, whole=len(sample) < SAMPLE_BYTES)
        return self._dialects[key]

    def _text(self, content: BinaryIO, file: FileInfo, dialect: Dialect, *, marked: bool = False) -> BinaryIO:
        return as_utf8(unpacked(content, file), dialect.codec, dialect.skip, marked=marked)

    def _records(
        self, content: BinaryIO, file: FileInfo, dialect: Dialect, chosen: list[int], block: int
    ) -> Iterator[RawBatch]:
        """Every record with the chosen columns as bytes.

        Begun again, after what was handed over already, with larger blocks when a record fills a block, and with
        invalid bytes marked when they are in a line that has to be shown.
        """
        nulls = ["", self._options.null_text] if self._options.null_text else [""]
        rows = rejected = faulty = 0
        marked = False
        check: WithoutQuoteFaults | None = None
        while True:
            skip_rows, skip_rejected, skip_faulty = rows, rejected, faulty
            try:
                text = self._text(content, file, dialect, marked=marked)
                check = WithoutQuoteFaults(text, dialect.delimiter, dialect.quote) if dialect.quote else None
                for batch in _parsed(
                    text if check is None else io.BufferedReader(check), dialect, nulls, chosen, block
                ):
                    new = RawBatch(batch.rows[skip_rows:], batch.rejected[skip_rejected:])
                    skip_rows = max(0, skip_rows - batch.rows.num_rows)
                    skip_rejected = max(0, skip_rejected - len(batch.rejected))
                    rows, rejected = rows + new.rows.num_rows, rejected + len(new.rejected)
                    if check is not None:
                        faults = check.taken()
                        new.rejected.extend(_faulty(faults[skip_faulty:], dialect, file))
                        faulty += len(faults[skip_faulty:])
                        skip_faulty = max(0, skip_faulty - len(faults))
                    yield _unmarked(new) if marked else new
                return
            except TooManyFaults:
                raise _quotes_unfit(file) from None
            except pa.ArrowInvalid as error:
                if "straddling" in str(error):
                    block *= 4
                    if block > 4 * LIMITS.row_bytes:
                        raise too_much(file.path, f"has a record of over {LIMITS.row_bytes // 2**20} MB") from None
                elif "Empty CSV" in str(error) and check is not None and check.faults:
                    none = pa.RecordBatch.from_pylist([], pa.schema([(str(at), pa.binary()) for at in chosen]))
                    yield RawBatch(none, list(_faulty(check.faults, dialect, file)))
                    return
                elif "columns, got" in str(error) and not marked:
                    marked = True
                else:
                    raise SourceRefused(
                        f"The file {file.path} cannot be read as CSV: {str(error).splitlines()[0][:200]}.",
                        advice="Check delimiter, quote and encoding in the connection.",
                        field="delimiter",
                    ) from None


def _parsed(text: BinaryIO, dialect: Dialect, nulls: list[str], chosen: list[int], block: int) -> Iterator[RawBatch]:
    rejected: list[RejectedRow] = []

    def note(row: pyarrow.csv.InvalidRow) -> str:
        values = counted(row.actual_columns, "value")
        rejected.append(
            RejectedRow(
                {LINE: row.text[:_LONGEST_SHOWN]}, LINE, f"The line has {values}, not {row.expected_columns:,}."
            )
        )
        return "skip"

    names = [str(at) for at in range(len(dialect.names))]
    reader = pyarrow.csv.open_csv(
        pa.PythonFile(text, mode="r"),
        # One thread: the lines that are refused then come in their order, and the machine has other work.
        read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=block, column_names=names),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            double_quote=True,
            newlines_in_values=bool(dialect.quote),
            invalid_row_handler=note,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.binary()),
            include_columns=[names[at] for at in chosen],
            null_values=nulls,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    for batch in reader:
        yield RawBatch(batch, list(rejected))
        rejected.clear()
    # The last one has no rows: lines at the end may have been rejected on the way.
    yield RawBatch(_none(reader.schema), list(rejected))


def _faulty(faults: Sequence[QuoteFault], dialect: Dialect, file: FileInfo) -> Iterator[RejectedRow]:
    """Lines that were taken out for their quotes, as rejected rows. Raises SourceRefused for a line of names."""
    for fault in faults:
        if fault.first and dialect.header:
            raise SourceRefused(
                f"The names in the file {file.path} cannot be told. {fault.reason}",
                advice="Mend the line, or choose the quote in the connection.",
                field="quote",
            )
        text = fault.text[:_LONGEST_SHOWN].decode("utf-8", "replace")
        yield RejectedRow({LINE: text}, LINE, fault.reason)


def _quotes_unfit(file: FileInfo) -> SourceRefused:
    return SourceRefused(
        f"In the file {file.path} line after line has a quote that is not closed, or is followed by text.",
        advice="Choose the quote in the connection, or none.",
        field="quote",
    )


def _unmarked(batch: RawBatch) -> RawBatch:
    """The batch with a byte that is no text where one was."""
    arrays = [pc.replace_substring(array, NO_TEXT.encode(), b"\xff") for array in batch.rows.columns]
    for rejected in batch.rejected:
        rejected.row[LINE] = (rejected.row[LINE] or "").replace(NO_TEXT, "\ufffd")
    return RawBatch(pa.RecordBatch.from_arrays(arrays, schema=batch.rows.schema), batch.rejected)


def _as_text(batch: RawBatch, columns: Sequence[ColumnMapping], keeps_empty: Sequence[bool], codec: str) -> RawBatch:
    """The bytes as text, rows with others rejected. An empty value in quotes is text in a text column only."""
    arrays = []
    try:
        for array, keep in zip(batch.rows.columns, keeps_empty, strict=True):
            text = pc.cast(array, pa.string())
            if not keep:
                empty = pc.equal(pc.binary_length(text), 0)
                if pc.any(empty).as_py():
                    text = pc.if_else(empty, pa.scalar(None, pa.string()), text)
            arrays.append(text)
    except pa.ArrowInvalid:
        good, refused = _readable(batch.rows, columns, codec)
        return _as_text(RawBatch(good, [*batch.rejected, *refused]), columns, keeps_empty, codec)
    if not arrays:
        return batch
    return RawBatch(pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns]), batch.rejected)


def _readable(
    rows: pa.RecordBatch, columns: Sequence[ColumnMapping], codec: str
) -> tuple[pa.RecordBatch, list[RejectedRow]]:
    """The rows whose bytes are all text, and the others as rejected rows."""
    faults: dict[int, str] = {}
    known = name_of(codec)
    for array, column in zip(rows.columns, columns, strict=True):
        for at, value in enumerate(array.to_pylist()):
            try:
                (value or b"").decode()
            except UnicodeDecodeError:
                faults.setdefault(at, column.name)
    refused = [
        RejectedRow(
            {
                column.name: None if value is None else value.decode("utf-8", "replace")
                for column, value in zip(columns, (array[at].as_py() for array in rows.columns), strict=True)
            },
            name,
            f"{name}: holds bytes that are not {known} text; choose the encoding of the file in the connection",
        )
        for at, name in sorted(faults.items())
    ]
    return rows.filter(pa.array([at not in faults for at in range(rows.num_rows)])), refused


def _only_rows(count: int) -> pa.RecordBatch:
    """A batch that is nothing but its number of rows."""
    return pa.RecordBatch.from_struct_array(pa.array([{}] * count, pa.struct([])))


def _none(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)

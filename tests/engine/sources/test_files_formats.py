# ruff: noqa: DTZ001, E501 - times without a zone are what is tested; tables of cases
"""What is written into files is read back equal, or its row is rejected with the reason."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from engine.sources.test_files_tables import opened, request_of, rows_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import Batch, ReadRequest, Source
from b2b_recs.engine.sources.files import encodings
from b2b_recs.engine.sources.files.options import CsvOptions, Encoding, ExcelOptions
from b2b_recs.engine.sources.registry import SOURCE_TYPES

W = WarehouseType
D = Decimal


def read(source: Source, request: ReadRequest) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Good rows without their path, and column and reason of the rejected ones."""
    batches: list[Batch] = list(source.read(request))
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    for row in rows:
        row.pop("_file", None)
    rejected = [(rejected.column, rejected.reason) for batch in batches for rejected in batch.rejected]
    assert source.count(request) == len(rows) + len(rejected)
    return rows, rejected


def csv_rows(folder: Path, content: bytes, kind: WarehouseType = W.STRING, **options: Any) -> Any:
    """What a CSV file reads as, every column as ``kind``."""
    (folder / "a.csv").write_bytes(content)
    with opened(folder, **options) as source:
        columns = tuple(ColumnMapping(info.name, "", kind) for info in source.columns("", "a.csv")[:-1])
        return read(source, ReadRequest("", "a.csv", columns))


# --- CSV ---------------------------------------------------------------------------------------------------------------

AB = [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n1,2\n", AB), (b"a,b\r\n1,2\r\n", AB), (b"a,b\r1,2\r", AB), (b"a,b\n1,2", AB), (b"\n\na,b\n\n1,2\n\n", AB),
        (b"a;b\n1;2\n", AB), (b"a\tb\n1\t2\n", AB), (b"a|b\n1|2\n", AB), (b"a^b\n1^2\n", AB),
        (b'"a","b"\n"1","2"\n', AB), (b"'a','b'\n'1','2'\n", AB), (b"\xef\xbb\xbfa,b\n1,2\n", AB),
        ("a,b\n1,2\n".encode("utf-16"), AB), ("a,b\n1,2\n".encode("utf-16-le"), AB), ("a,b\n1,2\n".encode("utf-16-be"), AB),
        (b'a;b\n"x;,\ny";"say ""hi"""\n', [{"a": "x;,\ny", "b": 'say "hi"'}]),
        (b"a,b\n,\n", [{"a": None, "b": None}]), (b'a,b\n"",x\n', [{"a": "", "b": "x"}]),
        (b"a,b\n 1 ,00123\n", [{"a": " 1 ", "b": "00123"}]), (b'a,b\n5" pipe,x\n', [{"a": '5" pipe', "b": "x"}]),
        (b"1,2\n3,4\n", [{"column_1": "1", "column_2": "2"}, {"column_1": "3", "column_2": "4"}]),
        (b"a,a,,b \n1,2,3,4\n", [{"a": "1", "a_2": "2", "column_3": "3", "b ": "4"}]),
        (b"a;b\n1,5;2,5\n", [{"a": "1,5", "b": "2,5"}]),
        ("name,b\nça€,2\n".encode("cp1252"), [{"name": "ça€", "b": "2"}]),
        (b"name,b\n\xe7\x81,2\n", [{"name": "ç\x81", "b": "2"}]),
        ("naïve,b\n🙂,2\n".encode(), [{"naïve": "🙂", "b": "2"}]),
        (b"only\nx\ny\n", [{"only": "x"}, {"only": "y"}]), (b"a,b\n", []), (b"", []), (b"\n\n", []),
    ],
    ids=ascii,
)  # fmt: skip
def test_how_a_csv_file_is_written_is_found_out(tmp_path: Path, content: bytes, rows: list[dict[str, Any]]) -> None:
    assert csv_rows(tmp_path, content) == (rows, [])


@pytest.mark.parametrize(
    ("content", "options", "rows"),
    [
        (b"a:b\n1:2\n", {"delimiter": ":"}, AB), (b"a,b\n1,2\n", {"delimiter": ";"}, [{"a,b": "1,2"}]),
        (b"a\tb\n1\t2\n", {"delimiter": "tab"}, AB), (b'a,b\n"1,2\n', {"quote": "none"}, [{"a": '"1', "b": "2"}]),
        (b"a,b\n~1,~,2\n", {"quote": "~"}, [{"a": "1,", "b": "2"}]),
        (b"a,b\n1,2\n", {"header": "no"}, [{"column_1": "a", "column_2": "b"}, {"column_1": "1", "column_2": "2"}]),
        (b"1,2\n3,4\n", {"header": "yes"}, [{"1": "3", "2": "4"}]),
        (b"a,b\n\xe9,2\n", {"encoding": "latin-1"}, [{"a": "é", "b": "2"}]),
        (b"a,b\nNULL,\\N\n", {"null_text": "NULL"}, [{"a": None, "b": "\\N"}]),
        (b'a,b\n"NULL",NULL\n', {"null_text": "NULL"}, [{"a": "NULL", "b": None}]),
    ],
    ids=ascii,
)  # fmt: skip
def test_what_the_connection_says_goes_before_what_is_found(
    tmp_path: Path, content: bytes, options: dict[str, str], rows: list[dict[str, Any]]
) -> None:
    assert csv_rows(tmp_path, content, **options) == (rows, [])


WORDS = {
    "windows-1250": "příliš", "windows-1251": "Привет", "windows-1252": "ça€", "windows-1253": "Ωμέγα",
    "windows-1254": "ığş", "windows-1255": "שלום", "windows-1256": "سلام", "windows-1257": "ąžuolas", "latin-1": "é",
    "iso-8859-2": "żółć", "iso-8859-5": "Жук", "iso-8859-7": "Ωμέγα", "iso-8859-9": "ığş", "iso-8859-15": "œ€",
    "koi8-r": "Привет", "shift_jis": "表示①髙", "gb18030": "中文🙂", "big5": "許功蓋", "euc-kr": "한국어똠", "cp437": "½α",
    "cp850": "Ñ", "cp852": "řůž", "cp866": "Привет", "utf-8": "é🙂", "utf-16": "é🙂",
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("line", ["sep=;\r\n", "SEP=;\n", '"sep=;"\n'])
def test_the_line_that_names_the_delimiter_is_no_row(tmp_path: Path, line: str, encoding: str) -> None:
    content = f"{line}id;price\n1;1,5\n2;\u00e92,5\n".encode(encoding)
    (tmp_path / "a.csv").write_bytes(content)
    with opened(tmp_path) as source:
        request = request_of(source, "csv", "a.csv")
        assert [row["price"] for row in read(source, request)[0]] == ["1,5", "é2,5"]
        assert source.count(request) == 2
    with opened(tmp_path, header="no") as source:
        rows, _ = read(source, request_of(source, "csv", "a.csv"))
        assert [row["column_1"] for row in rows] == ["id", "1", "2"]


def test_there_is_a_word_for_every_encoding_that_can_be_chosen() -> None:
    assert set(WORDS) | {"auto"} == set(get_args(Encoding))


@pytest.mark.parametrize(("encoding", "word"), WORDS.items(), ids=WORDS)
def test_text_of_every_encoding_is_read_as_it_was_written(
    tmp_path: Path, encoding: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Reads end in the middle of a character, whose bytes may be those of a quote or of a delimiter.
    monkeypatch.setattr(encodings, "_CHUNK", 7)
    written = {"shift_jis": "cp932", "big5": "cp950", "euc-kr": "cp949"}.get(encoding, encoding)
    text = f'{word},b\n{word},"{word}\n{word}"\n' + f"{word},x\n" * 20
    rows, rejected = csv_rows(tmp_path, text.encode(written), encoding=encoding, header="yes")
    assert rejected == []
    assert rows == [{word: word, "b": f"{word}\n{word}"}, *[{word: word, "b": "x"}] * 20]


@pytest.mark.parametrize(
    ("encoding", "wrong", "shown"),
    [("windows-1252", b"\x81", "windows-1252"), ("windows-1251", b"\x98", "windows-1251"), ("euc-kr", b"\xff", "euc-kr"),
     ("shift_jis", b"\x81", "shift_jis"), ("utf-16", b"\x00\xd8", "UTF-16"), ("gb18030", b"\xff", "gb18030")],
)  # fmt: skip
def test_bytes_that_an_encoding_does_not_have_are_a_rejected_row(
    tmp_path: Path, encoding: str, wrong: bytes, shown: str
) -> None:
    def line(text: str) -> bytes:
        return text.encode("utf-16-le" if encoding == "utf-16" else "ascii")

    content = line("a,b\n1,x\n2,") + wrong + line(",\n3,") + wrong + line("\n4,y\n")
    rows, rejected = csv_rows(tmp_path, content, encoding=encoding)
    assert rows == [{"a": "1", "b": "x"}, {"a": "4", "b": "y"}]
    assert sorted(rejected) == [
        ("_line", "The line has 3 values, not 2."),
        ("b", f"b: holds bytes that are not {shown} text; choose the encoding of the file in the connection"),
    ]
    with pytest.raises(SourceRefused, match=rf"column 2 in the first line of the file a.csv .* not {shown} text"):
        csv_rows(tmp_path, line("a,") + wrong + line("\n1,2\n"), encoding=encoding, header="yes")


def test_a_mark_at_the_beginning_goes_before_the_encoding_that_was_chosen(tmp_path: Path) -> None:
    rows, _ = csv_rows(tmp_path, "назва\nä\n".encode("utf-8-sig"), encoding="windows-1251")
    assert rows == [{"назва": "ä"}]
    rows, _ = csv_rows(tmp_path, "\ufeffназва\nä\n".encode("gb18030"))
    assert rows == [{"назва": "ä"}]


def test_an_encoding_that_nothing_names_is_told_beside_the_columns(tmp_path: Path) -> None:
    for name, content in (
        ("a.csv", "id,имя\n1,Иван\n"),
        ("b.csv", "id,имя\n2,Пётр\n"),
    ):
        (tmp_path / name).write_bytes(content.encode("cp1251"))
    (tmp_path / "c.csv").write_text("id\n3\n", "utf-8")
    told = (
        "The file a.csv and 1 more are not UTF-8 and nothing in it names its encoding, so it was read as windows-1252. If "
        "letters look wrong, choose the encoding in the connection."
    )
    with opened(tmp_path) as source:
        columns = source.columns("", "*.csv")
        assert {column.doubt for column in columns[:-1]} == {told}
        samples = source.samples("", "*.csv", [column.name for column in columns])
        number, name, path = SOURCE_TYPES["csv"].propose(columns, samples, "UTC")
    assert (name.warning, name.confidence.value) == (told, "low")
    # A number is the same in every encoding, and a path is no content.
    assert number.warehouse_type is W.INT64
    assert "a.csv" not in number.warning + path.warning
    for options in ({"encoding": "windows-1251"}, {"encoding": "windows-1252"}):
        with opened(tmp_path, **options) as source:
            assert {column.doubt for column in source.columns("", "*.csv")} == {""}


def test_an_encoding_in_doubt_is_told_once_beside_the_first_column_with_letters_that_may_be_wrong(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_bytes("code,city,street\nx,Köln,Straße\ny,Ulm,Allee\n".encode("cp1252"))
    with opened(tmp_path) as source:
        columns = source.columns("", "a.csv")
        samples = source.samples("", "a.csv", [column.name for column in columns])
        found = SOURCE_TYPES["csv"].propose(columns, samples, "UTC")
    assert [("nothing in it names" in one.warning, one.confidence.value) for one in found[:3]] == [
        (False, "high"), (True, "low"), (False, "low"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("delimiter", "none", "must be one character or tab; a file of one column needs none"),
        ("delimiter", "||", "must be one character; 2 were given"), ("delimiter", "§", "must be a character of ASCII"),
        ("delimiter", "\n", "must not be the end of a line"), ("quote", "«", "must be a character of ASCII"),
        ("quote", "''", "must be one character; 2 were given"), ("header_row", "first", "must be auto, or the number of a row"),
        ("header_row", -1, "must be auto, or the number of a row"), ("header_row", True, "must be auto"),
    ],
)  # fmt: skip
def test_marks_that_cannot_be_read_are_refused_with_the_reason(field: str, value: object, words: str) -> None:
    model = ExcelOptions if field == "header_row" else CsvOptions
    with pytest.raises(ValidationError, match=re.escape(words)):
        model.model_validate({field: value})


@pytest.mark.parametrize(("given", "meant"), [("auto", "auto"), ("AUTO", "auto"), (3, 3), ("3", 3), ("0", 0)])
def test_the_row_of_names_is_auto_or_a_number(given: object, meant: object) -> None:
    assert ExcelOptions.model_validate({"header_row": given}).header_row == meant


def test_lines_that_do_not_fit_are_rejected_as_they_are(tmp_path: Path) -> None:
    content = b"a,b\n1,2\nonly\n1,2,3\n\xff,x\n\xff,x,y\n5,6\n"
    rows, rejected = csv_rows(tmp_path, content, encoding="utf-8")
    assert rows == [{"a": "1", "b": "2"}, {"a": "5", "b": "6"}]
    assert sorted(rejected) == [
        ("_line", "The line has 1 value, not 2."), ("_line", "The line has 3 values, not 2."),
        ("_line", "The line has 3 values, not 2."),
        ("a", "a: holds bytes that are not UTF-8 text; choose the encoding of the file in the connection"),
    ]  # fmt: skip
    with opened(tmp_path, encoding="utf-8") as source:
        request = ReadRequest("", "a.csv", (ColumnMapping("a", "", W.STRING),))
        kept = [row.row for batch in source.read(request) for row in batch.rejected]
    assert {"_line": "only", "_file": "a.csv"} in kept
    assert {"_line": "\ufffd,x,y", "_file": "a.csv"} in kept


def test_values_become_what_the_job_chose_or_are_rejected(tmp_path: Path) -> None:
    content = b'n\n9223372036854775807\n9223372036854775808\nx\n""\n\n-0\n'
    rows, rejected = csv_rows(tmp_path, content, W.INT64)
    assert [row["n"] for row in rows] == [9223372036854775807, None, 0]
    assert [column for column, _ in rejected] == ["n", "n"]
    assert all(reason.startswith("n: ") for _, reason in rejected)


def test_a_record_larger_than_a_block_is_read_and_counted_once(tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,x\n" * 9 + b"2," + b"y" * 3_000_000 + b'\n3,4,5\n6,"' + b"z\n" * 2_000_000 + b'"\n7,x\n'
    (tmp_path / "a.csv").write_bytes(content)
    with opened(tmp_path) as source:
        columns = (ColumnMapping("a", "", W.INT64), ColumnMapping("b", "", W.STRING))
        rows, rejected = read(source, ReadRequest("", "a.csv", columns, batch_bytes=64 * 1024))
    assert [(row["a"], len(row["b"])) for row in rows] == [*[(1, 1)] * 9, (2, 3_000_000), (6, 4_000_000), (7, 1)]
    assert len(rejected) == 1


def _zipped(content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.csv", content)
    return sink.getvalue()


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, bz2.compress, lzma.compress, lambda data: pa.compress(data, codec="zstd", asbytes=True), _zipped,
     lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:]),
     lambda data: lzma.compress(data[:5]) + lzma.compress(data[5:])],
    ids=["gzip", "bz2", "xz", "zstd", "zip", "gzip of two", "xz of two"],
)  # fmt: skip
def test_packed_files_are_known_by_their_content(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    assert csv_rows(tmp_path, pack(b"a,b\n1,2\n")) == (AB, [])


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=30), delimiter=st.sampled_from(",;\t|"))
def test_any_text_written_as_csv_is_read_back(
    tmp_path: Path, values: list[tuple[str, str, str]], delimiter: str
) -> None:
    import csv

    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("first name", "second name", "third name"), *values])
    rows, rejected = csv_rows(tmp_path, text.getvalue().encode(), header="yes", delimiter=delimiter, quote='"')
    assert rejected == []
    assert [tuple(row.values()) for row in rows] == values


# --- JSON --------------------------------------------------------------------------------------------------------------

BIG = "12345678901234567890123456789012345678"


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("1", W.INT64, 1), ("-9223372036854775808", W.INT64, -(2**63)), ("0.10", W.NUMERIC, D("0.100000000")),
        ("12345678901234567890.123456789", W.NUMERIC, D("12345678901234567890.123456789")), (BIG, W.BIGNUMERIC, BIG),
        ("9223372036854775808", W.NUMERIC, D(2**63)), ("1e5", W.FLOAT64, 1e5), ("0.30000000000000004", W.FLOAT64, 0.30000000000000004),
        ("-2.5E-7", W.FLOAT64, -2.5e-7), ("true", W.BOOL, True), ("false", W.BOOL, False), ("null", W.STRING, None),
        ('"é\\u00e9🙂\\n\\"\\\\"', W.STRING, 'éé🙂\n"\\'), ('""', W.STRING, ""), ('"00123"', W.STRING, "00123"),
        ('{"b": 1.10, "a": [1, null]}', W.JSON, '{"b": 1.10, "a": [1, null]}'), ("[]", W.JSON, "[]"),
        ('"2024-02-29"', W.STRING, "2024-02-29"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("layout", ["lines", "array"])
def test_a_value_of_json_is_proposed_and_read_exactly(
    tmp_path: Path, written: str, kind: WarehouseType, value: Any, layout: str
) -> None:
    text = f'{{"v": {written}, "k": 1}}'
    (tmp_path / "a.json").write_text(
        f"[\n {text},\n {text}]" if layout == "array" else f"{text}\r\n\r\n{text}", "utf-8"
    )
    with opened(tmp_path, "json") as source:
        request = request_of(source, "json", "a.json")
        assert {column.name: column.warehouse_type for column in request.columns}["v"] is kind
        rows, rejected = read(source, request)
    assert rejected == []
    assert len(rows) == 2
    if kind is W.BIGNUMERIC:
        assert D(rows[0]["v"]) == D(value)
    else:
        assert rows == [{"v": value, "k": 1}] * 2


def test_records_that_are_no_objects_are_rejected_and_names_differ_by_row(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"a":1}\n[1]\n7\n{"b":"\xff"}\n{"b":"\\ud800"}\n{"a":\n{"b":"x","a":null}\n')
    with opened(tmp_path, "json") as source:
        request = request_of(source, "json", "a.json")
        rows, rejected = read(source, request)
        assert [column.name for column in request.columns] == ["a", "b", "_file"]
    assert rows == [{"a": 1, "b": None}, {"a": None, "b": "x"}]
    assert [reason for _, reason in rejected] == [
        "The record is not a JSON object.", "The record is not a JSON object.",
        "The record holds bytes that are not UTF-8 text.", "The record is not valid JSON.",
        "The record is not valid JSON.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "content", "ids", "rejected"),
    [
        ("lines", b'{"a":1}\n{"a":2}\n', [1, 2], []), ("array", b'[{"a":1},{"a":2}]', [1, 2], []),
        # A first line that is a list makes a file look like an array.
        ("lines", b'[0]\n{"a":1}\n', [1], ["The record is not a JSON object."]),
        ("lines", b'[{"a":1},\n{"a":2}]\n', [], ["The record is not a JSON object.", "The record is not valid JSON."]),
    ],
)  # fmt: skip
def test_the_layout_of_json_can_be_chosen(
    tmp_path: Path, layout: str, content: bytes, ids: list[int], rejected: list[str]
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with opened(tmp_path, "json", layout=layout) as source:
        rows, refused = read(source, request_of(source, "json", "a.json"))
    assert [row["a"] for row in rows] == ids
    assert [reason for _, reason in refused] == rejected


def test_json_of_lines_is_refused_where_an_array_was_chosen(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"a":1}\n')
    with (
        opened(tmp_path, "json", layout="array") as source,
        pytest.raises(SourceRefused, match="not one JSON array") as no,
    ):
        source.columns("", "a.json")
    assert no.value.field == "layout"


SCALARS = st.none() | st.booleans() | st.integers() | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(st.dictionaries(st.sampled_from(["a", "b", "ç"]), VALUES), min_size=1, max_size=20),
    array=st.booleans(),
    indent=st.sampled_from([None, 2]),
)
def test_any_json_is_read_back_as_json(
    tmp_path: Path, records: list[dict[str, Any]], array: bool, indent: int | None
) -> None:
    text = json.dumps(records, indent=indent) if array else "\n".join(map(json.dumps, records))
    (tmp_path / "a.json").write_text(text, "utf-8")
    with opened(tmp_path, "json") as source:
        names = [info.name for info in source.columns("", "a.json")[:-1]]
        columns = (*(ColumnMapping(name, "", W.JSON) for name in names), ColumnMapping("_file", "", W.STRING))
        rows, rejected = read(source, ReadRequest("", "a.json", columns))
    assert rejected == []
    found = [{name: json.loads(value) for name, value in row.items() if value is not None} for row in rows]
    assert found == [{name: value for name, value in record.items() if value is not None} for record in records]


# --- Parquet -----------------------------------------------------------------------------------------------------------

YEARS = "outside the years 1 to 9999"
PARQUET: list[tuple[pa.DataType, list[tuple[Any, Any]]]] = [
    (pa.bool_(), [(True, True), (False, False), (None, None)]),
    *[(kind, [(0, 0), (127, 127)]) for kind in (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32())],
    (pa.int64(), [(-(2**63), -(2**63)), (2**63 - 1, 2**63 - 1)]),
    (pa.uint64(), [(2**64 - 1, D(2**64 - 1))]),
    (pa.float32(), [(0.5, 0.5), (float("inf"), float("inf")), (float("nan"), float("nan"))]),
    (pa.float64(), [(0.1, 0.1), (5e-324, 5e-324), (-0.0, -0.0)]),
    (pa.decimal128(12, 2), [(D("9999999999.99"), D("9999999999.99")), (D("-0.01"), D("-0.01"))]),
    (pa.decimal128(38, 9), [(D("9" * 29 + "." + "9" * 9), D("9" * 29 + "." + "9" * 9))]),
    (pa.decimal128(38, 38), [(D("0." + "9" * 38), D("0." + "9" * 38))]),
    (pa.string(), [("🙂 \\ ' \"", "🙂 \\ ' \""), ("", ""), (None, None)]),
    (pa.large_string(), [("x" * 100_000, "x" * 100_000)]),
    (pa.dictionary(pa.int32(), pa.string()), [("red", "red"), (None, None)]),
    (pa.binary(), [(b"\x00\xff", b"\x00\xff")]),
    (pa.binary(3), [(b"\x00\xff\x01", b"\x00\xff\x01")]),
    (pa.date32(), [(date(1, 1, 1), date(1, 1, 1)), (date(9999, 12, 31), date(9999, 12, 31))]),
    (pa.timestamp("ms"), [(datetime(1, 1, 1), datetime(1, 1, 1))]),
    (pa.timestamp("us"), [(datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(9999, 12, 31, 23, 59, 59, 999999))]),
    (pa.timestamp("us", "UTC"), [(datetime(2024, 3, 31, 1, 30, tzinfo=UTC), datetime(2024, 3, 31, 1, 30, tzinfo=UTC))]),
    (
        pa.timestamp("us", "Europe/Berlin"),
        [(datetime(2024, 7, 1, 1, tzinfo=UTC), datetime(2024, 7, 1, 1, tzinfo=UTC))],
    ),
    (pa.time32("ms"), [(time(23, 59, 59, 999000), "23:59:59.999000")]),
    (pa.time64("us"), [(time(0, 0, 0, 1), "00:00:00.000001")]),
    (pa.list_(pa.int32()), [([1, None, 3], [1, None, 3]), ([], [])]),
    (pa.struct([("street", pa.string()), ("n", pa.int64())]), [({"street": 'a"', "n": 2**60}, {"street": 'a"', "n": 2**60})]),
    (pa.map_(pa.string(), pa.int32()), [([("k", 1)], {"k": 1})]),
    (pa.uuid(), [(uuid.UUID(int=5), str(uuid.UUID(int=5)))]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "values"), PARQUET, ids=lambda value: str(value) if isinstance(value, pa.DataType) else ""
)
def test_every_type_of_parquet_is_read_back(tmp_path: Path, kind: pa.DataType, values: list[tuple[Any, Any]]) -> None:
    array = pa.array([value for value, _ in values], kind) if kind != pa.uuid() else pa.array(
        [value.bytes for value, _ in values], pa.binary(16)).cast(kind)  # fmt: skip
    pq.write_table(pa.table({"v": array}), tmp_path / "a.parquet")
    with opened(tmp_path, "parquet") as source:
        rows, rejected = read(source, request_of(source, "parquet", "a.parquet"))
    assert rejected == []
    for row, (_, expected) in zip(rows, values, strict=True):
        found = json.loads(row["v"]) if isinstance(expected, list | dict) else row["v"]
        assert found == expected or (found != found and expected != expected)


def test_moments_that_the_warehouse_cannot_hold_are_rejected(tmp_path: Path) -> None:
    nanoseconds = pa.array([1, 1000], pa.timestamp("ns"))
    pq.write_table(pa.table({"v": nanoseconds}), tmp_path / "a.parquet", version="2.6")
    with opened(tmp_path, "parquet") as source:
        rows, rejected = read(source, request_of(source, "parquet", "a.parquet"))
    assert [row["v"] for row in rows] == [datetime(1970, 1, 1, 0, 0, 0, 1)]
    assert [column for column, _ in rejected] == ["v"]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_parquet_of_several_row_groups_is_read_in_any_compression(tmp_path: Path, compression: str) -> None:
    table = pa.table({"id": list(range(25_000)), "other": ["x"] * 25_000})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=7_000, compression=compression)
    with opened(tmp_path, "parquet") as source:
        request = ReadRequest("", "a.parquet", (ColumnMapping("id", "int64", W.INT64),), batch_bytes=64 * 1024)
        assert [row["id"] for row in rows_of(source, request)] == list(range(25_000))
        assert source.count(request) == 25_000

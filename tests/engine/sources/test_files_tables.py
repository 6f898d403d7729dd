"""Tables of files: patterns, columns by name, marks, limits of rows, changes while reading."""

from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from b2b_recs.engine import errors
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest, Source, Window
from b2b_recs.engine.sources.files.patterns import Pattern
from b2b_recs.engine.sources.registry import SOURCE_TYPES, open_source
from b2b_recs.runtime.guard import OutgoingGuard


def opened(folder: Path, kind: str = "csv", **more: Any) -> Source:
    parameters = {"location": str(folder), **more}
    return open_source(kind, parameters, OutgoingGuard(enabled=True, folders=[folder]))


def request_of(source: Source, kind: str, table: str, **more: Any) -> ReadRequest:
    columns = source.columns("", table)
    samples = source.samples("", table, [column.name for column in columns], 1000)
    return ReadRequest("", table, tuple(SOURCE_TYPES[kind].propose(columns, samples, "UTC")), **more)


def rows_of(source: Source, request: ReadRequest) -> list[dict[str, Any]]:
    return [row for batch in source.read(request) for row in batch.rows.to_pylist()]


@pytest.mark.parametrize(
    ("pattern", "matched", "other"),
    [
        ("orders/2024-*.csv", ["orders/2024-01.csv", "orders/2024-.csv"], ["orders/2023-1.csv", "orders/a/2024-1.csv"]),
        ("**/*.csv", ["a.csv", "x/a.csv", "x/y/a.csv"], ["a.csv.gz", "_x/a.csv", "x/.a.csv", "x/_SUCCESS.csv"]),
        ("orders/**", [], ["orders/a.csv"]),
        ("orders/**/part-?.csv", ["orders/part-1.csv", "orders/a/b/part-2.csv"], ["orders/part-10.csv"]),
        ("a*b*c.csv", ["abc.csv", "axxbyyc.csv"], ["abd.csv", "a/b/c.csv"]),
        ("_raw/*.csv", ["_raw/a.csv"], ["_raw/_a.csv"]),
        ("_raw/_*.csv", ["_raw/_a.csv"], ["_raw/a.csv"]),
        ("a[1].csv", ["a[1].csv"], ["a1.csv"]),
        ("a+(b)|c.csv", ["a+(b)|c.csv"], ["aab.csv"]),
        ("what?.csv", ["what?.csv", "whats.csv"], ["what.csv"]),
    ],
)
def test_a_pattern_means_these_files_and_no_others(pattern: str, matched: list[str], other: list[str]) -> None:
    made = Pattern(pattern)
    assert [path for path in [*matched, *other] if made.matches(path)] == matched
    assert all(path.startswith(made.prefix) for path in matched)


def test_a_pattern_of_many_stars_is_matched_at_once() -> None:
    assert not Pattern("*a" * 30 + "b").matches("a" * 5000)


def test_tables_are_patterns_of_folders_then_files(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    for name in ("a.csv", "b.csv", "c.csv.gz", "notes.md", ".hidden.csv", "_partial.csv"):
        (tmp_path / "orders" / name).write_bytes(b"id\n1\n")
    (tmp_path / "single.tsv").write_bytes(b"id\n1\n")
    with opened(tmp_path) as source:
        tables = source.tables()
        assert [(table.name, table.kind) for table in tables] == [
            ("orders/*.csv", "files"), ("orders/a.csv", "file"), ("orders/b.csv", "file"), ("orders/c.csv.gz", "file"),
            ("single.tsv", "file"),
        ]  # fmt: skip
        assert tables[0].size_bytes == 10
        assert tables[0].last_change is not None
        assert all(table.schema == "" for table in tables)
        for schema, table in (("x", "orders/a.csv"), ("", "orders"), ("", "orders/"), ("", "x/*.csv")):
            with pytest.raises(errors.TableMissing):
                source.columns(schema, table)


@pytest.mark.parametrize(
    ("kind", "listed"),
    [("csv", ["a.csv", "a.csv.gz"]), ("json", ["a.json", "a.json.zst"]), ("excel", []), ("parquet", [])],
)
def test_files_are_listed_only_where_their_packing_can_be_read(tmp_path: Path, kind: str, listed: list[str]) -> None:
    for name in ("a.csv", "a.csv.gz", "a.json", "a.json.zst", "a.xlsx.gz", "a.xls.zip", "a.parquet.gz"):
        (tmp_path / name).write_bytes(b"{}\n")
    with opened(tmp_path, kind) as source:
        assert [table.name for table in source.tables()] == listed


def test_a_place_without_any_file_of_the_format_passes_a_test_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("nothing")
    with opened(tmp_path) as source:
        checked = source.check()
        assert checked.tables == ()
        assert checked.warning == (
            f"The folder {tmp_path} has no CSV file yet, whose names end in .csv, .tsv, .tab, .psv, .txt."
        )
        with pytest.raises(errors.FilesMissing, match=r"No file matches '\*\.csv' in the folder") as refused:
            source.columns("", "*.csv")
        assert refused.value.field == "source_table"
        with pytest.raises(errors.TableMissing, match=r"has no file 'a\.csv'") as missing:
            source.columns("", "a.csv")
        assert not isinstance(missing.value, errors.FilesMissing)
    (tmp_path / "a.csv").write_text("id\n1\n")
    with opened(tmp_path) as source:
        assert source.check().warning == ""


def test_a_folder_that_is_missing_says_where_it_was_looked_for_and_a_file_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "a.csv").write_bytes(b"id\n1\n")
    guard = OutgoingGuard(enabled=True, folders=[tmp_path])
    for location, words in (
        (
            "ordrs",
            f"There is no folder ordrs; it was looked for at {tmp_path}/ordrs. Check the spelling of the folder.",
        ),
        ("orders/a.csv", "orders/a.csv is a file. Name its folder, such as orders; its files become the tables."),
    ):
        with (
            open_source("csv", {"location": location}, guard) as source,
            pytest.raises(errors.SourceRefused) as refused,
        ):
            source.check()
        assert str(refused.value) == words
        assert refused.value.field == "location"


def test_row_estimates_of_parquet_come_from_the_footers(tmp_path: Path) -> None:
    for at in range(3):
        pq.write_table(pa.table({"id": list(range(at + 1))}), tmp_path / f"{at}.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"no")
    with opened(tmp_path, "parquet") as source:
        found = {table.name: table.row_estimate for table in source.tables()}
    assert found == {"*.parquet": None, "0.parquet": 1, "1.parquet": 2, "2.parquet": 3, "bad.parquet": None}
    (tmp_path / "bad.parquet").unlink()
    with opened(tmp_path, "parquet") as source:
        assert source.tables()[0].row_estimate == 6


def test_columns_of_several_files_are_joined_by_name_and_widened(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"id": pa.array([1], pa.int32()), "at": pa.array([0], pa.timestamp("s"))}), tmp_path / "1.parquet"
    )
    pq.write_table(
        pa.table({"at": pa.array([1], pa.timestamp("us")), "new": ["x"], "id": pa.array([2**40])}),
        tmp_path / "2.parquet",
    )
    pq.write_table(pa.table({"id": ["three"]}), tmp_path / "3.parquet")
    with opened(tmp_path, "parquet") as source:
        columns = source.columns("", "[12].parquet".replace("[12]", "*"))
        assert [(column.name, column.source_type) for column in columns] == [
            ("id", "string"), ("at", "timestamp[us]"), ("new", "string"), ("_file", "path of the file"),
        ]  # fmt: skip
        assert [column.nullable for column in columns] == [True, True, True, False]
        (tmp_path / "3.parquet").unlink()
        request = request_of(source, "parquet", "*.parquet")
        assert [(column.name, column.warehouse_type.value, column.mode) for column in request.columns] == [
            ("id", "INT64", Mode.NULLABLE), ("at", "DATETIME", Mode.NULLABLE), ("new", "STRING", Mode.NULLABLE),
            ("_file", "STRING", Mode.REQUIRED),
        ]  # fmt: skip
        rows = rows_of(source, request)
    assert [(row["id"], row["new"], row["_file"]) for row in rows] == [
        (1, None, "1.parquet"),
        (2**40, "x", "2.parquet"),
    ]
    assert [row["at"].second + row["at"].microsecond for row in rows] == [0, 1]


def test_files_in_other_orders_and_dialects_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id,word\n1,a\n")
    (tmp_path / "2.csv").write_text("word;id\nb;2\n")
    (tmp_path / "3.csv").write_bytes("id\tword\textra\n3\tç\tz\n".encode("utf-16"))
    with opened(tmp_path) as source:
        request = request_of(source, "csv", "*.csv")
        assert [column.name for column in request.columns] == ["id", "word", "extra", "_file"]
        assert rows_of(source, request) == [
            {"id": 1, "word": "a", "extra": None, "_file": "1.csv"},
            {"id": 2, "word": "b", "extra": None, "_file": "2.csv"},
            {"id": 3, "word": "ç", "extra": "z", "_file": "3.csv"},
        ]
        assert source.count(request) == 3
        some = replace(request, files=("1.csv", "3.csv"))
        assert [row["id"] for row in rows_of(source, some)] == [1, 3]
        assert source.count(some) == 2
        assert [row["id"] for row in rows_of(source, replace(request, row_limit=2))] == [1, 2]
        with pytest.raises(errors.ConnectionLost):
            source.count(replace(request, files=("1.csv", "gone.csv")))


HEADED = {"a.csv": "name,city\nAnna,Berlin\n", "b.csv": "city,name\nBonn,Bert\n"}


@pytest.mark.parametrize(
    ("files", "strange"),
    [
        (HEADED | {"c.csv": "Carl,Köln\nDora,Ulm\n"}, "The file c.csv has no column in common with a.csv"),
        ({"c.csv": "Carl,Köln\n", "d.csv": HEADED["a.csv"]}, "The file d.csv has no column in common with c.csv"),
        (HEADED | {"c.csv": "3,z\n"}, "c.csv has no column in common with a.csv: its first line gave “column_1”"),
        ({"a.csv": "3,z\n4,w\n", "b.csv": "id,word\n1,x\n"}, "The file a.csv has no column in common with b.csv"),
        (
            HEADED | {"c.csv": "3,z\n", "d.csv": "4,w\n"},
            "The file d.csv, as 1 other file like it, has no column in common with a.csv",
        ),
    ],
    ids=str,
)
def test_a_file_without_the_names_of_the_others_is_refused_and_no_row_is_lost(
    tmp_path: Path, files: dict[str, str], strange: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with opened(tmp_path) as source, pytest.raises(errors.SourceRefused) as refused:
        source.columns("", "*.csv")
    assert strange in refused.value.message and refused.value.field == "header"
    # Where somebody says that first lines are names, they are, whatever they share.
    with opened(tmp_path, header="yes") as source:
        assert source.columns("", "*.csv")


def test_files_that_share_a_name_through_others_or_have_no_line_are_one_table(tmp_path: Path) -> None:
    for name, content in {"a": "id,word\n1,x\n", "b": "Word,extra\ny,2\n", "c": "extra,z\n1,2\n", "d": ""}.items():
        (tmp_path / f"{name}.csv").write_text(content)
    with opened(tmp_path) as source:
        assert len(source.columns("", "*.csv")) == 6


def test_whole_numbers_and_decimals_of_several_files_keep_all_digits(tmp_path: Path) -> None:
    numbers = [
        pa.array([2**63 - 1]),
        pa.array([Decimal("1.5")], pa.decimal128(5, 1)),
        pa.array([2**64 - 1], pa.uint64()),
    ]
    for at, values in enumerate(numbers):
        pq.write_table(pa.table({"n": values}), tmp_path / f"{at}.parquet")
    with opened(tmp_path, "parquet") as source:
        rows = rows_of(source, request_of(source, "parquet", "*.parquet"))
    assert [row["n"] for row in rows] == [2**63 - 1, Decimal("1.5"), 2**64 - 1]


def test_a_column_named_as_the_path_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,_file\n1,x\n")
    with opened(tmp_path) as source, pytest.raises(errors.SourceRefused) as refused:
        source.columns("", "a.csv")
    assert "_file" in refused.value.message


def test_a_file_written_while_it_is_read_gives_nothing_half(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id\n" + "1\n" * 400_000)
    with opened(tmp_path) as source:
        request = request_of(source, "csv", "a.csv", batch_bytes=64 * 1024)
        batches = source.read(request)
        next(batches)
        with path.open("a") as file:
            file.write("2\n")
        with pytest.raises(errors.ConnectionLost) as lost:
            list(batches)
        assert lost.value.transient
        assert "a.csv" in lost.value.message
        assert len(rows_of(source, request)) == 400_001
        assert source.count(request) == 400_001


def test_a_file_cut_while_it_is_read_is_told_as_a_change_and_not_as_damage(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "a.csv.gz"
    content = gzip.compress(b"id\n" + b"".join(b"%d\n" % (at * 7919 % 1_000_003) for at in range(800_000)))
    path.write_bytes(content)
    with opened(tmp_path) as source:
        batches = source.read(request_of(source, "csv", "a.csv.gz", batch_bytes=64 * 1024))
        next(batches)
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(errors.ConnectionLost):
            list(batches)


def test_windows_orders_and_cursors_are_not_for_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")
    with opened(tmp_path) as source:
        request = request_of(source, "csv", "a.csv")
        for more in ({"window": Window("id")}, {"order_by": ("id",)}):
            with pytest.raises(errors.BadInput) as refused:
                list(source.read(replace(request, **more)))
            assert refused.value.field == "load"
        with pytest.raises(errors.BadInput):
            source.max_cursor("", "a.csv", "id")


def test_a_moved_in_file_of_the_same_size_and_time_has_another_mark(tmp_path: Path) -> None:
    import os

    path = tmp_path / "a.csv"
    path.write_text("id\n1\n")
    os.utime(path, ns=(1, 10**18))
    with opened(tmp_path) as source:
        (before,) = source.files("", "a.csv")
        other = tmp_path / "new"
        other.write_text("id\n2\n")
        os.utime(other, ns=(1, 10**18))
        other.replace(path)
        (after,) = source.files("", "a.csv")
    assert (before.size, before.modified) == (after.size, after.modified)
    assert before.mark != after.mark


def test_no_column_is_read_as_rows_without_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n2\n")
    (tmp_path / "b.csv").write_text("other\n3\n")
    with opened(tmp_path) as source:
        columns = (ColumnMapping("_file", "", WarehouseType.STRING),)
        assert rows_of(source, ReadRequest("", "*.csv", columns)) == [
            {"_file": "a.csv"}, {"_file": "a.csv"}, {"_file": "b.csv"},
        ]  # fmt: skip


def test_files_that_cannot_be_read_by_their_name_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")
    with opened(tmp_path) as source:
        assert not source.columns("", "*.csv")[-1].doubt
        (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
        assert source.columns("", "*.csv")[-1].doubt == (
            "The file b.csv is left out: the name is not UTF-8 text, or it is a link. Rename or copy it."
        )
        (tmp_path / os.fsdecode(b"caf\xe9.csv")).write_text("id\n2\n")
        assert "The file b.csv and 1 more are left out" in source.columns("", "*.csv")[-1].doubt
        assert not source.columns("", "a.csv")[-1].doubt


def test_names_that_differ_in_capitals_from_file_to_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,x\n")
    (tmp_path / "b.csv").write_text("ID,name\n2,y\n")
    with opened(tmp_path) as source:
        assert source.columns("", "*.csv")[-1].doubt == (
            "Files call the same column id and ID: a job has one of the two. Name them alike."
        )
        assert not source.columns("", "a.csv")[-1].doubt


def test_a_file_of_utf_8_that_is_read_as_the_connection_says_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,name\n1,\u0141\u00f3d\u017a\n".encode("iso8859-2"))
    with opened(tmp_path, encoding="iso-8859-2") as source:
        assert not source.columns("", "*.csv")[0].doubt
        (tmp_path / "b.csv").write_text("id,name\n2,\u0141\u00f3d\u017a\n", "utf-8")
        assert source.columns("", "*.csv")[0].doubt.startswith(
            "The file b.csv is UTF-8 to all appearance, and read as iso"
        )

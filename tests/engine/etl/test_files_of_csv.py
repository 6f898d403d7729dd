"""Real CSV files in a folder, loaded one by one."""

from __future__ import annotations

import itertools
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from b2b_recs.engine.errors import ColumnMissing, FilesMissing, TooManyRejected
from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import Catalog, CopyResult, CopySpec, Files
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.files import store
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalWarehouse


class AnyFolder:
    """A guard that lets every folder be read."""

    def __call__(self, host: str, port: int) -> str:
        return host

    def folder(self, path: str) -> Path:
        return Path(path)


def copied(folder: Path, run_key: str, opened: list[str] | None = None, **more: Any) -> CopyResult:
    """One run; ``opened`` gets the path of each file whenever it is opened, ``delimiter`` is the connection's."""
    csv, delimiter = SOURCE_TYPES["csv"], more.pop("delimiter", "")
    settings = {"source_schema": "", "source_table": "*.csv", "destination_table": "bq_lines", "load": Files(), **more}
    spec = CopySpec.model_validate(settings)
    parameters = csv.Parameters(location=str(folder / "in"), delimiter=delimiter)
    with csv.open(parameters, AnyFolder()) as source:
        store: Any = source._store  # type: ignore[attr-defined]
        really = store.open
        store.open = lambda file: (opened if opened is not None else []).append(file.path) or really(file)
        warehouse = LocalWarehouse(folder / "warehouse")
        return copy_table(
            csv, source, spec, warehouse, folder / "staging", run_key, Silent(), lambda: datetime.now(UTC)
        )


def names(folder: Path) -> list[tuple[str, str]]:
    rows = LocalWarehouse(folder / "warehouse").table("raw_data", "bq_lines").read().to_pylist()
    return sorted((row["_file"], row["name"]) for row in rows)


def test_new_and_changed_files_are_loaded_and_others_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.csv").write_text("id,name\n1,x\n2,y\n")
    (place / "b.csv").write_text("id,name\n3,z\n")
    first = copied(tmp_path, "one")
    assert (first.rows_loaded, first.files_loaded, first.reconciled) == (3, 2, True)
    assert not copied(tmp_path, "two").changed
    (place / "a.csv").write_text("id,name\n1,x\n2,changed\n5,w\n")
    (place / "c.csv").write_text("id,name\n9,n\n")
    third = copied(tmp_path, "three")
    assert (third.rows_loaded, third.rows_replaced, third.files_loaded, third.reconciled) == (4, 2, 2, True)
    assert names(tmp_path) == [
        ("a.csv", "changed"),
        ("a.csv", "w"),
        ("a.csv", "x"),
        ("b.csv", "z"),
        ("c.csv", "n"),
    ]


def test_a_pattern_that_matches_nothing_is_refused_by_the_first_run(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(FilesMissing, match=r"No file matches '\*\.csv' in the folder .*in\.") as refused:
        copied(tmp_path, "one")
    assert refused.value.field == "source_table" and "Put a file there" in refused.value.advice
    assert not LocalWarehouse(tmp_path / "warehouse").table("raw_data", "bq_lines").exists()


@pytest.mark.parametrize("deletes", ["keep", "remove"])
def test_a_run_that_finds_no_file_any_more_ends_with_a_warning_and_removes_nothing(
    tmp_path: Path, deletes: str
) -> None:
    place = tmp_path / "in"
    place.mkdir()
    for name in ("a.csv", "b.csv"):
        (place / name).write_text("id,name\n1,x\n")
    load = Files.model_validate({"deletes": deletes})
    first = copied(tmp_path, "one", load=load)
    for name in ("a.csv", "b.csv"):
        (place / name).unlink()
    result = copied(tmp_path, "two", load=load)
    assert not result.changed and result.table_version == first.table_version and result.reconciled
    (told,) = result.warnings
    assert told.startswith(f"No file matches '*.csv' in the folder {place}.")
    assert told.endswith("2 files were loaded before; their rows stay.")
    assert names(tmp_path) == [("a.csv", "x"), ("b.csv", "x")]
    (place / "c.csv").write_text("id,name\n3,z\n")
    third = copied(tmp_path, "three", load=load)
    assert (third.rows_loaded, third.warnings == ()) == (1, deletes == "remove")


def test_a_catalog_is_never_replaced_by_no_file_at_all(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.csv").write_text("id,name\n1,x\n")
    copied(tmp_path, "one", load=Catalog())
    (place / "a.csv").unlink()
    with pytest.raises(FilesMissing):
        copied(tmp_path, "two", load=Catalog())
    assert names(tmp_path) == [("a.csv", "x")]


def test_a_column_that_only_a_new_file_has_is_added(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.csv").write_text("id,name\n1,x\n")
    copied(tmp_path, "one")
    (place / "b.csv").write_text("id,name,colour\n2,y,red\n")
    result = copied(tmp_path, "two")
    assert result.added_columns == ("colour",) and result.reconciled
    rows = LocalWarehouse(tmp_path / "warehouse").table("raw_data", "bq_lines").read().to_pylist()
    assert sorted((row["name"], row["colour"]) for row in rows) == [("x", None), ("y", "red")]


def test_types_chosen_by_hand_hold_in_every_later_run(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.csv").write_text("nr;day;amount\n00123;31.12.2024;7\nx;01.02.2024;seven\n")
    types = (
        ColumnMapping("day", "", WarehouseType.DATE, format="%d.%m.%Y"),
        ColumnMapping("amount", "", WarehouseType.INT64),
    )
    first = copied(tmp_path, "one", types=types, reject_threshold=1.0)
    assert (first.rows_loaded, first.rows_rejected) == (1, 1)
    assert not copied(tmp_path, "two", types=types, reject_threshold=1.0).changed
    (place / "b.csv").write_text("nr;day;amount\n5;02.02.2024;8\n")
    third = copied(tmp_path, "three", types=types, reject_threshold=1.0)
    assert (third.rows_loaded, third.reconciled) == (1, True)
    rows = LocalWarehouse(tmp_path / "warehouse").table("raw_data", "bq_lines").read().to_pylist()
    assert sorted((row["nr"], row["day"].isoformat(), row["amount"]) for row in rows) == [
        ("00123", "2024-12-31", 7),
        ("5", "2024-02-02", 8),
    ]


def test_a_catalog_takes_a_type_chosen_later(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.csv").write_text("amount\n7\n")
    copied(tmp_path, "one", load=Catalog())
    copied(tmp_path, "two", load=Catalog(), types=(ColumnMapping("amount", "", WarehouseType.INT64),))
    copied(tmp_path, "three", load=Catalog(), types=(ColumnMapping("amount", "", WarehouseType.INT64),))
    rows = LocalWarehouse(tmp_path / "warehouse").table("raw_data", "bq_lines").read().to_pylist()
    assert [row["amount"] for row in rows] == [7]


def test_a_run_with_too_many_rejected_rows_names_one_reason(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.csv").write_text("amount\neins\nzwei\n")
    with pytest.raises(TooManyRejected) as refused:
        copied(tmp_path, "one", types=(ColumnMapping("amount", "", WarehouseType.INT64),))
    assert "amount: eins is not a number" in refused.value.message


def test_a_run_warns_of_files_whose_encoding_nothing_names(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.csv").write_bytes("id,name\n1,Иван\n".encode("cp1251"))
    assert copied(tmp_path, "one").warnings == (
        "The file a.csv is not UTF-8 and nothing in it names its encoding, so it was read as windows-1252. If letters "
        "look wrong, choose the encoding in the connection.",
    )
    (place / "b.csv").write_text("id,name\n2,é\n", "utf-8")
    # What is loaded was told when it was loaded.
    assert copied(tmp_path, "two").warnings == ()


def test_files_loaded_before_their_columns_were_kept_are_opened_once_more(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    for name in ("a.csv", "b.csv"):
        (place / name).write_text("id,name\n1,x\n")
    copied(tmp_path, "one")
    ledger = LocalWarehouse(tmp_path / "warehouse").table("raw_data", "bq_lines").ledger
    before = ledger.read()
    ledger.replace(before.drop_columns(["shape"]), schema=before.drop_columns(["shape"]).schema)
    (place / "b.csv").write_text("id,name\n1,other\n")
    for run_key, expected in (("two", {"a.csv", "b.csv"}), ("three", set())):
        opened: list[str] = []
        copied(tmp_path, run_key, opened)
        assert set(opened) == expected
    assert ledger.read().num_rows == 2
    assert names(tmp_path) == [("a.csv", "x"), ("b.csv", "other")]


def test_files_that_are_read_by_other_settings_now_are_loaded_again(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.csv").write_text("id;name\n1;x\n")
    copied(tmp_path, "one")
    for run_key, delimiter, expected in (("two", "", 0), ("three", ";", 2), ("four", ";", 0)):
        opened: list[str] = []
        result = copied(tmp_path, run_key, opened, delimiter=delimiter)
        assert (len(opened), result.rows_replaced) == (expected, expected // 2)
    assert names(tmp_path) == [("a.csv", "x")]


def test_a_run_killed_before_its_ledger_has_the_columns_kept_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.csv").write_text("id,name\n1,x\n")
    with monkeypatch.context() as killed:
        killed.setattr("b2b_recs.engine.etl.copy.commit_ledger", _killed)
        with pytest.raises(KeyboardInterrupt):
            copied(tmp_path, "one")
    copied(tmp_path, "one")
    for run_key, expected in (("two", ["a.csv"]), ("three", [])):
        opened: list[str] = []
        assert not copied(tmp_path, run_key, opened).changed
        assert opened == expected


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("text", ["id\n2\n", "id\n", ""], ids=["a column less", "names only", "empty"])
def test_what_the_new_files_lack_is_empty_and_what_no_file_has_is_refused(tmp_path: Path, text: str) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.csv").write_text("id,name\n1,x\n")
    copied(tmp_path, "one")
    (place / "b.csv").write_text(text)
    opened: list[str] = []
    result = copied(tmp_path, "two", opened)
    rows = int(text == "id\n2\n")
    assert (result.rows_loaded, result.rows_rejected, result.reconciled) == (rows, 0, True)
    assert "a.csv" not in opened
    assert sorted(names(tmp_path), key=str) == [("a.csv", "x"), ("b.csv", None)][: 1 + rows]
    with pytest.raises(ColumnMissing, match=r"\*\.csv has no column gone\."):
        copied(tmp_path, "three", columns=("id", "gone"))


def test_a_file_written_again_within_the_second_it_was_read_in_is_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "in"
    place.mkdir()
    second = int(time.time())

    def write(name: str) -> None:
        # As on a share that keeps whole seconds.
        (place / "a.csv").write_text(f"id,name\n1,{name}\n")
        os.utime(place / "a.csv", (second, second))

    write("x")
    monkeypatch.setattr(store.time, "time", lambda: second + 0.5)
    copied(tmp_path, "one")
    write("y")
    monkeypatch.setattr(store.time, "time", lambda: second + 60.0)
    assert copied(tmp_path, "two").rows_replaced == 1
    assert names(tmp_path) == [("a.csv", "y")]
    assert not copied(tmp_path, "three").changed


def test_a_file_whose_second_ends_while_it_is_read_is_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("id,name\n1,x\n")
    os.utime(tmp_path / "in" / "a.csv", (1_700_000_000, 1_700_000_000))
    moments = itertools.count(1_700_000_000, 2)
    monkeypatch.setattr(store.time, "time", lambda: float(next(moments)))
    assert copied(tmp_path, "one").rows_loaded == 1


def test_rejected_rows_of_a_file_go_with_its_other_rows(tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    types = {"types": (ColumnMapping("n", "", WarehouseType.INT64),), "reject_threshold": 1.0}

    def rejected() -> list[tuple[str, str]]:
        kept = LocalWarehouse(tmp_path / "warehouse").table("raw_data", "bq_lines").rejected.read().to_pylist()
        return sorted((json.loads(row["row"])["_file"], json.loads(row["row"])["n"]) for row in kept)

    (place / "a.csv").write_text("id,n\n1,1\n2,bad\n3,worse\n")
    (place / "b.csv").write_text("id,n\n1,1\n2,bad\n")
    copied(tmp_path, "one", **types)
    assert rejected() == [("a.csv", "bad"), ("a.csv", "worse"), ("b.csv", "bad")]
    (place / "a.csv").write_text("id,n\n1,1\n2,2\n3,worse\n4,late\n")
    copied(tmp_path, "two", **types)
    assert rejected() == [("a.csv", "late"), ("a.csv", "worse"), ("b.csv", "bad")]
    (place / "a.csv").write_text("id,n\n1,1\n2,2\n3,3\n4,4\n")
    copied(tmp_path, "three", **types)
    assert rejected() == [("b.csv", "bad")]
    (place / "b.csv").unlink()
    copied(tmp_path, "four", **types)
    assert rejected() == [("b.csv", "bad")]
    copied(tmp_path, "five", **types, load=Files(deletes="remove"))
    assert rejected() == []

"""A job that is saved keeps the types it was shown, and of what each was chosen."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import Catalog, CopySpec, Files
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.project_file.schema import JobSection
from b2b_recs.web.etl.proposals import propose
from b2b_recs.web.etl.sourcing import settled_by


class AnyFolder:
    """A guard that lets every folder be read."""

    def __call__(self, host: str, port: int) -> str:
        return host

    def folder(self, path: str) -> Path:
        return Path(path)


def settled(folder: Path, *types: ColumnMapping, held: frozenset[str] = frozenset()) -> dict[str, tuple[str, str, str]]:
    lines = "".join(f"{at:05};{at % 28 + 1:02}.{at % 12 + 1:02}.2024;{at};x{at}\n" for at in range(300))
    (folder / "a.csv").write_text("nr;day;amount;word\n" + lines)
    csv = SOURCE_TYPES["csv"]
    spec = CopySpec(source_schema="", source_table="*.csv", destination_table="bq_a", load=Files(), types=types)
    with csv.open(csv.Parameters(location=str(folder)), AnyFolder()) as source:
        found = settled_by(csv, spec, held)(source)
    return {mapping.name: (mapping.warehouse_type, mapping.format, mapping.source_type) for mapping in found.types}


def test_columns_the_table_does_not_hold_get_the_types_their_values_proposed(tmp_path: Path) -> None:
    assert settled(tmp_path) == {
        "day": ("DATE", "%d.%m.%Y", "text"),
        "amount": ("INT64", "", "text"),
    }


def test_what_was_chosen_by_hand_stays_and_is_noted_with_what_it_was_chosen_for(tmp_path: Path) -> None:
    chosen = ColumnMapping("amount", "", WarehouseType.NUMERIC, precision=10, scale=2)
    assert settled(tmp_path, chosen)["amount"] == ("NUMERIC", "", "text")
    held = frozenset({"nr", "day", "amount", "word", "_file"})
    assert settled(tmp_path, chosen, held=held) == {"amount": ("NUMERIC", "", "text")}
    assert set(settled(tmp_path, held=held - {"day"})) == {"day"}


def named(folder: Path, header: str, **more: Any) -> dict[str, str]:
    """The names a job over a file with these columns is saved with."""
    (folder / "b.csv").write_text(f"{header}\n1,2,3\n")
    csv, held = SOURCE_TYPES["csv"], more.pop("held", frozenset())
    spec = CopySpec(source_schema="", source_table="b.csv", destination_table="bq_b", load=Files(), **more)
    with csv.open(csv.Parameters(location=str(folder)), AnyFolder()) as source:
        return settled_by(csv, spec, held)(source).names


def test_columns_bigquery_does_not_take_are_renamed_unless_the_table_holds_them(tmp_path: Path) -> None:
    odd = {"_FILE_id": "FILE_id", "a.b": "a_b_2"}
    assert named(tmp_path, "_FILE_id,a.b,a_b") == odd
    assert named(tmp_path, "_FILE_id,a.b,a_b", columns=("a.b", "a_b")) == {"a.b": "a_b_2"}
    assert named(tmp_path, "_FILE_id,a.b,a_b", names={"a.b": "other"}) == {"_FILE_id": "FILE_id", "a.b": "other"}
    assert named(tmp_path, "_FILE_id,a.b,a_b", held=frozenset({"_FILE_id", "a.b", "a_b"})) == {}
    assert named(tmp_path, "id,price,Id") == {"Id": "Id_2"}
    with pytest.raises(BadInput, match="would both be called a_b"):
        named(tmp_path, "_FILE_id,a.b,a_b", names={"a.b": "a_b"})
    with pytest.raises(BadInput, match=r"is not in b\.csv"):
        named(tmp_path, "_FILE_id,a.b,a_b", names={"c": "d"})


def test_the_proposal_shows_the_name_a_column_gets_and_why(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("id,a.b\n1,2\n")
    csv = SOURCE_TYPES["csv"]
    with csv.open(csv.Parameters(location=str(tmp_path)), AnyFolder()) as source:
        columns = propose(csv, source, "", "c.csv", "UTC").columns
        again = propose(csv, source, "", "c.csv", "UTC", {"a.b": "text"}).columns
    told = {one.name: (one.warehouse_name, one.name_reason) for one in columns}
    assert told == {"id": ("", ""), "a.b": ("a_b", "contains ."), "_file": ("", "")}
    assert {one.warehouse_name for one in again} == {""}


def test_columns_without_a_name_are_called_something_and_copied(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, "" TEXT, " " REAL, "column" TEXT)')
        database.execute("INSERT INTO t VALUES (1, 'x', 0.5, 'y'), (2, NULL, NULL, NULL)")
    sqlite = SOURCE_TYPES["sqlite"]
    given = CopySpec(source_schema="main", source_table="t", destination_table="bq_t", load=Catalog())
    with sqlite.open(sqlite.Parameters(file=str(tmp_path / "a.db")), AnyFolder()) as source:
        proposed = propose(sqlite, source, "", "t", "UTC").columns
        told = {one.name: (one.warehouse_name, one.name_reason) for one in proposed}
        assert told[""] == ("column_2", "is empty") and told[" "] == ("column_3", "is empty")
        spec = settled_by(sqlite, given)(source)
        assert JobSection.of("shop", spec).copy_spec() == spec
        chosen = spec.model_copy(update={"columns": ("id", ""), "destination_table": "bq_some"})
        warehouse = LocalWarehouse(tmp_path / "warehouse")
        for one in (spec, chosen):
            ready = settled_by(sqlite, one)(source)
            staging = tmp_path / one.destination_table
            assert copy_table(
                sqlite, source, ready, warehouse, staging, "run", Silent(), lambda: datetime.now(UTC)
            ).reconciled
    assert warehouse.table("raw_data", "bq_t").read().to_pylist() == [
        {"id": 1, "column_2": "x", "column_3": 0.5, "column": "y"},
        {"id": 2, "column_2": None, "column_3": None, "column": None},
    ]
    assert warehouse.table("raw_data", "bq_some").read().to_pylist() == [
        {"id": 1, "column_2": "x"}, {"id": 2, "column_2": None},
    ]  # fmt: skip

"""The embedded warehouse: versions, exactly once, atomic replacement, expiry."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from b2b_recs.engine.errors import BadInput, StorageFull, WarehouseTableMissing
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.warehouse import compaction, parts
from b2b_recs.engine.warehouse.local import Change, LocalTable, LocalWarehouse, TableBusy
from b2b_recs.engine.warehouse.names import checked_table

COLUMNS = (
    ColumnMapping("id", "bigint", WarehouseType.INT64, Mode.REQUIRED),
    ColumnMapping("amount", "numeric(12,2)", WarehouseType.NUMERIC, precision=12, scale=2),
    ColumnMapping("at", "timestamptz", WarehouseType.TIMESTAMP),
    ColumnMapping("odd name, (x)", "text", WarehouseType.STRING),
)
SCHEMA = arrow_schema(COLUMNS)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def rows(*ids: int) -> pa.Table:
    return pa.table(
        [list(ids), [Decimal(i) / 4 for i in ids], [NOON] * len(ids), [f"n{i}" for i in ids]],
        schema=SCHEMA,
    )


def ids(table: LocalTable, version: int | None = None) -> list[int]:
    return sorted(table.read(version, ["id"])["id"].to_pylist())


@pytest.fixture
def table(tmp_path: Path) -> LocalTable:
    return LocalWarehouse(tmp_path).table("raw_data", "bq_orders")


def test_a_table_never_loaded_says_so(table: LocalTable) -> None:
    assert not table.exists()
    assert table.version() is None
    assert table.history() == []
    with pytest.raises(WarehouseTableMissing, match=r"raw_data\.bq_orders has never been loaded"):
        table.read()


def test_appended_rows_are_read_back_exactly_and_old_versions_stay(table: LocalTable) -> None:
    table.append(rows(1, 2))
    table.append(rows(3))
    assert table.read().sort_by("id").equals(rows(1, 2, 3))
    assert ids(table, 0) == [1, 2]
    assert (table.row_count(), table.row_count(0)) == (3, 2)
    assert table.schema().field("amount").metadata[b"warehouse_type"] == b"NUMERIC"
    assert table.schema() == SCHEMA


def test_whole_numbers_and_times_of_any_size_are_exact_and_running_ones_take_no_room(table: LocalTable) -> None:
    whole = [0, None, -(2**63), 2**63 - 1, 1, None, *range(50_000)]
    days = [None, -719_162, 2_932_896, *range(len(whole) - 3)]
    times = [None, -62_135_596_800_000_000, 253_402_300_799_999_999, *range(len(whole) - 3)]
    kinds = {"whole": (whole, pa.int64()), "day": (days, pa.date32()), "at": (times, pa.timestamp("us", tz="UTC"))}
    rows = pa.table(
        {
            name: pa.array(values, pa.int64()).cast("int32" if kind == pa.date32() else "int64").cast(kind)
            for name, (values, kind) in kinds.items()
        }
    )
    table.append(rows)
    assert table.read().equals(rows)
    assert table.size_bytes() < len(whole)  # three columns in less than a byte a row


def test_the_same_work_is_committed_once(table: LocalTable) -> None:
    first = table.append(rows(1), app="run:7", notes={"cursor": "x"})
    again = table.append(rows(1), app="run:7", notes={"cursor": "y"})
    assert first.fresh and not again.fresh
    assert again.version == first.version and again.notes["cursor"] == "x"
    assert ids(table) == [1]
    assert len(list(table.folder.rglob("*.parquet"))) == 1
    assert table.append(rows(2), app="run:7", number=2).fresh
    assert ids(table) == [1, 2]


def test_rivals_with_the_same_work_commit_it_once(table: LocalTable) -> None:
    table.append(rows(0))
    outcomes: list[bool] = []
    barrier = threading.Barrier(6)

    def work() -> None:
        part = table.new_part(SCHEMA, "data/x", [])
        part.write(rows(1).to_batches()[0])
        change = Change(SCHEMA, [part.close()], app="run:1")
        barrier.wait()
        outcomes.append(table.commit(change).fresh)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 5 + [True]
    assert ids(table) == [0, 1]


def test_rivals_with_different_work_all_commit(table: LocalTable) -> None:
    table.append(rows(0))
    barrier = threading.Barrier(5)

    def work(number: int) -> None:
        barrier.wait()
        table.append(rows(number), app=f"run:{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids(table) == [0, 1, 2, 3, 4, 5]


def test_replacing_switches_rows_and_schema_at_once(table: LocalTable) -> None:
    table.append(rows(1, 2))
    fewer = arrow_schema(COLUMNS[:1])
    table.replace(rows(9).select(["id"]).cast(fewer), app="run:2")
    assert table.schema().names == ["id"]
    assert ids(table) == [9]
    assert ids(table, 0) == [1, 2] and table.schema(0) == SCHEMA


def test_replacing_may_bring_the_first_time_without_a_zone(table: LocalTable) -> None:
    table.append(rows(1, 2))
    wall = pa.schema([pa.field("at", pa.timestamp("us"), metadata={b"warehouse_type": b"DATETIME"})])
    for day in (1, 2):
        table.replace(pa.table({"at": [datetime(2026, 1, day)]}, schema=wall))  # noqa: DTZ001 - a wall clock
        assert table.read()["at"].to_pylist() == [datetime(2026, 1, day)]  # noqa: DTZ001
    assert ids(table, 0) == [1, 2]


def test_replacing_with_nothing_leaves_an_empty_table(table: LocalTable) -> None:
    table.append(rows(1, 2))
    table.replace(rows())
    assert table.row_count() == 0 and ids(table) == []
    assert table.schema() == SCHEMA


def test_a_column_added_later_is_null_in_earlier_rows(table: LocalTable) -> None:
    table.append(rows(1))
    added = pa.field("note", pa.string(), metadata={b"warehouse_type": b"STRING"})
    table.add_columns([added])
    table.add_columns([added])
    table.append(pa.table([*rows(2).columns, ["hello"]], schema=SCHEMA.append(added)))
    read = table.read(columns=["id", "note"]).sort_by("id").to_pylist()
    assert read == [{"id": 1, "note": None}, {"id": 2, "note": "hello"}]
    assert table.schema().field("note").metadata == {b"warehouse_type": b"STRING"}


def test_files_of_expired_versions_go_and_kept_versions_stay_readable(table: LocalTable) -> None:
    for number in range(3):
        table.replace(rows(number))
    orphan = table.new_part(SCHEMA, "data/dead", [])
    orphan.close()
    waiting = table.new_part(SCHEMA, "data/alive", []).close()
    now = datetime.now(UTC)
    removed = table.vacuum(1, now, spare=["data/alive"])
    assert len(removed) == 1 and removed[0].startswith("data/dead/")
    assert [ids(table, version) for version in range(3)] == [[0], [1], [2]]
    removed = table.vacuum(1, now + timedelta(days=2), spare=["data/alive"])
    assert len(removed) == 2
    assert ids(table) == [2]
    assert (table.folder / waiting.path).is_file()
    with pytest.raises(WarehouseTableMissing, match=r"Version 0 .* no longer kept"):
        table.read(0)


def test_expiry_keeps_every_file_of_a_table_that_only_grew(table: LocalTable) -> None:
    for number in range(4):
        table.append(rows(number))
    assert table.vacuum(1, datetime.now(UTC) + timedelta(days=400)) == []
    assert ids(table, 1) == [0, 1] and ids(table) == [0, 1, 2, 3]


def test_one_writer_at_a_time(table: LocalTable) -> None:
    with table.lock(), pytest.raises(TableBusy) as refused, table.lock():
        pass
    assert refused.value.transient
    with table.lock():
        assert not table.exists()


@pytest.mark.parametrize(
    "name", ["", "a b", "a-b", "../x", "a/b", 'a"; DROP TABLE x; --', "1a", "é", "a\x00", "x" * 201]
)
def test_names_that_could_mean_something_else_are_refused(tmp_path: Path, name: str) -> None:
    warehouse = LocalWarehouse(tmp_path)
    with pytest.raises(BadInput) as refused:
        warehouse.table("raw_data", name)
    assert refused.value.field == "destination_table"
    with pytest.raises(BadInput) as refused:
        warehouse.table(name, "orders")
    assert refused.value.field == "destination_dataset"


@pytest.mark.parametrize(
    "name", ["orders__rejected", "orders__files", "orders__stopped", "Orders__Rejected", "__files"]
)
def test_the_tables_kept_beside_another_are_read_but_filled_by_no_job(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked_table(name)
    assert refused.value.field == "destination_table"
    assert name in refused.value.message and "does not end in __" in refused.value.advice
    assert LocalWarehouse(tmp_path).table("raw_data", name).name == name
    for allowed in ("orders_rejected", "orders__files_2024", "__rejected_orders"):
        assert checked_table(allowed) == allowed


def test_columns_that_differ_only_in_capitals_are_refused(table: LocalTable) -> None:
    with pytest.raises(BadInput, match="differ only in capitals"):
        table.append(pa.table({"Id": [1], "id": [2]}))
    assert not table.exists()


def test_a_full_disk_commits_nothing_and_leaves_no_file(table: LocalTable, monkeypatch: pytest.MonkeyPatch) -> None:
    table.append(rows(1))

    def full(self: object, batch: pa.RecordBatch) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parts.pq.ParquetWriter, "write_batch", full)
    with pytest.raises(StorageFull):
        table.append(rows(2))
    assert ids(table) == [1]
    assert len(list(table.folder.rglob("*.parquet"))) == 1


def test_the_warehouse_lists_what_has_been_loaded(tmp_path: Path) -> None:
    warehouse = LocalWarehouse(tmp_path)
    assert warehouse.datasets() == []
    warehouse.table("raw_data", "bq_b").append(rows(1))
    warehouse.table("raw_data", "bq_a").append(rows(1))
    with warehouse.table("raw_data", "never").lock():
        pass
    warehouse.table("raw_data", "bq_a").rejected.append(rows(1))
    warehouse.table("raw_data", "bq_a").ledger.append(rows(1))
    warehouse.table("raw_data", "bq_a").stopped.append(rows(1))
    assert [table.name for table in warehouse.tables("raw_data")] == ["bq_a", "bq_b"]
    assert warehouse.datasets() == ["raw_data"]


def test_many_small_files_become_few_and_every_version_reads_the_same(table: LocalTable) -> None:
    for number in range(compaction.FEWEST - 1):
        table.append(rows(number))
    assert compaction.compact(table) is None
    table.add_columns([pa.field("note", pa.string())])
    table.append(pa.table([*rows(99).columns, ["x"]], schema=SCHEMA.append(pa.field("note", pa.string()))))
    before = table.read().sort_by("id")
    version = table.version()
    commit = compaction.compact(table)
    assert commit is not None and len(table.files()) == 1
    assert table.read().sort_by("id").equals(before)
    assert table.read(version).sort_by("id").equals(before)
    assert table.schema() == before.schema
    assert compaction.compact(table) is None
    table.vacuum(1, datetime.now(UTC) + timedelta(days=2))
    assert table.read().sort_by("id").equals(before)
    assert len(list((table.folder / "data").rglob("*.parquet"))) == 1

"""Cursors no run can go on from: such a value hides no row that comes later, whichever kind of column it is in."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine.etl.arena import Job, MemorySource, Table

from b2b_recs.engine.etl.cursor import later, lower_bound, parse, sure, usable
from b2b_recs.engine.etl.spec import CopyResult, Incremental, Transactional
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.sources.sqlite.moments import as_stored, forms_query, sign_in_order
from b2b_recs.engine.warehouse.local import Change

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYED: dict[str, Any] = {"load": {"cursor": "at", "key": ["id"]}, "reject_threshold": 1.0}
UNKEYED: dict[str, Any] = {"load": {"cursor": "at"}, "reject_threshold": 1.0}


class Anywhere:
    """Lets the source open any folder."""

    def __call__(self, host: str, port: int) -> str:
        return host

    def folder(self, path: str) -> Path:
        return Path(path)


class Shop:
    """A table in a SQLite file, and a job that copies it."""

    def __init__(self, folder: Path, declared: str, **spec: Any) -> None:
        folder.mkdir(exist_ok=True)
        self.connection = sqlite3.connect(folder / "shop.db", isolation_level=None)
        self.connection.execute(f"CREATE TABLE orders (id INTEGER PRIMARY KEY, at {declared})")
        self.job = Job(folder, Table({}, []), **{"source_schema": "main", **spec})
        self.job.kind = SOURCE_TYPES["sqlite"]
        self.file = str(folder / "shop.db")

    def add(self, *rows: tuple[int, Any]) -> None:
        self.connection.executemany("INSERT INTO orders VALUES (?, ?)", rows)

    def run(self) -> CopyResult:
        with self.job.kind.open(self.job.kind.Parameters(file=self.file), Anywhere()) as source:
            self.job.source = source
            result: CopyResult = self.job.run()
        return result

    def begin_at(self, cursor: str) -> None:
        """Make the last run have ended at that cursor."""
        note = dict(self.job.table.history(1)[0].notes["copy"])
        change = Change(self.job.table.schema(), (), (), app="before", notes={"copy": {**note, "cursor": cursor}})
        self.job.table.commit(change)


def mapping(kind: WarehouseType) -> ColumnMapping:
    return ColumnMapping("at", "", kind)


def test_a_text_among_dates_hides_no_row_that_comes_later(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "datetime", **KEYED)
    shop.add((1, "2026-02-01 10:00:00"), (2, "n/a"))
    first = shop.run()
    assert first.cursor_after == "2026-02-01 10:00:00"
    shop.add((3, "2026-02-01 13:00:00"))
    assert shop.run().reconciled
    assert shop.job.ids() == [1, 3]
    third = shop.run()
    assert (third.changed, third.rows_loaded) == (False, 0)


class Far(MemorySource):
    """Has a row dated past the year 9999, which Python cannot name."""

    def max_cursor(self, schema: str, table: str, cursor: str) -> str | None:
        return "20226-02-01 00:00:00+00"

    def _value(self, name: str, text: str) -> Any:
        return datetime.max.replace(tzinfo=UTC) if text.startswith("20226") else super()._value(name, text)


def test_a_year_past_9999_is_told_of_and_hides_no_row_that_comes_later(tmp_path: Path) -> None:
    rows = [{"id": number, "at": NOW + timedelta(hours=number)} for number in range(-3, 0)]
    job = Job(tmp_path, Table({"id": "bigint!", "at": "timestamptz"}, rows, ("id",)), **KEYED)
    job.source = Far(job.source.table)
    first = job.run()
    assert first.cursor_after == "2026-03-01 11:00:00+00:00"
    assert (
        "The largest at is 20226-02-01 00:00:00+00, from which no run can go on; such rows that the warehouse "
        "cannot hold were rejected."
    ) in first.warnings
    assert not [text for text in first.warnings if "future" in text]
    rows.append({"id": 5, "at": NOW + timedelta(hours=5)})
    job.now = NOW + timedelta(hours=6)
    assert job.run().reconciled
    assert job.ids() == [-3, -2, -1, 5]


@pytest.mark.parametrize("spec", [KEYED, UNKEYED])
def test_a_job_that_stopped_at_such_a_value_reads_everything_once_more(tmp_path: Path, spec: dict[str, Any]) -> None:
    shop = Shop(tmp_path, "datetime", **spec)
    shop.add((1, "2026-02-01 10:00:00"))
    shop.run()
    shop.begin_at("20226-02-01 00:00:00")
    shop.add((2, "2026-02-02 10:00:00"))
    healed = shop.run()
    assert shop.job.ids() == [1, 2]
    assert (healed.rows_known, healed.cursor_after) == (1, "2026-02-02 10:00:00")
    told = [text for text in healed.warnings if "read once more from its beginning" in text]
    assert len(told) == (0 if spec is KEYED else 1)
    assert not shop.run().changed


def test_a_job_that_stopped_at_such_a_value_is_mended_even_when_nothing_is_new(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "datetime", **KEYED)
    shop.add((1, "2026-02-01 10:00:00"))
    shop.run()
    shop.begin_at("n/a")
    healed = shop.run()
    assert (healed.changed, healed.rows_loaded, healed.cursor_after) == (True, 0, "2026-02-01 10:00:00")


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (WarehouseType.TIMESTAMP, "20226-02-01 00:00:00+00", False),
        (WarehouseType.DATETIME, "10000-01-01 00:00:00", False),
        (WarehouseType.DATE, "20226-02-01", False),
        (WarehouseType.DATE, "0044-03-15 BC", False),
        (WarehouseType.DATE, "2026-11-28 23:00:00", False),
        (WarehouseType.DATE, "2026-02-28 23:00:00", True),
        (WarehouseType.DATETIME, "2026-11-03T10:00:00+05:00", False),
        (WarehouseType.DATETIME, "2026-02-03T10:00:00+05:00", True),
        (WarehouseType.TIMESTAMP, "2026-11-03 10:00:00", False),
        (WarehouseType.INT64, "7", True),
        (WarehouseType.FLOAT64, "inf", False),
        (WarehouseType.STRING, "n/a", True),
    ],
)
def test_a_run_goes_on_from_no_date_beyond_the_present(kind: WarehouseType, text: str, expected: bool) -> None:
    assert sure(text, mapping(kind), NOW, "UTC") is expected


def test_text_in_a_format_of_its_own_is_left_as_it_is() -> None:
    column = ColumnMapping("at", "", WarehouseType.DATE, format="%Y/%m/%d")
    assert usable("2025/12/31", column) and sure("2025/12/31", column, NOW, "UTC")


def test_cursors_of_several_forms_are_compared_where_they_can_be() -> None:
    wall, day = mapping(WarehouseType.DATETIME), mapping(WarehouseType.DATE)
    assert later("2026-02-01 10:00:00", "2026-01-01T10:00:00+05:00", wall) == "2026-01-01T10:00:00+05:00"
    assert later("2026-02-01", "2026-01-01 10:00:00", wall) == "2026-02-01"
    assert later("2026-02-02", "2026-02-01 23:00:00", day) == "2026-02-02"
    assert later("n/a", "2026-02-01", day) == "2026-02-01"
    assert [parse(text, mapping(WarehouseType.FLOAT64)) for text in ("inf", "nan", "-Infinity", "x")] == [None] * 4
    assert not usable("inf", mapping(WarehouseType.FLOAT64)) and usable("$1.00", mapping(WarehouseType.NUMERIC))


def test_a_date_without_a_time_is_not_left_out_by_its_own_midnight() -> None:
    load: Incremental = Transactional(cursor="at", lag=timedelta())
    assert lower_bound("2026-02-01", mapping(WarehouseType.DATETIME), load, NOW, "UTC") == "2026-02-01"
    assert lower_bound("2026-02-01 10:00:00", mapping(WarehouseType.DATE), load, NOW, "UTC") == "2026-02-01"


@pytest.mark.parametrize(
    ("declared", "rows", "more"),
    [
        (
            "datetime",
            ["2026-02-01 10:00:00", 1769950000, "2026-02-03T10:00:00+05:00", "2026-02-03"],
            "2026-02-20 10:00",
        ),
        ("date", ["2026-02-01", "2026-02-28 23:00:00", "2026-02-02"], "2026-03-01"),
    ],
)
def test_a_column_that_holds_several_kinds_of_times_is_read_run_after_run(
    tmp_path: Path, declared: str, rows: list[Any], more: Any
) -> None:
    shop = Shop(tmp_path, declared, **KEYED)
    shop.add(*enumerate(rows))
    assert shop.run().rows_read == len(rows)
    shop.add((9, more + ":00" if ":" in more else more))
    shop.run()
    assert 9 in shop.job.ids()
    assert not shop.run().changed


def test_infinity_in_a_column_of_numbers_is_loaded_and_ends_no_window(tmp_path: Path) -> None:
    infinite = float("inf")
    shop = Shop(tmp_path, "real", **KEYED)
    shop.add((1, 0.1), (2, 1e22), (3, infinite))
    first = shop.run()
    assert (first.cursor_after, first.reconciled) == ("1e+22", True)
    shop.add((4, 2e22), (5, -infinite), (6, infinite))
    assert shop.run().reconciled
    assert shop.job.ids() == [1, 2, 3, 4, 5, 6]
    third = shop.run()
    assert (third.changed, third.reconciled) == (False, True)


def test_a_job_that_stopped_at_infinity_is_mended(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "real", **KEYED)
    shop.add((1, 0.1), (2, 1e22))
    shop.run()
    shop.begin_at("inf")
    shop.add((3, 0.2))
    assert shop.run().cursor_after == "1e+22"
    assert shop.job.ids() == [1, 2, 3]


def test_a_value_of_another_kind_is_told_of_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "integer", **KEYED)
    shop.add((1, 10), (2, "late"), (3, None), (4, b"x"))
    assert shop.run().rows_rejected == 2
    shop.add((5, 20))
    second = shop.run()
    assert (second.rows_rejected, second.rows_loaded, second.reconciled) == (2, 1, True)
    assert shop.job.table.rejected.row_count() == 2


def zoned(folder: Path, *texts: str) -> Shop:
    kinds = {"name": "at", "source_type": "TEXT", "warehouse_type": "TIMESTAMP"}
    shop = Shop(folder, "text", **KEYED, types=[kinds])
    shop.add(*enumerate(texts))
    return shop


@pytest.mark.parametrize(
    ("first", "later_rows"),
    [
        (["2026-02-01 10:00:00", "2026-02-02 10:00:00"], [1770113000, 2461074.5, "2026-02-03 10:00:00"]),
        (["2026-02-02T10:00:00"], ["2026-02-02 23:00:00"]),
        (["2026-02-02 10:00:00"], ["2026-02-02T09:30:00", "2026-02-02T11:00:00.5"]),
        ([1770113000], [1770113001]),
        ([2461074.5], [1770213000, 2461094.5]),
        (["2026-02-02T10:00:00", "n/a"], ["2026-02-02T10:00:01"]),
    ],
)
def test_times_written_in_several_ways_are_in_one_order(
    tmp_path: Path, first: list[Any], later_rows: list[Any]
) -> None:
    shop = Shop(tmp_path, "datetime", **KEYED)
    shop.add(*enumerate(first))
    assert shop.run().reconciled
    shop.add(*enumerate(later_rows, start=100))
    second = shop.run()
    assert (second.rows_loaded, second.reconciled) == (len(later_rows), True)
    assert not shop.run().changed


def test_moments_with_other_offsets_are_in_one_order(tmp_path: Path) -> None:
    shop = zoned(tmp_path, "2026-02-02T10:00:00+00:00")
    shop.run()
    shop.add((7, "2026-02-02T06:30:00-05:00"), (8, "2026-02-02T12:00:00Z"))
    second = shop.run()
    assert (second.rows_loaded, second.reconciled) == (2, True)
    assert second.cursor_after == "2026-02-02 12:00:00+00:00"


def test_an_offset_that_all_share_does_not_hide_the_lag(tmp_path: Path) -> None:
    shop = zoned(tmp_path, "2026-02-02T10:00:00-05:00")
    shop.run()
    shop.add((7, "2026-02-02T09:30:00-05:00"))
    assert shop.run().rows_loaded == 1


def test_times_all_written_in_one_way_are_compared_as_stored() -> None:
    for written, sign in (("2026-02-02T10:00:00", "T"), ("2026-02-02", ""), ("2026-02-02 10:00:00.123", " ")):
        with sqlite3.connect(":memory:") as connection:
            connection.execute("CREATE TABLE t (at)")
            connection.executemany("INSERT INTO t VALUES (?)", [(written,), ("2026-02-01",), (None,)])
            assert sign_in_order(row[0] for row in connection.execute(forms_query("at", "t"))) == sign
            connection.execute("INSERT INTO t VALUES (1770113000)")
            assert sign_in_order(row[0] for row in connection.execute(forms_query("at", "t"))) is None
    assert as_stored("2026-02-02 10:00:00", "T") == "2026-02-02T10:00:00"
    assert as_stored("2026-02-02", "T") == "2026-02-02"

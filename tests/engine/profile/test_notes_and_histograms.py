"""What an analyst is told of a table whose every column has a fault of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from b2b_recs.engine.profile.document import ColumnProfile, TableProfile
from b2b_recs.engine.profile.notes import QualityNote, Severity, quality_notes
from b2b_recs.engine.profile.statistics import profile_table
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.engine.warehouse.query import Limits, QueryTooLong

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FAULTY = pa.table(
    {
        "id": pa.array([1, 2, 2, None, *range(5, 21)], pa.int64()),
        "nothing": pa.nulls(20, pa.string()),
        "country": ["GB"] * 20,
        "fax": pa.array(["1", *[None] * 19]),
        "ordered at": pa.array([NOW.replace(year=2031), *[NOW.replace(month=1)] * 19], pa.timestamp("us", tz="UTC")),
        "born": pa.array([date(1900, 1, 1), *[date(2000, 1, 1)] * 19]),
        "city": ["London", "LONDON", "london ", *["London"] * 16, "N/A"],
        "quantity": pa.array([-5, *range(19)], pa.int64()),
        "balance": pa.array([-5, *range(19)], pa.int64()),
        "ratio": pa.array([float("nan"), float("inf"), *[0.5] * 18]),
        "note": ["caf\ufffd", "", *["fine"] * 18],
    }
)


@pytest.fixture
def table(tmp_path: Path) -> LocalTable:
    return LocalWarehouse(tmp_path).table("raw_data", "bq_orders")


@pytest.fixture
def notes(table: LocalTable) -> dict[tuple[str, str], QualityNote]:
    table.append(FAULTY)
    found = quality_notes(profile_table(table, 0, NOW, key=("id",)))
    assert [note.severity for note in found] == sorted((note.severity for note in found), key=list(Severity).index)
    return {(note.column, note.code): note for note in found}


def column(profile: TableProfile, name: str) -> ColumnProfile:
    return next(one for one in profile.columns if one.name == name)


def test_every_fault_is_told_with_its_rows_an_example_and_what_to_do(
    notes: dict[tuple[str, str], QualityNote],
) -> None:
    told = {key: (note.severity.value, note.rows, note.examples[:1]) for key, note in notes.items()}
    assert told == {
        ("id", "key_repeated"): ("problem", 2, ["2"]),
        ("id", "key_null"): ("problem", 1, []),
        ("nothing", "all_null"): ("warning", 20, []),
        ("ordered at", "future"): ("warning", 1, ["2031-06-01 00:00:00+00:00"]),
        ("born", "before_1970"): ("warning", 1, ["1900-01-01"]),
        ("city", "spaces"): ("warning", 1, ["london "]),
        ("city", "spellings"): ("warning", 1, ["London"]),
        ("city", "placeholder"): ("hint", 1, ["N/A"]),
        ("ratio", "not_finite"): ("warning", 2, []),
        ("note", "damaged"): ("warning", 1, ["caf\ufffd"]),
        ("note", "empty"): ("hint", 1, [""]),
        ("country", "constant"): ("hint", 20, ["GB"]),
        ("fax", "mostly_null"): ("hint", 19, []),
        ("quantity", "negative"): ("hint", 1, [-5]),
    }
    assert notes[("city", "spellings")].examples == ["London", "LONDON"]
    assert notes[("id", "key_repeated")].words == "2 rows share their key with another row."
    assert notes[("fax", "mostly_null")].words == "95 % of the rows have no value."
    assert all(note.advice.endswith(".") and note.words.endswith(".") for note in notes.values())


def test_one_value_among_empty_ones_and_dates_of_zeros_are_told(table: LocalTable) -> None:
    table.append(pa.table({"group": ["A", "A", None, None], "due": ["2026-01-02", "0000-00-00", "2026-03-04", None]}))
    found = {note.code: note for note in quality_notes(profile_table(table, 0, NOW))}
    assert found["constant"].words == "Every row has the same value, or none (50 %)."
    assert (found["constant"].rows, found["placeholder"].examples) == (2, ["0000-00-00"])


def test_a_table_without_rows_and_a_clean_one_have_no_notes(table: LocalTable) -> None:
    table.append(pa.table({"id": pa.array([], pa.int64()), "city": pa.array([], pa.string())}))
    empty = profile_table(table, 0, NOW, key=("id",))
    assert (empty.rows, quality_notes(empty)) == (0, [])
    table.append(pa.table({"id": [1, 2], "city": ["Rome", "Oslo"]}))
    assert quality_notes(profile_table(table, 1, NOW, key=("id",))) == []


def test_bars_show_where_most_values_lie_and_count_those_far_off(table: LocalTable) -> None:
    table.append(pa.table({"price": [*[n / 10 for n in range(1000)], 1e9, -1e9]}))
    bars = column(profile_table(table, 0, NOW), "price").histogram
    assert bars is not None
    assert bars.below >= 1 and bars.above >= 1
    assert min(bars.rows) > 20, bars.rows
    assert sum(bars.rows) + bars.below + bars.above == 1002
    first, last = bars.edges[0], bars.edges[-1]
    assert isinstance(first, float) and isinstance(last, float) and -1 < first < 10 and 90 < last < 110


def test_a_few_whole_numbers_get_a_bar_each(table: LocalTable) -> None:
    table.append(pa.table({"line": pa.array([1, 1, 1, 2, 4], pa.int64())}))
    bars = column(profile_table(table, 0, NOW), "line").histogram
    assert bars is not None
    assert (bars.edges, bars.rows) == ([1, 2, 3, 4, 5], [3, 1, 0, 1])


def test_decimals_longer_than_a_column_can_hold_are_compared_as_numbers(table: LocalTable) -> None:
    field = pa.field("big", pa.string(), True, {b"warehouse_type": b"BIGNUMERIC", b"digits": b"50,2"})
    values = ["9.00", "100000000000000000000000000000000000000000.25", "-3.50"]
    table.append(pa.table([values], schema=pa.schema([field])))
    found = column(profile_table(table, 0, NOW), "big")
    assert found.type == "BIGNUMERIC(50, 2)"
    assert (found.minimum, found.maximum) == ("-3.50", "100000000000000000000000000000000000000000.25")


def test_statistics_that_take_too_long_are_refused_or_cut_short(
    table: LocalTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.append(pa.table({"a": ["x", "y"], "m": pa.array([Decimal("1.5"), None], pa.decimal128(4, 1))}))
    monkeypatch.setattr("b2b_recs.engine.profile.statistics.time.monotonic", iter(range(0, 10_000, 50)).__next__)
    cut = profile_table(table, 0, NOW, limits=Limits(seconds=40))
    assert cut.stopped == "time"
    assert (column(cut, "a").top, column(cut, "a").counted_rows, column(cut, "a").nulls) == ([], None, 0)
    assert column(cut, "m").mean == 1.5
    monkeypatch.undo()
    table.append(pa.table({"a": [f"{n} text" for n in range(400_000)], "m": pa.nulls(400_000, pa.decimal128(4, 1))}))
    with pytest.raises(QueryTooLong):
        profile_table(table, 1, NOW, limits=Limits(seconds=0.001))

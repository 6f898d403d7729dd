"""Where a run begins to read again: so far back as the job says, on no account beyond the cursor of the run before."""
# ruff: noqa: DTZ001 - times without a zone are what is tested

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from engine.etl.arena import Job, Table
from hypothesis import given
from hypothesis import strategies as st

from b2b_recs.engine.etl.cursor import lower_bound, parse, sure
from b2b_recs.engine.etl.spec import Incremental, Transactional
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca")
LAGS = st.integers(0, 30 * 3600).map(lambda seconds: timedelta(seconds=seconds))
WALLS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31))


def mapping(kind: WarehouseType) -> ColumnMapping:
    return ColumnMapping("at", "", kind)


def bound(text: str, kind: WarehouseType, load: Incremental, now: datetime = NOW, zone: str = "UTC") -> Any:
    return parse(lower_bound(text, mapping(kind), load, now, zone), mapping(kind))


@given(
    st.integers(-(10**76) + 1, 10**76 - 1),
    st.integers(0, 76),
    st.integers(0, 10**6),
    st.sampled_from([WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC, WarehouseType.INT64]),
)
def test_numbers_of_any_length_are_lowered_by_the_lag(digits: int, scale: int, lag: int, kind: WarehouseType) -> None:
    last = Decimal((int(digits < 0), tuple(map(int, str(abs(digits)))), -scale))
    found = bound(format(last, "f"), kind, Transactional(cursor="at", lag_units=lag))
    wanted = Fraction(last) - lag
    assert Fraction(found) <= wanted <= Fraction(last)
    assert wanted - Fraction(found) <= abs(wanted) / 10**27
    # So that a source takes it that took the cursor; only next to a power of ten below zero a digit is added.
    assert last < 0 or len(found.as_tuple().digits) <= max(28, len(last.as_tuple().digits))
    if lag == 0 or scale == 0:
        assert Fraction(found) == wanted


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 10**6))
def test_binary_fractions_are_never_raised(last: float, lag: int) -> None:
    found = bound(repr(last), WarehouseType.FLOAT64, Transactional(cursor="at", lag_units=lag))
    assert found <= Decimal(repr(last)) and float(found) <= last


@given(st.dates(date(1900, 1, 1)), LAGS, st.sampled_from(ZONES))
def test_dates_go_back_whole_days(last: date, lag: timedelta, zone: str) -> None:
    found = bound(last.isoformat(), WarehouseType.DATE, Transactional(cursor="at", lag=lag), zone=zone)
    assert timedelta() <= (last - found) - lag < timedelta(days=1)


@given(WALLS, LAGS, st.sampled_from(ZONES))
def test_moments_go_back_by_the_lag_in_every_zone(last: datetime, lag: timedelta, zone: str) -> None:
    moment = last.replace(tzinfo=UTC)
    load = Transactional(cursor="at", lag=lag)
    assert bound(moment.isoformat(), WarehouseType.TIMESTAMP, load, zone=zone) == moment - lag


@given(WALLS, LAGS, st.integers(0, 6 * 60), st.sampled_from(ZONES))
def test_what_the_clocks_have_shown_since_is_not_passed_over(
    first: datetime, lag: timedelta, passed: int, zone: str
) -> None:
    """Looked at minute by minute: a row written since the last one, or up to the lag before it."""
    written = first.replace(tzinfo=UTC)
    place, now = ZoneInfo(zone), written + timedelta(minutes=passed)
    last = written.astimezone(place).replace(tzinfo=None)
    found = bound(str(last), WarehouseType.DATETIME, Transactional(cursor="at", lag=lag), now, zone)
    assert found <= last - lag
    minutes = range(-int(lag.total_seconds()) // 60 + 1, passed + 1)
    shown = [(written + timedelta(minutes=at)).astimezone(place).replace(tzinfo=None) for at in minutes]
    assert not shown or found <= min(shown)


@pytest.mark.parametrize(
    ("last", "zone", "now", "expected"),
    [
        # Put back from 3 to 2 at 01:00 in UTC.
        ("2026-10-25 02:50:00", "Europe/Berlin", datetime(2026, 10, 25, 0, 55), "2026-10-25 02:35:00"),
        ("2026-10-25 02:50:00", "Europe/Berlin", datetime(2026, 10, 25, 1, 25), "2026-10-25 01:35:00"),
        ("2026-10-25 02:50:00", "Europe/Berlin", datetime(2026, 11, 25, 1, 25), "2026-10-25 01:35:00"),
        ("2026-10-25 02:50:00", "UTC", datetime(2026, 10, 25, 1, 25), "2026-10-25 02:35:00"),
        ("2026-10-25 03:30:00", "Europe/Berlin", datetime(2026, 10, 25, 4), "2026-10-25 03:15:00"),
        # Put forward from 2 to 3: a quarter of an hour before 03:10 it was 01:55.
        ("2026-03-29 03:10:00", "Europe/Berlin", datetime(2026, 3, 29, 4), "2026-03-29 01:55:00"),
        ("2026-10-25T02:50:00", "Europe/Berlin", datetime(2026, 10, 25, 1, 25), "2026-10-25T01:35:00"),
    ],
)
def test_a_lag_is_time_that_passed_whatever_the_clocks_did(last: str, zone: str, now: datetime, expected: str) -> None:
    load = Transactional(cursor="at", lag=timedelta(minutes=15))
    column = mapping(WarehouseType.DATETIME)
    assert lower_bound(last, column, load, now.replace(tzinfo=UTC), zone) == expected


@pytest.mark.parametrize(
    ("text", "hour", "expected"),
    [
        ("2026-10-25 02:50:00", 1, True),  # shown an hour ago
        ("2026-10-25 03:10:00", 1, False),
        ("2026-10-25 03:10:00", 2, True),
        ("2026-10-25 02:50:00", 0, False),
        ("9999-12-31 23:59:59", 1, False),
    ],
)
def test_a_time_shown_before_the_clocks_went_back_is_not_of_the_future(text: str, hour: int, expected: bool) -> None:
    now = datetime(2026, 10, 25, hour, 25, tzinfo=UTC)
    assert sure(text, mapping(WarehouseType.DATETIME), now, "Europe/Berlin") is expected


def clocks(*texts: str) -> list[dict[str, Any]]:
    return [{"id": at, "at": datetime.fromisoformat(text)} for at, text in enumerate(texts, 1)]


@pytest.mark.parametrize("key", [["id"], []], ids=["keyed", "without a key"])
def test_rows_of_the_hour_that_comes_twice_are_loaded_once_each(tmp_path: Path, key: list[str]) -> None:
    table = Table({"id": "bigint!", "at": "timestamp"}, clocks("2026-10-25 02:05", "2026-10-25 02:50"))
    load = {"cursor": "at", "key": key, "lag": timedelta(minutes=15)}
    job = Job(tmp_path, table, load=load, time_zone="Europe/Berlin")
    job.now = datetime(2026, 10, 25, 0, 55, tzinfo=UTC)
    job.run()
    table.rows += [{**row, "id": row["id"] + 2} for row in clocks("2026-10-25 02:05", "2026-10-25 02:20")]
    job.now = datetime(2026, 10, 25, 1, 25, tzinfo=UTC)
    second = job.run()
    assert (second.rows_loaded, second.rows_known, second.reconciled, second.warnings) == (2, 2, True, ())
    table.rows += [{**row, "id": row["id"] + 4} for row in clocks("2026-10-25 02:45", "2026-10-25 03:10")]
    job.now = datetime(2026, 10, 25, 2, 15, tzinfo=UTC)
    assert job.run().reconciled
    assert not job.run().changed
    assert job.ids() == [1, 2, 3, 4, 5, 6]

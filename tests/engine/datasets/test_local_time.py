# ruff: noqa: DTZ001 - these clocks have no zone, as in the databases they stand for
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from b2b_recs.engine.datasets.local_time import utc_microseconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def by_the_standard_library(local: datetime, zone: ZoneInfo) -> int:
    return (local.replace(tzinfo=zone).astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize("name", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
def test_every_quarter_hour_equals_the_standard_library(name: str) -> None:
    zone = ZoneInfo(name)
    clock = [datetime(2023, 1, 1) + timedelta(minutes=15) * step for step in range(4 * 24 * 730)]
    wanted = [by_the_standard_library(local, zone) for local in clock]
    local = np.array(clock, dtype="datetime64[us]").astype(np.int64)
    assert utc_microseconds(local, zone).tolist() == wanted


def test_an_hour_shown_twice_is_its_first_pass_and_a_skipped_one_moves_on() -> None:
    zone = ZoneInfo("Europe/London")
    clock = np.array(["2024-10-27T01:30", "2024-03-31T01:30"], dtype="datetime64[us]").astype(np.int64)
    moments = utc_microseconds(clock, zone).astype("datetime64[us]").astype(str).tolist()
    assert moments == ["2024-10-27T00:30:00.000000", "2024-03-31T01:30:00.000000"]


def test_times_at_the_ends_of_the_calendar_are_converted_too() -> None:
    zone = ZoneInfo("America/New_York")
    clock = np.array(["0001-01-01T00:00", "9999-12-31T23:59", "12000-01-01T00:00"], dtype="datetime64[us]")
    moments = utc_microseconds(clock.astype(np.int64), zone)
    hours = (moments - clock.astype(np.int64)) / 3_600_000_000
    assert hours.round(2).tolist() == [4.93, 5.0, 5.0]


def test_no_times_are_no_times() -> None:
    assert len(utc_microseconds(np.empty(0, dtype=np.int64), ZoneInfo("UTC"))) == 0

"""Numbers and times read the same on every page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from web_support import TestDatabase

from b2b_recs.web.ui import formats

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=42), "42s ago"),
        (timedelta(minutes=5, seconds=59), "5m ago"),
        (timedelta(hours=23), "23h ago"),
        (timedelta(days=4), "4d ago"),
        (-timedelta(minutes=15), "in 15m"),
        (-timedelta(days=6, hours=23, minutes=59, seconds=59), "in 7d"),
        (-timedelta(hours=23, minutes=40), "in 1d"),
    ],
)
def test_times_are_relative_in_the_largest_whole_unit(gap: timedelta, words: str) -> None:
    assert formats.ago(NOW - gap, NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.038, "38 ms"),
        (1.24, "1.2 s"),
        (125, "2 m 5 s"),
        (11_040, "3 h 4 m"),
        (48 * 3600 - 1, "47 h 59 m"),
        (48 * 3600, "2 d"),
        (214 * 3600, "8 d 22 h"),
        (None, "–"),
    ],
)
def test_durations_carry_their_unit(seconds: float | None, words: str) -> None:
    assert formats.duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == words


def test_a_number_is_not_parted_from_its_unit_at_the_end_of_a_line() -> None:
    assert formats.duration(125).split(" ") == ["2\N{NO-BREAK SPACE}m", "5\N{NO-BREAK SPACE}s"]
    assert formats.data_size(120_000_000).split(" ") == ["120\N{NO-BREAK SPACE}MB"]


def test_numbers_are_grouped_and_a_missing_one_is_a_dash() -> None:
    assert formats.grouped(541909) == "541,909"
    assert formats.grouped(0) == "0"
    assert formats.grouped(None) == "–"


def test_metrics_lose_the_leading_zero_but_one_stays_one() -> None:
    assert formats.decimals(0.3812) == ".381"
    assert formats.decimals(1.0) == "1.000"


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (Decimal("3120.40"), "GBP", "£ 3,120"),
        (Decimal("-12.5"), "EUR", "−€ 12.50"),
        (Decimal("7"), "SEK", "SEK 7.00"),
        (Decimal("NaN"), "EUR", "–"),
    ],
)
def test_money_carries_its_currency(amount: Decimal, currency: str, words: str) -> None:
    assert formats.money(amount, currency) == words


def test_an_unknown_status_is_still_a_word() -> None:
    assert formats.state_of("half_open") == ("", "Half open")


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0 %"), (0.004, "0.4 %"), (0.1234, "12.3 %"), (0.12, "12 %"), (1, "100 %"), (0.0004, "under 0.1 %"),
     (-0.0004, "−0.1 %"), (-0.07, "−7 %"), (0.9999, "over 99.9 %"), (0.98, "98 %")],
)  # fmt: skip
def test_shares_are_told_in_percent(share: float, words: str) -> None:
    assert formats.percent(share) == words.replace(" %", "\N{NO-BREAK SPACE}%")


@pytest.mark.parametrize("day", range(1, 29))
def test_an_exact_time_names_its_day_and_its_zone(platform_database: TestDatabase, day: int) -> None:
    at = datetime(2026, day % 12 + 1, day, 3, 4, 5, tzinfo=UTC)
    from b2b_recs.web.ui.templatetags.ui import exact

    with timezone.override(ZoneInfo("Asia/Tokyo")):
        local = timezone.localtime(at)
        assert exact(at) == f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S} Asia/Tokyo"

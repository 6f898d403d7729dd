"""The copies of the last days as a bar chart, laid out on the server: good runs upwards in one colour, failed above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from b2b_recs.web.etl.history import DAYS, Statistics

WIDTH, HEIGHT, FLOOR, TOP = 720.0, 150.0, 128.0, 14.0
GAP = 0.28


@dataclass(frozen=True)
class DayBar:
    """One day: where its bar stands, how high the good and the failed part are, and the words on it."""

    x: float
    width: float
    good_y: float
    good_height: float
    bad_y: float
    bad_height: float
    words: str


@dataclass(frozen=True)
class Chart:
    """Bars with the largest count and the first and last day; ``rows`` is the same as a table."""

    bars: list[DayBar]
    most: int
    first: date
    last: date
    rows: list[tuple[date, int, int, int]]


def chart_of(numbers: Statistics) -> Chart | None:
    """The chart, None when none of its days has a run that ended well or failed."""
    first = numbers.since.date() + timedelta(days=1)
    days = [first + timedelta(days=at) for at in range(DAYS)]
    by_day = {one.day: one for one in numbers.days if one.day in days}
    most = max((one.good + one.failed for one in by_day.values()), default=0)
    if not most:
        return None
    step, bars, rows = WIDTH / len(days), [], []
    for at, day in enumerate(days):
        one = by_day.get(day)
        if one is None:
            continue
        good, bad = ((FLOOR - TOP) * count / most for count in (one.good, one.failed))
        words = f"{day:%d %b}: {one.good:,} completed, {one.failed:,} failed, {one.rows_loaded:,} rows"
        bars.append(
            DayBar(
                x=round(at * step + step * GAP / 2, 2),
                width=round(step * (1 - GAP), 2),
                good_y=round(FLOOR - good, 2),
                good_height=round(good, 2),
                bad_y=round(FLOOR - good - bad, 2),
                bad_height=round(bad, 2),
                words=words,
            )
        )
        rows.append((day, one.good, one.failed, one.rows_loaded))
    return Chart(bars, most, days[0], days[-1], rows)

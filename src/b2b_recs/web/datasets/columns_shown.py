"""The statistics of one column as a page shows them: figures, bars, frequent values, each with words for it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString

from b2b_recs.engine.profile.document import ColumnProfile, Histogram
from b2b_recs.engine.profile.values import Plain, cut
from b2b_recs.web.datasets.cells import plain_text, rounded, shown_value
from b2b_recs.web.ui.formats import grouped

WIDTH, HEIGHT, GAP = 240, 56, 1
SHORTEST = 60  # characters of an end of a range
DAY = len("2026-01-31")
FEW = 5  # frequent values shown before the rest is asked for


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram, in the units of its picture."""

    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True)
class Bars:
    """A histogram as a picture, and its words for those who do not see it."""

    bars: list[Bar]
    low: str
    high: str
    words: str
    beyond: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Frequent:
    """A frequent value with its rows, their share of the column's and of the most frequent value's, in per cent."""

    value: SafeString | str
    rows: int
    share: float
    length: float


@dataclass(frozen=True)
class Figure:
    """One figure by its name; ``about`` for an estimate."""

    name: str
    value: SafeString | str
    about: bool = False


@dataclass(frozen=True)
class ColumnShown:
    """One column of the statistics page."""

    of: ColumnProfile
    filled_share: float
    null_words: str
    figures: list[Figure]
    bars: Bars | None
    top: list[Frequent]
    rest: list[Frequent]
    top_words: str


def column_shown(found: ColumnProfile) -> ColumnShown:
    """A column's statistics with everything the page needs."""
    top = _top(found)
    return ColumnShown(
        of=found,
        filled_share=round(100 * (1 - found.null_share), 2),
        null_words=_nulls(found),
        figures=list(_figures(found)),
        bars=bars_of(found.name, found.histogram, found.maximum) if found.histogram else None,
        top=top if found.histogram else top[:FEW],
        rest=[] if found.histogram else top[FEW:],
        top_words=_top_words(found),
    )


def bars_of(name: str, found: Histogram, maximum: Plain) -> Bars:
    """A histogram's bars as a picture, each with its words; ``maximum`` is the column's largest value."""
    highest = max(found.rows, default=0) or 1
    step = WIDTH / len(found.rows)
    bars = []
    for at, rows in enumerate(found.rows):
        height = 0 if not rows else max(1.5, HEIGHT * rows / highest)
        words = f"{_edge(found, at)}: {_rows(rows)}"
        bars.append(
            Bar(round(at * step, 2), round(HEIGHT - height, 2), round(max(step - GAP, 0.5), 2), round(height, 2), words)
        )
    most = max(range(len(found.rows)), key=found.rows.__getitem__)
    low, high = _apart(plain_text(found.edges[0]), plain_text(_last(found) if found.above else maximum))
    words = f"{name} from {low} to {high}. Most values: {_edge(found, most)}, {_rows(found.rows[most])}."
    beyond = []
    if found.below:
        beyond.append(f"{_rows(found.below)} below")
    if found.above:
        beyond.append(f"{_rows(found.above)} above")
    return Bars(bars, low, high, words, " and ".join(beyond))


def _nulls(found: ColumnProfile) -> str:
    if not found.nulls:
        return "always filled"
    if not found.filled:
        return "never filled"
    share = 100 * found.null_share
    words = f"{share:.3g} %" if share >= 0.01 else "less than 0.01 %"
    return f"{words} without a value"


def _figures(found: ColumnProfile) -> list[Figure]:
    if not found.filled:
        return []
    figures = [Figure("Distinct", grouped(found.distinct), about=not found.distinct_exact)]
    if found.minimum is not None:
        figures += [Figure("Min", _short(found.minimum)), Figure("Max", _short(found.maximum))]
    if found.mean is not None:
        figures.append(Figure("Mean", rounded(found.mean)))
    if found.median is not None:
        median = found.median
        if found.kind == "moment":
            median = str(median)[:16]
        figures.append(Figure("Median", rounded(median) if isinstance(median, float) else shown_value(median), True))
    if found.lengths is not None:
        unit = "bytes" if found.kind == "bytes" else "characters"
        same = found.lengths.shortest == found.lengths.longest
        span = (
            f"{found.lengths.longest:,}"
            if same
            else f"{found.lengths.shortest:,} to {found.lengths.longest:,}, mean {rounded(found.lengths.mean)}"
        )
        figures.append(Figure("Length", f"{span} {unit}"))
    return figures


def _short(value: Plain) -> SafeString | str:
    return shown_value(cut(value, SHORTEST) if isinstance(value, str) else value)


def _top(found: ColumnProfile) -> list[Frequent]:
    """Frequent values; none where every value occurs once, because then none is frequent."""
    if not found.top or not found.counted_rows or found.top[0].rows == 1 < found.distinct:
        return []
    most = found.top[0].rows
    return [
        Frequent(
            shown_value(one.value),
            one.rows,
            round(100 * one.rows / found.counted_rows, 1),
            round(100 * one.rows / most, 1),
        )
        for one in found.top
    ]


def _top_words(found: ColumnProfile) -> str:
    if not found.filled:
        return "There is no value to count."
    if found.counted_rows is None:
        return "Values were not counted: " + (
            "bytes are not compared." if found.kind == "bytes" else "it would have taken too long."
        )
    if found.kind == "bytes":
        return "Bytes are not compared, so no value is counted."
    if found.top and found.top[0].rows == 1 and found.distinct > 1:
        return "Every value occurs once." if not found.sampled else "No value occurs twice in the sample."
    if found.sampled:
        return f"Counted in a sample of {grouped(found.counted_rows)} rows."
    return ""


def _apart(low: str, high: str) -> tuple[str, str]:
    """Two ends as short as they can be told apart: times of different days by their days."""
    if len(low) > DAY and low[4:5] == "-" and low[:DAY] != high[:DAY]:
        return low[:DAY], high[:DAY]
    return low, high


def _edge(found: Histogram, at: int) -> str:
    low, high = found.edges[at], found.edges[at + 1]
    if isinstance(low, int) and isinstance(high, int):
        return str(low) if high - low == 1 else f"{low} to {high - 1}"
    return " to ".join(_apart(plain_text(low), plain_text(high)))


def _last(found: Histogram) -> Plain:
    last = found.edges[-1]
    return last - 1 if isinstance(last, int) and not isinstance(last, bool) else last


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"

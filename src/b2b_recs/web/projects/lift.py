"""A model's measured quality beside the simple ways, as points with intervals on one scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from b2b_recs.engine.counting import counted
from b2b_recs.engine.evaluation.metrics import metric_title
from b2b_recs.web.ui.formats import decimals, share

METRIC = "ndcg@10"
SEGMENT = "all"
NOTE = (
    "Each line is the 95 % interval; further right is better. All purchases, ranked over the whole catalogue, on "
    "orders later than any that the models measured here learnt from."
)
REPEATS = "It repeats what each customer bought before"
UNBEATEN = "nothing else did better."
CHEAT = "choosing by the test itself would favour luck, and the figure would promise more than it keeps"
BAR = "buy_again"  # repeat purchases dominate here, so this is the one to beat


@dataclass(frozen=True)
class Figure:
    """One measured value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LiftRow:
    """One line of the chart; ``start``, ``width`` and ``middle`` are per cent of the scale."""

    name: str
    chosen: bool
    value: float
    start: float
    width: float
    middle: float
    words: str


@dataclass(frozen=True)
class Lift:
    """The chart and what it says."""

    metric: str
    words: str
    rows: list[LiftRow]
    verdict: str
    note: str
    headline: tuple[str, str]
    choice: str  # why not the algorithm with the best figure was chosen; empty when it was


def figure_of(metrics: Mapping[str, Any], segment: str = SEGMENT, metric: str = METRIC) -> Figure | None:
    """A figure of the metrics document, None when it was not measured."""
    found = (metrics or {}).get(segment, {}).get(metric)
    if not isinstance(found, Mapping) or found.get("value") is None:
        return None
    value = float(found["value"])
    low, high = found.get("low"), found.get("high")
    return Figure(value, value if low is None else float(low), value if high is None else float(high))


def label_of(title: str, number: int, live: bool) -> str:
    """What the line of the version is called in the chart: the algorithm, the version, and whether it answers."""
    return f"{title}, v{number}{' (live)' if live else ''}"


def lift_of(
    measured: Iterable[tuple[str, str, Mapping[str, Any]]],
    chosen: str,
    label: str,
    held_out: str = "",
    comparisons: Iterable[Mapping[str, Any]] = (),
    headline: str = METRIC,
) -> Lift | None:
    """The chart of one training: (algorithm, title, metrics) of every algorithm tried, best first.

    ``chosen`` is the algorithm that was registered and ``label`` what its line is called, as ``label_of`` makes it;
    None when nothing was measured.
    ``comparisons`` are the paired differences a training found: they, not the two intervals, decide what is said.
    ``headline`` is the metric that chose.
    """
    measured = list(measured)
    found = [(name, title, figure) for name, title, metrics in measured if (figure := figure_of(metrics)) is not None]
    if not found:
        return None
    found.sort(key=lambda row: (row[0] != chosen, -row[2].value))
    scale = _scale([figure for _, _, figure in found])
    rows = [_row(label if name == chosen else title, name == chosen, figure, scale) for name, title, figure in found]
    by_name = {name: figure for name, _, figure in found}
    mine = by_name.get(chosen)
    ahead = next((row for row in found if mine is not None and row[2].value > mine.value), None)
    repeats = f"{REPEATS}. Why not {ahead[1]}, stands below." if ahead else f"{REPEATS}: {UNBEATEN}"
    return Lift(
        metric="NDCG@10",
        words=f"NDCG@10{', ' + held_out if held_out else ''}",
        rows=rows,
        verdict=_verdict(by_name.get(BAR), _paired(comparisons)) if chosen != BAR else repeats,
        note=NOTE,
        headline=(decimals(mine.value), f"95 %: {decimals(mine.low)} to {decimals(mine.high)}") if mine else ("–", ""),
        choice=choice_words(measured, chosen, headline),
    )


def _validated(metrics: Mapping[str, Any]) -> float | None:
    value = (metrics["validation"] or {}).get(SEGMENT)
    return None if value is None else float(value)


def choice_words(
    measured: Iterable[tuple[str, str, Mapping[str, Any]]], chosen: str, headline: str, metric: str = METRIC
) -> str:
    """Why another than the algorithm with the best figure by ``metric`` was chosen, and whether the difference can be
    chance; empty when it has the best.

    The choice never sees the test period: it was made by ``headline`` on orders before it.
    """
    measured = list(measured)
    figures = {name: figure for name, _, metrics in measured if (figure := figure_of(metrics, metric=metric))}
    titles = {name: title for name, title, _ in measured}
    best = max(figures, key=lambda name: figures[name].value, default=chosen)
    if chosen not in figures or figures[best].value <= figures[chosen].value:
        return ""
    validated = {name: _validated(metrics) for name, _, metrics in measured if "validation" in metrics}
    mine, theirs = validated.get(chosen), validated.get(best)
    by = "" if headline == metric else f" by {metric_title(headline)}"
    if chosen in validated and mine is None:
        why = f"for want of earlier orders to choose on, a fixed order decided; {CHEAT}"
    elif mine is not None and theirs is not None and theirs > mine:
        why = f"{titles[best]} was only measured beside, and was not among the algorithms to choose from"
    elif mine is not None and theirs == mine:
        why = f"on the orders before the test both were level{by}, and a fixed order decided; {CHEAT}"
    else:
        why = f"it did best{by} on the orders before the test; {CHEAT}"
    return f"{titles[chosen]} was chosen because {why}. {_apart(titles[best], figures[best], figures[chosen])}"


def _apart(title: str, best: Figure, mine: Figure) -> str:
    """By how much another algorithm is ahead on the test, and whether that can be chance."""
    ahead = f"On the test {title} is ahead, {decimals(best.value)} to {decimals(mine.value)}"
    if best.low <= mine.high:
        return f"{ahead}, but the two intervals overlap: such a difference can be chance."
    return f"{ahead}, more than chance explains; the next training chooses anew, on newer orders."


def _scale(figures: list[Figure]) -> tuple[float, float]:
    """The ends of the axis: room on both sides, so that intervals are wide enough to compare."""
    low, high = min(figure.low for figure in figures), max(figure.high for figure in figures)
    room = (high - low) or high or 1.0
    return max(0.0, low - 0.3 * room), high + 0.15 * room


def _row(name: str, chosen: bool, figure: Figure, scale: tuple[float, float]) -> LiftRow:
    start, end = share(figure.low, *scale), share(figure.high, *scale)
    words = f"{decimals(figure.value)}, 95 % interval {decimals(figure.low)} to {decimals(figure.high)}"
    return LiftRow(
        name,
        chosen,
        figure.value,
        round(start, 2),
        round(max(0.4, end - start), 2),
        round(share(figure.value, *scale), 2),
        words,
    )


def _paired(comparisons: Iterable[Mapping[str, Any]]) -> Figure | None:
    """The difference to "buy again" on the same customers."""
    for one in comparisons:
        if (one.get("other"), one.get("segment"), one.get("metric")) == (BAR, SEGMENT, METRIC):
            return figure_of({SEGMENT: {METRIC: one.get("difference")}})
    return None


def _verdict(bar: Figure | None, paired: Figure | None) -> str:
    if bar is None or paired is None or bar.value <= 0:
        return ""
    gain, spread = 100 * paired.value / bar.value, 50 * (paired.high - paired.low) / bar.value
    size = f"{abs(gain):.{0 if spread >= 1 else 1}f} % (± {spread:.{0 if spread >= 1 else 1}f} %)"
    if paired.low > 0:
        return f"It beats “buy again” by {size} on all purchases."
    if paired.high < 0:
        return f"It stays {size} behind “buy again” on all purchases."
    return "It is level with “buy again” on all purchases: the difference is within its 95 % interval."


def held_out_words(details: Mapping[str, Any]) -> str:
    """The test period in words, from what a training noted about it."""
    parts = []
    if details.get("test_days"):
        parts.append(f"last {counted(round(float(details['test_days'])), 'day')} held out")
    if details.get("test_customers"):
        parts.append(counted(int(details["test_customers"]), "customer"))
    return ", ".join(parts)

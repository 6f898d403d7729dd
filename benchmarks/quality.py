"""How good the recommendations are on Online Retail, beside the reference figures of the same protocol.

The last tenth of the lines by time is the test; settings are chosen on the tenth before it; the whole catalogue is
ranked for the 1,011 customers with orders on both sides. Exit code 1 when a figure is below its reference by more
than the tolerance.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from online_retail import load_interactions

from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.evaluation.report import AlgorithmReport
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.training.pipeline import train
from b2b_recs.engine.training.result import TrainingResult
from b2b_recs.engine.training.spec import TestSplit, TrainingSpec

TOLERANCE = 0.002  # the references are rounded to three digits and their settings were not published
# NDCG@10 for all purchases, and for products new to the customer where the reference has one.
REFERENCE: dict[str, tuple[float | None, float | None]] = {
    "popular": (None, None),
    "recent_popular": (0.137, 0.069),
    "buy_again": (0.342, None),
    "user_knn": (0.359, 0.089),
    "ials": (0.323, 0.098),
    "ease": (0.288, 0.090),
}
EXPECTED = {"customers": 1_011, "new_customers": 905, "cut": "2011-11-21 09:11"}


def main() -> int:
    """Train by the protocol and print the table."""
    data = load_interactions()
    with tempfile.TemporaryDirectory() as folder:
        result = train(
            data,
            TrainingSpec(split=TestSplit(test_share=0.1), deploy="never"),
            ArtifactStore(Path(folder)),
            Silent(),
            lambda: datetime.now(UTC),
        )
    _check_protocol(result)
    print(
        f"{'':18}{'NDCG@10 all':>22}{'ref':>7}{'NDCG@10 new':>24}{'ref':>7}"
        f"{'Recall@10':>11}{'@100':>7}{'revenue@100':>13}"
    )
    below = [row for report in result.evaluation.algorithms for row in _row(report)]
    chosen = result.evaluation.chosen
    best = next(each for each in result.evaluation.algorithms if each.algorithm == result.evaluation.best_on_test)
    print(f"chosen on validation: {chosen}; best on test: {best.algorithm}")
    for comparison in result.evaluation.comparisons:
        if comparison.segment == "all":
            figure = comparison.difference
            print(f"{chosen} − {comparison.other}: {figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]")
    print(f"training and evaluation: {result.seconds:.1f} s")
    for line in below:
        print(line)
    return 1 if below else 0


def _check_protocol(result: TrainingResult) -> None:
    period = result.evaluation.period
    found = {
        "customers": period.customers,
        "new_customers": period.new_customers,
        "cut": f"{datetime.fromtimestamp(period.cut / 1e6, UTC):%Y-%m-%d %H:%M}",
    }
    if found != EXPECTED:
        raise SystemExit(f"The test period is not the protocol's: {found}, expected {EXPECTED}.")


def _row(report: AlgorithmReport) -> list[str]:
    """Print one algorithm; complaints about figures below their reference."""
    every, new = report.metrics["all"], report.metrics["new"]
    cells, below = [f"{report.algorithm:18}"], []
    for name, figure, reference in zip(
        ("all", "new"), (every["ndcg@10"], new["ndcg@10"]), REFERENCE[report.algorithm], strict=True
    ):
        cells.append(f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]".rjust(24 if name == "new" else 22))
        cells.append(f"{reference:.3f}".rjust(7) if reference is not None else "–".rjust(7))
        if reference is not None and figure.value < reference - TOLERANCE:
            below.append(f"{report.algorithm}, {name}: {figure.value:.3f} is below the reference {reference:.3f}")
    cells.append(f"{every['recall@10'].value:.3f}".rjust(11))
    cells.append(f"{every['recall@100'].value:.3f}".rjust(7))
    cells.append(f"{every['revenue_recall@100'].value:.1%}".rjust(13))
    print("".join(cells))
    return below


if __name__ == "__main__":
    sys.exit(main())

"""The three periods of a training: learn, tune, test; refused in words when the orders cannot fill them."""

from __future__ import annotations

from dataclasses import dataclass

from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.errors import BadInput, EmptyDataset
from b2b_recs.engine.evaluation.holdout import Holdout, holdout_of
from b2b_recs.engine.evaluation.splits import DAY, Split, cut_at_days, cut_at_quantile, split_at
from b2b_recs.engine.training.spec import TestSplit


@dataclass(frozen=True, slots=True)
class Periods:
    """``test`` for the figures people see; ``tuning`` lies wholly inside its training side.

    ``tuning`` is None when no customer ordered on both sides of its cut: then nothing can be tuned.
    """

    test: Split
    test_holdout: Holdout
    tuning: Split | None
    tuning_holdout: Holdout | None


def make_periods(data: Interactions, spec: TestSplit) -> Periods:
    """The periods of ``spec``. EmptyDataset without lines; BadInput naming the setting when a period is empty."""
    if not len(data):
        raise EmptyDataset(
            "There is nothing to learn from: the dataset has no order lines.",
            advice="Look at the dataset's filters and joins, and at whether its tables have been copied.",
        )
    cut, tuning_cut = _cuts(data, spec)
    test = split_at(data, cut)
    span = (int(data.time.max()) - int(data.time.min())) / DAY
    if not len(test.train):
        raise BadInput(
            f"No order is older than the test period, {spec.words()}: the orders span {span:.1f} days.",
            advice=f"Set {spec.title} lower, or load older orders.",
            field=f"split.{spec.field}",
        )
    holdout = holdout_of(test)
    if not len(holdout):
        raise BadInput(
            f"No customer who had ordered before bought a known product in the test period, {spec.words()}.",
            advice=f"Set {spec.title} higher or lower so that it holds orders of returning customers, "
            f"or load more orders (they span {span:.1f} days).",
            field=f"split.{spec.field}",
        )
    tuning = split_at(test.train, tuning_cut)
    tuning_holdout = holdout_of(tuning)
    if not len(tuning_holdout):
        return Periods(test, holdout, None, None)
    return Periods(test, holdout, tuning, tuning_holdout)


def _cuts(data: Interactions, spec: TestSplit) -> tuple[int, int]:
    """The cut before the test period, and the one before the tuning period of the same length."""
    if spec.test_days is not None:
        return cut_at_days(data, spec.test_days), cut_at_days(data, 2 * spec.test_days)
    share = spec.test_share or 0.1
    return cut_at_quantile(data, 1 - share), cut_at_quantile(data, max(1 - 2 * share, 0.0))

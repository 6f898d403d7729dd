"""Cuts of the orders at one moment in time: what came before is learnt from, what came after is the test.

Only time splits exist here. A random split lets a model see the future of the very customers it is tested on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from b2b_recs.engine.datasets.interactions import Interactions

DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class Split:
    """``train`` lines are before ``cut``, ``test`` lines at or after it; ids and indices are those of the whole."""

    train: Interactions
    test: Interactions
    cut: int


def select(data: Interactions, rows: npt.NDArray[np.bool_]) -> Interactions:
    """The chosen lines, with all customer and product ids kept so that indices mean the same."""
    return replace(
        data,
        customer=data.customer[rows],
        product=data.product[rows],
        order=data.order[rows],
        time=data.time[rows],
        revenue=data.revenue[rows],
        quantity=data.quantity[rows],
    )


def split_at(data: Interactions, cut: int) -> Split:
    """The two sides of one moment (microseconds since 1970-01-01 UTC)."""
    before = data.time < cut
    return Split(select(data, before), select(data, ~before), cut)


def before(data: Interactions, cut: int) -> Interactions:
    """The lines before a moment."""
    return select(data, data.time < cut)


def cut_at_quantile(data: Interactions, quantile: float) -> int:
    """The moment before which ``quantile`` of the lines lie. ValueError without lines."""
    if not len(data):
        raise ValueError("there are no lines to cut")
    return math.ceil(np.quantile(data.time, quantile))


def cut_at_days(data: Interactions, days: float) -> int:
    """The moment ``days`` days before the last line. ValueError without lines."""
    if not len(data):
        raise ValueError("there are no lines to cut")
    return int(data.time.max()) - round(days * DAY)


def rolling_origin(data: Interactions, days: float, folds: int) -> list[Split]:
    """``folds`` splits, oldest first; each tests the ``days`` days after its cut, and learns from all before.

    Test periods follow each other without overlap and end with the last line.
    """
    end = int(data.time.max(initial=0)) + 1
    splits = []
    for fold in range(folds, 0, -1):
        cut = end - round(days * DAY) * fold
        until = end - round(days * DAY) * (fold - 1)
        splits.append(split_at(before(data, until), cut))
    return splits

"""How good lists are, customer by customer, over the whole catalogue.

Every figure is kept as a numerator and a denominator per customer, so that one bootstrap serves means over customers
and shares of money alike: the figure is sum(numerator) / sum(denominator).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from b2b_recs.engine.algorithms.contract import Algorithm, FloatArray
from b2b_recs.engine.algorithms.ranking import rank
from b2b_recs.engine.evaluation.holdout import Holdout

RECALL_AT = (5, 10, 50, 100)
REVENUE_AT = (10, 100)
SEGMENTS = ("all", "new")
METRICS = (
    *(f"recall@{k}" for k in RECALL_AT),
    "ndcg@10",
    "map@10",
    *(f"revenue_recall@{k}" for k in REVENUE_AT),
    "novelty@10",
)
_LONGEST = max(RECALL_AT)
_CHUNK_CELLS = 4_000_000  # customers × products scored at a time: 16 MB of float32

Array = npt.NDArray[np.float64]


def metric_title(metric: str) -> str:
    """A metric's name as people write it: ``NDCG@10``, ``Recall@5``, ``Revenue recall@100``."""
    name, _, k = metric.partition("@")
    words = name.upper() if name in ("ndcg", "map") else name.replace("_", " ").capitalize()
    return f"{words}@{k}" if k else words


@dataclass(frozen=True, slots=True)
class Measured:
    """One model on one holdout: numerators and denominators (customers, metrics) for each segment.

    A customer without truth in a segment has denominator 0 there. ``coverage`` is the share of the catalogue that
    appears in at least one customer's first ten.
    """

    numerators: dict[str, Array]
    denominators: dict[str, Array]
    coverage: dict[str, float]

    def value(self, segment: str, metric: str) -> float:
        """The figure itself; NaN when no customer has it."""
        column = METRICS.index(metric)
        total = self.denominators[segment][:, column].sum()
        return float(self.numerators[segment][:, column].sum() / total) if total > 0 else float("nan")


def measure(model: Algorithm, holdout: Holdout) -> Measured:
    """Rank the whole catalogue for every test customer and compare with what was bought.

    ``all`` counts every purchase. ``new`` leaves out, on both sides, what the customer bought before the cut.
    """
    n, products = holdout.truth.shape
    numerators = {segment: np.zeros((n, len(METRICS))) for segment in SEGMENTS}
    denominators = {segment: np.zeros((n, len(METRICS))) for segment in SEGMENTS}
    shown = {segment: np.zeros(products, dtype=bool) for segment in SEGMENTS}
    information = -np.log2(np.maximum(holdout.buyers, 1) / max(holdout.train_customers, 1))
    for begin, end in _chunks(n, products):
        scores = model.score(holdout.customers[begin:end])
        owned = holdout.owned[begin:end].toarray() > 0
        truth = holdout.truth[begin:end].toarray() > 0
        revenue = holdout.revenue[begin:end].toarray()
        for segment in SEGMENTS:
            hidden = owned if segment == "new" else np.zeros_like(owned)
            allowed = holdout.catalogue & ~hidden
            lists = _lists(scores, allowed)
            wanted = truth & ~hidden
            top, bottom = _figures(lists, wanted, np.where(wanted, revenue, 0.0), information)
            numerators[segment][begin:end], denominators[segment][begin:end] = top, bottom
            some = wanted.any(axis=1)
            first = lists[some, :10]
            shown[segment][first[first >= 0]] = True
    catalogue = max(int(holdout.catalogue.sum()), 1)
    coverage = {segment: float(shown[segment].sum()) / catalogue for segment in SEGMENTS}
    return Measured(numerators, denominators, coverage)


def _chunks(n: int, products: int) -> Iterator[tuple[int, int]]:
    size = max(1, _CHUNK_CELLS // max(products, 1))
    return ((begin, min(begin + size, n)) for begin in range(0, n, size))


def _lists(scores: FloatArray, allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The first hundred products of each row (n, 100), -1 after the end."""
    lists = np.full((len(scores), _LONGEST), -1, dtype=np.int64)
    for row, (products, _) in enumerate(rank(scores, _LONGEST, allowed)):
        lists[row, : len(products)] = products
    return lists


def _figures(lists: Any, wanted: npt.NDArray[np.bool_], revenue: Array, information: Array) -> tuple[Array, Array]:
    """Numerators and denominators (n, metrics) of lists (n, 100) against wanted products (n, products)."""
    rows = np.arange(len(lists))[:, None]
    listed = lists >= 0
    hits = wanted[rows, lists] & listed
    money = np.cumsum(revenue[rows, lists] * hits, axis=1)
    found = np.cumsum(hits, axis=1)
    size = wanted.sum(axis=1)
    discount = 1.0 / np.log2(np.arange(2, 12))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(size, 10)]
    precision = found[:, :10] / np.arange(1, 11)
    ten = np.maximum(np.minimum(size, 10), 1)
    columns: dict[str, tuple[Array, Array]] = {}
    some = (size > 0).astype(np.float64)
    for k in RECALL_AT:
        columns[f"recall@{k}"] = (found[:, k - 1] / np.maximum(np.minimum(size, k), 1), some)
    columns["ndcg@10"] = ((hits[:, :10] * discount).sum(axis=1) / np.where(ideal > 0, ideal, 1.0), some)
    columns["map@10"] = ((precision * hits[:, :10]).sum(axis=1) / ten, some)
    for k in REVENUE_AT:
        columns[f"revenue_recall@{k}"] = (money[:, k - 1], revenue.sum(axis=1))
    first = listed[:, :10]
    known = (information[lists[:, :10]] * first).sum(axis=1) / np.maximum(first.sum(axis=1), 1)
    columns["novelty@10"] = (known * some, some * first.any(axis=1))
    top = np.stack([columns[name][0] for name in METRICS], axis=1)
    bottom = np.stack([columns[name][1] for name in METRICS], axis=1)
    return top, bottom

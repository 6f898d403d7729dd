"""The one function that puts scored products in order; evaluation and serving both use it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from b2b_recs.engine.algorithms.contract import FloatArray


def rank(
    scores: FloatArray, k: int, allowed: npt.NDArray[np.bool_] | None = None
) -> list[tuple[npt.NDArray[np.int64], FloatArray]]:
    """For each row of ``scores`` (n, products): product indices and scores of the best ``k``, best first.

    Equal scores are ordered by product index, so the same scores always give the same list. A product whose score
    is -inf or not a number, or that ``allowed`` (products,) or (n, products) leaves out, is never returned: a row
    may be shorter than ``k``. Rows are independent: one customer alone gets the same answer as in a batch.
    """
    rows = []
    for position, row in enumerate(scores):
        mask = None if allowed is None else allowed if allowed.ndim == 1 else allowed[position]
        rows.append(_rank_row(row, k, mask))
    return rows


def _rank_row(
    row: FloatArray, k: int, allowed: npt.NDArray[np.bool_] | None
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    usable = row > -np.inf  # False for NaN too
    if allowed is not None:
        usable &= allowed
    candidates = np.flatnonzero(usable)
    if k <= 0 or not len(candidates):
        return candidates[:0], row[:0]
    values = row[candidates]
    if k < len(candidates):
        worst_kept = np.partition(values, len(values) - k)[len(values) - k]
        kept = values >= worst_kept  # every tie with the k-th, so that the index decides below
        candidates, values = candidates[kept], values[kept]
    order = np.argsort(-values, kind="stable")[:k]
    return candidates[order], values[order]

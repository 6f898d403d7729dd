"""Latency of several hours together, from the histograms that serving counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from b2b_recs.engine.serving.traffic import EDGES_MS, percentile


def latency_percentile(windows: Iterable[Sequence[int] | None], share: float) -> float | None:
    """Milliseconds below which that share of all requests stayed; None when nothing was counted.

    Each window is the ``latency.counts`` of a PredictionLog: requests per bin of serving's edges.
    Percentiles of hours cannot be averaged; counts can be added.
    """
    total = [0] * (len(EDGES_MS) + 1)
    for window in windows:
        if window is not None and len(window) == len(total):
            total = [one + other for one, other in zip(total, window, strict=True)]
    return percentile(total, share)

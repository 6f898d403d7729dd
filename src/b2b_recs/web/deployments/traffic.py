"""Latency of several hours together, from the histograms that serving counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from b2b_recs.engine.serving.traffic import EDGES_MS, percentile


def latency_percentile(windows: Iterable[Mapping[str, Any]], share: float) -> float | None:
    """Milliseconds below which that share of all requests stayed; None when nothing was counted.

    Each window is the ``latency`` document of a PredictionLog: ``counts`` are requests per bin of serving's edges.
    Percentiles of hours cannot be averaged; counts can be added.
    """
    total = [0] * (len(EDGES_MS) + 1)
    for window in windows:
        counts = (window or {}).get("counts") or ()
        if len(counts) == len(total):
            total = [one + other for one, other in zip(total, counts, strict=True)]
    return percentile(total, share)

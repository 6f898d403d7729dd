"""Percentiles of a day come from the counts of its hours together."""

from __future__ import annotations

from b2b_recs.engine.serving.traffic import EDGES_MS
from b2b_recs.web.deployments.traffic import latency_percentile


def hour(bin_number: int, requests: int) -> list[int]:
    counts = [0] * (len(EDGES_MS) + 1)
    counts[bin_number] = requests
    return counts


def test_a_slow_quiet_hour_does_not_outweigh_a_fast_busy_one() -> None:
    windows = [hour(20, 990), hour(60, 10)]
    assert latency_percentile(windows, 0.95) == round(EDGES_MS[20], 3)
    assert latency_percentile(windows, 0.995) == round(EDGES_MS[60], 3)


def test_without_requests_there_is_no_percentile() -> None:
    assert latency_percentile([], 0.95) is None
    assert latency_percentile([None, hour(3, 0), [1, 2]], 0.95) is None

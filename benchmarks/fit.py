"""How long fitting and fully evaluating the six algorithms takes on Online Retail, as a ratio to a floor.

The floor is what nobody can avoid in the same language: one BLAS product that scores every test customer against the
catalogue with 64 numbers each, and one sort of every row. Target: the whole training within 60 seconds.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
from online_retail import load_interactions

from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.training.pipeline import train
from b2b_recs.engine.training.spec import TestSplit, TrainingSpec

TARGET_SECONDS = 60.0


def floor_seconds(customers: int, products: int, factors: int = 64) -> float:
    """Median of five: score (customers, factors) × (factors, products) in float32 and sort each row."""
    random = np.random.default_rng(0)
    left = random.random((customers, factors), dtype=np.float32)
    right = random.random((factors, products), dtype=np.float32)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        np.argsort(left @ right, axis=1)
        times.append(time.perf_counter() - started)
    return median(times)


def main() -> int:
    """Train once and print seconds, ratios and memory."""
    data = load_interactions()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        result = train(
            data,
            TrainingSpec(split=TestSplit(test_share=0.1), deploy="never"),
            ArtifactStore(Path(folder)),
            Silent(),
            lambda: datetime.now(UTC),
        )
        seconds = time.perf_counter() - started
    period = result.evaluation.period
    floor = floor_seconds(period.customers, period.catalogue)
    print(f"floor: score and sort {period.customers:,} × {period.catalogue:,}: {floor:.2f} s")
    print(f"{'':18}{'tune':>8}{'fit':>8}{'evaluate':>10}{'fit + evaluate / floor':>25}")
    for report in result.evaluation.algorithms:
        both = report.fit_seconds + report.evaluation_seconds
        print(
            f"{report.algorithm:18}{report.tuning_seconds:>7.1f}s{report.fit_seconds:>7.2f}s"
            f"{report.evaluation_seconds:>9.2f}s{both / floor:>25.1f}"
        )
    print(", ".join(f"{name} {value:.1f} s" for name, value in result.stage_seconds.items()))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"whole training: {seconds:.1f} s = {seconds / TARGET_SECONDS:.2f} of the target of {TARGET_SECONDS:.0f} s, "
          f"{seconds / floor:.0f} × the floor; {memory:,.0f} MB at most")  # fmt: skip
    return 0 if seconds <= TARGET_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())

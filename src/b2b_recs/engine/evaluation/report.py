"""What an evaluation found, as documents that can be stored, shown and compared."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from b2b_recs.engine.evaluation.intervals import Draws, Figure
from b2b_recs.engine.evaluation.metrics import METRICS, SEGMENTS


class Measure(BaseModel):
    """A figure with its 95 % interval; None where it cannot be computed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, figure: Figure) -> Measure:
        """The same figure as a document."""
        return cls(value=figure.value, low=figure.low, high=figure.high)


class TestPeriod(BaseModel):
    """What the figures were measured on. Times are microseconds since 1970-01-01 UTC; money has no currency here.

    ``customers`` had orders before the cut and bought something of the catalogue after it; ``new_customers`` of them
    bought at least one product they had not bought before.
    """

    __test__ = False  # its name makes the test runner look for tests in it
    model_config = ConfigDict(extra="forbid", frozen=True)
    cut: int
    until: int
    train_rows: int
    test_rows: int
    customers: int
    new_customers: int
    catalogue: int
    revenue: float


class AlgorithmReport(BaseModel):
    """One algorithm on the test period.

    ``metrics[segment][metric]`` with segments ``all`` (every purchase) and ``new`` (products new to the customer).
    ``validation`` is the headline metric on the validation period inside training, by segment. ``coverage`` has no
    interval: drawing customers twice can only lower it. ``skipped`` says why there are no figures.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    algorithm: str
    title: str
    baseline: bool = False
    eligible: bool = True
    parameters: dict[str, Any] = Field(default_factory=dict)
    validation: dict[str, float | None] = Field(default_factory=dict)
    metrics: dict[str, dict[str, Measure]] = Field(default_factory=dict)
    coverage: dict[str, float] = Field(default_factory=dict)
    tuning_seconds: float = 0.0
    fit_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    skipped: str = ""


class Comparison(BaseModel):
    """``model`` minus ``other`` on the same customers, with the interval of the paired difference."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    model: str
    other: str
    segment: str
    metric: str
    difference: Measure


def metrics_of(draws: Draws, model: str) -> dict[str, dict[str, Measure]]:
    """Every figure of one model."""
    return {
        segment: {metric: Measure.of(draws.figure(model, segment, metric)) for metric in METRICS}
        for segment in SEGMENTS
    }


def compare(draws: Draws, model: str, other: str, metric: str) -> list[Comparison]:
    """The paired difference in each segment."""
    return [
        Comparison(
            model=model,
            other=other,
            segment=segment,
            metric=metric,
            difference=Measure.of(draws.difference(model, other, segment, metric)),
        )
        for segment in SEGMENTS
    ]

"""How sure a figure is: bootstrap over customers, and paired differences between two models.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993 (percentile intervals). Customers are drawn, not
lines, because one customer's lines hang together. Every model sees the same draws, so differences are paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from b2b_recs.engine.evaluation.metrics import METRICS, SEGMENTS, Measured

DRAWS = 1000
_CELLS = 4_000_000  # draws × customers held at a time
_BOUNDS = (2.5, 97.5)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval; each is None where it cannot be computed."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Draws:
    """Bootstrap figures of several models: ``samples[segment]`` float64 (draws, models, metrics)."""

    models: tuple[str, ...]
    measured: Mapping[str, Measured]
    samples: dict[str, Array]
    customers: dict[str, int]

    def figure(self, model: str, segment: str, metric: str) -> Figure:
        """One model's figure."""
        value = self.measured[model].value(segment, metric)
        return self._figure(value, self._column(model, segment, metric), segment)

    def difference(self, model: str, other: str, segment: str, metric: str) -> Figure:
        """``model`` minus ``other`` on the same draws."""
        value = self.measured[model].value(segment, metric) - self.measured[other].value(segment, metric)
        column = self._column(model, segment, metric) - self._column(other, segment, metric)
        return self._figure(value, column, segment)

    def _column(self, model: str, segment: str, metric: str) -> Array:
        return self.samples[segment][:, self.models.index(model), METRICS.index(metric)]

    def _figure(self, value: float, samples: Array, segment: str) -> Figure:
        """One customer says nothing about spread, so it gets no interval rather than one of width zero."""
        if not np.isfinite(value):
            return Figure(None, None, None)
        usable = samples[np.isfinite(samples)]
        if self.customers[segment] < 2 or not len(usable):
            return Figure(value, None, None)
        low, high = np.percentile(usable, _BOUNDS)
        return Figure(value, float(low), float(high))


def bootstrap(measured: Mapping[str, Measured], draws: int = DRAWS, seed: int = 0) -> Draws:
    """Draws for all models at once; the same seed and data give the same intervals."""
    models = tuple(measured)
    samples: dict[str, Array] = {}
    customers: dict[str, int] = {}
    for segment in SEGMENTS:
        numerators = np.stack([measured[model].numerators[segment] for model in models], axis=1)
        denominators = np.stack([measured[model].denominators[segment] for model in models], axis=1)
        customers[segment] = int((denominators[:, 0, 0] > 0).sum())
        samples[segment] = _resample(numerators, denominators, draws, seed)
    return Draws(models, measured, samples, customers)


def _resample(numerators: Array, denominators: Array, draws: int, seed: int) -> Array:
    """sum(numerators) / sum(denominators) over drawn customers: (draws, models, metrics)."""
    n = len(numerators)
    shape = (draws, *numerators.shape[1:])
    if n == 0:
        return np.full(shape, np.nan)
    random = np.random.default_rng(seed)
    top, bottom = numerators.reshape(n, -1), denominators.reshape(n, -1)
    step = max(1, _CELLS // n)
    parts = []
    for begin in range(0, draws, step):
        count = min(step, draws - begin)
        drawn = random.integers(0, n, size=(count, n))
        drawn += np.arange(count)[:, None] * n
        times = np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            parts.append((times @ top) / (times @ bottom))
    return np.concatenate(parts).reshape(shape)

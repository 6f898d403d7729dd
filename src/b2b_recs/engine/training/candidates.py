"""Settings found on the validation period, models fitted on the whole training side."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from b2b_recs.engine.algorithms.contract import Algorithm
from b2b_recs.engine.algorithms.registry import ALGORITHMS, BASELINES, make_algorithm
from b2b_recs.engine.errors import Cancelled, EngineError
from b2b_recs.engine.evaluation.metrics import SEGMENTS, measure, metric_title
from b2b_recs.engine.progress import Progress
from b2b_recs.engine.training.periods import Periods
from b2b_recs.engine.training.spec import TrainingSpec

TUNING_CUSTOMERS = 5_000  # enough to tell settings apart; the test itself leaves nobody out
# Without a validation period: what does best on most wholesalers' orders, most reliable first.
FALLBACK_ORDER = ("user_knn", "buy_again", "ials", "ease", "recent_popular", "popular")


@dataclass(slots=True)
class Candidate:
    """One algorithm of a training; ``model`` is fitted on the training side, None when ``skipped`` says why."""

    name: str
    eligible: bool
    parameters: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, float] = field(default_factory=dict)
    model: Algorithm | None = None
    tuning_seconds: float = 0.0
    fit_seconds: float = 0.0
    skipped: str = ""

    @property
    def title(self) -> str:
        """The name people read."""
        return ALGORITHMS[self.name].title


def fit_candidates(periods: Periods, spec: TrainingSpec, progress: Progress) -> list[Candidate]:
    """Every baseline and every eligible algorithm, tuned and fitted; a failing one is skipped with its reason."""
    names = [name for name in ALGORITHMS if name in spec.eligible or name in BASELINES]
    candidates = []
    for position, name in enumerate(names):
        candidate = Candidate(name, name in spec.eligible)
        try:
            _tune(candidate, periods, spec, progress)
            started = time.perf_counter()
            candidate.model = fit_one(name, candidate.parameters, periods)
            candidate.fit_seconds = time.perf_counter() - started
        except Cancelled:
            raise
        except EngineError as error:
            candidate.skipped = str(error)
        except MemoryError:
            candidate.skipped = "There was not enough memory for it."
        progress.log(_line(candidate, spec.headline), "warning" if candidate.skipped else "info")
        progress.update(fraction=(position + 1) / (len(names) + 2))
        candidates.append(candidate)
    return candidates


def fit_one(name: str, parameters: Mapping[str, Any], periods: Periods) -> Algorithm:
    """One algorithm on the training side, ages counted from the cut."""
    return make_algorithm(name, parameters).fit(periods.test.train, periods.test.cut)


def _tune(candidate: Candidate, periods: Periods, spec: TrainingSpec, progress: Progress) -> None:
    """Choose among the grid by the headline metric on the validation period, both lists counting the same."""
    grid = _grid(candidate.name, spec)
    candidate.parameters = grid[0]
    started = time.perf_counter()
    best = -math.inf
    for parameters in grid:
        if progress.cancelled():
            raise Cancelled("The training was stopped because someone asked for it.")
        if periods.tuning is None or periods.tuning_holdout is None:
            break
        model = make_algorithm(candidate.name, parameters).fit(periods.tuning.train, periods.tuning.cut)
        measured = measure(model, periods.tuning_holdout.limited(TUNING_CUSTOMERS, spec.seed))
        figures = {segment: measured.value(segment, spec.headline) for segment in SEGMENTS}
        total = sum(value for value in figures.values() if math.isfinite(value))
        if total > best:
            best = total
            candidate.parameters, candidate.validation = model.parameters.model_dump(mode="json"), figures
    candidate.tuning_seconds = time.perf_counter() - started


def _grid(name: str, spec: TrainingSpec) -> tuple[dict[str, Any], ...]:
    seeded = {"seed": spec.seed} if "seed" in ALGORITHMS[name].Parameters.model_fields else {}
    given = spec.parameters.get(name)
    grid = ALGORITHMS[name].grid if given is None else (given,)
    return tuple(
        make_algorithm(name, {**seeded, **parameters}).parameters.model_dump(mode="json") for parameters in grid
    )


def choose(candidates: list[Candidate]) -> Candidate:
    """The eligible candidate with the best validation figure over all purchases. EngineError when none was fitted."""
    usable = [each for each in candidates if each.eligible and each.model is not None]
    if not usable:
        reasons = " ".join(f"{each.title}: {each.skipped}" for each in candidates if each.eligible)
        raise EngineError(
            f"None of the algorithms could be fitted. {reasons}", advice="Allow more algorithms, or algorithms: auto."
        )
    return max(usable, key=lambda each: (_validated(each), -FALLBACK_ORDER.index(each.name)))


def _validated(candidate: Candidate) -> float:
    value = candidate.validation.get("all", math.nan)
    return value if math.isfinite(value) else -math.inf


def _line(candidate: Candidate, headline: str) -> str:
    if candidate.skipped:
        return f"{candidate.title} was skipped. {candidate.skipped}"
    settings = ", ".join(f"{name} {value:g}" for name, value in candidate.parameters.items() if name != "seed")
    figure = candidate.validation.get("all")
    words = f"{metric_title(headline)} {figure:.3f} on validation" if figure is not None else "not tuned"
    return f"{candidate.title}: {words}{settings and f' with {settings}'} ({candidate.fit_seconds:.1f} s to fit)."

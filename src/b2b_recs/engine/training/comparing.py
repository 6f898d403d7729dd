"""Every fitted candidate, and the recipe in service, on the same test period."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import numpy as np

from b2b_recs.engine.algorithms.contract import Algorithm
from b2b_recs.engine.algorithms.registry import ALGORITHMS, BASELINES
from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.evaluation.holdout import Holdout
from b2b_recs.engine.evaluation.intervals import Draws, bootstrap
from b2b_recs.engine.evaluation.metrics import Measured, measure
from b2b_recs.engine.evaluation.report import AlgorithmReport, TestPeriod, compare, metrics_of
from b2b_recs.engine.training.candidates import Candidate, fit_one
from b2b_recs.engine.training.periods import Periods
from b2b_recs.engine.training.result import Evaluation, InService
from b2b_recs.engine.training.spec import TrainingSpec

IN_SERVICE = "in_service"


def evaluate(
    periods: Periods,
    candidates: list[Candidate],
    chosen: Candidate,
    spec: TrainingSpec,
    in_service: InService | None,
) -> tuple[Evaluation, dict[str, Measured]]:
    """Every fitted candidate on the test period, with the model in service beside."""
    measured: dict[str, Measured] = {}
    seconds: dict[str, float] = {}
    for each in candidates:
        if each.model is not None:
            measured[each.name], seconds[each.name] = _measure(each.model, periods.test_holdout)
    served = _in_service(in_service, periods, measured, seconds, candidates)
    draws = bootstrap(measured, seed=spec.seed)
    reports = tuple(_report(each, draws, seconds) for each in candidates)
    others = [name for name in measured if name == IN_SERVICE or (name in BASELINES and name != chosen.name)]
    if chosen.name in BASELINES:
        others.append(chosen.name)  # against itself: a difference of exactly zero, so that the gate finds it
    if served is not None and not served.skipped:
        metrics, coverage = metrics_of(draws, IN_SERVICE), measured[IN_SERVICE].coverage
        served = served.model_copy(update={"metrics": metrics, "coverage": coverage})
    best = max(
        (report for report in reports if report.eligible and not report.skipped),
        key=lambda report: report.metrics["all"][spec.headline].value or -math.inf,
    )
    evaluation = Evaluation(
        headline=spec.headline,
        period=_period(periods),
        algorithms=reports,
        chosen=chosen.name,
        chosen_parameters=chosen.parameters,
        best_on_test=best.algorithm,
        in_service=served,
        comparisons=tuple(
            comparison for other in others for comparison in compare(draws, chosen.name, other, spec.headline)
        ),
    )
    return evaluation, measured


def _in_service(
    recipe: InService | None,
    periods: Periods,
    measured: dict[str, Measured],
    seconds: dict[str, float],
    candidates: list[Candidate],
) -> AlgorithmReport | None:
    """Fit and measure the recipe in service; a report that says why when that cannot be done."""
    if recipe is None:
        return None
    kind = ALGORITHMS.get(recipe.algorithm)
    title = kind.title if kind is not None else recipe.algorithm
    try:
        same = [each for each in candidates if (each.name, each.parameters) == (recipe.algorithm, recipe.parameters)]
        if same and same[0].model is not None:
            measured[IN_SERVICE], seconds[IN_SERVICE] = measured[same[0].name], seconds[same[0].name]
        else:
            model = fit_one(recipe.algorithm, recipe.parameters, periods)
            measured[IN_SERVICE], seconds[IN_SERVICE] = _measure(model, periods.test_holdout)
    except EngineError as error:
        return AlgorithmReport(algorithm=recipe.algorithm, title=title, skipped=str(error))
    return AlgorithmReport(algorithm=recipe.algorithm, title=title, parameters=recipe.parameters)


def _measure(model: Algorithm, holdout: Holdout) -> tuple[Measured, float]:
    started = time.perf_counter()
    measured = measure(model, holdout)
    return measured, time.perf_counter() - started


def _report(candidate: Candidate, draws: Draws, seconds: Mapping[str, float]) -> AlgorithmReport:
    there = candidate.model is not None
    return AlgorithmReport(
        algorithm=candidate.name,
        title=candidate.title,
        baseline=candidate.name in BASELINES,
        eligible=candidate.eligible,
        parameters=candidate.parameters,
        validation={name: value if math.isfinite(value) else None for name, value in candidate.validation.items()},
        metrics=metrics_of(draws, candidate.name) if there else {},
        coverage=draws.measured[candidate.name].coverage if there else {},
        tuning_seconds=candidate.tuning_seconds,
        fit_seconds=candidate.fit_seconds,
        evaluation_seconds=seconds.get(candidate.name, 0.0),
        skipped=candidate.skipped,
    )


def _period(periods: Periods) -> TestPeriod:
    holdout = periods.test_holdout
    bought_before = holdout.truth.multiply(holdout.owned).sum(axis=1)
    all_bought = holdout.truth.sum(axis=1)
    return TestPeriod(
        cut=periods.test.cut,
        until=int(periods.test.test.time.max()),
        train_rows=len(periods.test.train),
        test_rows=len(periods.test.test),
        customers=len(holdout),
        new_customers=int((np.asarray(all_bought - bought_before) > 0).sum()),
        catalogue=int(holdout.catalogue.sum()),
        revenue=holdout.revenue_total,
    )

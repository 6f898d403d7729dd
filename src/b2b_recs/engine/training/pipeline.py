"""One training: split by time, tune, fit, test with intervals, choose, refit, write, judge."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from b2b_recs.engine import faults
from b2b_recs.engine.algorithms.contract import Algorithm
from b2b_recs.engine.algorithms.ranking import rank
from b2b_recs.engine.algorithms.registry import ALGORITHMS, BASELINES, make_algorithm
from b2b_recs.engine.artifacts.bundle import Recommender, open_bundle, write_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.artifacts.strings import pack_strings
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.errors import Cancelled, EngineError
from b2b_recs.engine.evaluation.holdout import Holdout
from b2b_recs.engine.evaluation.intervals import Draws, bootstrap
from b2b_recs.engine.evaluation.metrics import Measured, measure
from b2b_recs.engine.evaluation.report import AlgorithmReport, TestPeriod, compare, metrics_of
from b2b_recs.engine.progress import Progress
from b2b_recs.engine.training.candidates import Candidate, choose, fit_candidates, fit_one
from b2b_recs.engine.training.gate import judge
from b2b_recs.engine.training.periods import Periods, make_periods
from b2b_recs.engine.training.result import Evaluation, InService, TrainingResult
from b2b_recs.engine.training.spec import TrainingSpec

IN_SERVICE = "in_service"
LIST_LENGTH = 100


def train(
    interactions: Interactions,
    spec: TrainingSpec,
    artifacts: ArtifactStore,
    progress: Progress,
    clock: Callable[[], datetime],
    lineage: Mapping[str, Any] | None = None,
    in_service: InService | None = None,
) -> TrainingResult:
    """Train on one dataset; the artifacts are written and the verdict given, nothing is deployed here.

    Stages ``train``, ``evaluate`` and ``register`` are told to ``progress``; the last one stays running for the
    caller, who records the model. Raises EmptyDataset, BadInput naming ``split.test_days`` (or ``test_share``),
    StorageFull, Cancelled.
    """
    watch = _Watch(progress)
    warnings: list[str] = []
    with watch.stage("train"):
        periods = make_periods(interactions, spec.split)
        if periods.tuning is None:
            warnings.append(
                "No customer ordered both before and in the validation period, so settings are the defaults and "
                "the algorithm is the usual one. More orders, or a shorter test period, let it choose."
            )
        candidates = fit_candidates(periods, spec, progress)
        chosen = choose(candidates)
    with watch.stage("evaluate"):
        evaluation, measured = _evaluate(periods, candidates, chosen, spec, in_service)
        warnings += [f"{each.title} was skipped. {each.skipped}" for each in candidates if each.skipped]
        progress.log(_summary(evaluation))
    progress.stage("register", "running", "fitting on all orders" if spec.refit == "all" else "writing")
    started = time.perf_counter()
    model, served, now = _final(interactions, periods, chosen, spec)
    if progress.cancelled():
        raise Cancelled("The training was stopped because someone asked for it.")
    figures = evaluation.report(chosen.name)
    faults.step("train.before_write")
    evaluation_id = _write_evaluation(artifacts, evaluation, periods, chosen, measured, interactions)
    artifact_id = write_bundle(
        artifacts,
        model,
        served,
        now=now,
        trained_at=clock(),
        lineage={**(lineage or {}), "evaluation_artifact": evaluation_id},
        metrics=figures.model_dump(mode="json")["metrics"] if figures else {},
    )
    faults.step("train.after_write")
    verdict = judge(
        evaluation,
        artifact_problem=probe(artifacts, artifact_id),
        in_service=in_service is not None,
        deploy=spec.deploy,
    )
    progress.log("The gate is passed." if verdict.passed else "The gate is not passed. " + " ".join(verdict.reasons))
    watch.seconds["register"] = time.perf_counter() - started
    return TrainingResult(
        evaluation=evaluation,
        artifact_id=artifact_id,
        evaluation_artifact_id=evaluation_id,
        gate=verdict,
        rows=len(interactions),
        customers=interactions.customers,
        products=interactions.products,
        seconds=sum(watch.seconds.values()),
        stage_seconds=watch.seconds,
        warnings=tuple(warnings),
    )


def probe(artifacts: ArtifactStore, artifact_id: str) -> str | None:
    """None when the artifact opens and answers as serving will ask it, else what is wrong in words."""
    try:
        bundle = open_bundle(artifacts, artifact_id)
        recommender = Recommender(bundle)
        for customer_id in (*bundle.customer_ids[:3], "\x00no such customer"):
            answer = recommender.recommend(customer_id, 10)
            if not len(answer.products) or not np.isfinite(answer.scores).all():
                return "it gave no recommendations."
    except EngineError as error:
        return str(error)
    return None


def _evaluate(
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


def _final(
    interactions: Interactions, periods: Periods, chosen: Candidate, spec: TrainingSpec
) -> tuple[Algorithm, Interactions, int]:
    """The model to serve, the orders it learnt from, and the moment its ages are counted from."""
    if spec.refit == "training" and chosen.model is not None:
        return chosen.model, periods.test.train, periods.test.cut
    now = int(interactions.time.max()) + 1
    return make_algorithm(chosen.name, chosen.parameters).fit(interactions, now), interactions, now


def _write_evaluation(
    artifacts: ArtifactStore,
    evaluation: Evaluation,
    periods: Periods,
    chosen: Candidate,
    measured: Mapping[str, Measured],
    interactions: Interactions,
) -> str:
    """The report, every customer's figures, and the chosen model's lists (n, 100), -1 after the end."""
    holdout = periods.test_holdout
    arrays: dict[str, npt.NDArray[Any]] = {
        **pack_strings("customers", interactions.customer_ids[holdout.customers]),
        **pack_strings("products", interactions.product_ids),
        "truth/indptr": holdout.truth.indptr.astype(np.int64),
        "truth/indices": holdout.truth.indices.astype(np.int32),
        "lists": _lists(chosen, holdout),
    }
    for name, each in measured.items():
        for segment in each.numerators:
            arrays[f"figures/{name}/{segment}/numerators"] = each.numerators[segment]
            arrays[f"figures/{name}/{segment}/denominators"] = each.denominators[segment]
    return artifacts.write("evaluation", evaluation.model_dump(mode="json"), arrays)


def _lists(chosen: Candidate, holdout: Holdout) -> npt.NDArray[np.int32]:
    lists = np.full((len(holdout), LIST_LENGTH), -1, dtype=np.int32)
    if chosen.model is not None:
        for row in range(len(holdout)):
            scores = chosen.model.score(holdout.customers[row : row + 1])
            products, _ = rank(scores, LIST_LENGTH, holdout.catalogue)[0]
            lists[row, : len(products)] = products
    return lists


def _summary(evaluation: Evaluation) -> str:
    report = evaluation.report(evaluation.chosen)
    value = report.metrics["all"][evaluation.headline].value if report else None
    figure = f"{value:.3f}" if value is not None else "not measured"
    return (
        f"Chosen: {report.title if report else evaluation.chosen}; {evaluation.headline} {figure} on the test period."
    )


class _Watch:
    """Tells progress about stages and keeps their seconds."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """One stage; failed when the work raises."""
        self._progress.stage(name, "running")
        started = time.perf_counter()
        try:
            yield
        except Exception as error:
            self._progress.stage(name, "failed", str(error))
            raise
        self.seconds[name] = time.perf_counter() - started
        self._progress.stage(name, "done")

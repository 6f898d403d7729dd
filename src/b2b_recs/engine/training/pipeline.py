"""One training: split by time, tune, fit, test with intervals, choose, refit, write, judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from b2b_recs.engine import faults
from b2b_recs.engine.artifacts.bundle import write_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.errors import Cancelled
from b2b_recs.engine.evaluation.metrics import metric_title
from b2b_recs.engine.progress import Progress
from b2b_recs.engine.training.candidates import Candidate, choose, fit_candidates
from b2b_recs.engine.training.comparing import evaluate
from b2b_recs.engine.training.gate import judge
from b2b_recs.engine.training.periods import Periods, make_periods
from b2b_recs.engine.training.result import Evaluation, InService, TrainingResult
from b2b_recs.engine.training.spec import TrainingSpec
from b2b_recs.engine.training.writing import last_fit, probe, write_evaluation


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
    with watch.stage("train"):
        periods = make_periods(interactions, spec.split)
        candidates = fit_candidates(periods, spec, progress)
        chosen = choose(candidates)
    with watch.stage("evaluate"):
        evaluation, measured = evaluate(periods, candidates, chosen, spec, in_service)
        progress.log(_summary(evaluation))
    with watch.stage("register", left_running=True):
        model, served, now = last_fit(interactions, periods, chosen, spec)
        if progress.cancelled():
            raise Cancelled("The training was stopped because someone asked for it.")
        faults.step("train.before_write")
        measured_id = write_evaluation(artifacts, evaluation, periods, chosen, measured, interactions)
        origin = {**(lineage or {}), "evaluation_artifact": measured_id}
        figures, made = evaluation.figures(), clock()
        artifact_id = write_bundle(artifacts, model, served, now=now, trained_at=made, lineage=origin, metrics=figures)
        faults.step("train.after_write")
        problem = probe(artifacts, artifact_id)
        verdict = judge(evaluation, artifact_problem=problem, in_service=in_service is not None, deploy=spec.deploy)
        progress.log(("The gate is passed. " if verdict.passed else "The gate is not passed. ") + verdict.reasons[0])
    return TrainingResult(
        evaluation=evaluation,
        artifact_id=artifact_id,
        evaluation_artifact_id=measured_id,
        gate=verdict,
        rows=len(interactions),
        customers=interactions.customers,
        products=interactions.products,
        learnt_until=int(served.time.max()),
        seconds=sum(watch.seconds.values()),
        stage_seconds=watch.seconds,
        warnings=_warnings(periods, candidates),
    )


def _warnings(periods: Periods, candidates: list[Candidate]) -> tuple[str, ...]:
    untuned = (
        "No customer ordered both before and in the validation period, so settings are the defaults and "
        "the algorithm is the usual one. More orders, or a shorter test period, let it choose."
    )
    skipped = [f"{each.title} was skipped. {each.skipped}" for each in candidates if each.skipped]
    return (*([untuned] if periods.tuning is None else []), *skipped)


def _summary(evaluation: Evaluation) -> str:
    report = evaluation.report(evaluation.chosen)
    value = report.metrics["all"][evaluation.headline].value if report else None
    figure = f"{value:.3f}" if value is not None else "not measured"
    title = report.title if report else evaluation.chosen
    return f"Chosen: {title}; {metric_title(evaluation.headline)} {figure} on the test period."


class _Watch:
    """Tells progress about stages and keeps their seconds."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, *, left_running: bool = False) -> Iterator[None]:
        """One stage; failed when the work raises, done after it unless the caller goes on with it."""
        self._progress.stage(name, "running")
        started = time.perf_counter()
        try:
            yield
        except Exception as error:
            self._progress.stage(name, "failed", str(error))
            raise
        self.seconds[name] = time.perf_counter() - started
        if not left_running:
            self._progress.stage(name, "done")
